"""json, jsonl and text into values: tables of records, arrays of regular lists, all else as it stands.

What is large is gone over some records at a time and written as mapped Arrow as it comes; where a column turns out to
be something else further down, all are looked at to learn what the columns are, and written then. A list of numbers or
of equally long lists of numbers becomes a mapped array.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import IO, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from plotter2.datter.loading import packed
from plotter2.datter.loading.packed import Source, content
from plotter2.datter.loading.records import Columns, flat
from plotter2.datter.values import spill
from plotter2.datter.values.keys import stem
from plotter2.datter.values.table import Table

TEXT_BYTES_MAX = 16 << 20
RECORDS = frozenset({"json", "jsonl", "ndjson"})
OBJECTS_SHARE = 8
"""JSON takes so many times its room as objects of Python."""
PACKED_SHARE = 8
PART_BYTES = 4 << 20
"""Gone over at a time."""
VALUE_BYTES_MAX = 64 << 20
"""Of one record of what is large."""
_LINES = msgspec.json.Decoder()
Parts = Callable[[], Iterator[list[Any]]]


def read_json(source: Source, name: str) -> Any:
    """What a JSON file holds.

    Raises:
        ValueError: it is empty, or no JSON.
    """
    text = content(source)
    if not text.strip(b"\xef\xbb\xbf \t\r\n"):
        raise ValueError("the file is empty")
    return _shaped(_parsed(text), name, ())


def _parsed(text: bytes) -> Any:
    """JSON, without halves of characters, which no other format can hold."""
    value = json.loads(text)
    return _whole(value) if b"\\ud" in text.lower() else value


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_whole(key): _whole(one) for key, one in value.items()}
    return [_whole(one) for one in value] if isinstance(value, list) else value


def _shaped(value: Any, name: str, notes: tuple[str, ...]) -> Any:
    """Lists of records are tables, regular lists of numbers are arrays (null is NaN), all else stays as it is."""
    if isinstance(value, list) and value:
        if all(isinstance(one, dict) for one in value):
            columns = Columns()
            plain = columns.learn(value)
            table = import_module("pyarrow").Table.from_batches([columns.batch(plain)])
            return Table(table, name=stem(name), notes=(*notes, *columns.notes(name)))
        array = _numbers(value)
        return value if array is None else array
    return value


def _numbers(value: list[Any]) -> NDArray[Any] | None:
    """A regular list of numbers, or of such lists; None for any other."""
    try:
        array = np.asarray(value)
        if array.dtype.kind == "O" and _is_numeric(value):
            array = np.asarray(value, float)
    except (ValueError, TypeError, OverflowError):
        return None
    if array.dtype.kind not in "iuf":
        return None
    array.flags.writeable = False
    return array


def _is_numeric(value: Any) -> bool:
    if isinstance(value, list):
        return all(_is_numeric(one) for one in value)
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def read_jsonl(source: Source, name: str) -> Any:
    """One value a line; of records, a last line that is cut off is left out, and said.

    Raises:
        ValueError: another line is not JSON.
    """
    lines = [line for line in content(source).splitlines() if line.strip()]
    values: list[Any] = []
    notes: tuple[str, ...] = ()
    for number, line in enumerate(lines, 1):
        try:
            values.append(_parsed(line))
        except json.JSONDecodeError:
            if number < len(lines) or not values or not isinstance(values[0], dict):
                raise ValueError(f"line {number} is not JSON") from None
            notes = (f"{name}: the last line is cut off and was left out.",)
    return _shaped(values, name, notes)


def is_large(path: Path, packing: str) -> bool:
    """Whether a file is gone over by parts instead of being read into memory."""
    return path.stat().st_size * OBJECTS_SHARE * (PACKED_SHARE if packing else 1) >= spill.LARGE_BYTES


def read_large(path: Path, name: str, packing: str, written_as: str) -> Any:
    """What a JSON file holds that may be larger than memory; one that is no list is read as a whole.

    Raises:
        ValueError: it is no JSON.
    """
    notes: list[str] = []

    def parts() -> Iterator[list[Any]]:
        notes.clear()
        with packed.opened(path, packing) as file:
            yield from _listed(file) if written_as == "json" else _lines(file, name, notes)

    first = next(parts(), [])
    if first and all(isinstance(one, dict) for one in first):
        return _table(parts, name, notes)
    if first and _numbers(first) is not None and (found := _matrix(parts, first)) is not None:
        return found
    return (read_json if written_as == "json" else read_jsonl)(packed.unpacked(path, packing), name)


def _table(parts: Parts, name: str, notes: list[str]) -> Table:
    columns = Columns()
    coming = map(_records, parts())
    first = columns.learn(next(coming))
    known = dict(columns.kinds)

    def batches() -> Iterator[Any]:
        yield columns.batch(first)
        for part in coming:
            plain = columns.learn(part)
            if columns.kinds != known:
                raise _OtherError
            yield columns.batch(plain)

    try:
        table = spill.table(columns.schema, batches())
    except _OtherError:
        for part in coming:
            columns.learn(part)
        table = spill.table(columns.schema, (columns.batch([flat(one) for one in part]) for part in parts()))
    return Table(table, name=stem(name), notes=[*notes, *columns.notes(name)])


def _records(part: list[Any]) -> list[dict[str, Any]]:
    """A part of a list of records.

    Raises:
        ValueError: something else is among them.
    """
    if not all(isinstance(one, dict) for one in part):
        raise ValueError("it is a list of records and of other things; a file of this size must hold one kind")
    return part


def _matrix(parts: Parts, first: list[Any]) -> NDArray[Any] | None:
    """A mapped array of numbers, or of lists of as many numbers each; None where they are something else."""
    is_flat = not isinstance(first[0], list)
    width = 1 if is_flat else len(first[0])

    def rows() -> Iterator[NDArray[Any]]:
        for part in parts():
            block = _numbers(part)
            if block is None or block.shape != ((len(part),) if is_flat else (len(part), width)):
                raise _OtherError
            yield block.reshape(len(part), width).astype(float)

    try:
        found = spill.matrix(width, rows())
    except _OtherError:
        return None
    return found.reshape(-1) if is_flat else found


class _OtherError(Exception):
    """Further down stands something else."""


def _lines(file: IO[bytes], name: str, notes: list[str]) -> Iterator[list[Any]]:
    """The values of JSON lines."""
    number = 0
    while lines := file.readlines(PART_BYTES):
        if (quick := _quick(lines)) is not None:
            number += len(lines)
            yield quick
            continue
        values = []
        for line in lines:
            number += 1
            if not line.strip():
                continue
            try:
                values.append(_parsed(line))
            except json.JSONDecodeError:
                if line.endswith(b"\n"):
                    raise ValueError(f"line {number} is not JSON") from None
                notes.append(f"{name}: the last line is cut off and was left out.")
        if values:
            yield values


def _quick(lines: list[bytes]) -> list[Any] | None:
    """The values of lines, several times as fast; None where there is none, or Python's reader has to say what is."""
    try:
        found = _LINES.decode_lines(b"".join(lines))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return found if found and len(found) == sum(not line.isspace() for line in lines) else None


