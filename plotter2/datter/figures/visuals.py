"""Values into panels: what a line, scatter, density, matrix, histogram, bar chart, table looks like here.

Rules for much data, each said in the panel's notes (of curves see `curves`): more than 10,000 points are drawn as a
density (cells, colour mixed of the groups, opacity by the logarithm of the count); matrices above 1,000 cells a side
show block means. Nothing is dropped silently.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.figures.figure import INK, PALETTE, Axis, Colours, Layer, Panel
from plotter2.datter.figures.palette import colours_for, looks_for
from plotter2.datter.figures.thinning import MATRIX_SIDE_MAX, blocks
from plotter2.datter.mathematics.cluster import flattened
from plotter2.datter.mathematics.expression import Expr
from plotter2.datter.mathematics.fitting import CONFIDENCE, Fit
from plotter2.datter.pages.canvas import shortened
from plotter2.datter.values import spill
from plotter2.datter.values.points import COMPLEX, Clusters, Labels, Points, Projection, complete, numbers
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError

POINTS_DRAWN_MAX = 10_000
CELLS_X, CELLS_Y = 360, 220
VIEW_SHARE = 0.0005
BINS_MAX = 60
BINS_ASKED_MAX = 1_000
WHOLE_BINS_MAX = 40
BARS_MAX, NAMED_BARS_MAX, LETTERS_MAX = 40, 400, 30
FAINTEST = 0.25
"""Opacity of a cell of a density with one row, enough to be seen on white and on black."""
ROWS_MAX = 200
SIZED_BY, SIZES = (20, 200, 5_000), (9.0, 7.0, 5.0)
"""Of so many points, how many pixels one is wide."""
STRIPE, FLAT, UPRIGHT = 4.0, 0.4, 1.0
"""A matrix of more than so many times as many rows as columns, or the other way, has no squares as cells; then it is so
many times as high as wide."""
OUTSIDE_MAX = 2_000
SEVERAL = 2


def scatter(found: Points, *, palette: Sequence[str] = ()) -> Panel:
    """Rows as points on two axes; of more than two columns, on their first two principal components."""
    centres = None
    if found.shape[1] > SEVERAL and not isinstance(found, Projection):
        found, centres = flattened(found)
    elif isinstance(found, Clusters):
        centres = found.centres
    found = complete(found)
    if found.shape[1] == 1:
        return histogram(found.matrix[:, 0], found.names[0])
    labels = found.groups or Labels("", ("",), np.zeros(len(found), int))
    xs, ys = found.matrix[:, 0], found.matrix[:, 1]
    if len(xs) > POINTS_DRAWN_MAX:
        colours = list(palette) or colours_for(len(labels.names))
        layers, notes, x, y = _dense(xs, ys, labels, colours, axis_names(found))
    else:
        layers, notes, x, y = _dots(xs, ys, labels, looks_for(len(labels.names), palette), axis_names(found))
    if centres is not None:
        columns = {"x": centres[:, 0], "y": centres[:, 1]}
        layers.append(Layer("points", columns, "centre", INK, size=11, hover=(("centre", "$index"),)))
    visual = "pca" if isinstance(found, Projection) else "scatter"
    return Panel(
        visual, x=x, y=y, layers=tuple(layers), has_legend=len(labels.names) > 1 or centres is not None,
        legend_title=labels.title, notes=(*found.notes, *notes),
    )  # fmt: skip


def shaded(found: Points, values: NDArray[Any], title: str) -> Panel:
    """Rows as points whose colour is a number of theirs; more than 10,000 as the mean of each cell of a grid."""
    if found.shape[1] > SEVERAL and not isinstance(found, Projection):
        found, _ = flattened(found)
    if found.shape[1] < SEVERAL:
        raise UsageError("Points coloured by a number need two more columns, x and y.")
    matrix = found.matrix[:, :2]
    kept = np.isfinite(matrix).all(axis=1) & np.isfinite(values)
    lost = int((~kept).sum())
    notes = [*found.notes, *[f"{lost:,} of {len(kept):,} rows left out: a value is missing."] * bool(lost)]
    limits = extent(values)
    xs, ys, values = matrix[kept, 0], matrix[kept, 1], values[kept]
    names = axis_names(found)
    x, y = Axis(names[0]), Axis(names[1])
    if len(xs) <= POINTS_DRAWN_MAX:
        columns = {"x": xs, "y": ys, "colour": values}
        hover = ((names[0], "x"), (names[1], "y"), (title, "colour"))
        layer = Layer("points", columns, alpha=0.85, size=6, hover=hover)
    else:
        edges = [np.linspace(*_view(one), cells + 1) for one, cells in ((xs, CELLS_X // 2), (ys, CELLS_Y // 2))]
        total, _, _ = np.histogram2d(ys, xs, (edges[1], edges[0]), weights=values)
        count, _, _ = np.histogram2d(ys, xs, (edges[1], edges[0]))
        means = np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)
        across, up = ((float(one[0]), float(one[-1] - one[0])) for one in edges)
        place = {"x": [across[0]], "y": [up[0]], "dw": [across[1]], "dh": [up[1]]}
        layer = Layer("image", {"image": means, **place}, hover=((f"mean {title}", "image"),))
        x, y = (replace(one, low=span[0], high=sum(span)) for one, span in ((x, across), (y, up)))
        outside = len(xs) - int(count.sum())
        far = f"; {outside:,} rows lie outside this view" if outside else ""
        notes.append(f"{len(xs):,} rows as the mean of each of {CELLS_X // 2} x {CELLS_Y // 2} cells{far}.")
    colours = colour_scale(limits, title)
    if layer.mark == "points":
        colours = replace(colours, palette="strokes")
    return Panel("scatter", x=x, y=y, layers=(layer,), has_legend=False, colours=colours, notes=tuple(notes))


def axis_names(found: Points) -> tuple[str, str]:
    """What stands at the axes: the columns' names, with the explained variance of components."""
    if isinstance(found, Projection):
        names = [f"{name} ({share:.1%} of variance)" for name, share in zip(found.names, found.explained, strict=True)]
        return names[0], names[1]
    return found.names[0], found.names[1]


