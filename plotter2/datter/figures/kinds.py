"""Values as pictures of a chosen kind: box, violin, hexbin, contour, heat map, picture, and rows coloured by something.

What `automatic` chooses from beside the everyday pictures; each maker takes a value, its name and a palette.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.context import current
from plotter2.datter.figures import pairs, spread, thinning, visuals
from plotter2.datter.figures.figure import Axis, Layer, Panel
from plotter2.datter.figures.frame import Coloured
from plotter2.datter.mathematics.boxes import Boxes
from plotter2.datter.mathematics.cluster import kmean
from plotter2.datter.values.group import DataGroup
from plotter2.datter.values.keys import unknown
from plotter2.datter.values.points import CATEGORIES_GOOD, Labels, Points, label_column, numbers, points
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError

PANELS_MAX = 12
ALIKE = 20.0
"""Columns whose spreads differ by more than so many times get a panel each."""
NAMED_SIDE_MAX = 40
CHANNELS = (3, 4)
DEPTHS = (1, 255, 65_535)
"""What full light is in colours, where none of them is more."""
Groups = spread.Groups


def noted(panels: list[Panel], shown: int, count: int, what: str) -> list[Panel]:
    """The panels, of which the last says that there are more than are shown."""
    if shown >= count or not panels:
        return panels
    note = f"{shown} of {count:,} {what} are drawn; draw the others in frames of their own."
    return [*panels[:-1], replace(panels[-1], notes=(*panels[-1].notes, note))]


def _sides(value: Any, name: str) -> tuple[list[tuple[Groups, str, str]], int]:
    """What lies side by side in each panel, and how many panels there would be without a limit."""
    if isinstance(value, Boxes):
        return [([(one.name, one.values) for one in value.boxes], value.title, value.label)], 1
    if isinstance(value, DataGroup) and not isinstance(value.filled()[0], Table):
        return [([(one, numbers(found).astype(float).ravel()) for one, found in value.items()],
                 value.axis, value.name or name or "value")], 1  # fmt: skip
    if isinstance(value, Table) and not value.label:
        column = label_column(value)
        value = value.labelled(column) if column else value
    if not isinstance(value, Points | Table | DataGroup):
        array = numbers(value).astype(float)
        if array.ndim == 1:
            return [([(name or "value", array)], "", name or "value")], 1
    found = points(value)
    if found.groups is None and _alike(found.matrix):
        return [spread.groups_of(found, name)], 1
    alone = [
        spread.groups_of(replace(found, matrix=found.matrix[:, [at]], names=(one,)))
        for at, one in enumerate(found.names[:PANELS_MAX])
    ]
    return alone, len(found.names)


def _alike(matrix: NDArray[Any]) -> bool:
    matrix = matrix[:, np.isfinite(matrix).any(axis=0)]
    spans = np.nanmax(matrix, axis=0) - np.nanmin(matrix, axis=0)
    middles = np.abs(np.nanmedian(matrix, axis=0))
    sizes = np.maximum(spans, middles)
    sizes = sizes[sizes > 0]
    return not sizes.size or float(sizes.max() / sizes.min()) <= ALIKE


def box(value: Any, name: str, palette: Sequence[str]) -> list[Panel]:
    """Box plots side by side; a panel a column where rows have labels or columns are of different size."""
    sides, count = _sides(value, name)
    panels = [spread.boxes(*one, palette) for one in sides]
    if isinstance(value, Boxes):
        return [replace(one, notes=(*value.notes, *one.notes)) for one in panels]
    return noted(panels, len(sides), count, "columns")


def violin(value: Any, name: str, palette: Sequence[str]) -> list[Panel]:
    """Violins side by side, parted as box plots are."""
    sides, count = _sides(value, name)
    return noted([spread.violins(*one, palette) for one in sides], len(sides), count, "columns")


def hexbin(value: Any, _: str, __: Sequence[str]) -> list[Panel]:
    """The cells of a honeycomb."""
    return [spread.honeycomb(points(value))]


def contour(value: Any, name: str, _: Sequence[str]) -> list[Panel]:
    """Lines of equal height of a grid, of equal density of points."""
    if isinstance(value, Table | Points):
        return [spread.crowding(points(value))]
    return [spread.contours(numbers(value), title=name)]


def picture(value: Any, _: str, __: Sequence[str]) -> list[Panel]:
    """An array of colours as a picture (rows x columns x 3 or 4, to 255, 1.0 or 65,535); any other as a matrix."""
    array = numbers(value)
    if array.ndim != len(CHANNELS) + 1 or array.shape[-1] not in CHANNELS:
        return [visuals.matrix(np.atleast_2d(array))]
    top = visuals.extent(array)[1]
    share = next((255 / most for most in DEPTHS if top <= most), 1.0)
    parts = array if array.dtype == np.uint8 else np.clip(np.nan_to_num(array) * share, 0, 255)
    rows, columns = array.shape[:2]
    step = max(-(-max(rows, columns) // thinning.MATRIX_SIDE_MAX), 1)
    shown = np.full((*array.shape[:2], 4), 255, np.uint8)
    shown[..., : array.shape[-1]] = parts
    small = np.ascontiguousarray(shown[::step, ::step])
    packed = small.view(np.uint32)[..., 0]
    place = {"x": [-0.5], "y": [-0.5], "dw": [columns], "dh": [rows]}
    layer = Layer("rgba", {"image": packed, **place})
    notes = (f"Every {step}th of the {rows:,} x {columns:,} pixels.",) if step > 1 else ()
    return [
        Panel(
            "picture", x=Axis("column", low=-0.5, high=columns - 0.5, is_whole=True),
            y=Axis("row", low=rows - 0.5, high=-0.5, is_whole=True), layers=(layer,),
            has_legend=False, aspect=rows / columns, notes=notes,
        )
    ]  # fmt: skip


def heatmap(value: Any, name: str, _: Sequence[str]) -> list[Panel]:
    """A matrix by colour; rows and columns of a table by their names, up to 40 of them."""
    if not isinstance(value, Table):
        array = numbers(value)
        (panel,) = [visuals.matrix(array.reshape(len(array), -1) if array.ndim > visuals.SEVERAL else array)]
        return [replace(panel, visual="heatmap", title=panel.title or name)]
    names = value.measured()
    panel = visuals.matrix(value.to_numpy())
    texts = value.of_kind("text")
    x = _named(panel.x, names)
    y = _named(panel.y, [str(one) for one in value.column(texts[0])] if texts else [])
    aspect = float(np.clip(panel.aspect, 0.3, 1.5))
    return [replace(panel, visual="heatmap", title=name or value.name, x=x, y=y, aspect=aspect, notes=value.notes)]


def _named(axis: Axis, names: Sequence[str]) -> Axis:
    if not 0 < len(names) <= NAMED_SIDE_MAX:
        return axis
    return replace(axis, label="", ticks=tuple((float(at), name) for at, name in enumerate(names)), is_whole=False)


def coloured(value: Any, _: str, palette: Sequence[str]) -> list[Panel]:
    """Rows as points, coloured by a column, by their cluster, or by one value a row."""
    if not isinstance(value, Coloured):
        raise UsageError("Only what colour(data, by=...) gives can be drawn so.")
    data, by = value.value, value.by
    if isinstance(by, str) and by == "cluster" and not (isinstance(data, Table) and by in data):
        return [visuals.scatter(kmean(data, seed=current().run.seed), palette=palette)]
    title, values = _by(data, by)
    if isinstance(data, Table) and isinstance(by, str) and data.kind(by) in {"text", "flag"}:
        return [_told_apart(points(data.labelled(by)), palette)]
    found = points(_without(data, by))
    if len(values) != len(found):
        raise UsageError(f"colour: {len(values)} values to colour by for {len(found)} rows; one a row is needed.")
    if values.dtype.kind not in "iufb":
        texts = [str(one) for one in values.tolist()]
        names = tuple(dict.fromkeys(texts))
        codes = np.array([names.index(one) for one in texts])
        return [_told_apart(replace(found, groups=Labels(title, names, codes)), palette)]
    if values.dtype.kind in "iub" and len(np.unique(values)) <= CATEGORIES_GOOD:
        names_found, codes = np.unique(values, return_inverse=True)
        labels = Labels(title, tuple(f"{one:g}" for one in names_found.astype(float).tolist()), codes)
        return [_told_apart(replace(found, groups=labels), palette)]
    return [visuals.shaded(found, values.astype(float), title)]


def _told_apart(found: Points, palette: Sequence[str]) -> Panel:
    """Rows whose groups have colours: of 3 to 6 columns each against each."""
    is_few = type(found) is Points and pairs.suits(*found.shape)
    return pairs.panel(found, palette) if is_few else visuals.scatter(found, palette=palette)


def _by(data: Any, by: Any) -> tuple[str, NDArray[Any]]:
    if not isinstance(by, str):
        return "value", np.asarray(by).ravel()
    if isinstance(data, Table):
        return by, data.column(by)
    found = points(data)
    if by not in found.names:
        raise unknown("column to colour by called", by, (*found.names, "cluster"))
    return by, found.column(by)


def _without(data: Any, by: Any) -> Any:
    """The data without the column that becomes colour, as long as two others are left."""
    if isinstance(data, Table) and isinstance(by, str):
        left = [name for name in data.measured() if name != by]
        return data.select(left) if len(left) >= visuals.SEVERAL else data
    return data


MAKERS: dict[str, Callable[[Any, str, Sequence[str]], list[Panel]]] = {
    "box": box, "violin": violin, "hexbin": hexbin, "contour": contour, "picture": picture, "heatmap": heatmap,
    "coloured": coloured,
}  # fmt: skip
