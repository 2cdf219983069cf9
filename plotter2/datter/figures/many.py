"""What does not fit one plain picture: many curves, places on the earth, sparse matrices, values by category (pure).

More than 24 curves would hide one another, so up to 12 of them, evenly chosen, get a panel each, all on one scale, over
the span of all curves; of tables, the median of all runs with how far they spread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.figures import curves, thinning, visuals
from plotter2.datter.figures.extent import extents
from plotter2.datter.figures.figure import MUTED, PALETTE, Axis, Colours, Layer, Panel
from plotter2.datter.values import spill
from plotter2.datter.values.points import COMPLEX, Points, points
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError

CURVES_MAX = 24
MULTIPLES_MAX = 12
SHARES = (10, 90)
EAST, NORTH = ("lon", "lng", "long", "longitude"), ("lat", "latitude")
EAST_MAX, NORTH_MAX = 180.0, 90.0
SPOTS_MAX = 5_000
SPOT_SIZES = (20, 100, 400), (10.0, 5.0, 3.0)
"""Of so many rows or columns, how many pixels a point of a sparse matrix is wide."""
SIDE_MAX = 400


def multiples(series: Sequence[curves.Series], x: str, y: str, colours: Sequence[str]) -> list[Panel]:
    """Small multiples on one scale: a panel a curve, over the span of all curves where they share their places."""
    chosen = np.unique(np.linspace(0, len(series) - 1, MULTIPLES_MAX).round().astype(int)).tolist()
    ground = _span(series)
    whole = curves.lines(series, x, y)
    low, high = extents(whole, whole.y, "y")
    start, end = extents(whole, whole.x, "x")
    panels = []
    for place in chosen:
        name = series[place][0]
        panel = curves.lines([("", *series[place][1:])], x, y, colours=colours)
        is_plain = panel.x.scale == "linear"
        across = replace(panel.x, low=start, high=end) if is_plain else panel.x
        up = replace(panel.y, low=low, high=high)
        panels.append(replace(panel, title=name, x=across, y=up, layers=(*ground, *panel.layers)))
    note = f"{len(chosen)} of {len(series):,} curves, evenly chosen, all on one scale"
    note += "; the grey area spans all of them." if ground else "."
    return [*panels[:-1], replace(panels[-1], notes=(*panels[-1].notes, note))]


def _span(series: Sequence[curves.Series]) -> tuple[Layer, ...]:
    first = series[0][1]
    if len(first) > thinning.LINE_BUCKETS or not _is_shared(series):
        return ()
    low, high = _outermost(series)
    if not (low <= high).all():  # a place where no curve has a value
        return ()
    columns = {"x": first, "low": low, "high": high}
    return (Layer("band", columns, colour="#7F7F7F", alpha=0.18),)


def _is_shared(series: Sequence[curves.Series]) -> bool:
    """Whether all curves have the same places."""
    first = series[0][1]
    return all(len(xs) == len(first) and np.array_equal(xs, first) for _, xs, _ in series)


def _outermost(series: Sequence[curves.Series]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The smallest and largest value of all curves at each place, one curve at a time; inf and -inf without any."""
    low, high = np.full(len(series[0][1]), np.inf), np.full(len(series[0][1]), -np.inf)
    for _, _, ys in series:
        values = ys.astype(float, copy=False)
        is_there = np.isfinite(values)
        np.minimum(low, values, out=low, where=is_there)
        np.maximum(high, values, out=high, where=is_there)
    return low, high


