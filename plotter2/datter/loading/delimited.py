"""csv and tsv into tables: types, missing values, remarks, ragged rows, encodings; large ones by batches.

A column of two kinds is text; rows with a wrong number of fields are left out. Both, and every other repair, is said
in the table's notes. From `spill.LARGE_BYTES` on a file is converted once to mapped Arrow, so it may be larger than
memory.
"""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from plotter2.datter import spill
from plotter2.datter.keys import stem
from plotter2.datter.loading import packed
from plotter2.datter.loading.packed import Source, content
from plotter2.datter.table import Table

NULLS = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "#N/A"]
HEAD_BYTES = 64 << 10
BLOCK_BYTES = 8 << 20
PACKED_SHARE = 8
"""A packed file counts as so many times its size: text packs about that well."""
_WRONG_KIND = re.compile(r"In CSV column #(\d+): CSV conversion error to (\w+)")
_NUMERIC = frozenset({"int64", "null"})
"""A column that begins so may still be one of numbers; any other is text."""
Kinds = Mapping[str, Any]
"""Arrow types by column name; other columns are inferred."""


def read_csv(source: Source, name: str, delimiter: str = "", kinds: Kinds | None = None) -> Table:
    """The table of a csv.

    Raises:
        ValueError: it is empty, or its columns cannot be told.
    """
    text = content(source)
    if not text.strip():
        raise ValueError("the file is empty")
    notes = []
    if not _is_utf8(text):
        encoding = "UTF-16" if text.startswith((b"\xff\xfe", b"\xfe\xff")) else "Latin-1"
        text = text.decode(encoding).encode()
        notes.append(f"{name}: it is not UTF-8 and was read as {encoding}.")
    text = text[_start(text) :]
    delimiter = delimiter or _delimiter(text)
    table, ragged = _parsed(text, delimiter, kinds or {})
    return _named(table, name, ragged, notes)


def _is_utf8(text: bytes) -> bool:
    """Looked at piece by piece, so that no second copy of the text is made."""
    decode = getincrementaldecoder("utf-8")().decode
    try:
        for start in range(0, len(text), BLOCK_BYTES):
            decode(text[start : start + BLOCK_BYTES], start + BLOCK_BYTES >= len(text))
    except UnicodeDecodeError:
        return False
    return True


class _Utf8:
    """A file that is read as it is, and refused where it is no UTF-8."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._decode = getincrementaldecoder("utf-8")().decode
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        data = self._file.read(size)
        try:
            self._decode(data)
        except UnicodeDecodeError:
            raise ValueError("it is not UTF-8, and a file of this size is not guessed at; convert it first") from None
        return data

    def close(self) -> None:
        """Whoever opened the file closes it."""
        self.closed = True


def is_large(path: Path, packing: str) -> bool:
    """Whether a file is converted to mapped Arrow instead of being read into memory."""
    return path.stat().st_size * (PACKED_SHARE if packing else 1) >= spill.LARGE_BYTES


def read_large_csv(path: Path, name: str, packing: str, delimiter: str = "", kinds: Kinds | None = None) -> Table:
    """The table of a csv that may be larger than memory: read once by blocks, and mapped.

    Raises:
        ValueError: it is empty, or not UTF-8.
    """
    with packed.opened(path, packing) as file:
        head = file.read(HEAD_BYTES)
    if not head.strip():
        raise ValueError("the file is empty")
    start = _start(head)
    delimiter = delimiter or _delimiter(head[start:])
    known = dict(kinds or {})
    while True:
        ragged: list[int] = []
        with packed.opened(path, packing) as file:
            file.read(start)
            try:
                reader = _streamed(file, delimiter, known, ragged)
                return _named(spill.table(reader.schema, reader), name, len(ragged), [])
            except import_module("pyarrow").ArrowInvalid as wrong:
                known |= _wider(str(wrong), head[start:], delimiter)


def _wider(message: str, head: bytes, delimiter: str) -> dict[str, Any]:
    """What the column that an error is about is, when it is not what its first rows say."""
    found = _WRONG_KIND.search(message)
    if found is None:
        raise ValueError(message)
    csv, arrow = import_module("pyarrow.csv"), import_module("pyarrow")
    first = BytesIO(head.lstrip().splitlines()[0] + b"\n")
    name = csv.read_csv(first, parse_options=_parting(delimiter)).column_names[int(found[1])]
    return {str(name): arrow.float64() if found[2] in _NUMERIC else arrow.string()}


def _parting(delimiter: str, skip: Callable[[Any], str] | None = None) -> Any:
    return import_module("pyarrow.csv").ParseOptions(delimiter=delimiter, invalid_row_handler=skip)


def _counting(ragged: list[int]) -> Callable[[Any], str]:
    def skip(row: Any) -> str:
        ragged.append(row.number or 0)
        return "skip"

    return skip


def _streamed(file: IO[bytes], delimiter: str, kinds: Kinds, ragged: list[int]) -> Any:
    csv = import_module("pyarrow.csv")
    return csv.open_csv(
        _Utf8(file),
        read_options=csv.ReadOptions(block_size=BLOCK_BYTES),
        parse_options=_parting(delimiter, _counting(ragged)),
        convert_options=csv.ConvertOptions(null_values=NULLS, strings_can_be_null=True, column_types=dict(kinds)),
    )


def _parsed(text: bytes, delimiter: str, kinds: Kinds) -> tuple[Any, int]:
    csv, arrow = import_module("pyarrow.csv"), import_module("pyarrow")
    ragged: list[int] = []
    options = csv.ConvertOptions(
        null_values=NULLS, strings_can_be_null=True, auto_dict_encode=True, column_types=dict(kinds)
    )
    parting = _parting(delimiter, _counting(ragged))
    return csv.read_csv(arrow.BufferReader(text), parse_options=parting, convert_options=options), len(ragged)


def _named(table: Any, name: str, ragged: int, notes: list[str]) -> Table:
    """The table under names that are each its own, with what had to be done to it."""
    heads = [str(one) for one in table.column_names]
    names = list(_distinct(heads))
    renamed = [new for new, old in zip(names, heads, strict=True) if new != old.strip()]
    if renamed:
        notes.append(f"{name}: columns without a name of their own are called {', '.join(renamed)}.")
    if names != heads:
        table = table.rename_columns(names)
    if ragged:
        notes.append(f"{name}: {ragged} rows with a wrong number of fields were left out.")
    return Table(table, name=stem(name), notes=notes)


def _start(text: bytes) -> int:
    """Where the head begins: lines before it that begin with # and are parted otherwise are remarks."""
    start = 0
    while text.startswith(b"#", start) and (end := text.find(b"\n", start)) >= 0:
        following = text[end + 1 : text.find(b"\n", end + 1)]
        delimiter = _delimiter(following).encode()
        if not following.startswith(b"#") and text.count(delimiter, start, end) == following.count(delimiter):
            break
        start = end + 1
    return start


def _distinct(names: list[str]) -> Iterator[str]:
    """Names for all columns, each its own."""
    found: set[str] = set()
    taken = set(names)
    for place, name in enumerate(names):
        wanted = name.strip() or f"column {place}"
        count = 1
        while wanted in found or (count > 1 and wanted in taken):
            count += 1
            wanted = f"{name.strip() or f'column {place}'} {count}"
        found.add(wanted)
        yield wanted


def _delimiter(text: bytes) -> str:
    """A comma; what else parts the first line, where that line has no comma."""
    lines = text.lstrip()[:HEAD_BYTES].splitlines()
    return next((one for one in (",", "\t", ";", "|") if lines and one.encode() in lines[0]), ",")
