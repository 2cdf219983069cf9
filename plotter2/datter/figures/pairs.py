"""Each of a few columns against each other, in one panel: how rows of 3 to 6 numbers are looked at first (pure).

Below the diagonal are the points, on it how often values fall into 24 equal bins, above it the correlation (Pearson's).
All cells lie in one drawing: column i has the stretch from i to i + 1 of both axes, so its ends are scaled to that.
More than 2,000 rows are drawn as a density in each cell, every row counted; nothing is dropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.figures import ticks, visuals
from plotter2.datter.figures.figure import GRID, INK, MUTED, Axis, Font, Layer, Panel
from plotter2.datter.figures.palette import colours_for, looks_for
from plotter2.datter.pages.canvas import shortened
from plotter2.datter.values import spill
from plotter2.datter.values.points import Labels, Points, complete
from plotter2.errors import UsageError

NAME = "pairs"
COLUMNS_MIN, COLUMNS_MAX = 3, 6
POINTS_MAX = 2_000
"""Rows of which each is a point in each cell; more become a density."""
CELLS, BINS = 72, 24
AIR = 0.06
"""Of a cell, the share that is left free at each side."""
TALL = 0.8
"""Of a cell on the diagonal, the share that the longest bar takes."""
MARKS = 3
FLOAT_BYTES = 8
HEIGHT = 640
LETTERS = {1: 60, 2: 40, 3: 34, 4: 26, 5: 20, 6: 17}
"""Of a name, the letters that a cell has room for."""
Ends = tuple[float, float]
Cells = NDArray[np.float64]


def suits(rows: int, columns: int) -> bool:
    """Whether rows have so many columns that each can be seen against each, and memory holds them."""
    return COLUMNS_MIN <= columns <= COLUMNS_MAX and rows * columns * FLOAT_BYTES < spill.LARGE_BYTES


def panel(found: Points, palette: Sequence[str] = ()) -> Panel:
    """The panel.

    Args:
        found: rows x 3 to 6 columns; their groups become colours.
        palette: colours of the groups instead of ours.

    Raises:
        UsageError: no row is whole, or there are more columns.
    """
    found = complete(found)
    count = found.shape[1]
    if count > COLUMNS_MAX:
        raise UsageError(f"{NAME} shows up to {COLUMNS_MAX} columns of numbers each against each, not {count:,}.")
    labels = found.groups or Labels("", ("",), np.zeros(len(found), int))
    ends = [_ends(found.matrix[:, place]) for place in range(count)]
    cells = np.column_stack([place + _share(found.matrix[:, place], ends[place]) for place in range(count)])
    is_dense = len(found) > POINTS_MAX
    draw = _densities if is_dense else _dots
    layers = [_frames(count), *_bars(found, cells, labels, palette), *draw(found, cells, labels, palette)]
    layers += [_names(found.names), *_correlations(found)]
    marks = tuple((place + float(_share(np.array([at]), one)[0]), word)
                  for place, one in enumerate(ends) for at, word in _marks(one))  # fmt: skip
    x = Axis("", low=0.0, high=float(count), ticks=marks)
    y = Axis("", low=float(count), high=0.0, ticks=tuple((_turned(at), word) for at, word in marks if at > 1))
    notes = (*found.notes, *[f"{len(found):,} rows as a density in each of {CELLS} x {CELLS} cells."] * is_dense)
    return Panel(
        NAME, x=x, y=y, layers=tuple(layers), has_legend=len(labels.names) > 1, legend_title=labels.title,
        aspect=0.8, size=(0, HEIGHT), notes=notes,
    )  # fmt: skip


def _ends(values: NDArray[np.float64]) -> Ends:
    low, high = float(values.min()), float(values.max())
    around = 0.0 if high > low else abs(high) / 2 or 0.5
    return low - around, high + around


def _share(values: NDArray[np.float64], ends: Ends) -> NDArray[np.float64]:
    """Where values lie within their cell, from 0 to 1, with air at both sides."""
    low, high = ends
    inside: NDArray[np.float64] = AIR + (1 - 2 * AIR) * (values - low) / (high - low)
    return inside


def _turned(places: float) -> float:
    """The same place of a cell counted downwards, as rows are: large values stay on top."""
    whole = float(np.floor(places))
    return whole + 1 - (places - whole)


def _marks(ends: Ends) -> ticks.Marks:
    """Two or three numbers of a cell, so that they have room beside those of the next one."""
    found = ticks.marks(Axis(), *ends)
    return found[:: max(-(-len(found) // MARKS), 1)]


def _frames(count: int) -> Layer:
    """A square around each cell."""
    sides = np.arange(count + 1, dtype=float)
    ends = np.array([[0.0, float(count)]] * (count + 1))
    columns = {
        "x0": np.concatenate([sides, ends[:, 0]]), "x1": np.concatenate([sides, ends[:, 1]]),
        "y0": np.concatenate([ends[:, 0], sides]), "y1": np.concatenate([ends[:, 1], sides]),
    }  # fmt: skip
    return Layer("segments", columns, colour=GRID, size=1)


def _pairs(count: int) -> Iterator[tuple[int, int]]:
    """Column and row of each cell below the diagonal."""
    return ((across, down) for down in range(count) for across in range(down))


def _below(cells: Cells, across: int, down: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return cells[:, across], 2 * down + 1 - cells[:, down]


def _dots(found: Points, cells: Cells, labels: Labels, palette: Sequence[str]) -> Iterator[Layer]:
    """The rows as points: one layer a cell and group, so that what is told under the pointer has its own names."""
    size = float(np.interp(len(found), (50, POINTS_MAX), (5.0, 3.0)))
    looks = looks_for(len(labels.names), palette)
    for across, down in _pairs(cells.shape[1]):
        xs, ys = _below(cells, across, down)
        hover = ((found.names[across], "across"), (found.names[down], "down"))
        for code, (name, (colour, pattern)) in enumerate(zip(labels.names, looks, strict=True)):
            chosen = labels.codes == code
            if not chosen.any():
                continue
            columns = {
                "x": xs[chosen], "y": ys[chosen],
                "across": found.matrix[chosen, across], "down": found.matrix[chosen, down],
            }  # fmt: skip
            yield Layer("points", columns, name, colour, 0.7, size, hover, pattern=pattern)


def _densities(found: Points, cells: Cells, labels: Labels, palette: Sequence[str]) -> Iterator[Layer]:
    """The rows as how many lie where, in each cell."""
    colours = list(palette) or colours_for(len(labels.names))
    for across, down in _pairs(cells.shape[1]):
        xs, ys = _below(cells, across, down)
        column, row = (((one - start) * CELLS).astype(int) for one, start in ((xs, across), (ys, down)))
        flat = (labels.codes * CELLS + row) * CELLS + column
        kinds = len(labels.names)
        counts = np.bincount(flat, minlength=kinds * CELLS * CELLS).reshape(kinds, CELLS, CELLS)
        total = counts.sum(axis=0)
        image = {
            "image": visuals.blended(counts, total, colours), "count": total.astype(np.uint32),
            "x": [float(across)], "y": [float(down)], "dw": [1.0], "dh": [1.0],
        }  # fmt: skip
        about = f"rows here, {found.names[across]} and {found.names[down]}"
        yield Layer("rgba", image, hover=((about, "count"),))


def _bars(found: Points, cells: Cells, labels: Labels, palette: Sequence[str]) -> Iterator[Layer]:
    """How often values fall into equal bins, of each column by group, one before the other."""
    colours = [one for one, _ in looks_for(len(labels.names), palette)]
    for place, column in enumerate(cells.T):
        edges = np.linspace(place + AIR, place + 1 - AIR, BINS + 1)
        groups = [np.histogram(column[labels.codes == code], edges)[0] for code in range(len(labels.names))]
        top = max(int(one.max()) for one in groups) or 1
        low, high = _ends(found.matrix[:, place])
        values = np.linspace(low, high, BINS + 1)
        hover = ((f"{found.names[place]} from", "from"), ("to", "to"), ("count", "count"))
        for counts, colour, name in zip(groups, colours, labels.names, strict=True):
            there = counts > 0
            columns = {
                "left": edges[:-1][there], "right": edges[1:][there],
                "top": place + 1 - TALL * counts[there] / top, "bottom": np.full(int(there.sum()), place + 1.0),
                "from": values[:-1][there], "to": values[1:][there], "count": counts[there],
            }  # fmt: skip
            if there.any():
                yield Layer("bars", columns, name, colour, alpha=0.6 if len(groups) > 1 else 1.0, hover=hover)


def _names(names: Sequence[str]) -> Layer:
    """What each column is called, in its cell on the diagonal."""
    at = np.arange(len(names), dtype=float)
    words = [shortened(name, LETTERS[len(names)]) for name in names]
    columns = {"x": at + 0.04, "y": at + 0.13, "text": words}
    return Layer("text", columns, colour=INK, font=Font(12, is_bold=True))


def _correlations(found: Points) -> Iterator[Layer]:
    """Above the diagonal how far two columns go together, from -1 to 1; nothing where one never varies."""
    count = found.shape[1]
    scaled = found.matrix - found.matrix.mean(axis=0)
    scaled /= np.abs(scaled).max(axis=0, initial=0.0) + (np.abs(scaled).max(axis=0, initial=0.0) == 0)
    sizes = np.sqrt((scaled**2).sum(axis=0))
    there = [(across, down) for down, across in _pairs(count) if sizes[across] > 0 < sizes[down]]
    if not there:
        return
    r = [float(scaled[:, across] @ scaled[:, down] / sizes[across] / sizes[down]) for across, down in there]
    columns = {
        "x": np.array([across + 0.5 for across, _ in there]) - 0.22,
        "y": np.array([down + 0.5 for _, down in there]) + 0.04,
        "text": [f"r = {round(one, 2) + 0.0:.2f}".replace("-", "\N{MINUS SIGN}") for one in r],
    }  # fmt: skip
    yield Layer("text", columns, colour=MUTED, font=Font(13))
