"""csv and tsv into tables: types, missing values, remarks, ragged rows, encodings; large ones by batches.

Numbers and days are read as people write them (`decimals`, `dates`), where the file or package.json shows what they
mean. A column of two kinds is text; rows with a wrong number of fields are left out. Both, and every other repair, is
said in the table's notes. From `spill.LARGE_BYTES` on a file is converted once to mapped Arrow, so it may be larger
than memory.
"""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from plotter2.datter.loading import packed, sheet
from plotter2.datter.loading.mending import Mends
from plotter2.datter.loading.packed import Source, content
from plotter2.datter.loading.sheet import Sheet
from plotter2.datter.values import spill
from plotter2.datter.values.keys import distinct, stem
from plotter2.datter.values.table import Table
from plotter2.model.package import Dialect

NULLS = [
    *("", "NA", "N/A", "n/a", "#N/A", "#NA", "<NA>", "NaN", "nan", "-NaN", "-nan", "1.#QNAN", "-1.#IND"),
    *("null", "NULL", "Null", "None", "none"),
]
HEAD_BYTES = sheet.SAMPLE_BYTES
BLOCK_BYTES = 8 << 20
PACKED_SHARE = 8
"""A packed file counts as so many times its size: text packs about that well."""
LOST_SHARE_MAX = 0.5
_WRONG_KIND = re.compile(r"In CSV column #(\d+): CSV conversion error to (\w+)(?:.*invalid value '(.*)')?", re.DOTALL)
PLAIN = Dialect()
_BINARY = (
    b"\x1f\x8b",
    b"PK\x03\x04",
    b"\x28\xb5\x2f\xfd",
    b"\x89PNG",
    b"PAR1",
    b"ARROW1",
    b"\x93NUMPY",
    b"%PDF",
    b"BZh",
)
_NULS_MAX = 0.2
Kinds = Mapping[str, Any]
"""Arrow types by column name; other columns are inferred."""


def read_csv(source: Source, name: str, dialect: Dialect = PLAIN, kinds: Kinds | None = None) -> Table:
    """The table of a csv.

    Raises:
        ValueError: it is empty, no text, or its columns cannot be told.
    """
    text = content(source)
    text, notes = _utf8(text, name)
    if not text.strip(b"\xef\xbb\xbf \t\r\n"):
        raise ValueError("the file is empty")
    found = sheet.look(text, dialect.delimiter, is_whole=True)
    names = list(distinct(found.heads))
    mends = Mends(found, names, dialect, dict(kinds or {}))
    table, ragged = _parsed(text[found.start :], found, names, mends, dialect)
    _check_lost(found, table.num_rows, len(ragged))
    _check_closed(table, text)
    return _named(mends.whole(table), name, found, len(ragged), [*notes, *mends.notes(name)])


def _utf8(text: bytes, name: str) -> tuple[bytes, list[str]]:
    """Text as UTF-8, and what it was.

    Raises:
        ValueError: it is none.
    """
    if text.startswith(_BINARY):
        raise ValueError("it holds no text, but what a packed file, a picture or another format begins with")
    encoding = "UTF-16" if text.startswith((b"\xff\xfe", b"\xfe\xff")) else _wide(text)
    if not encoding and _is_utf8(text):
        return text, []
    encoding = encoding or "Windows-1252"
    try:
        decoded = text.decode(encoding)
    except UnicodeDecodeError:
        encoding = "Latin-1"
        decoded = text.decode(encoding)
    return decoded.encode("utf-8", "replace"), [f"{name}: it is not UTF-8 and was read as {encoding}."]


def _wide(text: bytes) -> str:
    """UTF-16 without its mark: every second byte of plain characters is zero."""
    head = text[:HEAD_BYTES]
    for encoding, start in (("UTF-16-LE", 1), ("UTF-16-BE", 0)):
        if len(head) > 1 and head[start::2].count(0) > len(head) // 2 * (1 - _NULS_MAX):
            return encoding
    return ""


def _is_utf8(text: bytes) -> bool:
    """Looked at piece by piece, so that no second copy of the text is made."""
    decode = getincrementaldecoder("utf-8")().decode
    try:
        for start in range(0, len(text), BLOCK_BYTES):
            decode(text[start : start + BLOCK_BYTES], start + BLOCK_BYTES >= len(text))
    except UnicodeDecodeError:
        return False
    return True


def _check_utf8(data: bytes, decode: Callable[[bytes], str]) -> None:
    try:
        decode(data)
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8, and a file of this size is not guessed at; convert it first") from None


