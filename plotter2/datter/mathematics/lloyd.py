"""k-means of what memory holds: Lloyd's iterations, as products of matrices.

Definition: S. Lloyd (1982), Least squares quantization in PCM: each row belongs to the nearest centre, each centre is
the mean of its rows, until no row moves. scikit-learn's KMeans is the reference: the same beginning, the same rule to
end and the same numbers but for rounding. Here a step is two products on rows that a processor's cache holds, so
bundles of some thousand rows, of which there are many, take half of the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.mathematics.moments import CACHE_BYTES
from plotter2.datter.mathematics.starts import Across, chosen

STEPS_MAX = 300
TOLERANCE = 1e-4
"""Of the mean variance of the columns: centres that move less, all squares together, have come to rest."""
BLOCK_ROWS_MIN = 256
NARROW = 1e-4
"""Share of the variance within clusters below which four digits would be lost."""


@dataclass(frozen=True, slots=True, eq=False)
class Clustered:
    """What k-means found.

    Attributes:
        labels: rows, intp, the cluster of each.
        centres: k x columns, float64.
        inertia: the squared distances of all rows to their centres, added up.
        note: how it was found, where that is not the plain way.
    """

    labels: NDArray[np.intp]
    centres: NDArray[Any]
    inertia: float
    note: str = ""


def clustered(matrix: NDArray[Any], k: int, random_state: Any) -> Clustered | None:
    """K clusters of the rows; None where a cluster loses all its rows on the way, which has no answer by itself.

    Args:
        matrix: rows x columns, float64, complete, of sizes that can be squared; at most some times what a cache holds.
        k: how many, at most the number of rows.
        random_state: numpy's RandomState, where the draws come from.
    """
    across = Across.of(matrix)
    centres = across.columns[:, chosen(across, k, random_state)].T.copy()
    enough = TOLERANCE * float(across.squares.mean()) / len(across.columns)
    labels, before = np.empty(len(matrix)), np.full(len(matrix), -1.0)
    for _ in range(STEPS_MAX):
        step = _assigned(across, centres, labels)
        if not step.counts.all():
            return None
        if np.array_equal(labels, before):
            break
        moved = step.sums / step.counts[:, None]
        way = float(((moved - centres) ** 2).sum())
        centres, labels, before = moved, before, labels
        if way <= enough:
            step = _assigned(across, centres, labels)
            break
    else:
        step = _assigned(across, centres, labels)
    found = labels.astype(np.intp)
    return Clustered(found, centres + across.mean, _inertia(across, centres, found, step.nearness))


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    """Of each centre the sum of its rows and how many they are; of all rows the squared distance less their squares."""

    sums: NDArray[Any]
    counts: NDArray[Any]
    nearness: float


def _assigned(across: Across, centres: NDArray[Any], labels: NDArray[Any]) -> _Step:
    """Write the number of the nearest centre of each row, and add up the rows of each."""
    k, columns = centres.shape
    weights = np.zeros((k, columns + 2))
    weights[:, :columns] = -2.0 * centres
    weights[:, columns + 1] = np.einsum("ij,ij->i", centres, centres)
    numbers, found, nearness = np.arange(k, dtype=float), np.zeros((k, columns + 2)), 0.0
    rows = max(BLOCK_ROWS_MIN, CACHE_BYTES // (8 * (k + columns + 2)))
    room = np.empty((k, min(rows, len(labels))))
    for start in range(0, len(labels), rows):
        block = across.whole[:, start : start + rows]
        distances = np.matmul(weights, block, out=room[:, : block.shape[1]])
        least = distances.min(axis=0)
        nearness += float(least.sum())
        is_nearest = np.equal(distances, least, out=distances, casting="unsafe")
        sums = is_nearest @ block.T
        if sums[:, -1].sum() > block.shape[1]:  # as near to two: the first has it
            first = is_nearest.argmax(axis=0)
            is_nearest[:] = 0.0
            is_nearest[first, np.arange(block.shape[1])] = 1.0
            sums = is_nearest @ block.T
        np.matmul(numbers, is_nearest, out=labels[start : start + rows])
        found += sums
    return _Step(found[:, :columns], found[:, columns + 1], nearness)


def _inertia(across: Across, centres: NDArray[Any], labels: NDArray[np.intp], nearness: float) -> float:
    """The squared distances added up; by differences where clusters are so narrow that digits would cancel."""
    whole = float(across.squares.sum())
    if whole + nearness > NARROW * whole:
        return whole + nearness
    rest = across.columns - centres.T[:, labels]
    return float(np.einsum("ij,ij->", rest, rest))
