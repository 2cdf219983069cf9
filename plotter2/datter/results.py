"""What a task returned, as a JSON value: numbers as they are, small arrays as lists, our own things in short.

Numbers that JSON does not know become the words "NaN", "Infinity" and "-Infinity". What cannot be a result is refused
with its place, and without its repr.
"""

from __future__ import annotations

import math
from datetime import date, time
from pathlib import PurePath
from typing import Any

import numpy as np

from plotter2.datter.figures.frame import Frame, Page, Report
from plotter2.datter.mathematics.boxes import Boxes
from plotter2.datter.mathematics.expression import Expr
from plotter2.datter.mathematics.fitting import Fit
from plotter2.datter.runs import Made
from plotter2.datter.values.group import DataGroup
from plotter2.datter.values.incoming import taken_in
from plotter2.datter.values.points import Clusters, Points, Projection
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError

VALUES_MAX = 10_000
DEPTH_MAX = 32
_PLAIN = frozenset({str, int, bool, type(None)})
_BARE = _PLAIN | {float}


def to_json(value: Any) -> Any:
    """The JSON value of a result.

    Raises:
        UsageError: it has no JSON form, or is too large to travel as a result.
    """
    if type(value) in _PLAIN:
        return value
    return _converted(value, "the result", 0)


def summary(value: Any) -> Any:
    """What is said of a pipeline's last value: small ones in full, large ones by shape."""
    value = taken_in(value)
    if isinstance(value, np.ndarray) and value.size > 1:
        return {"kind": "array", "shape": list(value.shape)}
    if isinstance(value, Table):
        return {"kind": "table", "rows": len(value), "columns": list(value.names)}
    if isinstance(value, DataGroup):
        return {"kind": "group", "name": value.name, "values": len(value)}
    return to_json(value)


def _converted(value: Any, where: str, depth: int) -> Any:
    if depth > DEPTH_MAX:
        raise UsageError(f"{where} is nested deeper than {DEPTH_MAX}, or contains itself; return something flatter.")
    if type(value) not in _BARE:  # most of what lists hold is that
        value = taken_in(value.item() if isinstance(value, np.generic) else value)
    if isinstance(value, str | int | float | None):
        return _simple(value)
    if isinstance(value, dict):
        _check_size(len(value), where)
        return {_name(key, where): _converted(one, f"{where}[{key!r}]", depth + 1) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        _check_size(len(value), where)
        return [_converted(one, f"{where}[{place}]", depth + 1) for place, one in enumerate(value)]
    convert = next((convert for kind, convert in _OURS if isinstance(value, kind)), None)
    if convert is None:
        named = type(value).__name__
        raise UsageError(f"{where} is of type {named}, which has no JSON form; return numbers, text, lists or dicts.")
    return _converted(convert(value), where, depth + 1)


def _simple(value: str | float | None) -> Any:
    """A JSON value of exactly Python's own type; words for what JSON has no number for."""
    if type(value) in _PLAIN:
        return value
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    for kind in (bool, str, int, float):
        if isinstance(value, kind):
            return kind(value)
    return None


def _name(key: Any, where: str) -> str:
    if isinstance(key, str | int | float | np.generic):
        return str(key)
    raise UsageError(f"{where} has a key of type {type(key).__name__}; keys are text or numbers.")


def _check_size(count: int, where: str) -> None:
    if count > VALUES_MAX:
        raise UsageError(
            f"{where} has {count:,} values; at most {VALUES_MAX:,} travel as a result: return a summary, or draw it."
        )


def _array(value: Any) -> Any:
    _check_size(value.size, "the array")
    return value.astype(str).tolist() if value.dtype.kind in "Mm" else value.tolist()


def _table(value: Table) -> Any:
    _check_size(len(value) * max(len(value.names), 1), "the table")
    return {name: _array(value.column(name)) for name in value.names}


def _group(value: DataGroup) -> Any:
    _check_size(len(value), "the group")
    return dict(value.items()) if len(set(value.names)) == len(value) else value.values


def _projection(value: Projection) -> Any:
    about = {"kind": "projection", "rows": len(value), "columns": list(value.names), "explained": list(value.explained)}
    return about | {"notes": list(value.notes)}


def _clusters(value: Clusters) -> Any:
    centres: Any = [] if value.centres is None else value.centres
    return {
        "kind": "clusters", "rows": len(value), "columns": list(value.names), "sizes": value.sizes, "centres": centres,
        "inertia": value.inertia, "notes": list(value.notes),
    }  # fmt: skip


def _points(value: Points) -> Any:
    return {"kind": "points", "rows": len(value), "columns": list(value.names), "notes": list(value.notes)}


def _fit(value: Fit) -> Any:
    return {
        "kind": "fit", "model": value.model, "names": value.parameters, "params": value.params, "errors": value.errors,
        "r2": value.r2, "notes": list(value.notes),
    }  # fmt: skip


def _boxes(value: Boxes) -> Any:
    boxes = [{name: one for name, one in row.items() if name != "name"} for row in value.table.rows()]
    return {
        "kind": "boxes", "by": value.title, "of": value.label, "notes": value.notes,
        "boxes": [{"name": one.name, "extent": one.extent, **row} for one, row in zip(value.boxes, boxes, strict=True)],
    }  # fmt: skip


def _expr(value: Expr) -> Any:
    return {"kind": "formula", "text": value.text, "name": value.name, "constants": value.constants}


_OURS: tuple[tuple[type, Any], ...] = (
    (np.ndarray, _array), (Table, _table), (DataGroup, _group), (Projection, _projection), (Clusters, _clusters),
    (Points, _points), (Fit, _fit), (Expr, _expr), (Boxes, _boxes), (type, lambda kind: kind.__name__),
    (complex, lambda number: {"real": number.real, "imag": number.imag}),
    (Made, lambda made: {"kind": made.kind, "title": made.title, "path": made.path}),
    (Page, lambda page: {"items": page.items, "offset": page.offset, "limit": page.limit, "total": page.total}),
    (date, lambda day: day.isoformat()), (time, lambda hour: hour.isoformat()), (PurePath, str),
    (Frame, lambda frame: {"kind": "frame", "title": frame.title}),
    (Report, lambda report: {"kind": "report", "title": report.title}),
)  # fmt: skip
