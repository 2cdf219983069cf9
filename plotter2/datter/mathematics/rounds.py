"""k-means of matrices larger than memory: Lloyd's algorithm in rounds over all rows, block by block.

Definition: S. Lloyd (1982), least squares quantization in PCM. It begins where scikit-learn's KMeans ends on a sample
of the rows, so few rounds are left; each is exact, whatever the blocks, and holds a block and the sums of the clusters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.mathematics.lloyd import TOLERANCE, Clustered
from plotter2.datter.values import spill

SAMPLE_ROWS = 100_000
ROUNDS_MAX = 50
CACHED_BYTES = 2 << 20
"""Worked on at a time: what a processor's caches hold."""
Start = Callable[[NDArray[Any]], NDArray[Any]]


def settled(matrix: NDArray[Any], seed: int, start: Start) -> Clustered:
    """Clusters of a large matrix; their labels are mapped, and their note says how many rounds it took.

    Args:
        matrix: rows x columns, complete, float64.
        seed: of the draw of the sample.
        start: the centres (k x columns) of a sample of rows.
    """
    sample = _sample(matrix, seed)
    middle = sample.mean(axis=0)  # subtracted, so that large means cancel nothing
    centres, enough = start(sample) - middle, TOLERANCE * float(sample.var(axis=0).mean())
    rounds, is_settled = 0, False
    while rounds < ROUNDS_MAX and not is_settled:
        sums, counts = np.zeros_like(centres), np.zeros(len(centres))
        for block, labels, _ in _assigned(matrix, middle, centres):
            sums += _belonging(labels, len(centres)).T @ block
            counts += np.bincount(labels, minlength=len(centres))
        moved = np.where(counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], centres)
        is_settled = float(np.square(moved - centres).sum()) <= enough
        centres, rounds = moved, rounds + 1
    inertia = 0.0

    def labelled() -> Iterator[NDArray[Any]]:
        nonlocal inertia
        for _, labels, distances in _assigned(matrix, middle, centres):
            inertia += float(distances.sum())
            yield labels[:, None]

    found = spill.matrix(1, labelled(), np.int64).reshape(-1)
    return Clustered(found, centres + middle, inertia, _note(rounds, is_settled=is_settled))


def _note(rounds: int, *, is_settled: bool) -> str:
    count = f"{rounds} round{'s' * (rounds != 1)}"
    said = count if is_settled else f"{count}, after which the centres still moved"
    return f"More than is held in memory: begun from {SAMPLE_ROWS:,} rows, then all in {said}."


def _belonging(labels: NDArray[Any], count: int) -> Any:
    """Rows x clusters, sparse: 1 where a row belongs to a cluster."""
    ones = (np.ones(len(labels)), labels, np.arange(len(labels) + 1))
    return import_module("scipy.sparse").csr_array(ones, shape=(len(labels), count))


def _sample(matrix: NDArray[Any], seed: int) -> NDArray[Any]:
    """Some rows, chosen by chance, in their order."""
    if len(matrix) <= SAMPLE_ROWS:
        return np.array(matrix)
    places = np.random.default_rng(seed).integers(0, len(matrix), SAMPLE_ROWS)
    return np.array(matrix[np.sort(places)])


def _assigned(
    matrix: NDArray[Any], middle: NDArray[Any], centres: NDArray[Any]
) -> Iterator[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]:
    """Blocks of rows about the middle, the nearest centre of each, and the squared distance to it."""
    lengths = np.square(centres).sum(axis=1)
    rows = max(1, min(spill.BLOCK_BYTES, CACHED_BYTES) // (8 * (matrix.shape[1] + len(centres))))
    for part in spill.blocks(matrix, rows):
        block = part - middle
        apart = block @ (-2 * centres.T) + lengths
        labels = apart.argmin(axis=1)
        nearest = apart[np.arange(len(apart)), labels] + np.square(block).sum(axis=1)
        yield block, labels, np.maximum(nearest, 0)
