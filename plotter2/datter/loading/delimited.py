"""csv and tsv into tables: types, missing values, remarks, ragged rows, encodings; large ones by batches.

Numbers and days are read as people write them (`decimals`, `dates`), where the file or package.json shows what they
mean. A column of two kinds is text; rows with a wrong number of fields are left out. Both, and every other repair, is
said in the table's notes. From `spill.LARGE_BYTES` on a file is converted once to mapped Arrow, so it may be larger
than memory.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from plotter2.datter.loading import encodings, packed, sheet
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
BLOCK_BYTES = 512 << 10
"""Read at a time. Arrow reads 32 of these ahead, so they are what reading takes of memory."""
ROW_BYTES_MAX = 32 << 20
COLUMNS_EACH, LONGER_MAX = 200, 16
"""Each so many columns make blocks longer, up to so many times: each piece of a column costs some time."""
PACKED_SHARE = 8
"""A packed file counts as so many times its size: text packs about that well."""
LOST_SHARE_MAX = 0.5
_WRONG_KIND = re.compile(
    r"In CSV column #(\d+): (?:Row #\d+: )?CSV conversion error to (\w+)(?:.*invalid value '(.*)')?", re.DOTALL
)
"""What Arrow says; with one thread it counts rows, and says that too."""
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
_OTHERS = {
    "a page of the web": re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|\?xml)\b", re.IGNORECASE),
    "JSON": re.compile(rb'(?:\xef\xbb\xbf)?\s*(?:\[\s*)?\{\s*"[^"\n]*"\s*:'),
}
_LONG_ROW = ("straddling object", "out of sync with chunker")
Kinds = Mapping[str, Any]
"""Arrow types by column name; other columns are inferred."""


def read_csv(source: Source, name: str, dialect: Dialect = PLAIN, kinds: Kinds | None = None) -> Table:
    """The table of a csv.

    Raises:
        ValueError: it is empty, no text, or its columns cannot be told.
    """
    text = content(source)
    _check_text(text[:HEAD_BYTES])
    text, encoding = encodings.whole(text)
    _check_text(text[:HEAD_BYTES])
    if not text.strip(b"\xef\xbb\xbf \t\r\n"):
        raise ValueError("the file is empty")
    found = sheet.look(text, dialect.delimiter, is_whole=True, has_head=dialect.head)
    names = list(distinct(found.heads))
    mends = Mends(found, names, dialect, dict(kinds or {}))
    table, ragged = _parsed(text[found.start :], found, names, mends, dialect)
    _check_lost(found, table.num_rows, ragged)
    _check_closed(table, text)
    return _named(mends.whole(table), name, found, ragged, [*encodings.remarks(name, encoding), *mends.notes(name)])


def _check_text(head: bytes) -> None:
    """Refuse what begins as no text does.

    Raises:
        ValueError: it does.
    """
    if head.startswith(_BINARY):
        raise ValueError("it holds no text, but what a packed file, a picture or another format begins with")
    for other, begins in _OTHERS.items():
        if begins.match(head):
            raise ValueError(f"it holds {other}, and no table")


def is_large(path: Path, packing: str) -> bool:
    """Whether a file is converted to mapped Arrow instead of being read into memory."""
    return path.stat().st_size * (PACKED_SHARE if packing else 1) >= spill.LARGE_BYTES


def read_large_csv(path: Path, name: str, packing: str, dialect: Dialect = PLAIN, kinds: Kinds | None = None) -> Table:
    """The table of a csv that may be larger than memory: read once by blocks, and mapped.

    A text that turns out to be encoded otherwise further down is read once more.

    Raises:
        ValueError: it is empty, or its columns cannot be told.
    """
    with packed.opened(path, packing) as file:
        head = file.read(HEAD_BYTES)
    _check_text(head)
    encoding = encodings.likely(head)
    while True:
        try:
            return _large(path, name, packing, dialect, kinds or {}, encoding)
        except encodings.UnfitEncodingError as wrong:
            encoding = wrong.instead


def _large(path: Path, name: str, packing: str, dialect: Dialect, kinds: Kinds, encoding: str) -> Table:
    """The table of a text in a known encoding.

    A column that turns out to be something else further down is taken for the next wider kind, and a row that is
    longer than a block is given longer ones; then the file is read once more.
    """
    with packed.opened(path, packing) as file:
        head = _beginning(encodings.Utf8File(file, encoding))
    _check_text(head)
    if not head.strip():
        raise ValueError("the file is empty")
    found = sheet.look(head, dialect.delimiter, is_whole=False, has_head=dialect.head)
    if len(head) < HEAD_BYTES and not head[found.start :].strip():
        return read_csv(head, name, dialect, kinds)
    names = list(distinct(found.heads))
    mends = Mends(found, names, dialect, dict(kinds))
    mends.foresee(_parsed(head[found.start : head.rfind(b"\n") + 1], found, names, mends, dialect)[0])
    csv, block = import_module("pyarrow.csv"), BLOCK_BYTES * min(LONGER_MAX, 1 + len(names) // COLUMNS_EACH)
    while True:
        skip = _Skipped()
        with packed.opened(path, packing) as file:
            text = encodings.Utf8File(file, encoding)
            text.exactly(found.start)
            try:
                reading = csv.ReadOptions(block_size=block, column_names=names)
                reader = csv.open_csv(text, reading, _parting(found, skip), _converting(mends, dialect))
                batches = mends.batches(reader)
                table = spill.table(next(batches), batches)
            except import_module("pyarrow").ArrowInvalid as wrong:
                if any(said in str(wrong) for said in _LONG_ROW):
                    block = _longer(block)
                else:
                    _widen(mends, names, wrong)
                continue
            except mends.Unfit:
                continue
        _check_lost(found, table.num_rows, skip.count)
        _check_closed(table, text.tail)
        return _named(table, name, found, skip.count, [*encodings.remarks(name, encoding), *mends.notes(name)])


def _beginning(text: encodings.Utf8File) -> bytes:
    """As much of a text as shows what it is."""
    head = text.exactly(HEAD_BYTES)
    while len(head) < sheet.SAMPLE_BYTES_MAX and not sheet.has_lines(head) and (more := text.exactly(len(head))):
        head += more
    return head


def _longer(block: int) -> int:
    """How long blocks must be where a row did not fit into one.

    Raises:
        ValueError: the row is longer than any may be.
    """
    if block >= ROW_BYTES_MAX:
        raise ValueError(f'a row has more than {ROW_BYTES_MAX} bytes; is a quotation mark (") not closed?') from None
    return block * 8


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


class _Skipped:
    """Leaves out rows with a wrong number of fields, and counts them."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, _: Any) -> str:
        self.count += 1
        return "skip"


def _converting(mends: Mends, dialect: Dialect, **more: Any) -> Any:
    return import_module("pyarrow.csv").ConvertOptions(
        null_values=[*NULLS, *dialect.missing], strings_can_be_null=True, column_types=mends.kinds, **more
    )


def _parsed(text: bytes, found: Sheet, names: list[str], mends: Mends, dialect: Dialect) -> tuple[Any, int]:
    """The columns as Arrow tells their kinds; one whose declared kind does not fit is text, to be mended."""
    csv, arrow = import_module("pyarrow.csv"), import_module("pyarrow")
    if not text.strip():
        kinds = [mends.kinds.get(name, arrow.null()) for name in names]
        return arrow.table([arrow.array([], kind) for kind in kinds], names=names), 0
    while True:
        skip = _Skipped()
        try:
            table = csv.read_csv(
                arrow.BufferReader(text),
                read_options=csv.ReadOptions(column_names=names),
                parse_options=_parting(found, skip),
                convert_options=_converting(mends, dialect, auto_dict_encode=True),
            )
        except arrow.ArrowInvalid as wrong:
            _widen(mends, names, wrong)
            continue
        return table, skip.count


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
