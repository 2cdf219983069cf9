"""Principal components of tall matrices by blocks of rows: in two passes, and in little memory however long they are.

Where there are many more rows than columns the covariance holds all that is needed. Its sums are of differences from
means (`moments.covariance`), so large means cancel nothing, and the blocks fit into a processor's cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.mathematics.moments import SQUARED_MAX, SQUARED_MIN, cache_rows, covariance, is_central, unit
from plotter2.datter.values import spill

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
        centre, directions, explained, is_near = _exact(matrix, k)
        note = "More than is held in memory: exact components, from the covariance of all blocks of rows."
    else:
        rows = max(k, spill.BLOCK_BYTES // (columns * 8))
        model = import_module("sklearn.decomposition").IncrementalPCA(k)
        for block in _full(matrix, rows, k):
            model.partial_fit(block)
        centre, directions, explained = model.mean_, model.components_, model.explained_variance_ratio_
        is_near = False
        note = "More than is held in memory: components by scikit-learn's IncrementalPCA, near the exact ones."
    directions = directions * signs(directions)[:, None]
    with np.errstate(over="ignore", invalid="ignore"):  # beyond the largest float rows lie infinitely far
        placed = _placed(matrix, centre, directions, is_near=is_near)
    return Components(placed, directions, explained, note * spill.is_large(matrix))


def _exact(matrix: NDArray[Any], k: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], bool]:
    """Mean, k directions and their shares of the variance, by the covariance; and whether the mean is near to 0."""
    with np.errstate(over="ignore", invalid="ignore"):
        centre, shared = covariance(matrix)
    if not SQUARED_MIN**2 < np.trace(shared) < SQUARED_MAX**2 and (measure := unit(matrix)) != 1:
        centre, directions, shares, is_near = _exact(
            spill.changed(matrix, lambda block: block / measure, matrix.shape[1]), k
        )
        return centre * measure, directions, shares, is_near
    values, vectors = np.linalg.eigh(shared)
    shares = np.maximum(values[::-1][:k], 0.0) / max(float(np.trace(shared)), np.finfo(float).tiny)
    return centre, vectors[:, ::-1][:, :k].T, shares, is_central(centre, np.diag(shared))


def signs(directions: NDArray[Any]) -> NDArray[Any]:
    """What makes the largest loading of each direction positive: a direction has no sign of its own."""
    found: NDArray[Any] = np.sign(directions[np.arange(len(directions)), np.abs(directions).argmax(axis=1)])
    return found


def _placed(matrix: NDArray[Any], centre: NDArray[Any], directions: NDArray[Any], *, is_near: bool) -> NDArray[Any]:
    """The rows on the directions; where the centre is near to 0 it is subtracted afterwards, from fewer columns."""
    turn = np.ascontiguousarray(directions.T)
    if spill.is_large(matrix):
        return spill.changed(matrix, lambda block: (block - centre) @ turn, len(directions))
    placed, start = np.empty((len(matrix), len(directions))), 0
    for block in spill.blocks(matrix, cache_rows(matrix.shape[1])):
        np.matmul(block if is_near else block - centre, turn, out=placed[start : start + len(block)])
        start += len(block)
    return np.subtract(placed, centre @ turn, out=placed) if is_near else placed


def _full(matrix: NDArray[Any], rows: int, k: int) -> Any:
    """Blocks of at least k rows each: a last one that is shorter goes with the one before it."""
    start = 0
    while start < len(matrix):
        stop = start + rows if len(matrix) - start - rows >= k else len(matrix)
        yield matrix[start:stop]
        start = stop
