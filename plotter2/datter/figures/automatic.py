"""The choices an expert would make: which picture suits a value, which columns belong together, what it is called.

`visual_of` chooses, `panels_of` carries the choice out. A series over steps becomes curves, one panel for each kind
of metric; runs side by side become one curve each; a matrix an image; rows of numbers points, of 3 to 6 columns each
against each, of more on their principal components; categories bars; everything else a table or text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.figures import curves, kinds, many, pairs, series, simulation, space, spans, total, visuals
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
from plotter2.datter.values.arrows import ROW
from plotter2.datter.values.group import DataGroup
from plotter2.datter.values.keys import shown, unknown
from plotter2.datter.values.points import CATEGORIES_GOOD, Clusters, Points, Projection, label_column, numbers, points
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError

PANELS_MAX = kinds.PANELS_MAX
STACKED, CHANNELS_MAX = 3, 4
COLOURED = frozenset({"uint8", "uint16"})
"""What images are read as."""
REPEATED = 4
"""Values a category from which on they are summarised, not drawn one by one."""
Maker = Callable[[Any, str, Sequence[str]], list[Panel]]


def visual_of(value: Any) -> str:
    """The name of the picture that suits a value."""
    value, _, _ = spans.counted(value, "")
    for kind, visual in _BY_TYPE:
        if isinstance(value, kind):
            return _visual_of_rows(*value.shape) if type(value) is Points else visual
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
    if array.ndim == STACKED and array.dtype.name in COLOURED and array.shape[-1] in kinds.CHANNELS:
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
    counted, called, clocks = spans.counted(value, name)
    chosen = visual or visual_of(counted)
    if chosen not in VISUALS:
        raise unknown("visual type", chosen, VISUALS)
    if chosen == "table":  # words are shown as they are
        counted, called = value, name
    with within_floats():
        made = VISUALS[chosen](counted, called, palette)
    return [spans.read_as_clocks(panel, clocks) for panel in made] if clocks else made


def _visual_of_table(table: Table) -> str:
    counted = table.measured()
    if not len(table) or not counted:
        return "table"
    if many.places(table):
        return "map"
    if series.step_column(many.in_order(table)):
        return "line"
    if len(counted) == 1 and (column := label_column(table)) and len(table) >= REPEATED * len(table.codes(column)[1]):
        return "box"
    if _bar_column(table) and len(table) <= (visuals.NAMED_BARS_MAX if len(counted) == 1 else visuals.BARS_MAX):
        return "bars"
    return _visual_of_rows(len(table), len(counted)) if len(counted) > 1 else "histogram"


def _visual_of_rows(rows: int, columns: int) -> str:
    return pairs.NAME if pairs.suits(rows, columns) else "scatter"


def _bar_column(table: Table) -> str:
    """The first column of words that names every row; "" for none: two bars of one name would hide one another."""
    return next((name for name in table.of_kind("text") if len(table.codes(name)[1]) == len(table)), "")


def _visual_of_group(group: DataGroup) -> str:
    first = group.filled()[0]
    if isinstance(first, Table):
        if series.step_column(first):
            return "line"
        return _visual_of_rows(len(first) * len(group), len(first.measured()))
    inner = visual_of(first)
    if inner == "text" and not isinstance(first, str):
        return "line"
    if inner == "matrix" and total.suits(group):
        return total.NAME
    return {"matrix": "matrices", "line": "line"}.get(inner, "each")


def _map(value: Any, _: str, palette: Sequence[str]) -> list[Panel]:
    if isinstance(value, Table) and not value.label:
        column = label_column(value)
        value = value.labelled(column) if column else value
    return [many.chart(value, palette)]


def _sparse(value: Any, _: str, __: Sequence[str]) -> list[Panel]:
    return [many.sparse(value)]


def _rows(value: Any) -> Points:
    """Rows as points, labelled by the column that tells them apart best."""
    if isinstance(value, Table) and not value.label:
        column = label_column(value)
        if column and len(value.codes(column)[1]) <= CATEGORIES_GOOD:
            value = value.labelled(column)
    return points(value)


def _scatter(value: Any, _: str, palette: Sequence[str]) -> list[Panel]:
    return [visuals.scatter(_rows(value), palette=palette)]


def _pairs(value: Any, _: str, palette: Sequence[str]) -> list[Panel]:
    return [pairs.panel(_rows(value), palette)]


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
    titled = [
        replace(visuals.matrix(array, limits=limits), title=name, shares_colours=len(shown) > 1)
        for name, array in shown
    ]
    return [*titled[:-1], _noted(titled[-1], notes)]


def _histogram(value: Any, name: str, _: Sequence[str]) -> list[Panel]:
    if isinstance(value, Table | Points):
        found = points(value)
        panels = [visuals.histogram(found.column(one), one) for one in found.names[:PANELS_MAX]]
        return kinds.noted(panels, len(panels), len(found.names), "columns")
    return [visuals.histogram(value, name or "value")]


def _bars(value: Any, name: str, palette: Sequence[str]) -> list[Panel]:
    if isinstance(value, Table):
        texts = value.of_kind("text") or [one for one in value.index if one != ROW]
        counted = value.measured()
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
    "line": series.lines, "scatter": _scatter, pairs.NAME: _pairs, "pca": _scatter, "matrix": _matrix,
    "matrices": _matrices, "histogram": _histogram, "bars": _bars, "table": _table, "text": _text,
    "fit": _fit, "formula": _formula, "each": _each, "animation": _animation, "shape": _shape, "break": _break,
    "map": _map, "sparse": _sparse, "scene": _scene, "trajectory": space.trajectory, "surface": space.surface,
    **kinds.MAKERS, total.NAME: total.panels,
}  # fmt: skip
