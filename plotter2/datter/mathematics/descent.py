"""Down to the numbers with which a curve is nearest to data, by Levenberg and Marquardt (MINPACK, as scipy has it).

A value that the curve does not have somewhere counts as far from any data, so the search goes around it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib import import_module

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Curve = Callable[..., Floats]
STEPS_MAX = 2_000
STEPS_TRIED = 60
"""From each beginning; only from the best of what was reached it goes on."""
STEP = 6e-6
"""The cube root of the distance between two floats: where central differences are best."""
LONGER, LONGER_MAX = 1e3, 40
MOVED_MIN = 1e-9
"""Of a curve's size: less than that is mostly rounding."""
TOLERANCE = 1e-14
POINTS_MAX = 2_000
"""The first search is on so many points at most; only the last one looks at all of them."""
ALIKE = 1e-6
"""Misfits that differ by less of theirs are one; the numbers nearest to 0 are taken then, of angles the first turn."""
FAR = 1e150
INDEPENDENT_MIN = 1e-9
"""How different the numbers of a curve must be in what they do, of 1."""


def nearest_to(curve: Curve, x: Floats, y: Floats, roots: Floats, begun: Floats) -> Floats | None:
    """The numbers with which a curve is nearest: from each beginning on some of the points, from the best on all.

    Args:
        curve: its values at places, given the numbers.
        x: places.
        y: values there.
        roots: the roots of their weights.
        begun: beginnings x numbers.
    """
    some = np.arange(len(x))
    if len(x) > POINTS_MAX:
        some = np.sort(np.random.default_rng(0).choice(len(x), POINTS_MAX, replace=False))
    tried = [_descended(curve, x[some], y[some], roots[some], one, STEPS_TRIED) for one in begun]
    enough = min(misfit for _, misfit in tried) * (1 + ALIKE) + ALIKE**2 * float(y[some] @ y[some])
    alike = [found for found, misfit in tried if misfit <= enough]
    plainest = min(alike, key=lambda one: (float(np.abs(one).sum()), int((one < 0).sum())))
    best, misfit = _descended(curve, x, y, roots, plainest, STEPS_MAX)
    return best if math.isfinite(misfit) else None


def _descended(curve: Curve, x: Floats, y: Floats, roots: Floats, begin: Floats, steps: int) -> tuple[Floats, float]:
    """Where so many steps downhill lead, and how far from the data; infinitely far where there is no such place."""

    def misses(values: Floats) -> Floats:
        with np.errstate(all="ignore"):
            found = (curve(x, *values) - y) * roots
        return np.clip(np.nan_to_num(found, nan=FAR), -FAR, FAR)

    def slopes(values: Floats) -> Floats:
        with np.errstate(all="ignore"):
            return np.clip(np.nan_to_num(slopes_of(curve, x, values) * roots[:, None]), -FAR, FAR)

    with np.errstate(all="ignore"):
        found = import_module("scipy.optimize").least_squares(
            misses, begin, slopes, method="lm", x_scale="jac", max_nfev=steps,
            ftol=TOLERANCE, xtol=TOLERANCE, gtol=TOLERANCE,
        )  # fmt: skip
    misfit = float(found.fun @ found.fun) if found.status > 0 or steps < STEPS_MAX else math.inf
    return found.x, misfit if misfit < FAR and np.isfinite(found.x).all() else math.inf


def slopes_of(curve: Curve, at: Floats, solved: Floats) -> Floats:
    """How a curve moves with each of its numbers, places x numbers: central differences."""
    with np.errstate(all="ignore"):
        size = float(np.abs(curve(at, *solved)).max())
        return np.column_stack([_slope(curve, at, solved, place, size) for place in range(len(solved))])


def _slope(curve: Curve, at: Floats, solved: Floats, place: int, size: float) -> Floats:
    """By one number; by a longer step, where a curve of this size hardly moves by one that suits the number."""
    step = np.zeros(len(solved))
    step[place] = abs(solved[place]) * STEP or STEP
    ends, moved = _moved(curve, at, solved, step)
    for _ in range(LONGER_MAX):
        if not np.abs(moved).max() < MOVED_MIN * size:  # also where it is NaN
            break
        step *= LONGER
        ends, moved = _moved(curve, at, solved, step)
    found: Floats = moved / (ends[0][place] - ends[1][place])
    return found


def _moved(curve: Curve, at: Floats, solved: Floats, step: Floats) -> tuple[tuple[Floats, Floats], Floats]:
    ends = solved + step, solved - step
    return ends, curve(at, *ends[0]) - curve(at, *ends[1])


def independent(slopes: Floats) -> tuple[Floats, Floats] | None:
    """The length of each column of slopes, and what spreads the parameters in units of these; None: not told apart."""
    with np.errstate(all="ignore"):
        tops = np.abs(slopes).max(axis=0)
        sizes = tops * np.linalg.norm(slopes / tops, axis=0)
        units = slopes / sizes
    if not np.isfinite(units).all():
        return None
    _, values, right = np.linalg.svd(units, full_matrices=False)
    return (sizes, right.T / values) if values.min() >= INDEPENDENT_MIN * values.max() else None