Drawn = tuple[list[Layer], list[str], Axis, Axis]


def _dots(
    xs: NDArray[Any], ys: NDArray[Any], labels: Labels, looks: list[tuple[str, int]], names: tuple[str, str]
) -> Drawn:
    alpha = float(np.clip(40 / np.sqrt(max(len(xs), 1)), 0.35, 0.85))
    hover = ((names[0], "x"), (names[1], "y"))
    size = float(np.interp(len(xs), SIZED_BY, SIZES))
    layers = [
        Layer("points", {"x": xs[chosen], "y": ys[chosen]}, name, colour, alpha, size, hover, pattern=pattern)
        for code, (name, (colour, pattern)) in enumerate(zip(labels.names, looks, strict=True))
        if (chosen := labels.codes == code).any()
    ]
    return layers, [], Axis(names[0]), Axis(names[1])


def _dense(xs: NDArray[Any], ys: NDArray[Any], labels: Labels, colours: list[str], names: tuple[str, str]) -> Drawn:
    """A grid of cells over the middle of the data, and what lies outside as points."""
    (x_low, x_high), (y_low, y_high) = _view(xs), _view(ys)
    inside = (xs >= x_low) & (xs <= x_high) & (ys >= y_low) & (ys <= y_high)
    columns = np.minimum(((xs[inside] - x_low) / (x_high - x_low) * CELLS_X).astype(int), CELLS_X - 1)
    rows = np.minimum(((ys[inside] - y_low) / (y_high - y_low) * CELLS_Y).astype(int), CELLS_Y - 1)
    cells = (labels.codes[inside] * CELLS_Y + rows) * CELLS_X + columns
    kinds = len(labels.names)
    counts = np.bincount(cells, minlength=kinds * CELLS_Y * CELLS_X).reshape(kinds, CELLS_Y, CELLS_X)
    total = counts.sum(axis=0)
    place = {"x": [x_low], "y": [y_low], "dw": [x_high - x_low], "dh": [y_high - y_low]}
    image = {"image": blended(counts, total, colours), "count": total.astype(np.uint32), **place}
    layers = [Layer("rgba", image, hover=(("rows in this cell", "count"),))]
    outside = np.flatnonzero(~inside)
    mixed = ", colour mixes the groups in a cell" if kinds > 1 else ""
    rule = f"density of {CELLS_X} x {CELLS_Y} cells: opacity grows with the logarithm of the count{mixed}"
    notes = [f"{len(xs):,} rows as a {rule}."]
    if len(outside):
        notes.append(f"{len(outside):,} rows lie outside this view; zoom out to see them.")
    if len(outside) > OUTSIDE_MAX:
        notes[-1] = notes[-1][:-1] + f" ({OUTSIDE_MAX:,} of them, evenly chosen)."
        outside = outside[np.linspace(0, len(outside) - 1, OUTSIDE_MAX).astype(int)]
    for code, name in enumerate(labels.names):
        chosen = outside[labels.codes[outside] == code]
        far = {
            "x": np.append(xs[chosen], np.nan),
            "y": np.append(ys[chosen], np.nan),
        }  # one more, for the legend's mark
        layers.append(Layer("points", far, name, colours[code % len(colours)], 0.6, 4))
    return layers, notes, Axis(names[0], low=x_low, high=x_high), Axis(names[1], low=y_low, high=y_high)


