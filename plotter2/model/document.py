"""Strict JSON for documents that come from outside, and where in the text each value stands (pure).

JSON decoders are generous: they let a key stand twice, numbers that no computer holds, and nesting that ends the
process that reads it. This scanner looks at the text first, without recursion and in one pass, and names the first
flaw. It does not check the grammar: that is left to the decoder, which is safe once this has found nothing.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

DEPTH_MAX = 64
"""Objects and lists inside one another."""
TOKENS_MAX = 250_000
"""Strings, numbers, words and signs of one document."""

Path = tuple[str | int, ...]
"""Keys and indices from the top of a document, as ("tasks", 0, "name")."""

# The closing quote is optional, so that a string without end is read once, and not once a character.
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{}:,]|-?[0-9][0-9.eE+\-]*|-?[A-Za-z]+|\S', re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")
_NO_NUMBERS = frozenset({"NaN", "-NaN", "Infinity", "-Infinity"})
_SHOWN_MAX = 80


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with a document, and where: the line, from 1, and the path of the value."""

    reason: str
    line: int
    path: Path = ()


@dataclass(slots=True)
class _Level:
    """An open object or list: `at` is the key or the index that is being read."""

    is_object: bool
    at: str | int
    keys: set[str] = field(default_factory=set)
    wants_key: bool = False


class _Scanner:
    """Walks over the tokens of a text; stops at the first flaw and keeps its reason."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.offset = 0
        self.reason = ""
        self._levels: list[_Level] = []

    @property
    def path(self) -> Path:
        return tuple(level.at for level in self._levels)

    @property
    def depth(self) -> int:
        return len(self._levels)

    @property
    def line(self) -> int:
        return line_at(self.text, self.offset)

    def steps(self) -> Iterator[None]:
        """One step for each member and element, when its first character is reached."""
        for count, found in enumerate(_TOKEN.finditer(self.text)):
            token, self.offset = found[0], found.start()
            if count == TOKENS_MAX:
                self.reason = f"has more than {TOKENS_MAX} words and signs"
                return
            if self._is_start(token):
                yield
            self._read(token)
            if self.reason:
                return

    def _is_start(self, token: str) -> bool:
        """Whether a member or an element begins here."""
        top = self._levels[-1] if self._levels else None
        if token in {",", ":", "}", "]"}:
            return False
        if top is None or not top.is_object:
            return True
        if not top.wants_key or token[0] != '"':
            return False
        top.at, top.wants_key = _unquoted(token), False
        if top.at in top.keys:
            self.reason = "stands twice; each key may stand once"
        top.keys.add(top.at)
        return True

    def _read(self, token: str) -> None:
        first = token[0]
        if first in "{[":
            self._open(is_object=first == "{")
        elif first in "}],":
            self._go_on(is_end=first != ",")
        elif first == '"':
            if "\\u" in token and any("\ud800" <= char <= "\udfff" for char in _unquoted(token)):
                self.reason = "contains half of a surrogate pair, which is no text"
        elif token in _NO_NUMBERS or (token[-1].isdigit() and _is_too_large(token)):
            self.reason = f"is {_short(token)}, which is no finite number"

    def _open(self, *, is_object: bool) -> None:
        self._levels.append(_Level(is_object, "" if is_object else 0, wants_key=is_object))
        if len(self._levels) > DEPTH_MAX:
            self.reason = f"is nested deeper than {DEPTH_MAX} levels"

    def _go_on(self, *, is_end: bool) -> None:
        if not self._levels:
            return
        top = self._levels[-1]
        if is_end:
            self._levels.pop()
        elif isinstance(top.at, int):
            top.at += 1
        else:
            top.wants_key = True


def _unquoted(token: str) -> str:
    if "\\" not in token:
        return token[1:].removesuffix('"')
    try:
        return str(json.loads(token, strict=False))
    except ValueError:
        return token


def _is_too_large(token: str) -> bool:
    try:
        return math.isinf(float(token))
    except ValueError:
        return False


def _short(token: str) -> str:
    return token if len(token) <= _SHOWN_MAX else f"{token[:_SHOWN_MAX]}…"


def flaw(text: str) -> Flaw | None:
    """The first thing in a text that no honest JSON document has; None: a decoder may read it.

    Found are: a byte order mark, a key that stands twice in one object, nesting deeper than DEPTH_MAX, a number beyond
    the range of float64, NaN and Infinity, half of a surrogate pair, more than TOKENS_MAX tokens. Time and memory grow
    with the length of the text only.
    """
    if text.startswith("\ufeff"):
        return Flaw("begins with a byte order mark; save it as UTF-8 without one", 1)
    if not text.isascii() and (found := _SURROGATE.search(text)):
        return Flaw("contains half of a surrogate pair, which is no text", line_at(text, found.start()))
    scanner = _Scanner(text)
    for _ in scanner.steps():
        pass
    return Flaw(scanner.reason, scanner.line, scanner.path) if scanner.reason else None


def line_of(text: str, path: Path) -> int:
    """The line on which the value at a path begins (for a member: its key).

    For what is not there, it is the line of the nearest value above.
    """
    scanner = _Scanner(text)
    best, depth = 1, -1
    for _ in scanner.steps():
        here = scanner.depth
        if depth < here <= len(path) and scanner.path == path[:here]:
            best, depth = scanner.line, here
            if here == len(path):
                break
    return best


def line_at(text: str, offset: int) -> int:
    """The line, from 1, that holds the character at an offset."""
    return text.count("\n", 0, offset) + 1


def spell(path: Path) -> str:
    """A path for people: `tasks[0].name`; a long one is cut."""
    found = ""
    for step in path:
        found += f"[{step}]" if isinstance(step, int) else f".{step}" if found else step
    return _short(found)
