"""Means, spreads and covariances of matrices by blocks of rows: exact, whatever the blocks, and in little memory.

Definition: pairwise updating of sums of squares (Chan, Golub, LeVeque 1983), so nothing cancels where means are large.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.values import spill

CACHE_BYTES = 1 << 19
SQUARED_MIN, SQUARED_MAX = 1e-140, 1e140
"""Numbers between these can be squared, and the squares added, within a float64."""
CENTRAL_MAX = 16.0
"""Of the square of a mean, in variances."""
SPREAD_MIN = 1e-12
"""A column whose spread is less than this share of its mean is constant but for rounding."""


def moments(matrix: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Mean and population standard deviation of each column, of its values that are not NaN; 1 for constant columns."""
    with np.errstate(over="ignore", invalid="ignore"):
        centre, spread = _centre_and_spread(matrix)
        is_extreme = ~np.isfinite(spread) | ((spread < SQUARED_MIN) & (spread >= 0))
        if is_extreme.any() and (tops := _tops(matrix, is_extreme)) is not None:
            centre, spread = _centre_and_spread(spill.changed(matrix, lambda block: block / tops, matrix.shape[1]))
            centre, spread = centre * tops, spread * tops
    return centre, np.where(spread <= np.abs(centre) * SPREAD_MIN, 1.0, spread)


def _tops(matrix: NDArray[Any], chosen: NDArray[Any]) -> NDArray[Any] | None:
    """What some columns are divided by, so that they can be squared: their largest size; None where none needs it."""
    found = np.ones(matrix.shape[1])
    for place in np.flatnonzero(chosen):
        found[place] = unit(matrix[:, place])
    return found if (found != 1).any() else None


def _centre_and_spread(matrix: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    if spill.is_large(matrix):
        count, centre, squares = _merged(matrix)
        return centre, np.sqrt(squares / np.maximum(count, 1))
    is_whole = bool(np.isfinite(matrix.sum()))
    return (matrix.mean(axis=0), matrix.std(axis=0)) if is_whole else _without_nan(matrix)


def _without_nan(matrix: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    return np.nanmean(matrix, axis=0), np.nanstd(matrix, axis=0)


def _merged(matrix: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Count, mean and sum of squared deviations of each column."""
    count, centre, squares = (np.zeros(matrix.shape[1]) for _ in range(3))
    for block in spill.blocks(matrix):
        there = ~np.isnan(block)
        more = there.sum(axis=0)
        whole = np.where(there, block, 0.0)
        mean = whole.sum(axis=0) / np.maximum(more, 1)
        rest = np.where(there, block - mean, 0.0)
        moved, total = mean - centre, np.maximum(count + more, 1)
        squares = squares + (rest * rest).sum(axis=0) + moved**2 * count * more / total
        centre = centre + moved * more / total
        count = count + more
    return count, centre, squares


def covariance(matrix: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Mean of each column, and columns x columns covariances (divided by n - 1), of complete rows."""
    columns = matrix.shape[1]
    count, centre, scatter, is_near = 0, np.zeros(columns), np.zeros((columns, columns)), True
    for block in spill.blocks(matrix, cache_rows(columns)):
        mean = np.ones(len(block)) @ block / len(block)  # several times as fast as block.mean(axis=0)
        more = block.T @ block - np.outer(mean, mean) * len(block) if is_near else scatter
        is_near = is_near and is_central(mean, np.diag(more) / len(block))
        if not is_near:
            rest = block - mean
            more = rest.T @ rest
        moved, total = mean - centre, count + len(block)
        scatter = scatter + more + np.outer(moved, moved) * (count * len(block) / total)
        centre += moved * (len(block) / total)
        count = total
    return centre, scatter / max(1, count - 1)


def is_central(mean: NDArray[Any], variance: NDArray[Any]) -> bool:
    """Whether columns lie so near to 0 that to subtract their means after multiplying costs no more than a digit."""
    return bool((mean * mean <= CENTRAL_MAX * variance).all())


def cache_rows(columns: int) -> int:
    """How many rows a block has that a processor's cache holds; enough that what is done once a block is little."""
    return max(1, min(spill.BLOCK_BYTES, max(CACHE_BYTES, columns * columns * 8)) // (columns * 8))


def unit(matrix: NDArray[Any]) -> float:
    """What to divide by before squaring: 1, or the largest finite magnitude where squares would leave a float64."""
    largest = max((_largest(block) for block in spill.blocks(matrix)), default=0.0)
    return 1.0 if largest == 0 or SQUARED_MIN < largest < SQUARED_MAX else largest


def _largest(block: NDArray[Any]) -> float:
    if block.dtype.kind == "c":
        block = np.maximum(np.abs(block.real), np.abs(block.imag))
    low, high = float(block.min(initial=0.0)), float(block.max(initial=0.0))
    if np.isfinite(high - low):
        return max(-low, high)
    sizes = np.abs(block)
    return float(np.max(sizes, initial=0.0, where=np.isfinite(sizes)))