def _view(values: NDArray[Any]) -> tuple[float, float]:
    low, high = np.quantile(values, [VIEW_SHARE, 1 - VIEW_SHARE])
    pad = (high - low) * 0.05 or max(abs(high), 1.0) * 0.5
    return float(low - pad), float(high + pad)


def blended(counts: NDArray[Any], total: NDArray[Any], colours: list[str]) -> NDArray[Any]:
    """The colour of each cell of a density: mixed of its groups, its opacity by the logarithm of how many it has."""
    parts = np.array([[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in colours], float)
    parts = parts[np.arange(len(counts)) % len(parts)]
    mixed = np.einsum("kyx,kc->yxc", counts, parts) / np.maximum(total, 1)[..., None]
    share = np.log1p(total) / np.log1p(max(int(total.max()), 1))
    strength = np.where(total > 0, FAINTEST + (1 - FAINTEST) * share, 0.0)
    pixels = np.dstack([mixed, strength * 255]).astype(np.uint8)
    found: NDArray[Any] = np.ascontiguousarray(pixels).view(np.uint32)[..., 0]
    return found


def matrix(array: NDArray[Any], *, limits: tuple[float, float] | None = None) -> Panel:
    """A matrix as an image: row 0 on top; a signed one in two colours around 0."""
    values = numbers(array)
    if values.ndim != SEVERAL:
        raise UsageError(f"A matrix has rows and columns; this has the shape {values.shape}.")
    shown, notes = blocks(values)
    rows, columns = values.shape
    place = {"x": [-0.5], "y": [-0.5], "dw": [columns], "dh": [rows]}
    layer = Layer(
        "image",
        {"image": shown.astype(np.float32), **place},
        hover=(("row", "$y{0}"), ("column", "$x{0}"), ("value", "image")),
    )
    missing = int((~np.isfinite(values)).sum()) if values.dtype.kind == "f" else 0
    notes = [*notes, *[f"{missing:,} of {values.size:,} values are missing or infinite: clear cells."] * bool(missing)]
    return Panel(
        "matrix", x=Axis("column", low=-0.5, high=columns - 0.5, is_whole=True),
        y=Axis("row", low=rows - 0.5, high=-0.5, is_whole=True), layers=(layer,), has_legend=False,
        colours=colour_scale(limits or extent(values)), aspect=aspect_of(rows, columns), notes=tuple(notes),
    )  # fmt: skip


def aspect_of(rows: int, columns: int) -> float:
    """Height over width of a matrix: its cells are squares, unless it were a mere stripe then."""
    square = rows / columns
    return FLAT if square < 1 / STRIPE else UPRIGHT if square > STRIPE else square


def surface(found: Expr) -> Panel:
    """A formula of two variables as an image: the first across, the second up."""
    (across, xs), (up, ys) = ((name, places.tolist()) for name, places in found.ranges.items())
    panel = matrix(found.y.T)
    place = {"x": [xs[0]], "y": [ys[0]], "dw": [xs[-1] - xs[0]], "dh": [ys[-1] - ys[0]]}
    name = found.name or "value"
    colours = replace(panel.colours, title=found.name) if panel.colours is not None else None
    layer = replace(
        panel.layers[0],
        columns={**panel.layers[0].columns, **place},
        hover=((across, "$x"), (up, "$y"), (name, "image")),
    )
    return replace(
        panel, title=found.text, x=Axis(across, low=xs[0], high=xs[-1]),
        y=Axis(up, low=ys[0], high=ys[-1]), layers=(layer,), aspect=0.0, colours=colours,
    )  # fmt: skip


def extent(values: NDArray[Any]) -> tuple[float, float]:
    """Smallest and largest finite value.

    Raises:
        UsageError: there is none.
    """
    finite = values[np.isfinite(values)]
    if not finite.size:
        raise UsageError("Every value is missing or infinite, so there is nothing to draw.")
    return float(finite.min()), float(finite.max())


def colour_scale(limits: tuple[float, float], title: str = "") -> Colours:
    """The colours for values between two limits: around 0 when they lie on both sides of it."""
    low, high = limits
    if low < 0 < high:
        reach = max(-low, high)
        return Colours("diverging", -reach, reach, title)
    around = 0.0 if high > low else abs(low) / 2 or 0.5
    return Colours("sequential", low - around, high + around, title)


def histogram(values: Any, name: str, bins: int | None = None) -> Panel:
    """How often values fall into equal bins: so many, or by Freedman and Diaconis, at most 60."""
    array = numbers(values).astype(float).ravel()
    finite = array[np.isfinite(array)]
    counts, edges = np.histogram(finite, bins or _bins(finite))
    columns = {"left": edges[:-1], "right": edges[1:], "top": counts, "bottom": np.zeros(len(counts))}
    missing = len(array) - len(finite)
    notes = (f"{missing:,} of {len(array):,} values are missing or infinite and not counted.",) if missing else ()
    layer = Layer("bars", columns, hover=((f"{name} from", "left"), ("to", "right"), ("count", "top")))
    return Panel("histogram", x=Axis(name), y=Axis("count", low=0), layers=(layer,), has_legend=False, notes=notes)


def _bins(finite: NDArray[Any]) -> Any:
    """How many bins, or where they lie: of few whole numbers each has its own, around it."""
    low, high = extent(finite)
    if high - low < WHOLE_BINS_MAX and np.array_equal(finite, np.round(finite)):
        return np.arange(low, high + 2) - 0.5
    if high <= low or len(finite) >= MATRIX_SIDE_MAX**2:
        return BINS_MAX
    return int(np.clip(len(np.histogram_bin_edges(finite, "fd")) - 1, 1, BINS_MAX))


def bars(names: Sequence[str], values: NDArray[Any], x: str, y: str, palette: Sequence[str] = ()) -> Panel:
    """One bar a category; of more than 40 the longest bars, by their length."""
    if values.dtype.kind == "c":
        raise UsageError(COMPLEX)
    kept, heights = list(names), values.astype(float)
    notes: tuple[str, ...] = ()
    if len(kept) > BARS_MAX:
        ranks = np.argsort(-np.abs(np.nan_to_num(heights)), kind="stable")[:BARS_MAX]
        kept, heights = [kept[place] for place in ranks.tolist()], heights[ranks]
        notes = (f"The {BARS_MAX} largest of {len(names):,} categories, by size.",)
    columns: dict[str, Any] = {
        "x": kept,
        "top": heights,
        "bottom": np.zeros(len(kept)),
        "width": np.full(len(kept), 0.8),
    }
    short = [shortened(name, LETTERS_MAX) for name in kept]
    if short != kept and len(set(short)) == len(set(kept)):
        columns, kept = {**columns, "x": short, "name": kept}, short
    colour = palette[0] if palette else PALETTE[0]
    layer = Layer(
        "bars", columns, colour=colour, hover=((x or "name", "name" if "name" in columns else "x"), (y, "top"))
    )
    axis = Axis(x, "category", factors=tuple(dict.fromkeys(kept)))
    ends = (0.0 if np.nanmin(heights, initial=0) >= 0 else None, 0.0 if np.nanmax(heights, initial=0) <= 0 else None)
    low, high = ends if ends != (0.0, 0.0) else (0.0, 1.0)
    y_axis = Axis(y, low=low, high=high)
    return Panel("bars", x=axis, y=y_axis, layers=(layer,), has_legend=False, notes=notes)


def fitted(found: Fit) -> Panel:
    """The points, the curve and its confidence band."""
    names = found.names
    pairs = zip(spill.blocks(found.x), spill.blocks(found.y), strict=True)
    both = (
        spill.matrix(2, (np.column_stack(pair) for pair in pairs))
        if spill.is_large(found.x)
        else np.column_stack([found.x, found.y])
    )
    dots = Points(both, names, groups=Labels("", ("data",), np.zeros(len(found.x), np.int8)))
    panel = scatter(dots)
    at, middle, low, high = found.curve.T
    layers = (
        *panel.layers,
        Layer("band", {"x": at, "low": low, "high": high}, f"{CONFIDENCE:.0%} band", PALETTE[1], 0.2),
        Layer("line", {"x": at, "y": middle}, f"{found.model}, r² = {found.r2:.4g}", PALETTE[1], size=2.5),
    )
    return Panel(
        "fit", x=panel.x, y=panel.y, layers=layers, notes=(*panel.notes, *found.notes, f"{names[1]} = {found.written}")
    )


def table_panel(table: Table, title: str = "") -> Panel:
    """A table of text; the first 200 rows."""
    rows = tuple(tuple(row[name] for name in table.names) for row in table.rows(ROWS_MAX))
    notes = table.notes + ((f"The first {ROWS_MAX} of {len(table):,} rows.",) if len(table) > ROWS_MAX else ())
    return Panel("table", title, heads=table.names, rows=rows, has_legend=False, notes=notes)
