"""Less of much data: the rules by which large things become as small as they are drawn (pure).

Curves keep the smallest and largest value of each of 2,000 stretches, matrices above 1,000 cells a side the means of
blocks. Each rule works strip by strip, so that what is mapped from disk is never in memory as a whole, and each gives
the words that say what it did.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

LINE_BUCKETS = 2_000
MATRIX_SIDE_MAX = 1_000
STRIP_CELLS = 4_000_000
Smaller = Callable[[NDArray[Any]], tuple[NDArray[Any], list[str]]]


def blocks(values: NDArray[Any]) -> tuple[NDArray[Any], list[str]]:
    """A matrix, above 1,000 cells a side as the means of blocks of it; a block without any value is NaN."""
    steps = [-(-side // MATRIX_SIDE_MAX) for side in values.shape]
    if max(steps) == 1:
        return values.astype(float, copy=False), []
    rows, columns = values.shape
    down, across = (-(-side // step) for side, step in zip(values.shape, steps, strict=True))
    means = np.empty((down, across))
    strip = max(STRIP_CELLS // (columns * steps[0]), 1)
    for first in range(0, down, strip):
        part = values[first * steps[0] : (first + strip) * steps[0]].astype(float)
        pads = [(0, -len(part) % steps[0]), (0, -columns % steps[1])]
        cells = np.pad(part, pads, constant_values=np.nan).reshape(-1, steps[0], across, steps[1])
        there = np.isfinite(cells)
        count = there.sum(axis=(1, 3))
        sums = np.where(there, cells, 0).sum(axis=(1, 3))
        means[first : first + len(count)] = np.where(count > 0, sums / np.maximum(count, 1), np.nan)
    return means, [f"Each cell is the mean of {steps[0]} x {steps[1]} of the {rows:,} x {columns:,} values."]


def extremes(ys: NDArray[Any], stretches: int = LINE_BUCKETS) -> NDArray[np.intp]:
    """The places of a curve that are drawn: all of up to two a stretch, else the lowest and highest of each."""
    if len(ys) <= stretches * 2:
        return np.arange(len(ys))
    edges = _edges(len(ys), stretches)
    size = int(np.diff(edges).max())
    kept = []
    strip = max(STRIP_CELLS // size, 1)
    for first in range(0, stretches, strip):
        some = edges[first : first + strip + 1]
        places = np.minimum(some[:-1, None] + np.arange(size), some[1:, None] - 1)
        cells = ys[places]
        rows = np.arange(len(places))
        kept.append(places[rows, np.where(np.isnan(cells), np.inf, cells).argmin(axis=1)])
        kept.append(places[rows, np.where(np.isnan(cells), -np.inf, cells).argmax(axis=1)])
    return np.unique(np.concatenate(kept))


def middles(ys: NDArray[Any], stretches: int = LINE_BUCKETS) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """The place in the middle of each stretch, and the mean of its finite values; NaN for one without any."""
    edges = _edges(len(ys), stretches)
    there = np.isfinite(ys)
    sums = np.add.reduceat(np.where(there, ys, 0.0), edges[:-1])
    count = np.add.reduceat(there, edges[:-1], dtype=np.int64)
    return (edges[:-1] + edges[1:] - 1) // 2, np.where(count > 0, sums / np.maximum(count, 1), np.nan)


def envelope_places(count: int) -> NDArray[np.intp]:
    """The places at which `envelope` gives values: all of up to 4,000, else the first and last one of each stretch."""
    if count <= LINE_BUCKETS * 2:
        return np.arange(count)
    edges = _edges(count)
    return np.stack([edges[:-1], edges[1:] - 1], axis=1).ravel()


def envelope(values: NDArray[Any]) -> tuple[NDArray[Any], list[str]]:
    """A curve that moves, of more than 4,000 values the smallest and the largest of each stretch, in turn."""
    if len(values) <= LINE_BUCKETS * 2:
        return values, []
    edges = _edges(len(values))
    whole = values.astype(float, copy=False)
    there = np.isfinite(whole)
    low = np.minimum.reduceat(np.where(there, whole, np.inf), edges[:-1])
    high = np.maximum.reduceat(np.where(there, whole, -np.inf), edges[:-1])
    pairs = np.stack([low, high], axis=1).ravel()
    said = f"Drawn by the extremes of each of {LINE_BUCKETS:,} stretches of {len(values):,} values."
    return np.where(np.isfinite(pairs), pairs, np.nan), [said]


def _edges(count: int, stretches: int = LINE_BUCKETS) -> NDArray[np.intp]:
    return np.linspace(0, count, stretches + 1).astype(np.intp)
