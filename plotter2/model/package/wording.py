"""What msgspec found wrong in a package.json, in words that say what would be right, and exactly where (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import inspect

from plotter2.model.document import Path
from plotter2.model.names import did_you_mean, listed
from plotter2.model.package.declare import Package

_PLACE = re.compile(r" - at `(?:key in )?\$([^`]*)`$")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\.\.\.|\d+)\]")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(.*)`", re.DOTALL)
_EXPECTED = re.compile(r"Expected `([^`]*)`, got `([^`]*)`")
_ANY_KEY = "..."
_WORDS = {
    "str": "text", "int": "a whole number", "float": "a number", "bool": "true or false", "null": "null",
    "array": "a list", "object": "an object",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that does not hold: where, and the end of a sentence that begins with the place."""

    path: Path
    reason: str


def explain(message: str, raw: Any) -> tuple[Path, str]:
    """The place and the reason behind msgspec's message about a document.

    Args:
        message: as msgspec wrote it.
        raw: the same document, decoded without types; says which key of a map is meant.
    """
    found = _PLACE.search(message)
    path = _located(_steps(found[1]) if found else [], message, raw)
    said = message[: found.start()] if found else message
    kind = _type_at(path)
    for pattern, word in ((_UNKNOWN, _unknown), (_MISSING, _missing), (_EXPECTED, _expected)):
        match = pattern.fullmatch(said)
        if match:
            return word(path, kind, match)
    if isinstance(kind, inspect.LiteralType | inspect.EnumType):
        return path, f"must be one of {names(_choices(kind))}, not {_shown(path, raw)!r}"
    return path, f"is wrong: {said[:1].lower()}{said[1:]}"


def names(known: Iterable[object]) -> str:
    """A list for people; "none" for an empty one."""
    return listed(repr(str(name)) for name in known)


def hint(name: str, known: Iterable[str]) -> str:
    """How to end a sentence about an unknown name: the nearest known one, or all that are known."""
    known = list(known)
    near = did_you_mean(name, known)
    return near.removeprefix("; ") if near != "." else f"known are {names(known)}"


def _unknown(path: Path, kind: inspect.Type | None, found: re.Match[str]) -> tuple[Path, str]:
    fields = [one.encode_name for one in kind.fields] if isinstance(kind, inspect.StructType) else []
    fields = [one for one in fields if one.isidentifier()]
    return (*path, found[1]), f"is an unknown key; {hint(found[1], fields)}".removesuffix("?")


def _missing(path: Path, _kind: inspect.Type | None, found: re.Match[str]) -> tuple[Path, str]:
    return path, f"misses the key {found[1]!r}"


def _expected(path: Path, _kind: inspect.Type | None, found: re.Match[str]) -> tuple[Path, str]:
    wanted = [_WORDS.get(one, one) for one in found[1].split(" | ")]
    return path, f"must be {' or '.join(wanted)}, not {_WORDS.get(found[2], found[2])}"


def _steps(place: str) -> list[str | int]:
    return [key or (int(index) if index.isdigit() else index) for key, index in _STEP.findall(place)]


def _located(steps: list[str | int], message: str, raw: Any) -> Path:
    """The path with each `[...]` replaced by the key that is meant: the first with which the same fault appears."""
    path: list[str | int] = []
    for step in steps:
        keys = _at(path, raw) if step == _ANY_KEY else ()
        path.append(next((key for key in keys if _fails(_only(path, key, raw), message)), step))
    return tuple(path)


def _at(path: list[str | int], raw: Any) -> Any:
    for step in path:
        raw = raw[step]
    return raw


def _only(path: list[str | int], key: str, raw: Any) -> Any:
    """The document with nothing but one key left in the map at a path."""
    if not path:
        return {key: raw[key]}
    first, rest = path[0], path[1:]
    copy: Any = dict(raw) if isinstance(raw, dict) else list(raw)
    copy[first] = _only(rest, key, raw[first])
    return copy


def _fails(raw: Any, message: str) -> bool:
    try:
        msgspec.convert(raw, Package)
    except msgspec.ValidationError as wrong:
        return str(wrong) == message
    return False


def _shown(path: Path, raw: Any) -> Any:
    return _at(list(path), raw)


def _choices(kind: inspect.LiteralType | inspect.EnumType) -> Iterable[object]:
    return kind.values if isinstance(kind, inspect.LiteralType) else [one.value for one in kind.cls]


def _type_at(path: Path) -> inspect.Type | None:
    """The declared type of what stands at a path."""
    kind: inspect.Type | None = inspect.type_info(Package)
    for step in path:
        kind = _inner(kind, step)
    return _plain(kind)


def _inner(kind: inspect.Type | None, step: str | int) -> inspect.Type | None:
    kind = _plain(kind)
    if isinstance(kind, inspect.StructType):
        return next((field.type for field in kind.fields if field.encode_name == step), None)
    if isinstance(kind, inspect.DictType):
        return kind.value_type
    return kind.item_type if isinstance(kind, inspect.ListType) else None


def _plain(kind: inspect.Type | None) -> inspect.Type | None:
    """Without "or null"."""
    if isinstance(kind, inspect.UnionType):
        return next((one for one in kind.types if not isinstance(one, inspect.NoneType)), None)
    return kind
