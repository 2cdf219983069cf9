"""The metrics of a version: the last value and the extremes of each column of its metrics file, read when it comes in.

Which file that is: the data key `metrics`, else `metrics.csv`, `.jsonl` or `.json` at the top (the servicer leaves the
first one). Blocking: runs in a thread. What cannot be read is left out: strange numbers are no fault of a delivery.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from plotter2.model.package import Package

FILE = "metrics"
FORMATS = ("csv", "jsonl", "json")
BYTES_MAX = 32 << 20
"""Longer files are not read: their values are not found."""
COLUMNS_MAX = 500
DEPTH_MAX = 8
WHOLE_MAX = 1 << 53
"""Whole numbers below are written without a fraction; a double holds no larger one for certain."""
Row = Mapping[str, object]


def read(declared: Package, sizes: Mapping[str, int], content: Callable[[str], bytes]) -> str:
    """A JSON object of what was measured: `loss` (the last value), `loss.min` and `loss.max`; "" for nothing.

    A value that JSON cannot spell is the text "nan", "inf" or "-inf". Extremes leave NaN out. A column that is itself
    called `loss.min` keeps its own value.

    Args:
        declared: the package.
        sizes: path to bytes, for every file.
        content: gives the bytes of a file.
    """
    path, kind = _place(declared, sizes)
    if not path or sizes[path] > BYTES_MAX:
        return ""
    measured = _measured(_rows(content(path).decode(errors="replace"), kind))
    return json.dumps(measured, ensure_ascii=False) if measured else ""


def _place(declared: Package, sizes: Mapping[str, int]) -> tuple[str, str]:
    key = declared.data.get(FILE)
    if key is not None and key.path in sizes:
        suffix = key.path.rpartition(".")[2].lower()
        return key.path, suffix if suffix in FORMATS else key.type.strip().lower()
    return next(((path, kind) for kind in FORMATS if (path := f"{FILE}.{kind}") in sizes), ("", ""))


def _rows(text: str, kind: str) -> Iterator[Row]:
    if kind == "csv":
        try:
            yield from csv.DictReader(io.StringIO(text, newline=""))
        except csv.Error:  # the rows before it stay
            return
    elif kind == "jsonl":
        for line in text.splitlines():
            yield from _objects(line)
    elif kind == "json":
        yield from _objects(text)


def _objects(text: str) -> Iterator[Row]:
    """An object is a row, a list of objects one a line; what lies deeper has its names joined by dots."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, dict):
            yield dict(_flat(one, "", DEPTH_MAX))


def _flat(values: Mapping[str, Any], above: str, depth: int) -> Iterator[tuple[str, object]]:
    for name, value in values.items():
        if isinstance(value, dict) and depth:
            yield from _flat(value, f"{above}{name}.", depth - 1)
        else:
            yield above + name, value


def _measured(rows: Iterable[Row]) -> dict[str, float | str]:
    last: dict[str, float] = {}
    low: dict[str, float] = {}
    high: dict[str, float] = {}
    for row in rows:
        for name, value in row.items():
            number = _number(value)
            if number is None or not name or (name not in last and len(last) >= COLUMNS_MAX):
                continue
            last[name] = number
            if number == number:  # noqa: PLR0124 -- NaN is the one that is not
                low[name] = min(number, low.get(name, number))
                high[name] = max(number, high.get(name, number))
    found: dict[str, float] = {}
    for name, value in last.items():
        found[name] = value
        if name in low:
            found |= {f"{name}.min": low[name], f"{name}.max": high[name]}
    return {name: _spelled(value) for name, value in (found | last).items()}


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _spelled(value: float) -> float | str:
    if not math.isfinite(value):
        return str(value)
    return int(value) if value.is_integer() and abs(value) < WHOLE_MAX else value