class _Utf8:
    """A file that is read as it is, and refused where it is no UTF-8."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._decode = getincrementaldecoder("utf-8")().decode
        self.closed = False
        self.tail = b""

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        data = self._file.read(size)
        _check_utf8(data, self._decode)
        self.tail = data[-HEAD_BYTES:] or self.tail
        return data

    def close(self) -> None:
        """Whoever opened the file closes it."""
        self.closed = True


def is_large(path: Path, packing: str) -> bool:
    """Whether a file is converted to mapped Arrow instead of being read into memory."""
    return path.stat().st_size * (PACKED_SHARE if packing else 1) >= spill.LARGE_BYTES


def read_large_csv(path: Path, name: str, packing: str, dialect: Dialect = PLAIN, kinds: Kinds | None = None) -> Table:
    """The table of a csv that may be larger than memory: read once by blocks, and mapped.

    A column that turns out to be something else further down is taken for the next wider kind, and the file is read
    once more.

    Raises:
        ValueError: it is empty, or not UTF-8.
    """
    with packed.opened(path, packing) as file:
        head = file.read(HEAD_BYTES)
    if head.startswith(_BINARY):
        _utf8(head, name)
    if not head.strip():
        raise ValueError("the file is empty")
    _check_utf8(head, getincrementaldecoder("utf-8")().decode)
    found = sheet.look(head, dialect.delimiter, is_whole=False)
    if len(head) < HEAD_BYTES and not head[found.start :].strip():
        return read_csv(head, name, dialect, kinds)
    names = list(distinct(found.heads))
    mends = Mends(found, names, dialect, dict(kinds or {}))
    mends.foresee(_parsed(head[found.start : head.rfind(b"\n") + 1], found, names, mends, dialect)[0])
    while True:
        ragged: list[int] = []
        with packed.opened(path, packing) as file:
            file.read(found.start)
            checked = _Utf8(file)
            try:
                reader = _streamed(checked, found, names, mends, dialect, ragged)
                batches = mends.batches(reader)
                table = spill.table(next(batches), batches)
            except import_module("pyarrow").ArrowInvalid as wrong:
                _widen(mends, names, wrong)
                continue
            except mends.Unfit:
                continue
        _check_lost(found, table.num_rows, len(ragged))
        _check_closed(table, checked.tail)
        return _named(table, name, found, len(ragged), mends.notes(name))


def _widen(mends: Mends, names: list[str], wrong: Exception) -> None:
    """Take the column that an error is about for something wider.

    Raises:
        ValueError: it is about something else, or the column's kind is declared.
    """
    found = _WRONG_KIND.search(str(wrong))
    if found is None or not mends.widen(names[int(found[1])], found[2], found[3] or ""):
        raise ValueError(str(wrong)) from None


def _parting(found: Sheet, skip: Callable[[Any], str]) -> Any:
    return import_module("pyarrow.csv").ParseOptions(
        delimiter=found.delimiter, invalid_row_handler=skip, newlines_in_values=True
    )


def _counting(ragged: list[int]) -> Callable[[Any], str]:
    def skip(row: Any) -> str:
        ragged.append(row.number or 0)
        return "skip"

    return skip


def _converting(mends: Mends, dialect: Dialect, **more: Any) -> Any:
    return import_module("pyarrow.csv").ConvertOptions(
        null_values=[*NULLS, *dialect.missing], strings_can_be_null=True, column_types=mends.kinds, **more
    )


def _streamed(file: Any, found: Sheet, names: list[str], mends: Mends, dialect: Dialect, ragged: list[int]) -> Any:
    csv = import_module("pyarrow.csv")
    return csv.open_csv(
        file,
        read_options=csv.ReadOptions(block_size=BLOCK_BYTES, column_names=names),
        parse_options=_parting(found, _counting(ragged)),
        convert_options=_converting(mends, dialect),
    )


def _parsed(text: bytes, found: Sheet, names: list[str], mends: Mends, dialect: Dialect) -> tuple[Any, list[int]]:
    """The columns as Arrow tells their kinds; one whose declared kind does not fit is text, to be mended."""
    csv, arrow = import_module("pyarrow.csv"), import_module("pyarrow")
    if not text.strip():
        kinds = [mends.kinds.get(name, arrow.null()) for name in names]
        return arrow.table([arrow.array([], kind) for kind in kinds], names=names), []
    while True:
        ragged: list[int] = []
        try:
            table = csv.read_csv(
                arrow.BufferReader(text),
                read_options=csv.ReadOptions(column_names=names),
                parse_options=_parting(found, _counting(ragged)),
                convert_options=_converting(mends, dialect, auto_dict_encode=True),
            )
        except arrow.ArrowInvalid as wrong:
            _widen(mends, names, wrong)
            continue
        return table, ragged


def _check_lost(found: Sheet, rows: int, lost: int) -> None:
    """Refuse a table of which most rows would be left out.

    Raises:
        ValueError: they would.
    """
    if lost > LOST_SHARE_MAX * (lost + rows):
        raise ValueError(
            f"{lost} of {lost + rows} rows have another number of fields than the {len(found.heads)} of its head, "
            f"parted by {found.delimiter!r}; package.json can declare a dialect with the delimiter"
        )


def _check_closed(table: Any, text: bytes) -> None:
    """Refuse a text that ends within quotes: what follows the first of them would be one value.

    Raises:
        ValueError: it does.
    """
    last = str(table.column(table.num_columns - 1)[-1]) if table.num_rows else ""
    if "\n" in last and not text.rstrip().endswith(b'"'):
        raise ValueError('a quotation mark (") is not closed; the last value would be all that follows it')


def _named(table: Any, name: str, found: Sheet, ragged: int, notes: list[str]) -> Table:
    """The table with what had to be done to it; without a last column that has neither name nor values."""
    if not found.heads[-1].strip() and table.num_columns > 1 and table.column(-1).null_count == table.num_rows:
        table = table.remove_column(table.num_columns - 1)
    renamed = [new for new, old in zip(table.column_names, found.heads, strict=False) if new != old.strip()]
    if renamed:
        notes.append(f"{name}: columns without a name of their own are called {', '.join(renamed)}.")
    notes += [f"{name}: {note}." for note in found.notes]
    if ragged:
        notes.append(f"{name}: {ragged} rows with a wrong number of fields were left out.")
    return Table(table, name=stem(name), notes=notes)