def _shares(series: Sequence[curves.Series], kept: NDArray[Any]) -> NDArray[Any]:
    """The 10th, 50th and 90th percentile at the places that are kept, 3 x places.

    Worked out for so many places at once as need 16 MiB, whatever the number of curves.
    """
    places = np.flatnonzero(kept)
    step = max(spill.BLOCK_BYTES // (len(series) * 8), 1)
    parts = []
    for start in range(0, len(places), step):
        some = places[start : start + step]
        held = np.empty((len(series), len(some)))
        for row, (_, _, ys) in zip(held, series, strict=True):
            row[:] = ys[some]
        held[~np.isfinite(held)] = np.nan
        parts.append(np.nanpercentile(held, [SHARES[0], 50, SHARES[1]], axis=0, overwrite_input=True))
    return np.concatenate(parts, axis=1)


def spread(series: Sequence[curves.Series], x: str, y: str, colours: Sequence[str]) -> Panel:
    """Many curves as their median, where 80 % of them lie, and the first and last one of the order."""
    if not _is_shared(series):
        return curves.lines(series, x, y, colours=colours)
    lowest, highest = _outermost(series)
    kept = lowest <= highest
    if not kept.any():
        return curves.lines(series, x, y, colours=colours)
    at = series[0][1][kept]
    low, middle, high = _shares(series, kept)
    ink = colours[0] if colours else PALETTE[0]
    ends = {"x": at, "low": lowest[kept], "high": highest[kept]}
    panel = curves.lines([("median", at, middle)], x, y, colours=[ink])
    ground = (
        Layer("band", ends, "smallest to largest", MUTED, 0.15),
        Layer("band", {"x": at, "low": low, "high": high}, f"{SHARES[0]} to {SHARES[1]} % of them", ink, 0.3),
    )
    note = f"{len(series):,} curves as their median and spread; pick some of them to see each."
    return replace(panel, layers=(*ground, *panel.layers), has_legend=True, notes=(*panel.notes, note))


def places(table: Table) -> tuple[str, str] | None:
    """The columns of longitude and latitude in degrees, where a table has both."""
    lower = {name.lower(): name for name in table.of_kind("number")}
    east = next((lower[name] for name in EAST if name in lower), "")
    north = next((lower[name] for name in NORTH if name in lower), "")
    if not east or not north:
        return None
    ends = [np.abs(table.column(name).astype(float)) for name in (east, north)]
    is_earth = all(np.nanmax(one, initial=0) <= top for one, top in zip(ends, (EAST_MAX, NORTH_MAX), strict=True))
    return (east, north) if is_earth else None


def chart(value: Any, palette: Sequence[str]) -> Panel:
    """Places by longitude and latitude, a degree of one as long as on the ground in the middle of the picture."""
    found = value if isinstance(value, Points) else None
    if isinstance(value, Table) and (names := places(value)):
        labels = points(value).groups if value.label else None
        matrix = np.column_stack([value.column(name).astype(float) for name in names])
        found = Points(matrix, names, value.name, labels, value.notes)
    if found is None:
        raise UsageError("A map needs a table with the columns lon and lat, in degrees.")
    panel = visuals.scatter(found, palette=palette)
    low, high = extents(panel, panel.x, "x")
    south, north = extents(panel, panel.y, "y")
    middle = float(np.cos(np.deg2rad(np.clip((south + north) / 2, -80, 80))))
    return replace(
        panel, visual="map", x=replace(panel.x, label="longitude [°]", low=low, high=high),
        y=replace(panel.y, label="latitude [°]", low=south, high=north),
        aspect=float(np.clip((north - south) / ((high - low) * middle), 0.2, 2)),
    )  # fmt: skip


def is_sparse(value: Any) -> bool:
    """Whether it is one of scipy's sparse matrices or arrays of two dimensions."""
    return hasattr(value, "tocoo") and len(getattr(value, "shape", ())) == visuals.SEVERAL


def sparse(value: Any) -> Panel:
    """Where a sparse matrix is not zero: points coloured by value, of more than 5,000 how many lie in each cell."""
    if not is_sparse(value):
        raise UsageError("Only a sparse matrix of scipy can be drawn so.")
    found = value.tocoo()
    rows, columns = (int(side) for side in found.shape)
    if found.dtype.kind == "c":
        raise UsageError(COMPLEX)
    held = np.asarray(found.data, float)
    at_row, at_column = np.asarray(found.row), np.asarray(found.col)
    share = held.size / max(rows * columns, 1)
    notes: tuple[str, ...] = (f"{held.size:,} of {rows * columns:,} values are not zero ({share:.2%}).",)
    if not held.size:
        raise UsageError("Every value of this sparse matrix is zero, so there is nothing to draw.")
    x = Axis("column", low=-0.5, high=columns - 0.5, is_whole=True)
    y = Axis("row", low=rows - 0.5, high=-0.5, is_whole=True)
    aspect = visuals.aspect_of(rows, columns)
    if held.size <= SPOTS_MAX:
        dots = {"x": at_column.astype(float), "y": at_row.astype(float), "colour": held}
        hover = (("row", "y"), ("column", "x"), ("value", "colour"))
        size = float(np.interp(max(rows, columns), *SPOT_SIZES))
        layer = Layer("points", dots, size=size, hover=hover)
        colours = replace(visuals.colour_scale(visuals.extent(held), "value"), palette="strokes")
    else:
        sides = [min(side, SIDE_MAX) for side in (rows, columns)]
        counts, _, _ = np.histogram2d(at_row, at_column, sides, ((-0.5, rows - 0.5), (-0.5, columns - 0.5)))
        cells = np.where(counts > 0, counts, np.nan).astype(np.float32)
        place = {"x": [-0.5], "y": [-0.5], "dw": [columns], "dh": [rows]}
        layer = Layer("image", {"image": cells, **place}, hover=(("not zero in this cell", "image"),))
        top = float(counts.max())
        colours = Colours("sequential", 0.0, max(top, 1.0), "not zero")
        notes += (f"How many lie in each of {sides[0]} x {sides[1]} cells.",)
    return Panel(
        "sparse", x=x, y=y, layers=(layer,), has_legend=False, colours=colours, aspect=aspect, notes=notes,
    )  # fmt: skip


def in_order(table: Table) -> Table:
    """A table whose rows have a time each, in the order of time; others as they are."""
    for name in table.of_kind("time"):
        times = table.column(name)
        if len(np.unique(times)) == len(times) > 1 and not np.isnat(times).any():
            ranks: NDArray[Any] = np.argsort(times, kind="stable")
            return table if np.array_equal(ranks, np.arange(len(ranks))) else table.take(ranks)
    return table
