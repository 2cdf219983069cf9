"""The choices an expert would make: which picture suits a value, which columns belong together, what it is called.

`visual_of` chooses, `panels_of` carries the choice out. A series over steps becomes curves, one panel for each kind
of metric; runs side by side become one curve each; a matrix an image; rows of numbers points, with more than two
columns on their principal components; categories bars; everything else a table or text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.figures import curves, kinds, many, simulation, space, total, visuals
from plotter2.datter.figures.extent import within_floats
from plotter2.datter.figures.figure import INK, PALETTE, PLAIN, Layer, Panel
from plotter2.datter.figures.frame import (
    Break,
    Coloured,
    Curve,
    MotionOf,
    Said,
    Scene,
    Shape,
    TableOf,
    TextAt,
    as_table,
)
from plotter2.datter.figures.motion import motion
from plotter2.datter.mathematics.boxes import Boxes
from plotter2.datter.mathematics.expression import Expr
from plotter2.datter.mathematics.fitting import Fit
from plotter2.datter.values import spill
from plotter2.datter.values.group import DataGroup
from plotter2.datter.values.keys import shown, unknown
from plotter2.datter.values.points import CATEGORIES_GOOD, Clusters, Points, Projection, label_column, numbers, points
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError

PANELS_MAX = kinds.PANELS_MAX
STACKED, CHANNELS_MAX = 3, 4
REPEATED = 4
"""Values a category from which on they are summarised, not drawn one by one."""
STEP_NAMES = frozenset(
    {"epoch", "step", "steps", "iteration", "iter", "time", "timestamp", "date", "datetime", "day", "t", "episode"}
    | {"batch", "global_step", "epochs", "iterations", "round", "generation", "update"}
)
_PARTS = re.compile(r"[_/ .:-]+")
Maker = Callable[[Any, str, Sequence[str]], list[Panel]]


def visual_of(value: Any) -> str:
    """The name of the picture that suits a value."""
    for kind, visual in _BY_TYPE:
        if isinstance(value, kind):
            return visual
    if isinstance(value, Table):
        return _visual_of_table(value)
    if isinstance(value, DataGroup):
        return _visual_of_group(value)
    if many.is_sparse(value):
        return "sparse"
    if isinstance(value, dict):
        return "each" if _is_mixed(value) else "bars" if _is_counted(value) else "table"
    is_records = isinstance(value, list) and value and isinstance(value[0], dict)
    return "table" if is_records else _visual_of_array(numbers(value))


def _visual_of_array(array: NDArray[Any]) -> str:
    if array.ndim == 1:
        return "line" if array.size > 1 else "text"
    if array.ndim == STACKED and array.shape[-1] > CHANNELS_MAX:
        return "matrices"
    if array.ndim == STACKED and array.dtype == np.uint8 and array.shape[-1] in kinds.CHANNELS:
        return "picture"
    return "scatter" if array.ndim == array.shape[-1] == visuals.SEVERAL < len(array) else "matrix"


def _is_mixed(value: dict[Any, Any]) -> bool:
    """Whether these are arrays by name that are no columns of one table, as an .npz file may hold."""
    arrays = [one for one in value.values() if isinstance(one, np.ndarray)]
    return 0 < len(arrays) == len(value) and len({one.shape if one.ndim == 1 else id(one) for one in arrays}) > 1


def _is_counted(value: dict[Any, Any]) -> bool:
    """Whether these are numbers by name, which are one bar each; flags are none."""
    return bool(value) and all(isinstance(one, Real) and not isinstance(one, bool | np.bool_) for one in value.values())


def panels_of(value: Any, name: str = "", visual: str = "", palette: Sequence[str] = ()) -> list[Panel]:
    """A value as panels.

    Args:
        value: what to draw.
        name: what it is called, for axes and legend.
        visual: which picture, "" for the one that suits it.
        palette: colours to use instead of ours.

    Raises:
        UsageError: there is nothing to draw, or it cannot be drawn so.
    """
    chosen = visual or visual_of(value)
    if chosen not in VISUALS:
        raise unknown("visual type", chosen, VISUALS)
    with within_floats():
        return VISUALS[chosen](value, name, palette)


def _visual_of_table(table: Table) -> str:
    counted = table.of_kind("number", "flag")
    if not len(table) or not counted:
        return "table"
    if many.places(table):
        return "map"
    if step_column(many.in_order(table)):
        return "line"
    if len(counted) == 1 and (column := label_column(table)) and len(table) >= REPEATED * len(table.codes(column)[1]):
        return "box"
    if _bar_column(table) and len(table) <= (visuals.NAMED_BARS_MAX if len(counted) == 1 else visuals.BARS_MAX):
        return "bars"
    return "scatter" if len(counted) > 1 else "histogram"


def _bar_column(table: Table) -> str:
    """The first column of words that names every row; "" for none: two bars of one name would hide one another."""
    return next((name for name in table.of_kind("text") if len(table.codes(name)[1]) == len(table)), "")


def _visual_of_group(group: DataGroup) -> str:
    first = group.filled()[0]
    if isinstance(first, Table):
        return "line" if step_column(first) else "scatter"
    inner = visual_of(first)
    if inner == "text" and not isinstance(first, str):
        return "line"
    if inner == "matrix" and total.suits(group):
        return total.NAME
    return {"matrix": "matrices", "line": "line"}.get(inner, "each")


def step_column(table: Table) -> str:
    """The column that orders the rows: a time or a step that never goes back; "" for none."""
    for name in table.names:
        is_named = name.lower() in STEP_NAMES and table.kind(name) == "number"
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


def _lines(value: Any, name: str, palette: Sequence[str]) -> list[Panel]:
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
    counted = [name for name in table.of_kind("number", "flag") if name != x]
    if not counted:
        raise UsageError(f"{table.name or 'The table'} has no numeric column to draw as a line.")
    xs = table.column(x) if x else np.arange(len(table))
    panels = []
    for word, family in list(_families(counted).items())[:PANELS_MAX]:
        panel = curves.lines([(one, xs, table.column(one)) for one in family], x or "row", word, colours=palette)
        panels.append(_noted(panel, table.notes))
    return kinds.noted(panels, len(panels), len(_families(counted)), "kinds of metrics")


def _group_tables(group: DataGroup, palette: Sequence[str]) -> list[Panel]:
    """One panel a metric, one curve a table."""
    first = group[0]
    x = step_column(first)
    counted = [name for name in first.of_kind("number", "flag") if name != x]
    panels = []
    for metric, series in _series_of(group, x, counted[:PANELS_MAX]).items():
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


def _map(value: Any, _: str, palette: Sequence[str]) -> list[Panel]:
    if isinstance(value, Table) and not value.label:
        column = label_column(value)
        value = value.labelled(column) if column else value
    return [many.chart(value, palette)]


def _sparse(value: Any, _: str, __: Sequence[str]) -> list[Panel]:
    return [many.sparse(value)]


def _scatter(value: Any, _: str, palette: Sequence[str]) -> list[Panel]:
    if isinstance(value, Table) and not value.label:
        column = label_column(value)
        if column and len(value.codes(column)[1]) <= CATEGORIES_GOOD:
            value = value.labelled(column)
    return [visuals.scatter(points(value), palette=palette)]


def _matrix(value: Any, _: str, __: Sequence[str]) -> list[Panel]:
    array = numbers(value)
    return [visuals.matrix(array.reshape(len(array), -1) if array.ndim > visuals.SEVERAL else np.atleast_2d(array))]


def _matrices(value: Any, _: str, __: Sequence[str]) -> list[Panel]:
    """Small multiples with one colour scale; of more than 12, evenly chosen ones with the first and the last."""
    group = value.filled() if isinstance(value, DataGroup) else DataGroup.of(list(numbers(value)))
    chosen = np.unique(np.linspace(0, len(group) - 1, min(len(group), PANELS_MAX)).round().astype(int)).tolist()
    shown = [(group.names[place], numbers(group[place])) for place in chosen]
    limits = visuals.extent(np.concatenate([array.ravel() for _, array in shown]).astype(float))
    notes = () if len(chosen) == len(group) else (f"{len(chosen)} of {len(group):,}, evenly chosen.",)
    titled = [replace(visuals.matrix(array, limits=limits), title=name) for name, array in shown]
    return [*titled[:-1], _noted(titled[-1], notes)]


def _histogram(value: Any, name: str, _: Sequence[str]) -> list[Panel]:
    if isinstance(value, Table | Points):
        found = points(value)
        panels = [visuals.histogram(found.column(one), one) for one in found.names[:PANELS_MAX]]
        return kinds.noted(panels, len(panels), len(found.names), "columns")
    return [visuals.histogram(value, name or "value")]


def _bars(value: Any, name: str, palette: Sequence[str]) -> list[Panel]:
    if isinstance(value, Table):
        texts, counted = value.of_kind("text"), value.of_kind("number", "flag")
        if not counted:
            raise UsageError(f"{value.name or 'The table'} has no numeric column for bars.")
        x = _bar_column(value) or (texts[0] if texts else "row")
        names = [str(one) for one in value.column(x)] if texts else [str(row) for row in range(len(value))]
        panels = [visuals.bars(names, value.column(one), x, one, palette) for one in counted[:PANELS_MAX]]
        return kinds.noted(panels, len(panels), len(counted), "columns")
    if isinstance(value, dict):
        return [visuals.bars(list(map(str, value)), numbers(list(value.values())), "", name or "value", palette)]
    array = numbers(value).ravel()
    return [visuals.bars([str(place) for place in range(array.size)], array, "place", name or "value", palette)]


def _table(value: Any, _: str, __: Sequence[str]) -> list[Panel]:
    if isinstance(value, TableOf):
        return [visuals.table_panel(value.table, value.title)]
    return [visuals.table_panel(as_table(value))]


def _text(value: Any, name: str, _: Sequence[str]) -> list[Panel]:
    if isinstance(value, TextAt):
        columns = {"x": [value.x], "y": [value.y], "text": [value.words]}
        layer = Layer("text", columns, colour=value.font.colour or INK, font=value.font, is_relative=value.is_relative)
        return [Panel("shape", layers=(layer,), has_legend=False)]
    words = value if isinstance(value, str) else f"{name + ': ' if name else ''}{_one_number(value)}"
    return [Panel("text", text=str(words), has_legend=False, font=value.font if isinstance(value, Said) else PLAIN)]


def _one_number(value: Any) -> Any:
    array = numbers(value)
    if array.size > 1:
        raise UsageError(f"A text shows words or one number, not {array.size:,} of them; table(...) shows many.")
    return array.ravel()[0]


def _shape(value: Any, _: str, palette: Sequence[str]) -> list[Panel]:
    if not isinstance(value, Shape):
        raise UsageError("Only what a word for shapes makes, such as circle(...), can be drawn as a shape.")
    return value.draw(palette)


def _break(_: Any, __: str, ___: Sequence[str]) -> list[Panel]:
    return [Panel("break", has_legend=False)]


def _fit(value: Any, _: str, __: Sequence[str]) -> list[Panel]:
    if not isinstance(value, Fit):
        raise UsageError("Only what fit(...) gives can be drawn as a fit.")
    return [visuals.fitted(value)]


def _formula(value: Any, _: str, palette: Sequence[str]) -> list[Panel]:
    """A curve over one variable, an image over two."""
    if not isinstance(value, Expr):
        raise UsageError("Only what expr(...) gives can be drawn as a formula.")
    if len(value.ranges) == 2:  # noqa: PLR2004 -- across and up
        return [visuals.surface(value)]
    name = value.name or "value"
    return [replace(curves.lines([("", value.x, value.y)], value.variable, name, colours=palette), title=value.text)]


def _each(value: Any, _: str, palette: Sequence[str]) -> list[Panel]:
    if not isinstance(value, DataGroup | dict):
        raise UsageError(f"Each value by its name is drawn of a group or a dictionary, not of {shown(value)}.")
    found = []
    entries = list(value.items())
    for name, one in entries[:PANELS_MAX]:
        found += [replace(panel, title=panel.title or name) for panel in panels_of(one, name, "", palette)]
    return kinds.noted(found, min(PANELS_MAX, len(entries)), len(entries), "values")


def _animation(value: Any, name: str, palette: Sequence[str]) -> list[Panel]:
    return [motion(value.value if isinstance(value, MotionOf) else value, name, list(palette) or list(PALETTE))]


def _scene(value: Any, name: str, palette: Sequence[str]) -> list[Panel]:
    """What `simulate` made, as it moves; rows of three columns as points in a box."""
    return (simulation.panel_of if isinstance(value, Scene) else space.scene)(value, name, palette)


def _noted(panel: Panel, notes: Sequence[str]) -> Panel:
    return replace(panel, notes=(*notes, *panel.notes))


_BY_TYPE: tuple[tuple[type, str], ...] = (
    (str, "text"), (TextAt, "text"), (TableOf, "table"), (Fit, "fit"), (Curve, "line"), (MotionOf, "animation"),
    (Expr, "formula"), (Shape, "shape"), (Coloured, "coloured"), (Break, "break"), (Boxes, "box"),
    (Scene, "scene"),
    (Projection, "pca"), (Clusters, "scatter"), (Points, "scatter"),
)  # fmt: skip
VISUALS: dict[str, Maker] = {
    "line": _lines, "scatter": _scatter, "pca": _scatter, "matrix": _matrix, "matrices": _matrices,
    "histogram": _histogram, "bars": _bars, "table": _table, "text": _text,
    "fit": _fit, "formula": _formula, "each": _each, "animation": _animation, "shape": _shape, "break": _break,
    "map": _map, "sparse": _sparse, "scene": _scene, "trajectory": space.trajectory, "surface": space.surface,
    **kinds.MAKERS, total.NAME: total.panels,
}  # fmt: skip
