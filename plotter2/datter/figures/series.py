"""Series as curves: of one array, of a table's columns over their step, of a group one curve a member.

Metrics that share a word share a panel; more than 24 curves become what `many` makes of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.figures import curves, kinds, many
from plotter2.datter.figures.figure import Panel
from plotter2.datter.figures.frame import Curve
from plotter2.datter.values import spill
from plotter2.datter.values.arrows import ROW
from plotter2.datter.values.group import DataGroup
from plotter2.datter.values.points import numbers
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError

STEP_NAMES = frozenset(
    {"epoch", "step", "steps", "iteration", "iter", "time", "timestamp", "date", "datetime", "day", "t", "episode"}
    | {"batch", "global_step", "epochs", "iterations", "round", "generation", "update"}
)
_PARTS = re.compile(r"[_/ .:-]+")


def step_column(table: Table) -> str:
    """The column that orders the rows: a time or a step that never goes back; "" for none."""
    index = {*table.index} - {ROW}
    for name in table.names:
        is_named = (name.lower() in STEP_NAMES or name in index) and table.kind(name) == "number"
        if (is_named or table.kind(name) == "time") and len(table) and _rises(table.column(name)):
            return name
    return ""


def _rises(values: NDArray[Any]) -> bool:
    return not np.any(values[1:] < values[:-1])


def _families(names: list[str]) -> dict[str, list[str]]:
    """Metrics that share their last word (or their first) belong into one panel."""
    for place in (-1, 0):
        found: dict[str, list[str]] = {}
        for name in names:
            parts = [part for part in _PARTS.split(name) if part]
            found.setdefault(parts[place] if parts else name, []).append(name)
        if len(found) < len(names):
            return {word if len(family) > 1 else family[0]: family for word, family in found.items()}
    return {name: [name] for name in names}


def lines(value: Any, name: str, palette: Sequence[str]) -> list[Panel]:
    """A series, a table, or a group of either as curves.

    Raises:
        UsageError: it has no numeric column, or a series without any finite value.
    """
    if isinstance(value, Table):
        return _table_lines(value, palette)
    if isinstance(value, Curve):
        colours = [value.colour] if value.colour else palette
        return [curves.lines([(value.name, value.x, value.y)], "", value.name or name, colours=colours)]
    if isinstance(value, DataGroup):
        is_tables = isinstance(value.filled()[0], Table)
        return _group_tables(value, palette) if is_tables else _group_arrays(value, name, palette)
    array = numbers(value)
    columns = array.reshape(len(array), -1)
    names = [name] if columns.shape[1] == 1 else [f"column {place}" for place in range(columns.shape[1])]
    series = [(one, np.arange(len(array)), columns[:, place]) for place, one in enumerate(names)]
    return [curves.lines(series, "place", name or "value", colours=palette)]


def _group_arrays(group: DataGroup, name: str, palette: Sequence[str]) -> list[Panel]:
    """Single numbers over the group's axis, or one curve a member."""
    called = group.name or name or "value"
    arrays = spill.together((numbers(one).ravel() for one in group), len(group))
    numeric = all(isinstance(key, int | float) for key in group.keys)
    if all(one.size == 1 for one in arrays):
        places = np.asarray(group.keys if numeric else range(len(arrays)))
        return [curves.lines([("", places, np.concatenate(arrays))], group.axis, called, colours=palette)]
    series = [(one, np.arange(array.size), array) for one, array in zip(group.names, arrays, strict=True)]
    if len(series) > many.CURVES_MAX:
        return many.multiples(series, "place", called, palette)
    return [curves.lines(series, "place", called, colours=palette, is_ordered=bool(group.axis) and numeric)]


def _table_lines(table: Table, palette: Sequence[str]) -> list[Panel]:
    table = many.in_order(table)
    x = step_column(table)
    counted = [name for name in table.measured() if name != x]
    if not counted:
        raise UsageError(f"{table.name or 'The table'} has no numeric column to draw as a line.")
    xs = table.column(x) if x else np.arange(len(table))
    panels = []
    for word, family in list(_families(counted).items())[: kinds.PANELS_MAX]:
        panel = curves.lines([(one, xs, table.column(one)) for one in family], x or "row", word, colours=palette)
        panels.append(replace(panel, notes=(*table.notes, *panel.notes)))
    return kinds.noted(panels, len(panels), len(_families(counted)), "kinds of metrics")


def _group_tables(group: DataGroup, palette: Sequence[str]) -> list[Panel]:
    """One panel a metric, one curve a table."""
    first = group[0]
    x = step_column(first)
    counted = [name for name in first.measured() if name != x]
    panels = []
    for metric, series in _series_of(group, x, counted[: kinds.PANELS_MAX]).items():
        draw = many.spread if len(series) > many.CURVES_MAX else _curves
        panels.append(draw(series, x or "row", metric, palette))
    if not panels:
        raise UsageError(f"The tables of {group.name!r} have no numeric column to compare.")
    return kinds.noted(panels, len(panels), len(counted), "columns")


def _series_of(group: DataGroup, x: str, metrics: Sequence[str]) -> dict[str, list[curves.Series]]:
    """The curve of each table for each metric; the tables are looked at one at a time."""
    kept: list[tuple[str, list[str]]] = []

    def columns() -> Iterator[NDArray[Any]]:
        for name, one in zip(group.names, group, strict=True):
            if len(one):
                kept.append((name, [metric for metric in metrics if metric in one]))
                yield one.column(x) if x in one else np.arange(len(one))
                yield from (one.column(metric) for metric in kept[-1][1])

    held = iter(spill.together(columns(), len(group) * (1 + len(metrics))))
    found: dict[str, list[curves.Series]] = {metric: [] for metric in metrics}
    for name, there in kept:
        places = next(held)
        for metric in there:
            found[metric].append((name, places, next(held)))
    return {metric: series for metric, series in found.items() if series}


def _curves(series: Sequence[curves.Series], x: str, y: str, palette: Sequence[str]) -> Panel:
    return curves.lines(series, x, y, colours=palette)
