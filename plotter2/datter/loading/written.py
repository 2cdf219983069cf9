"""json, jsonl and text into values: tables of records, arrays of regular lists, all else as it stands."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from plotter2.datter.keys import stem
from plotter2.datter.loading.packed import Source, content
from plotter2.datter.table import Table

TEXT_BYTES_MAX = 16 << 20


def read_json(source: Source, name: str) -> Any:
    """What a JSON file holds."""
    return _shaped(_parsed(content(source)), name)


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


def _shaped(value: Any, name: str) -> Any:
    """Lists of records are tables, regular lists of numbers are arrays, all else stays as it is."""
    if isinstance(value, list) and value:
        if all(isinstance(one, dict) for one in value):
            return Table.of_rows(value, name=stem(name))
        try:
            array = np.asarray(value)
        except ValueError:
            return value
        return array if array.dtype.kind in "iuf" else value
    return value


def read_jsonl(source: Source, name: str) -> Any:
    """One value a line; a last line that is cut off is left out, and said.

    Raises:
        ValueError: another line is not JSON.
    """
    lines = [line for line in content(source).splitlines() if line.strip()]
    values, notes = [], []
    for number, line in enumerate(lines, 1):
        try:
            values.append(_parsed(line))
        except json.JSONDecodeError:
            if number < len(lines):
                raise ValueError(f"line {number} is not JSON") from None
            notes.append(f"{name}: the last line is cut off and was left out.")
    if values and all(isinstance(one, dict) for one in values):
        return Table.of_rows(values, name=stem(name), notes=notes)
    return _shaped(values, name)


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
