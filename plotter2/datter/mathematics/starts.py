"""Where k-means begins: rows far from each other, by greedy k-means++.

Definition: D. Arthur, S. Vassilvitskii (2007), k-means++: the advantages of careful seeding, with their greedy trials:
of 2 + ln k rows drawn by squared distance, the one that leaves the least. scikit-learn's own is the reference, and from
the same random numbers the same rows are chosen; here distances come by one multiplication of matrices a step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

TURNED_ROWS = 2_048


@dataclass(frozen=True, slots=True, eq=False)
class Across:
    """Rows laid out so that one product tells the distances of all of them.

    Attributes:
        whole: columns + 2 x rows, float64: each column less its mean, the squares of a row added up, ones.
        mean: columns.
    """

    whole: NDArray[Any]
    mean: NDArray[Any]

    @classmethod
    def of(cls, matrix: NDArray[Any]) -> Across:
        """Rows x columns, complete, turned and brought to mean 0."""
        rows, columns = matrix.shape
        mean = np.ones(rows) @ matrix / rows  # several times as fast as matrix.mean(axis=0)
        whole = np.empty((columns + 2, rows))
        for start in range(0, rows, TURNED_ROWS):  # so few that they stay in a processor's cache while they are turned
            whole[:columns, start : start + TURNED_ROWS] = matrix[start : start + TURNED_ROWS].T
        whole[:columns] -= mean[:, None]
        np.einsum("ij,ij->j", whole[:columns], whole[:columns], out=whole[columns])
        whole[columns + 1] = 1.0
        return cls(whole, mean)

    @property
    def columns(self) -> NDArray[Any]:
        """Columns x rows."""
        return self.whole[:-2]

    @property
    def squares(self) -> NDArray[Any]:
        """Of each row, its squared distance from the mean."""
        found: NDArray[Any] = self.whole[-2]
        return found


def spread_out(matrix: NDArray[Any], k: int, random_state: Any) -> NDArray[Any]:
    """Rows to begin with, in the form of scikit-learn's `init`.

    Args:
        matrix: rows x columns, float64, complete.
        k: how many, at most the number of rows.
        random_state: numpy's RandomState, where the draws come from.

    Returns:
        k x columns, float64.
    """
    return matrix[chosen(Across.of(matrix), k, random_state)]


def chosen(across: Across, k: int, random_state: Any) -> NDArray[np.intp]:
    """The numbers of those rows, in the order in which they were chosen."""
    count, tries = across.whole.shape[1], 2 + int(math.log(k))
    found, one, reached = np.empty(k, np.intp), np.ones(count), np.empty(count)
    nearest, room = np.empty(count), np.empty((tries, count))
    found[0] = int(random_state.random_sample() * count)
    _squared(found[:1], across.whole, nearest[None])
    for place in range(1, k):
        np.maximum(nearest, 0, out=nearest)  # rounding may leave a row a little less than no way from itself
        np.cumsum(nearest, out=reached)
        drawn = random_state.uniform(size=tries) * reached[-1]
        tried = np.minimum(np.searchsorted(reached, drawn), count - 1)
        distances = np.minimum(_squared(tried, across.whole, room), nearest, out=room)
        best = int((distances @ one).argmin())
        found[place], nearest[:] = tried[best], distances[best]
    return found


def _squared(rows: NDArray[np.intp], whole: NDArray[Any], room: NDArray[Any]) -> NDArray[Any]:
    """Squared distances of some rows to all: some x all, written into `room`."""
    weights = np.ascontiguousarray(whole[:, rows].T)
    weights[:, :-2] *= -2.0
    weights[:, -2:] = weights[:, :-3:-1]
    return np.matmul(weights, whole, out=room)
