"""Where k-means begins: rows far from each other, by greedy k-means++.

Definition: D. Arthur, S. Vassilvitskii (2007), k-means++: the advantages of careful seeding, with their greedy trials:
of 2 + ln k rows drawn by squared distance, the one that leaves the least. scikit-learn's own is the reference, and from
the same random numbers the same rows are chosen; here distances come by one multiplication of matrices a step.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray


def spread_out(matrix: NDArray[Any], k: int, random_state: Any) -> NDArray[Any]:
    """Rows to begin with, in the form of scikit-learn's `init`.

    Args:
        matrix: rows x columns, float64, complete, columns of mean 0.
        k: how many, at most the number of rows.
        random_state: numpy's RandomState, where the draws come from.

    Returns:
        k x columns, float64.
    """
    return matrix[chosen(matrix, k, random_state)]


def chosen(matrix: NDArray[Any], k: int, random_state: Any) -> NDArray[np.intp]:
    """The numbers of those rows, in the order in which they were chosen."""
    count, tries, across = len(matrix), 2 + int(math.log(k)), _across(matrix)
    found = np.empty(k, np.intp)
    found[0] = int(random_state.random_sample() * count)
    nearest = _squared(found[:1], across)[0]
    for place in range(1, k):
        nearest = np.maximum(nearest, 0, out=nearest)  # rounding may leave a row a little less than no way from itself
        reached = np.cumsum(nearest)
        drawn = random_state.uniform(size=tries) * reached[-1]
        tried = np.minimum(np.searchsorted(reached, drawn), count - 1)
        distances = _squared(tried, across)
        np.minimum(distances, nearest, out=distances)
        best = int(distances.sum(axis=1).argmin())
        found[place], nearest = tried[best], distances[best]
    return found


def _across(matrix: NDArray[Any]) -> NDArray[Any]:
    """A row for each column, one of their squares added up, one of ones: so a product adds all that distances need."""
    columns = matrix.shape[1]
    across = np.empty((columns + 2, len(matrix)))
    across[:columns] = matrix.T
    np.einsum("ij,ij->j", across[:columns], across[:columns], out=across[columns])
    across[columns + 1] = 1.0
    return across


def _squared(rows: NDArray[np.intp], across: NDArray[Any]) -> NDArray[Any]:
    """Squared distances of some rows to all: some x all."""
    weights = np.ascontiguousarray(across[:, rows].T)
    weights[:, :-2] *= -2.0
    weights[:, -2:] = weights[:, :-3:-1]
    distances: NDArray[Any] = weights @ across
    return distances
