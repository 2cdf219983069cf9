"""Where the table in a text begins, what parts its fields, and what its columns are called.

The first 64 KiB are looked at as their records are quoted. What parts them parts most of them into equally many fields
that are plain: a decimal comma stands inside a number. Knows no file.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO

DELIMITERS = (",", "\t", ";", "|")
SAMPLE_BYTES = 64 << 10
SAMPLE_BYTES_MAX = 4 << 20
LINES_MIN = 3
_MARK = b"\xef\xbb\xbf"
"""Of UTF-8, as Excel writes it."""
SCALE_MIN = 3
"""Columns."""
_SEP = re.compile(rb"\s*sep=(.)\r?\n", re.IGNORECASE)
_NUMBER = re.compile(r"\s*[+-]?[\d., '\u00a0]*\d[\d.,]*(?:[eE][+-]?\d+)?\s*\Z")
_DECIMAL = re.compile(r"\s*[+-]?\d+,\d+\s*\Z")


@dataclass(frozen=True, slots=True)
class Sheet:
    """How a text is a table.

    Attributes:
        delimiter: what stands between fields.
        start: bytes before the first row of values.
        heads: what stands over the columns, as it is written.
        rows: the fields of the first rows.
        notes: what was taken for something else than the table.
    """

    delimiter: str
    start: int
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Record:
    fields: list[str]
    end: int


def look(text: bytes, delimiter: str = "", *, is_whole: bool, has_head: bool | None = None) -> Sheet:
    """What a text, or only its beginning, shows; UTF-8, not empty. Whether it has a head may be known."""
    marked = len(_MARK) if text.startswith(_MARK) else 0
    said = _SEP.match(text, marked)
    start = said.end() if said else 0
    delimiter = delimiter or (said[1].decode("latin-1") if said else "")
    start += len(_MARK) if text.startswith(_MARK, start) else 0
    start = _after_remarks(text, start, delimiter)
    sample = text[start : start + _enough(text, start)]
    if len(sample) < len(text) - start or not is_whole:
        sample = sample[: max(sample.rfind(b"\n"), sample.rfind(b"\r")) + 1] or sample
    found = {one: list(_records(sample, one)) for one in ([delimiter] if delimiter else DELIMITERS)}
    chosen = delimiter or max(found, key=lambda one: _rank(one, found[one]))
    if not delimiter and _rank(chosen, found[chosen])[0] <= 0:
        chosen = "," if b"," not in sample else "\t"  # one column, with decimal commas or without
    return _headed(chosen, start, found[chosen], has_head=has_head)


def _enough(text: bytes, start: int) -> int:
    """How many bytes are looked at: also where there are ten thousand columns, some lines."""
    size = SAMPLE_BYTES
    while size < SAMPLE_BYTES_MAX and start + size < len(text) and not has_lines(text[start : start + size]):
        size *= 2
    return size


def has_lines(sample: bytes) -> bool:
    """Whether a head and a row can be seen."""
    return sample.count(b"\n") + sample.count(b"\r") > LINES_MIN


def _records(sample: bytes, delimiter: str) -> Iterator[_Record]:
    """The records with the byte at which each ends; blank ones are none."""
    ends = [0]

    def lines() -> Iterator[str]:
        for line in StringIO(sample.decode(errors="replace"), newline=""):
            ends.append(ends[-1] + len(line.encode()))
            yield line

    reader = csv.reader(lines(), delimiter=delimiter)
    try:
        for fields in reader:
            if fields:
                yield _Record(fields, ends[reader.line_num])
    except csv.Error:
        return


def _rank(delimiter: str, records: Sequence[_Record]) -> tuple[float, ...]:
    """How well a character parts these records; 0 or less where it parts them into one field each."""
    width = _width(records)
    if width < 2:  # noqa: PLR2004 -- fields that it stands between
        return (0.0,)
    rows = [one.fields for one in records]
    alike = sum(len(row) == width for row in rows) / len(rows)
    if len(rows[0]) == 1 and width == 2 and delimiter == "," and all(map(_DECIMAL.match, map(",".join, rows[1:]))):  # noqa: PLR2004 -- two halves of a number
        return (-1.0,)  # one column of numbers with decimal commas
    cells = [cell for row in rows[:200] for cell in row]
    others = [one for one in DELIMITERS if one != delimiter]
    plain = sum(bool(_NUMBER.match(cell)) or not any(one in cell for one in others) for cell in cells)
    return (round(alike, 1), len(rows[0]) == width, plain / len(cells), -DELIMITERS.index(delimiter))


def _width(records: Sequence[_Record]) -> int:
    """How many fields most records have."""
    counts = Counter(len(one.fields) for one in records)
    return max(counts, key=lambda count: (counts[count], count)) if counts else 0


def _headed(delimiter: str, start: int, records: list[_Record], *, has_head: bool | None) -> Sheet:
    """The head, without titles before it; with what stands for the names that it does not say."""
    width, notes = _width(records), []
    first = 0
    while first < len(records) - 1 and width > 1 and len(records[first].fields) == 1 and not _is_short(records, first):
        first += 1
    if first:
        notes.append(f"the first {first} lines stand before the table and were left out")
    heads = records[first].fields if records else []
    rows = [one.fields for one in records[first + 1 :]]
    if has_head is False or (has_head is None and rows and all(map(_NUMBER.match, heads))):
        if has_head is False or not _is_scale(heads):
            begin = start + (records[first - 1].end if first else 0)
            names = tuple(f"column {place + 1}" for place in range(max(width, 1)))
            if has_head is None:
                notes.append(
                    f"no head: the first row is numbers as the others are; the columns are called {names[0]} and on"
                )
            return Sheet(delimiter, begin, names, (tuple(heads), *map(tuple, rows)), tuple(notes))
        notes.append("the first row, numbers in their order, was taken for the head")
    if rows and len(heads) == width - 1 and _is_short(records, first):
        full = [row for row in rows if len(row) == width]
        heads = [*heads, ""] if not any(row[-1].strip() for row in full) else ["row", *heads]
        notes.append("the rows have one field more than the head")
    end = records[first].end if records else 0
    return Sheet(delimiter, start + end, tuple(heads), tuple(map(tuple, rows)), tuple(notes))


def _is_scale(heads: list[str]) -> bool:
    """Whether numbers in the first row name columns, as years and wavelengths do: three or more, in their order."""
    try:
        values = [float(one.replace(",", ".")) for one in heads]
    except ValueError:  # with marks between thousands, or two kinds of marks
        return False
    return len(values) >= SCALE_MIN and sorted(set(values)) in (values, values[::-1])


def _is_short(records: list[_Record], first: int) -> bool:
    """Whether a line is a head that lacks one name: values follow at once, in one field more each."""
    rows = [one.fields for one in records[first + 1 :]]
    width = len(records[first].fields) + 1
    follows = bool(rows) and len(rows[0]) == width == _width(records)
    return follows and any(_NUMBER.match(cell) for cell in rows[0])


def _after_remarks(text: bytes, start: int, delimiter: str) -> int:
    """Where the head begins: lines before it that begin with # and are parted otherwise are remarks."""
    while text.startswith(b"#", start) and (end := text.find(b"\n", start)) >= 0:
        following = text[end + 1 : text.find(b"\n", end + 1)]
        parting = (delimiter or next((one for one in DELIMITERS if one.encode() in following), ",")).encode()
        if not following.startswith(b"#") and text.count(parting, start, end) == following.count(parting):
            break
        start = end + 1
    return start