def _listed(file: IO[bytes]) -> Iterator[list[Any]]:
    """The values of one JSON list, some at a time; nothing where it is no list.

    Raises:
        ValueError: it is broken.
    """
    decode, text = json.JSONDecoder().raw_decode, _text(file)
    rest = next(text, "").lstrip("\ufeff \t\r\n")
    if not rest.startswith("["):
        return
    at, values, is_done = 1, [], False
    for more in chain(text, ("",)):
        rest, at = rest[at:] + more, 0
        while (value := _next(decode, rest, at, is_last=not more)) is not None:
            one, at, is_done = value
            values.append(one) if not is_done else None
            if is_done:
                break
        if values:
            yield _whole(values) if "\\ud" in rest.lower() else values
            values = []
        if is_done:
            return
        if len(rest) - at > VALUE_BYTES_MAX:
            raise ValueError(f"one of its values has more than {VALUE_BYTES_MAX} characters")
    raise ValueError("its list does not end")


def _next(decode: Callable[..., Any], text: str, at: int, *, is_last: bool) -> tuple[Any, int, bool] | None:
    """The next value of a list, where it ends, and whether the list ended instead; None: more text is needed."""
    start = at
    while start < len(text) and text[start] in ", \t\r\n":
        start += 1
    if start < len(text) and text[start] == "]":
        return None, start + 1, True
    try:
        value, end = decode(text, start)
    except json.JSONDecodeError:
        if is_last:
            raise
        return None
    return (value, end, False) if end < len(text) else None


def _text(file: IO[bytes]) -> Iterator[str]:
    """The characters of a file, some at a time; what is no UTF-8 is refused."""
    decoder = import_module("codecs").getincrementaldecoder("utf-8")()
    while data := file.read(PART_BYTES):
        yield decoder.decode(data)
    if decoder.decode(b"", final=True):
        raise ValueError("it is not UTF-8")


def read_text(source: Source, name: str) -> str:
    """Characters: UTF-8, UTF-16 with its mark, else Windows-1252, and Latin-1 where that has no such sign.

    Raises:
        ValueError: more than 16 MiB, or bytes that are no text.
    """
    size = len(source) if isinstance(source, bytes) else source.stat().st_size
    if size > TEXT_BYTES_MAX:
        raise ValueError(f"{name} has {size} bytes; at most {TEXT_BYTES_MAX} are read as text")
    data = content(source)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16")
    if b"\x00" in data:
        raise ValueError("it holds zero bytes, so it is no text")
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def read_bytes(source: Source, _: str) -> bytes:
    """A file as it is; up to 2 GiB, as what is unpacked."""
    return content(source)
