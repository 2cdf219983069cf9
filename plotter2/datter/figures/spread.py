"""Statistical pictures: box plots, violins, honeycombs, contours, arrows of a field.

Boxes and violins summarise all values, however many; outliers are drawn up to 2,000 a group, evenly chosen; a field has
at most 1,600 arrows, evenly chosen. Each such choice is said in the panel's notes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.figures import visuals
from plotter2.datter.figures.figure import GRID as FAINT
from plotter2.datter.figures.figure import INK, PALETTE, Axis, Colours, Layer, Panel
from plotter2.datter.mathematics import geometry
from plotter2.datter.values.points import Labels, Points, complete, numbers
from plotter2.errors import UsageError

GROUPS_MAX = 40
OUTSIDE_MAX = 2_000
FEW = 5
HALF = 0.32
LEVELS = 10
GRID, AIR = 80, 0.25
ARROWS_ACROSS = 40
SKEWED = 100
HEXAGONS_PER_ROOT, HEXAGONS_MIN = 0.7, 8
"""Cells across a honeycomb by the square root of how many rows it counts, so that few rows share some cells."""
Groups = Sequence[tuple[str, NDArray[Any]]]


def groups_of(value: Any, name: str = "") -> tuple[Groups, str, str]:
    """What is summarised side by side: name and values of each group, the group's title, what the values are.

    Labelled points give a group a label; without labels, each column is one.
    """
    found = value if isinstance(value, Points) else Points(numbers(value).reshape(-1, 1).astype(float), (name,))
    if found.groups is not None and len(found.groups.names) > 1:
        column = found.matrix[:, 0]
        codes, names = found.groups.codes, found.groups.names
        return [(one, column[codes == at]) for at, one in enumerate(names)], found.groups.title, found.names[0]
    if found.shape[1] == 1:
        return [(found.names[0] or "value", found.matrix[:, 0])], "", found.names[0] or "value"
    return [(one, found.matrix[:, at]) for at, one in enumerate(found.names)], "", "value"


def _finite(groups: Groups) -> tuple[list[tuple[str, NDArray[Any]]], list[str]]:
    kept = [(name, one[np.isfinite(one)]) for name, one in groups]
    missing = sum(len(one) for _, one in groups) - sum(len(one) for _, one in kept)
    notes = [f"{missing:,} values are missing or infinite and left out."] * bool(missing)
    empty = [name for name, one in kept if not len(one)]
    notes += [f"Without any value and left out: {', '.join(empty[:8])}."] * bool(empty)
    kept = [(name, one) for name, one in kept if len(one)]
    if not kept:
        raise UsageError("Every value is missing or infinite, so there is nothing to draw.")
    if len(kept) > GROUPS_MAX:
        notes.append(f"The first {GROUPS_MAX} of {len(kept):,} groups.")
    return kept[:GROUPS_MAX], notes


def _side_by_side(names: Sequence[str], title: str, label: str) -> tuple[Axis, Axis]:
    ticks = tuple((float(place), name) for place, name in enumerate(names))
    return Axis(title, low=-0.6, high=len(names) - 0.4, ticks=ticks), Axis(label)


def boxes(groups: Groups, title: str, label: str, palette: Sequence[str] = ()) -> Panel:
    """Box plots side by side (Tukey): box from first to third quartile, whiskers within 1.5 of its height."""
    kept, notes = _finite(groups)
    found = [geometry.box(values.astype(float)) for _, values in kept]
    names = [name for name, _ in kept]
    corners = [
        geometry.rectangle(place - HALF, one.first, 2 * HALF, one.third - one.first) for place, one in enumerate(found)
    ]
    columns: dict[str, Any] = {
        "xs": [x for x, _ in corners], "ys": [y for _, y in corners], "group": names,
        "count": np.array([one.count for one in found]),
        **{part: np.array([getattr(one, part) for one in found]) for part in _FIVE},
    }  # fmt: skip
    hover = ((title or "group", "group"), ("values", "count"), *((part, part) for part in _FIVE))
    colour = palette[0] if palette else PALETTE[0]
    body = Layer("polygons", columns, colour=colour, alpha=0.45, edge=colour, size=1.5, hover=hover)
    layers = [_strokes(found), body, _medians(found)]
    outside, said = _outside(found)
    if outside is not None:
        layers.append(Layer("points", outside, colour=colour, alpha=0.6, size=4, hover=((label or "value", "y"),)))
    x, y = _side_by_side(names, title, label)
    return Panel("box", x=x, y=y, layers=tuple(layers), has_legend=False, notes=(*notes, *said))


_FIVE = ("low", "first", "median", "third", "high")


def _strokes(found: Sequence[geometry.Box]) -> Layer:
    at = np.arange(len(found), dtype=float)
    ends = [(one.third, one.top) for one in found] + [(one.first, one.bottom) for one in found]
    y0, y1 = (np.array(part) for part in zip(*ends, strict=True))
    x = np.tile(at, 2)
    caps = np.concatenate([np.array([one.top, one.bottom]) for one in found])
    wide = np.repeat(at, 2)
    columns = {
        "x0": np.concatenate([x, wide - HALF / 2]), "x1": np.concatenate([x, wide + HALF / 2]),
        "y0": np.concatenate([y0, caps]), "y1": np.concatenate([y1, caps]),
    }  # fmt: skip
    return Layer("segments", columns, colour=INK, size=1.2)


def _medians(found: Sequence[geometry.Box]) -> Layer:
    at = np.arange(len(found), dtype=float)
    middle = np.array([one.median for one in found])
    return Layer("segments", {"x0": at - HALF, "x1": at + HALF, "y0": middle, "y1": middle}, colour=INK, size=2.5)


def _outside(found: Sequence[geometry.Box]) -> tuple[dict[str, Any] | None, list[str]]:
    count = sum(len(one.outside) for one in found)
    if not count:
        return None, []
    parts, notes = [], []
    for place, one in enumerate(found):
        values = np.sort(one.outside)
        if len(values) > OUTSIDE_MAX:
            values = values[np.linspace(0, len(values) - 1, OUTSIDE_MAX).astype(int)]
            notes = [f"Of more than {OUTSIDE_MAX:,} values outside the whiskers, as many are drawn, evenly chosen."]
        parts.append((np.full(len(values), float(place)), values))
    return {"x": np.concatenate([x for x, _ in parts]), "y": np.concatenate([y for _, y in parts])}, notes


def violins(groups: Groups, title: str, label: str, palette: Sequence[str] = ()) -> Panel:
    """How densely the values of groups lie, mirrored; box and median within. Groups of fewer than 5 as points."""
    kept, notes = _finite(groups)
    colour = palette[0] if palette else PALETTE[0]
    shapes = [(at, *geometry.density(one.astype(float))) for at, (_, one) in enumerate(kept) if len(one) >= FEW]
    found = [geometry.box(one.astype(float)) for _, one in kept]
    layers = []
    if shapes:
        widest = max(float(dense.max()) for _, _, dense in shapes)
        columns: dict[str, Any] = {
            "xs": [at + HALF / widest * np.concatenate([dense, -dense[::-1]]) * 1.3 for at, _, dense in shapes],
            "ys": [np.concatenate([place, place[::-1]]) for _, place, _ in shapes],
            "group": [kept[at][0] for at, _, _ in shapes],
            "count": np.array([found[at].count for at, _, _ in shapes]),
            **{part: np.array([getattr(found[at], part) for at, _, _ in shapes]) for part in _FIVE},
        }
        hover = ((title or "group", "group"), ("values", "count"), *((part, part) for part in _FIVE))
        layers.append(Layer("polygons", columns, colour=colour, alpha=0.35, edge=colour, size=1.2, hover=hover))
    bars = {
        "x0": np.arange(len(found), dtype=float), "x1": np.arange(len(found), dtype=float),
        "y0": np.array([one.first for one in found]), "y1": np.array([one.third for one in found]),
    }  # fmt: skip
    layers.append(Layer("segments", bars, colour=INK, size=4))
    few = [(float(at), value) for at, (_, one) in enumerate(kept) if len(one) < FEW for value in one.tolist()]
    if few:
        spots = {"x": np.array([x for x, _ in few]), "y": np.array([y for _, y in few])}
        layers.append(Layer("points", spots, colour=colour, size=6, hover=((label or "value", "y"),)))
    middles = {"x": np.arange(len(found), dtype=float), "y": np.array([one.median for one in found])}
    layers.append(Layer("points", middles, colour=FAINT, size=6, hover=(("median", "y"),)))
    x, y = _side_by_side([name for name, _ in kept], title, label)
    return Panel("violin", x=x, y=y, layers=tuple(layers), has_legend=False, notes=tuple(notes))


def honeycomb(found: Points) -> Panel:
    """How many points lie in each cell of a honeycomb; of more than two columns, on their first two."""
    found = complete(found)
    if found.shape[1] < visuals.SEVERAL:
        raise UsageError("hexbin needs x and y: two columns of numbers.")
    across = int(np.clip(HEXAGONS_PER_ROOT * np.sqrt(len(found)), HEXAGONS_MIN, geometry.HEXAGONS_ACROSS))
    cells = geometry.hexagons(found.matrix[:, 0], found.matrix[:, 1], across)
    xs, ys = cells.outlines()
    columns = {"xs": xs, "ys": ys, "colour": cells.count.astype(float), "count": cells.count}
    top = float(cells.count.max())
    colours = Colours("sequential", 1.0, max(top, 2.0), "count", is_log=top > SKEWED)
    layer = Layer("polygons", columns, alpha=1.0, hover=(("count", "count"),))
    x, y = Axis(found.names[0]), Axis(found.names[1])
    notes = (*found.notes, f"{len(found):,} rows in {len(cells.count):,} cells.")
    return Panel("hexbin", x=x, y=y, layers=(layer,), has_legend=False, colours=colours, notes=notes)


def contours(
    grid: NDArray[Any], xs: NDArray[Any] | None = None, ys: NDArray[Any] | None = None, *, title: str = ""
) -> Panel:
    """Lines of equal height over a grid: rows are y upwards, columns are x; 10 even levels, by contourpy."""
    heights = numbers(grid).astype(float)
    if heights.ndim != visuals.SEVERAL or min(heights.shape) < visuals.SEVERAL:
        raise UsageError(f"contour needs a grid of at least 2 x 2 heights, not the shape {heights.shape}.")
    low, high = visuals.extent(heights)
    if low == high:
        raise UsageError(f"contour: every height is {low:g}, so there is no line between them.")
    across = np.arange(heights.shape[1], dtype=float) if xs is None else xs
    up = np.arange(heights.shape[0], dtype=float) if ys is None else ys
    if (len(across), len(up)) != heights.shape[::-1]:
        raise UsageError(
            f"contour: a grid of {heights.shape[0]} rows and {heights.shape[1]} columns needs as many y and x, "
            f"not {len(up)} and {len(across)}."
        )
    masked = np.ma.masked_invalid(heights)
    maker = import_module("contourpy").contour_generator(across, up, masked, line_type="Separate")
    levels = np.linspace(low, high, LEVELS + 2)[1:-1]
    lines = [(level, line) for level in levels.tolist() for line in maker.lines(level)]
    columns = {
        "xs": [line[:, 0] for _, line in lines], "ys": [line[:, 1] for _, line in lines],
        "colour": np.array([level for level, _ in lines]), "level": np.array([level for level, _ in lines]),
    }  # fmt: skip
    layer = Layer("curves", columns, size=1.8, hover=(("level", "level"),))
    x = Axis("", low=float(across[0]), high=float(across[-1]))
    y = Axis("", low=float(up[0]), high=float(up[-1]))
    colours = Colours("strokes", low, high, title)  # the pale middle of a diverging scale would hide its lines
    return Panel("contour", x=x, y=y, layers=(layer,), has_legend=False, colours=colours)


def crowding(found: Points) -> Panel:
    """Contours of how densely points lie: a Gaussian kernel over a grid of 80 x 80, per row."""
    found = complete(found)
    if found.shape[1] < visuals.SEVERAL:
        raise UsageError("contour needs a grid of heights, or points with x and y.")
    xs, ys = found.matrix[:, 0], found.matrix[:, 1]
    ends = [(one.min(), one.max()) for one in (xs, ys)]
    air = [(high - low) * AIR or 1.0 for low, high in ends]  # so that the outermost lines close
    around = [(low - pad, high + pad) for (low, high), pad in zip(ends, air, strict=True)]
    counts, across, up = np.histogram2d(xs, ys, GRID, around)
    width = GRID * len(xs) ** (-1 / 6) / 6
    smooth = import_module("scipy.ndimage").gaussian_filter(counts, width, mode="constant")
    panel = contours(smooth.T / len(xs), (across[:-1] + across[1:]) / 2, (up[:-1] + up[1:]) / 2, title="share of rows")
    x, y = replace(panel.x, label=found.names[0]), replace(panel.y, label=found.names[1])
    return replace(panel, x=x, y=y, notes=(*found.notes, f"How densely {len(found):,} rows lie: a Gaussian kernel."))


def field(x: NDArray[Any], y: NDArray[Any], u: NDArray[Any], v: NDArray[Any], colour: str) -> Layer:
    """Arrows of a vector field; the longest is as long as the places are apart, every other in proportion."""
    x, y, u, v = (numbers(one).astype(float).ravel() for one in (x, y, u, v))
    if len({len(x), len(y), len(u), len(v)}) > 1:
        raise UsageError(f"quiver: x, y, u, v have {len(x)}, {len(y)}, {len(u)}, {len(v)} values; as many are needed.")
    u, v = (np.where(np.isfinite(one), one, np.nan) for one in (u, v))
    speed = np.hypot(u, v)
    longest = float(speed[np.isfinite(speed)].max(initial=0.0))
    if not longest:
        raise UsageError("quiver: every arrow is of length 0, or missing.")
    if len(x) > ARROWS_ACROSS**2:
        chosen = np.linspace(0, len(x) - 1, ARROWS_ACROSS**2).astype(int)
        x, y, u, v, speed = x[chosen], y[chosen], u[chosen], v[chosen], speed[chosen]
    gaps = [float(np.diff(np.unique(one)).min(initial=np.inf)) for one in (x, y)]
    step = min([gap for gap in gaps if np.isfinite(gap)] or [1.0])
    if len(np.unique(x)) * len(np.unique(y)) > len(x):  # places that are no grid
        step = float(max(np.ptp(x), np.ptp(y)) or 1.0) / np.sqrt(len(x))
    columns = {"x0": x, "y0": y, "x1": x + u / longest * step, "y1": y + v / longest * step, "length": speed}
    return Layer("arrows", columns, colour=colour, size=1.4, hover=(("x", "x0"), ("y", "y0"), ("length", "length")))


def labelled(found: Points, codes: NDArray[Any], names: Sequence[str], title: str) -> Points:
    """The points with these groups."""
    return replace(found, groups=Labels(title, tuple(names), codes))
