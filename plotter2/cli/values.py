"""What `--set name=value` means (pure). Numbers keep the spelling that the user gave them: 0.10 stays 0.10.

A value is JSON where it is JSON (numbers, true, false, null, lists, objects, quoted text) and text where it is not.
Commas divide values unless they stand inside brackets, braces or quotes. For `redo` a range stands for its values
(`plotter2.model.spread`).
"""

from __future__ import annotations

import json
import re

from plotter2.errors import UsageError
from plotter2.model import spread

_NEARLY_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_OPEN = {"[": "]", "{": "}"}


def divide(text: str) -> list[str]:
    """Divide at the commas that stand outside brackets, braces and quotes."""
    parts, part, closers, in_quotes = [], "", [], False
    before = ""
    for char in text:
        if char == '"' and before != "\\":
            in_quotes = not in_quotes
        elif not in_quotes and char in _OPEN:
            closers.append(_OPEN[char])
        elif not in_quotes and closers and char == closers[-1]:
            closers.pop()
        if char == "," and not closers and not in_quotes:
            parts.append(part)
            part = ""
        else:
            part += char
        before = char
    return [*parts, part]


def as_json(text: str) -> str:
    """One value as a JSON text: as it stands where it is JSON, a number written another way, else a string."""
    stripped = text.strip()
    try:
        json.loads(stripped, parse_constant=_refuse)
    except ValueError:
        if _NEARLY_NUMBER.fullmatch(stripped) and not re.match(r"[+-]?0\d", stripped):
            return repr(float(stripped))
        return json.dumps(stripped, ensure_ascii=False)
    return stripped


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def axes(settings: list[str]) -> dict[str, list[str]]:
    """Read the `--set` options of a redo: parameter to JSON texts, in the order given.

    Raises:
        UsageError: not name=value, a name twice, no value, or a range that is none.
    """
    found: dict[str, list[str]] = {}
    for setting in settings:
        name, text = _named(setting, found)
        values = [value for part in divide(text) if part.strip() for value in _values(part.strip())]
        if not values:
            raise UsageError(f"--set {setting} gives no value; write --set {name}=0.1,0.2.")
        found[name] = values
    return found


def _values(part: str) -> list[str]:
    found = spread.values(part)
    return [as_json(part)] if found is None else found


def parameters(settings: list[str]) -> dict[str, str]:
    """Read the `--set` options of a run: parameter to one JSON text; commas belong to the value.

    Raises:
        UsageError: not name=value, or a name twice.
    """
    found: dict[str, str] = {}
    for setting in settings:
        name, text = _named(setting, found)
        found[name] = as_json(text)
    return found


def tags(settings: list[str]) -> dict[str, str]:
    """Read the tags that `tag` shall set: name to one JSON text.

    Raises:
        UsageError: not name=value, or a name twice.
    """
    found: dict[str, str] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        name = name.strip()
        if not equals or not name:
            raise UsageError(f"{setting!r} is no tag to set; write name=value, or --unset name to take one away.")
        if name in found:
            raise UsageError(f"The tag {name!r} is given twice.")
        found[name] = as_json(text)
    return found


def _named(setting: str, found: dict[str, list[str]] | dict[str, str]) -> tuple[str, str]:
    name, equals, text = setting.partition("=")
    name = name.strip()
    if not equals or not name:
        raise UsageError(f"--set {setting} is not a setting; write --set name=value.")
    if name in found:
        raise UsageError(f"--set gives {name!r} twice; put the values into one, as --set {name}=1,2.")
    return name, text
