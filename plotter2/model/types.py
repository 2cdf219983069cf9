"""The types that heads declare: what goes into a link and what comes out of it (requirements 046, 047; pure).

::

    any                                      nothing is said, nothing is checked
    bytes   text                             a file's content; characters
    scalar  scalar[float64]                  one number (or one text, one time)
    vector  vector[float64, 3]               `*` or nothing: of any dtype, of any size
    matrix  matrix[float64, *, 32]
    array   array[float32]  array[float32, 3, *, *]     of any rank; of three axes
    image   image[uint8, *, *, 3]            rows, columns, channels; or rows, columns
    table   table{x: float64, name: text}    these columns; `table{x: float64, *}`: these and others

A declared type and the type of a value are the same thing: a value's type has no `*` in it. So one comparison serves
both, at link time and at each call. Knows neither numpy nor files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import StrEnum

from typing_extensions import override

from plotter2.errors import PackageError

TEXT_CHARS_MAX = 20_000
RANK_MAX = 8
SIZE_MAX = 1 << 48
COLUMNS_MAX = 1_000
OPEN = "*"
"""Any dtype, any size, any further columns."""

DTYPES = (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64",
    "complex64", "complex128", "text", "time",
)  # fmt: skip
_SYNONYMS = {"float": "float64", "double": "float64", "int": "int64", "str": "text", "string": "text",
             "datetime": "time", "complex": "complex128"}  # fmt: skip
_RANKS = {"scalar": 0, "vector": 1, "matrix": 2}
_NAMES_OF_RANK = {rank: name for name, rank in _RANKS.items()}
_WORDS = ("any", "array", "bytes", "image", "matrix", "scalar", "table", "text", "vector")
_IMAGE_RANKS = (2, 3)
_TOKEN = re.compile(r'\s*([A-Za-z_]\w*|\d+|"(?:[^"\\]|\\.)*"|[\[\]{},:*])')
_PLAIN = re.compile(r"[A-Za-z_]\w*", re.ASCII)

Size = int | None
"""Along one axis; None is `*`."""


class Kind(StrEnum):
    """What a value is, before its dtype and shape. Scalars, vectors and matrices are arrays with a rank."""

    ANY = "any"
    BYTES = "bytes"
    TEXT = "text"
    ARRAY = "array"
    IMAGE = "image"
    TABLE = "table"


class Mode(StrEnum):
    """How a link compares (requirements 046, 047)."""

    CONSTANT = "constant"
    MUTABLE = "mutable"


@dataclass(frozen=True, slots=True)
class Type:
    """One type. Equal types have the same text.

    Attributes:
        dtype: of arrays and images; "*" for any.
        shape: of arrays and images, a size an axis; None for any rank.
        columns: of tables, (name, dtype), sorted by name.
        is_open: of tables, whether there may be further columns.
    """

    kind: Kind
    dtype: str = OPEN
    shape: tuple[Size, ...] | None = None
    columns: tuple[tuple[str, str], ...] = ()
    is_open: bool = True

    @override
    def __str__(self) -> str:
        if self.kind is Kind.TABLE:
            return _table_text(self)
        if self.kind not in {Kind.ARRAY, Kind.IMAGE}:
            return self.kind
        sizes = [OPEN if size is None else str(size) for size in self.shape or ()]
        rank = None if self.shape is None else len(self.shape)
        word = _NAMES_OF_RANK.get(rank, "array") if self.kind is Kind.ARRAY and rank is not None else str(self.kind)
        is_bare = self.dtype == OPEN and set(sizes) <= {OPEN} and (word in _RANKS or rank is None)
        return word if is_bare else f"{word}[{', '.join([self.dtype, *sizes])}]"


ANY = Type(Kind.ANY)


def array(dtype: str, *shape: Size) -> Type:
    """The type of an array with so many axes; none for a scalar."""
    return Type(Kind.ARRAY, dtype, shape)


def table(columns: dict[str, str], *, is_open: bool = False) -> Type:
    """The type of a table: dtypes by column."""
    return Type(Kind.TABLE, columns=tuple(sorted(columns.items())), is_open=is_open)


def accepts(expected: Type, given: Type, mode: Mode = Mode.CONSTANT) -> bool:
    """Whether what is given can stand where something is expected."""
    return not difference(expected, given, mode)


def difference(expected: Type, given: Type, mode: Mode = Mode.CONSTANT) -> str:
    """In what a given type is not the expected one: "kind", "dtype", "rank", "shape", "columns"; "" if it fits.

    Where `*` is expected, anything fits. Where something is expected, a given `*` does not: what will come is unknown.

    Args:
        expected: what the in head declares.
        given: what the out head declares, or the type of a value.
        mode: constant links compare everything; mutable ones leave out sizes, and allow further columns.
    """
    if expected.kind is Kind.ANY:
        return ""
    if expected.kind is not given.kind:
        return "kind"
    wanted = loosened(expected) if mode is Mode.MUTABLE else expected
    if not _fits(wanted.dtype, given.dtype):
        return "dtype"
    if wanted.kind is Kind.TABLE:
        return "" if _columns_fit(wanted, given) else "columns"
    return _shape_difference(wanted.shape, given.shape)


def loosened(one: Type) -> Type:
    """The type without its sizes: what a mutable link expects."""
    return replace(one, shape=None if one.shape is None else (None,) * len(one.shape), is_open=True)


def _fits(expected: str, given: str) -> bool:
    return expected in (OPEN, given)


def _shape_difference(expected: tuple[Size, ...] | None, given: tuple[Size, ...] | None) -> str:
    if expected is None:
        return ""
    if given is None or len(given) != len(expected):
        return "rank"
    return "" if all(one in (None, other) for one, other in zip(expected, given, strict=True)) else "shape"


def _columns_fit(expected: Type, given: Type) -> bool:
    wanted, come = dict(expected.columns), dict(given.columns)
    if not expected.is_open and (given.is_open or come.keys() != wanted.keys()):
        return False
    return all(name in come and _fits(dtype, come[name]) for name, dtype in wanted.items())


def _table_text(one: Type) -> str:
    parts = [f"{name if _PLAIN.fullmatch(name) else json.dumps(name)}: {dtype}" for name, dtype in one.columns]
    if one.is_open and not parts:
        return "table"
    return f"table{{{', '.join([*parts, OPEN] if one.is_open else parts)}}}"


def parse(text: str) -> Type:
    """Read a type.

    Raises:
        PackageError: it is none; the message says what would be right.
    """
    if len(text) > TEXT_CHARS_MAX:
        raise PackageError(f"{text[:40]!r}… is longer than {TEXT_CHARS_MAX} characters, which no type is.")
    return _Parser(text).whole()


class _Parser:
    """Reads one type from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(self._split())
        self._at = 0

    def _split(self) -> Iterator[str]:
        at, end = 0, len(self._text.rstrip())
        while at < end:
            found = _TOKEN.match(self._text, at)
            if found is None:
                raise self._wrong(f"{self._text[at:].strip()[0]!r} has no meaning in a type")
            yield found[1]
            at = found.end()

    def _wrong(self, reason: str) -> PackageError:
        return PackageError(f"{self._text!r} is no type: {reason}.")

    def _next(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1] if self._at <= len(self._tokens) else ""

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _expect(self, sign: str) -> None:
        found = self._next()
        if found != sign:
            raise self._wrong(f"{sign!r} should stand {f'where {found!r} stands' if found else 'at its end'}")

    def whole(self) -> Type:
        word = self._next()
        if word not in _WORDS:
            near = get_close_matches(word, _WORDS, n=1)
            raise self._wrong(f"did you mean {near[0]!r}" if near else f"types are {', '.join(_WORDS)}")
        found = self._table() if word == "table" else self._shaped(word)
        if self._peek():
            raise self._wrong(f"{self._peek()!r} stands after its end")
        return found

    def _shaped(self, word: str) -> Type:
        if word in {"any", "bytes", "text"}:
            return Type(Kind(word))
        dtype, sizes = OPEN, []
        if self._peek() == "[":
            self._next()
            dtype, sizes = self._dtype(), list(self._sizes())
            self._expect("]")
        return self._array(word, dtype, sizes)

    def _array(self, word: str, dtype: str, sizes: list[Size]) -> Type:
        if word in _RANKS:
            rank = _RANKS[word]
            if len(sizes) not in {0, rank}:
                raise self._wrong(f"the sizes of a {word} are {rank}, not {len(sizes)}")
            return Type(Kind.ARRAY, dtype, tuple(sizes) or (None,) * rank)
        if word == "image" and sizes and len(sizes) not in _IMAGE_RANKS:
            raise self._wrong("an image has rows, columns and perhaps channels")
        if len(sizes) > RANK_MAX:
            raise self._wrong(f"it has more than {RANK_MAX} sizes")
        return Type(Kind(word), dtype, tuple(sizes) or None)

    def _dtype(self) -> str:
        word = self._next()
        word = _SYNONYMS.get(word, word)
        if word not in {*DTYPES, OPEN}:
            near = get_close_matches(word, [*DTYPES, *_SYNONYMS], n=1)
            hint = f"did you mean {near[0]!r}" if near else f"they are {', '.join(DTYPES)} and *"
            raise self._wrong(f"there is no dtype {word!r}; {hint}")
        return word

    def _sizes(self) -> Iterator[Size]:
        while self._peek() == ",":
            self._next()
            word = self._next()
            if word != OPEN and not (word.isascii() and word.isdigit() and int(word) <= SIZE_MAX):
                raise self._wrong(f"{word!r} is no size; a size is a whole number up to {SIZE_MAX}, or *")
            yield None if word == OPEN else int(word)

    def _table(self) -> Type:
        if self._peek() != "{":
            return Type(Kind.TABLE)
        self._next()
        columns: dict[str, str] = {}
        if self._peek() != "}":
            while self._peek() != OPEN:
                self._add_column(columns)
                if self._peek() != ",":
                    break
                self._next()
        is_open = self._peek() == OPEN
        if is_open:
            self._next()
            if self._peek() == ",":
                raise self._wrong("* stands for all further columns, so it is the last")
        self._expect("}")
        return table(columns, is_open=is_open)

    def _add_column(self, columns: dict[str, str]) -> None:
        name = self._column()
        if name in columns:
            raise self._wrong(f"the column {name!r} stands twice")
        self._expect(":")
        columns[name] = self._dtype()
        if len(columns) > COLUMNS_MAX:
            raise self._wrong(f"it has more than {COLUMNS_MAX} columns")

    def _column(self) -> str:
        word = self._next()
        if word.startswith('"'):
            try:
                return str(json.loads(word))
            except ValueError:
                raise self._wrong(f"{word} is no name of a column") from None
        if not _PLAIN.fullmatch(word):
            raise self._wrong(f"{word!r} is no name of a column; put it into double quotes")
        return word
