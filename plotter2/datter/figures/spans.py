"""Spans of time and times of any day as quantities with an axis of their own (pure).

A span is drawn in the largest unit, from microseconds to days, in which the typical one is at least 1; its
column says so. A time of day is drawn in milliseconds since midnight, on an axis that is read as a clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.figures.figure import Panel
from plotter2.datter.values.group import DataGroup
from plotter2.datter.values.table import Table

UNITS = {"days": 86_400.0, "h": 3_600.0, "min": 60.0, "s": 1.0, "ms": 1e-3, "µs": 1e-6}
"""Seconds of each unit, the largest first."""
Clocks = frozenset[str]


def counted(value: Any, name: str) -> tuple[Any, str, Clocks]:
    """A value with spans and times of day as numbers, what it is called then, and which columns are clocks.

    Arrays of spans change, tables with such columns, and groups of those, all in the units of the first one; everything
    else comes back as it is.
    """
    if isinstance(value, np.ndarray) and value.dtype.kind == "m":
        seconds = np.where(np.isnat(value), np.nan, value / np.timedelta64(1, "s"))
        unit = _unit(seconds.ravel())
        return seconds / UNITS[unit], f"{name or 'span'} [{unit}]", frozenset()
    first = value[0] if isinstance(value, DataGroup) and len(value) else value
    if not isinstance(first, Table):
        return value, name, frozenset()
    units = {one: _unit(first.column(one)) for one in first.names if first.is_span(one)}
    clocks = frozenset(first.of_kind("clock"))
    if not units and not clocks:
        return value, name, clocks
    if isinstance(value, DataGroup):
        return value.map(lambda table: _counted(table, units)), name, clocks
    return _counted(first, units), name, clocks


def _counted(table: Any, units: Mapping[str, str]) -> Any:
    if not isinstance(table, Table):
        return table
    columns: dict[str, NDArray[Any]] = {}
    for one in table.names:
        column = table.column(one)
        if table.is_span(one):
            unit = units.get(one) or _unit(column)
            columns[f"{one} [{unit}]"] = column / UNITS[unit]
        elif table.kind(one) == "clock":
            columns[one] = np.array([_since_midnight(at) for at in column.tolist()])
        else:
            columns[one] = column
    return Table(columns, name=table.name, notes=table.notes, label=table.label if table.label in columns else "")


def read_as_clocks(panel: Panel, clocks: Clocks) -> Panel:
    """The panel with its axes of these columns as clocks."""
    x, y = (
        replace(axis, scale="clock") if axis.label in clocks and axis.scale == "linear" else axis
        for axis in (panel.x, panel.y)
    )
    return replace(panel, x=x, y=y)


def _unit(seconds: NDArray[Any]) -> str:
    """The unit in which the median length is at least 1."""
    lengths = np.abs(seconds)
    known = lengths[np.isfinite(lengths) & (lengths > 0)]
    typical = float(np.median(known)) if known.size else 1.0
    return next((unit for unit, size in UNITS.items() if typical >= size), "µs")


def _since_midnight(at: time | None) -> float:
    """Milliseconds."""
    if at is None:
        return np.nan
    return ((at.hour * 60 + at.minute) * 60 + at.second) * 1e3 + at.microsecond / 1e3
