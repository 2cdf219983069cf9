"""Strokes of lines and forms of points, as places on paper: for pictures that no browser draws (pure)."""

from __future__ import annotations

import numpy as np

from plotter2.datter.pages.canvas import Places

DASHES = {1: (6.0, 4.0), 2: (1.5, 3.5)}
"""Pixels that are drawn and left out, of a dashed and of a dotted line."""
STEP = 0.5
STEPS_MAX = 40_000


def dashed(places: Places, pattern: int) -> Places:
    """A line broken into dashes or dots; a whole one as it is."""
    if pattern not in DASHES or len(places) == 0:
        return places
    drawn, left = DASHES[pattern]
    sizes = np.hypot(*np.diff(places, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(np.where(np.isfinite(sizes), sizes, 0))])
    at = np.linspace(0, along[-1], min(int(along[-1] / STEP) + 2, STEPS_MAX))
    found = np.column_stack([np.interp(at, along, places[:, side]) for side in (0, 1)])
    found[at % (drawn + left) > drawn] = np.nan
    return found


def cornered(places: Places, pattern: int, size: float) -> list[Places]:
    """Points as triangles or squares of about this size."""
    half = size / 2
    around = np.array([[0, -1.2], [1.1, 0.8], [-1.1, 0.8]] if pattern == 1 else [[-1, -1], [1, -1], [1, 1], [-1, 1]])
    return [one + around * half for one in places[np.isfinite(places).all(axis=1)]]
