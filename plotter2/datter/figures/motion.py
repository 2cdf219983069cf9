"""Animations: many values of one shape as the frames of one picture, on one fixed scale of colours or axes.

Matrices become an image that changes, series a curve that moves. The order is that of the group (see `order`); its
keys are shown as the step. Frames stay one packed array: thousands of them are no thousands of glyphs. They are taken
one at a time, made as small as they are drawn, and only then kept, as float32: a group or a mapped array may be larger
than memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.figures import curves, thinning, visuals
from plotter2.datter.figures.figure import Axis, Motion, Panel
from plotter2.datter.values.group import DataGroup
from plotter2.datter.values.points import numbers
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError

CELLS_MAX = 200_000_000
SERIES, MATRICES = 2, 3
PAD = 0.05
GIF_FRAMES_MAX, MP4_FRAMES_MAX = 100, 300
"""Frames of an animation's films, evenly chosen of more."""


@dataclass(frozen=True, slots=True, eq=False)
class _Taken:
    """Frames as they are drawn, float32; the smallest and largest value they had before; what was done to them."""

    frames: NDArray[np.float32]
    limits: tuple[float, float]
    notes: tuple[str, ...]


def motion(value: Any, name: str, palette: Sequence[str]) -> Panel:
    """An animation of a group of matrices or series, or of an array whose first axis is time.

    Tables of two columns whose first is the same rising one in all of them are series over that column.

    Raises:
        UsageError: fewer than two frames, frames of different shapes, or more than the page can carry.
    """
    over = _over(value)
    if over is not None:
        value = value.map(lambda table: table.column(over.y))
    source = value if isinstance(value, DataGroup) else _array(value)
    if not len(source):
        raise UsageError(f"The group {value.name!r} is empty, so there is nothing to animate.")
    if len(source) < SERIES:
        raise UsageError(f"An animation needs at least two frames; {name or 'this'} has {len(source)}.")
    first = _first(source)
    if first.size * len(source) > CELLS_MAX:
        raise UsageError(
            f"An animation of {first.size * len(source):,} values is more than a page can carry; at most {CELLS_MAX:,}."
        )
    labels, axis = _labels(source)
    if first.ndim == SERIES:
        taken = _taken(source, first, thinning.blocks)
        panel = visuals.matrix(first, limits=taken.limits)
        return _with(panel, Motion(taken.frames, labels, axis, "image"), panel.y)
    taken = _taken(source, first, thinning.envelope)
    low, high = taken.limits
    line = np.nan_to_num(np.where(np.isfinite(taken.frames[0]), taken.frames[0], np.nan))
    xs, across, up = (np.arange(first.size), "place", name or "value") if over is None else (over.xs, over.x, over.y)
    places = xs[thinning.envelope_places(first.size)]
    panel = curves.lines([(name, places, line)], across, up, colours=palette)
    panel.layers[0].columns["y"] = panel.layers[0].columns["y"].astype(np.float32)
    pad = (high - low) * PAD or abs(high) * PAD or 1.0
    moved = replace(panel, notes=(*taken.notes, *panel.notes))
    return _with(moved, Motion(taken.frames, labels, axis, "y"), replace(panel.y, low=low - pad, high=high + pad))


@dataclass(frozen=True, slots=True)
class _Over:
    """What the series of an animation go over: the name and values of one column, and the name of the other."""

    x: str
    xs: NDArray[Any]
    y: str


def _over(value: Any) -> _Over | None:
    """The column that tables of a group share and go over; None where they are nothing of that kind."""
    if not (isinstance(value, DataGroup) and len(value) and isinstance(value[0], Table)):
        return None
    tables = value.values
    if not all(isinstance(one, Table) and one.names == tables[0].names for one in tables):
        return None
    if len(tables[0].names) != SERIES or any(tables[0].kind(name) != "number" for name in tables[0].names):
        return None
    x, y = tables[0].names
    xs = np.asarray(tables[0].column(x), float)
    is_rising = len(xs) > 1 and bool(np.all(np.diff(xs) > 0))
    return _Over(x, xs, y) if is_rising and all(np.array_equal(one.column(x), xs) for one in tables) else None


def _array(value: Any) -> NDArray[Any]:
    array = numbers(value)
    if array.ndim not in {SERIES, MATRICES}:
        raise UsageError(
            f"An animation needs a group, or an array of 2 or 3 dimensions with time first, not {array.ndim}."
        )
    return array


def _first(source: DataGroup | NDArray[Any]) -> NDArray[Any]:
    first = numbers(source[0])
    if first.ndim not in {1, SERIES}:
        raise UsageError(f"The frames of an animation are matrices or series, not of the shape {first.shape}.")
    return first


def _taken(source: DataGroup | NDArray[Any], first: NDArray[Any], small: thinning.Smaller) -> _Taken:
    shown, notes = small(first)
    frames = np.empty((len(source), *shown.shape), np.float32)
    low, high = np.inf, -np.inf
    for place, one in enumerate(_each(source, first.shape)):
        finite = one[np.isfinite(one)]
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
        frames[place] = small(one)[0]
    if low > high:
        raise UsageError("Every value is missing or infinite, so there is nothing to draw.")
    return _Taken(frames, (low, high), tuple(notes))


def _each(source: DataGroup | NDArray[Any], shape: tuple[int, ...]) -> Iterator[NDArray[Any]]:
    """The frames one after the other; those of a group are let go when the next one is taken."""
    for place in range(len(source)):
        one = numbers(source[place])
        if one.shape != shape:
            called = source.name or "an animation" if isinstance(source, DataGroup) else "an animation"
            raise UsageError(
                f"The frames of {called} must be matrices or series of one shape: "
                f"frame {place} has the shape {one.shape}, the first one {shape}."
            )
        yield one


def _labels(source: DataGroup | NDArray[Any]) -> tuple[tuple[str, ...], str]:
    """What stands beside the slider for each frame, and what these words count."""
    if not isinstance(source, DataGroup):
        return tuple(f"{place:,} of {len(source):,}" for place in range(1, len(source) + 1)), "frame"
    is_counted = source.axis and all(isinstance(key, int | float) for key in source.keys)
    labels = tuple(f"{key:g}" for key in source.keys) if is_counted else tuple(source.names)
    return labels, source.axis if is_counted else ""


def _with(panel: Panel, moving: Motion, y: Axis) -> Panel:
    count = len(moving.frames)
    note = f"{count:,} frames on one fixed scale."
    if count > GIF_FRAMES_MAX:
        note += f" A GIF of it shows {GIF_FRAMES_MAX}, an MP4 {min(count, MP4_FRAMES_MAX)} of them, evenly chosen."
    return replace(panel, visual="animation", motion=moving, y=y, notes=(note, *panel.notes))
