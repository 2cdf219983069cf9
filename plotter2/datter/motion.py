"""Animations: many values of one shape as the frames of one picture, on one fixed scale of colours or axes.

Matrices become an image that changes, series a curve that moves. The order is that of the group (see `order`); its
keys are shown as the step. Frames stay one packed array: thousands of them are no thousands of glyphs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter import visuals
from plotter2.datter.figure import Axis, Motion, Panel
from plotter2.datter.group import DataGroup
from plotter2.datter.points import numbers
from plotter2.datter.table import Table
from plotter2.errors import UsageError

CELLS_MAX = 200_000_000
SERIES, MATRICES = 2, 3
PAD = 0.05
GIF_FRAMES_MAX, MP4_FRAMES_MAX = 100, 300
"""Frames of an animation's films, evenly chosen of more."""


def motion(value: Any, name: str, palette: Sequence[str]) -> Panel:
    """An animation of a group of matrices or series, or of an array whose first axis is time.

    Tables of two columns whose first is the same rising one in all of them are series over that column.

    Raises:
        UsageError: fewer than two frames, frames of different shapes, or more than the page can carry.
    """
    over = _over(value)
    frames, labels, axis = _frames(value if over is None else value.map(lambda table: table.column(over.y)))
    if len(frames) < SERIES:
        raise UsageError(f"An animation needs at least two frames; {name or 'this'} has {len(frames)}.")
    if frames.size > CELLS_MAX:
        raise UsageError(
            f"An animation of {frames.size:,} values is more than a page can carry; at most {CELLS_MAX:,}."
        )
    low, high = visuals.extent(frames)
    if frames.ndim == MATRICES:
        panel = visuals.matrix(frames[0], limits=(low, high))
        if panel.layers[0].columns["image"].shape != frames.shape[1:]:
            frames = np.stack([visuals.matrix(one, limits=(low, high)).layers[0].columns["image"] for one in frames])
        moving = Motion(frames.astype(np.float32), labels, axis, "image")
        return _with(panel, moving, panel.y)
    line = np.where(np.isfinite(frames[0]), frames[0], np.nan)
    xs, across, up = (
        (np.arange(frames.shape[1]), "place", name or "value") if over is None else (over.xs, over.x, over.y)
    )
    panel = visuals.lines([(name, xs, np.nan_to_num(line))], across, up, colours=palette)
    if len(panel.layers[0].columns["y"]) != frames.shape[1]:
        raise UsageError(f"A moving curve can have {visuals.LINE_BUCKETS * 2:,} points, not {frames.shape[1]:,}.")
    pad = (high - low) * PAD or 1.0
    panel.layers[0].columns["y"] = panel.layers[0].columns["y"].astype(np.float32)
    return _with(
        panel, Motion(frames.astype(np.float32), labels, axis, "y"), replace(panel.y, low=low - pad, high=high + pad)
    )


@dataclass(frozen=True, slots=True)
class _Over:
    """What the series of an animation go over: the name and values of one column, and the name of the other."""

    x: str
    xs: NDArray[Any]
    y: str


def _over(value: Any) -> _Over | None:
    """The column that tables of a group share and go over; None where they are nothing of that kind."""
    tables = value.values if isinstance(value, DataGroup) else []
    if not tables or not all(isinstance(one, Table) and one.names == tables[0].names for one in tables):
        return None
    if len(tables[0].names) != SERIES or any(tables[0].kind(name) != "number" for name in tables[0].names):
        return None
    x, y = tables[0].names
    xs = np.asarray(tables[0].column(x), float)
    is_rising = len(xs) > 1 and bool(np.all(np.diff(xs) > 0))
    return _Over(x, xs, y) if is_rising and all(np.array_equal(one.column(x), xs) for one in tables) else None


def _frames(value: Any) -> tuple[Any, tuple[str, ...], str]:
    if not isinstance(value, DataGroup):
        array = numbers(value)
        if array.ndim not in {SERIES, MATRICES}:
            raise UsageError(
                f"An animation needs a group, or an array of 2 or 3 dimensions with time first, not {array.ndim}."
            )
        return (
            array.astype(float, copy=False),
            tuple(f"{place} of {len(array) - 1}" for place in range(len(array))),
            "frame",
        )
    if not len(value):
        raise UsageError(f"The group {value.name!r} is empty, so there is nothing to animate.")
    arrays = [numbers(one) for one in value.values]
    shapes = {one.shape for one in arrays}
    if len(shapes) > 1 or arrays[0].ndim not in {1, SERIES}:
        raise UsageError(
            f"The frames of {value.name or 'an animation'} must be matrices or series of one shape, "
            f"not {sorted(shapes)[:4]}."
        )
    is_counted = value.axis and all(isinstance(key, int | float) for key in value.keys)
    labels = tuple(f"{key:g}" for key in value.keys) if is_counted else tuple(value.names)
    return np.stack(arrays).astype(float, copy=False), labels, value.axis if is_counted else ""


def _with(panel: Panel, moving: Motion, y: Axis) -> Panel:
    count = len(moving.frames)
    note = f"{count:,} frames on one fixed scale."
    if count > GIF_FRAMES_MAX:
        note += f" A GIF of it shows {GIF_FRAMES_MAX}, an MP4 {min(count, MP4_FRAMES_MAX)} of them, evenly chosen."
    return replace(panel, visual="animation", motion=moving, y=y, notes=(note, *panel.notes))
