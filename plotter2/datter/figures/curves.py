"""Curves over one axis: how much of them is drawn, in which colours, and what their axis says.

Of more than 4,000 values a curve keeps the smallest and the largest of each of 2,000 stretches; of 40,000 and more
these are a faint line, and over it lies the mean of each stretch. Up to 8 curves have a colour each, up to 24 the same
colours with other strokes; what is ordered by a number walks through one sequence of colours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.figures.figure import Axis, Layer, Panel
from plotter2.datter.figures.palette import looks_for
from plotter2.datter.figures.thinning import LINE_BUCKETS, extremes, middles
from plotter2.datter.values.points import COMPLEX
from plotter2.errors import UsageError

DOTTED_MAX = 12
MEANS_FROM = 40_000
WIDE_MAX = 1_000
"""Values up to which a curve is two pixels wide."""
NAMED_MAX = 5
Series = tuple[str, NDArray[Any], NDArray[Any]]


def lines(
    series: Sequence[Series],
    x: str,
    y: str,
    *,
    colours: Sequence[str] = (),
    is_ordered: bool = False,
    stretches: int = LINE_BUCKETS,
) -> Panel:
    """Curves over one axis; of one with more than two values a stretch, the extremes of each stretch.

    `is_ordered` when a number tells them apart.

    Raises:
        UsageError: one of them has no finite value, or is complex.
    """
    looks = looks_for(len(series), colours, is_ordered=is_ordered)
    thinned: list[str] = []
    broken: list[str] = []
    averaged = False
    layers = []
    for (name, xs, given), (colour, pattern) in zip(series, looks, strict=True):
        if given.dtype.kind == "c":
            raise UsageError(COMPLEX)
        ys = given.astype(float, copy=False)
        missing = int((~np.isfinite(ys)).sum())
        if missing == len(ys):
            raise UsageError(f"The series {name or y!r} has no finite value, so there is nothing to draw.")
        broken += [f"{name or y} ({missing:,})"] * bool(missing)
        kept = extremes(ys, stretches)
        thinned += [f"{name or y} ({len(ys):,} values)"] * (len(kept) < len(ys))
        columns = {"x": xs[kept], "y": ys[kept]}
        hover = ((x or "x", "x"), (y or "y", "y"))
        if len(ys) >= MEANS_FROM:
            averaged = True
            places, means = middles(ys, stretches)
            layers.append(Layer("line", columns, name, colour, alpha=0.4, size=1, hover=hover))
            columns, hover = {"x": xs[places], "y": means}, ((x or "x", "x"), (f"mean {y or 'y'}", "y"))
        if len(kept) > 1:
            size = 2.0 if len(kept) <= WIDE_MAX else 1.3
            layers.append(Layer("line", columns, name, colour, size=size, hover=hover, pattern=pattern))
        if len(kept) <= DOTTED_MAX:
            layers.append(Layer("points", columns, name, colour, size=7, hover=hover, pattern=pattern))
    rule = f"the extremes of each of {stretches:,} stretches" + ", faint, and their mean" * averaged
    notes = [f"Drawn by {rule}: {_listed(thinned)}."] * bool(thinned)
    notes += [f"Missing or infinite values, where the line is broken: {_listed(broken)}."] * bool(broken)
    is_flag = all(ys.dtype.kind == "b" for _, _, ys in series)
    return Panel(
        "line", x=_along(series, x), y=Axis(y, ticks=((0.0, "no"), (1.0, "yes")) if is_flag else ()),
        layers=tuple(layers), has_legend=len(series) > 1, notes=tuple(notes),
    )  # fmt: skip


def _along(series: Sequence[Series], x: str) -> Axis:
    if series[0][1].dtype.kind == "M":
        return Axis(x, "datetime", unit=_day([xs for _, xs, _ in series]))
    return Axis(x, is_whole=all(xs.dtype.kind in "iu" for _, xs, _ in series))


def _day(times: Sequence[NDArray[Any]]) -> str:
    """The day or the year of all these times, which the marks of an axis do not say; "" where they say it."""
    there = [one[~np.isnat(one)] for one in times]
    ends = np.array([end for one in there if len(one) for end in (one.min(), one.max())], "datetime64[s]")
    for unit in ("D", "Y"):
        places = np.unique(ends.astype(f"datetime64[{unit}]"))
        if len(places) == 1:
            return str(places[0])
    return ""


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED_MAX:,} more" if len(names) > NAMED_MAX else ""
    return ", ".join(names[:NAMED_MAX]) + more
