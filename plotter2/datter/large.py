"""Principal components of matrices that are larger than memory: by blocks of rows, in one or two passes."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter import spill
from plotter2.datter.moments import covariance

COVARIANCE_COLUMNS_MAX = 1_000


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """What a decomposition found.

    Attributes:
        placed: rows x k, the rows on the components.
        directions: k x columns, of length 1.
        explained: k shares of the variance.
        note: how it was found, where that is not the plain way.
    """

    placed: NDArray[Any]
    directions: NDArray[Any]
    explained: NDArray[Any]
    note: str = ""


def components(matrix: NDArray[Any], k: int) -> Components:
    """The first k principal components of complete rows; exact up to 1,000 columns, near that for more."""
    columns = matrix.shape[1]
    if columns <= COVARIANCE_COLUMNS_MAX:
        centre, shared = covariance(matrix)
        values, vectors = np.linalg.eigh(shared)
        directions = vectors[:, ::-1][:, :k].T
        explained = values[::-1][:k] / max(float(np.trace(shared)), np.finfo(float).tiny)
        note = "More than is held in memory: exact components, from the covariance of all blocks of rows."
    else:
        rows = max(k, spill.BLOCK_BYTES // (columns * 8))
        model = import_module("sklearn.decomposition").IncrementalPCA(k)
        for block in _full(matrix, rows, k):
            model.partial_fit(block)
        centre, directions, explained = model.mean_, model.components_, model.explained_variance_ratio_
        note = "More than is held in memory: components by scikit-learn's IncrementalPCA, near the exact ones."
    placed = spill.changed(matrix, lambda block: (block - centre) @ directions.T, k)
    return Components(placed, directions, explained, note)


def _full(matrix: NDArray[Any], rows: int, k: int) -> Any:
    """Blocks of at least k rows each: a last one that is shorter goes with the one before it."""
    start = 0
    while start < len(matrix):
        stop = start + rows if len(matrix) - start - rows >= k else len(matrix)
        yield matrix[start:stop]
        start = stop
