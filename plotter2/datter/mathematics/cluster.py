"""pca, kmean and scale: thin on scikit-learn and numpy (requirements 123, 124, 154).

Columns of a table have units of their own, so they are brought to mean 0 and variance 1 first; columns of a plain
array are taken as they are. Both can be asked for with `standardise`. Missing values: see `points`.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from importlib import import_module
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.mathematics import large, rounds
from plotter2.datter.mathematics.lloyd import Clustered, clustered
from plotter2.datter.mathematics.moments import moments, unit
from plotter2.datter.mathematics.starts import spread_out
from plotter2.datter.values import spill
from plotter2.datter.values.group import DataGroup
from plotter2.datter.values.points import Clusters, Labels, Points, Projection, complete, numbers, points
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError

STARTS_MAX = 100
STARTS_TRIED = 4
"""Of each k that is tried when none is given, on a sample."""
ROWS_MIN = 2
NAMED_MAX = 8
CHOICES_OF_K = range(2, 9)
SILHOUETTE_ROWS = 2_000
WEIGHTS_MAX = 128
"""Clusters x columns; for more the iterations of scikit-learn are the quicker ones."""
PRODUCTS_BYTES_MAX = 64 << 20
"""Of a matrix whose distances are products: these take some times its room, and of more only the iterations count."""
TALL, FEW = 10, 0.8
PRODUCTS_MAX = 1e9
"""Rows x columns x the shorter of both: about a second of exact singular values."""
_RANDOMISED = "Components by the randomised singular value decomposition: near the exact ones."
HUGE, SHRUNK = 1e300, 4.0
"""Spreads beyond this are divided by a power of two first, which changes no digit."""
SCALES = ("zscore", "minmax", "log", "linear")


def pca(data: Any, k: int = 2, *, standardise: bool | None = None) -> Projection:
    """Principal components; shapes and definition stand at `engine.pca`.

    Raises:
        UsageError: fewer than two rows, or k larger than what the data has.
    """
    found = _varying("pca", data)
    _check_components(found, k)
    is_scaled = _has_units(data) if standardise is None else bool(standardise)
    matrix = _standardised(found.matrix)[0] if is_scaled else found.matrix
    made = large.components(matrix, k) if _is_tall(matrix) else _decomposed(matrix, k)
    notes = [*found.notes, *(f"PCA of {matrix.shape[1]} columns brought to unit variance.",) * is_scaled]
    return Projection(
        matrix=_sealed(made.placed),
        names=tuple(f"PC{place + 1}" for place in range(k)),
        title=found.title,
        groups=found.groups,
        notes=(*notes, made.note) if made.note else tuple(notes),
        explained=tuple(float(share) for share in made.explained),
        components=_sealed(made.directions),
        loadings=found.names,
    )


def _sealed(made: NDArray[Any]) -> NDArray[Any]:
    """An array of ours that nobody writes to any more: so it is hashed once, however often it is drawn."""
    made.flags.writeable = False
    return made


def _varying(word: str, data: Any) -> Points:
    """The complete rows of data, without columns that are the same in all of them."""
    found = points(data)
    if len(found) < ROWS_MIN:
        raise UsageError(f"{word} needs at least {ROWS_MIN} rows, not {len(found)}.")
    kept = complete(found, varying=True)
    if len(kept) < ROWS_MIN:
        raise UsageError(f"{word} needs at least {ROWS_MIN} complete rows, not {len(kept)}. {' '.join(kept.notes)}")
    return kept


def _check_components(found: Points, k: int) -> None:
    rows, columns = found.shape
    if k > columns:
        raise UsageError(
            f"pca: {k} components need at least {k} columns of numbers; here {columns} can be used: "
            f"{', '.join(found.names[:NAMED_MAX])}{' and more' * (columns > NAMED_MAX)}."
        )
    if not 1 <= k <= min(rows, columns):
        raise UsageError(
            f"pca: k must be between 1 and {min(rows, columns)} for {rows} rows x {columns} columns, not {k}."
        )


def _is_tall(matrix: NDArray[Any]) -> bool:
    """Whether components are found by the covariance: the rule of scikit-learn's "auto" for its "covariance_eigh"."""
    rows, columns = matrix.shape
    return spill.is_large(matrix) or (columns <= large.COVARIANCE_COLUMNS_MAX and rows >= TALL * columns)


def _decomposed(matrix: NDArray[Any], k: int) -> large.Components:
    """By the singular values; where that takes long and few components are wanted, by the randomised ones."""
    is_random = max(matrix.shape) * min(matrix.shape) ** 2 > PRODUCTS_MAX and k < FEW * min(matrix.shape)
    solver = "randomized" if is_random else "full"
    model = import_module("sklearn.decomposition").PCA(k, svd_solver=solver, random_state=0)
    measure = unit(matrix)
    placed = model.fit_transform(matrix if measure == 1 else matrix / measure) * measure
    signs = large.signs(model.components_)
    directions = model.components_ * signs[:, None]
    return large.Components(placed * signs, directions, model.explained_variance_ratio_, _RANDOMISED * is_random)


def kmean(
    data: Any, k: int | None = None, *, seed: int = 0, standardise: bool | None = None, starts: int | None = None
) -> Clusters:
    """Clusters by k-means; shapes and definition stand at `engine.kmean`.

    Raises:
        UsageError: k is not between 1 and the number of distinct rows, or starts not between 1 and 100.
    """
    if starts is not None and not 1 <= starts <= STARTS_MAX:
        raise UsageError(f"kmean: starts must be between 1 and {STARTS_MAX}, not {starts}.")
    found = _varying("kmean", data)
    is_scaled = _has_units(data) if standardise is None else bool(standardise)
    matrix, centre, spread = _standardised(found.matrix) if is_scaled else (found.matrix, 0.0, 1.0)
    measure = unit(matrix)
    matrix = matrix if measure == 1 else spill.changed(matrix, lambda block: block / measure, matrix.shape[1])
    distinct = _distinct(matrix, CHOICES_OF_K[-1] + 1 if k is None else k)
    wanted, why = _best_k(matrix, seed) if k is None else (k, "")
    if not 1 <= wanted <= distinct:
        raise UsageError(f"kmean: k must be between 1 and the {distinct} distinct rows, not {wanted}.")
    made = _clustered(matrix, wanted, seed, starts)
    order = np.argsort(-np.bincount(made.labels, minlength=wanted), kind="stable")  # the largest cluster is the first
    ranks = np.empty(wanted, np.int64)
    ranks[order] = np.arange(wanted)
    codes = _ranked(made.labels, ranks, is_large=spill.is_large(matrix))
    sizes = np.bincount(codes, minlength=wanted)
    names = tuple(f"{place + 1} (n = {size:,})" for place, size in enumerate(sizes))
    notes = [*found.notes, f"k-means of {matrix.shape[1]} columns{' brought to unit variance' if is_scaled else ''}."]
    notes += [note for note in (made.note, why) if note]
    with np.errstate(over="ignore"):
        centres = made.centres[order] * measure * spread + centre
    if measure != 1:  # rounding may leave the range of the data, and with it the floats
        centres = np.clip(centres, found.matrix.min(axis=0), found.matrix.max(axis=0))
    return Clusters(
        matrix=found.matrix,
        names=found.names,
        title=found.title,
        groups=Labels("cluster", names, _sealed(codes)),
        notes=tuple(notes),
        centres=centres,
        inertia=made.inertia * measure * measure,
        is_standardised=is_scaled,
    )


def _clustered(matrix: NDArray[Any], k: int, seed: int, starts: int | None) -> Clustered:
    """Labels and centres of k clusters: few in few columns, from one start, by products of matrices; else scikit-learn.

    Raises:
        UsageError: fewer can be told apart.
    """
    is_held = matrix.nbytes <= PRODUCTS_BYTES_MAX and not spill.is_large(matrix)
    is_small = k * matrix.shape[1] <= WEIGHTS_MAX and is_held
    found = clustered(matrix, k, np.random.RandomState(seed)) if is_small and (starts or 1) == 1 else None
    return found or _modelled(matrix, k, seed, starts)


def _modelled(matrix: NDArray[Any], k: int, seed: int, starts: int | None) -> Clustered:
    """The same by scikit-learn."""
    cluster = import_module("sklearn.cluster")
    with warnings.catch_warnings(), import_module("sklearn").config_context(assume_finite=True):  # rows are complete
        warnings.simplefilter("ignore", import_module("sklearn.exceptions").ConvergenceWarning)  # looked at below
        model = cluster.KMeans(k, init=spread_out, n_init=starts or 1, random_state=seed)
        if spill.is_large(matrix):
            found = rounds.settled(matrix, seed, lambda sample: model.fit(sample).cluster_centers_)
        else:
            model.fit(matrix)
            found = Clustered(model.labels_, model.cluster_centers_, float(model.inertia_))
    there = np.count_nonzero(np.bincount(found.labels))
    if there < k:
        raise UsageError(
            f"kmean: only {there} of {k} clusters can be told apart: beside the largest values the others are alike. "
            f"Ask for k = {there}, or use scale(data, 'log') before."
        )
    return found


def _ranked(labels: NDArray[Any], ranks: NDArray[Any], *, is_large: bool) -> NDArray[Any]:
    """Clusters by their ranks instead of their numbers."""
    parts = (ranks[block][:, None] for block in spill.blocks(labels))
    found: NDArray[Any] = spill.matrix(1, parts, np.int64).reshape(-1) if is_large else ranks[labels]
    return found


def _distinct(matrix: NDArray[Any], enough: int) -> int:
    """How many different rows there are; counting ends when there are enough."""
    found: set[bytes] = set()
    for block in spill.blocks(matrix, max(64, 2 * enough)):
        found.update(row.tobytes() for row in block + 0.0)  # of the two zeros there is one then
        if len(found) >= enough:
            break
    return len(found)


def flattened(found: Points) -> tuple[Projection, NDArray[Any] | None]:
    """Points of many columns on their first two components, and clusters' centres there too."""
    is_scaled = found.is_standardised if isinstance(found, Clusters) else None
    seen = pca(found, min(2, len(complete(found, varying=True).names)), standardise=is_scaled)
    if not isinstance(found, Clusters) or found.centres is None or seen.components is None:
        return seen, None
    kept = [found.names.index(name) for name in seen.loadings]
    centre, spread = moments(found.matrix)
    moved = (found.centres - centre) / (spread if is_scaled else 1.0)
    return seen, moved[:, kept] @ seen.components.T


def scale(data: Any, how: str = "zscore") -> Any:
    """Columns brought to a common scale: zscore, minmax (0 to 1), log (natural), or linear (as they are).

    Shapes: rows x columns in, the same out; of a group, item by item. From 256 MiB on the result is a mapped file.
    Units: none; for linear those of the data.
    Definition: zscore (x - mean) / population standard deviation; minmax (x - min) / (max - min), a constant column is
    0; log the natural logarithm.

    Raises:
        UsageError: no numbers, complex ones, an unknown scale, or log of values that are not above 0.
    """
    if how not in SCALES:
        raise UsageError(f"scale: {how!r} is not one of {', '.join(SCALES)}.")
    if isinstance(data, DataGroup):
        return data.filled().map(lambda one: scale(one, how))
    is_one = isinstance(data, Real) or getattr(data, "shape", None) == ()
    data = data if isinstance(data, Points | Table) else numbers(data)
    found = points(data)
    with np.errstate(over="ignore", invalid="ignore"), warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", RuntimeWarning
        )  # of columns that are NaN throughout: so is what becomes of them
        changed = _scaled(found.matrix, how)
    if isinstance(data, Points | Table):
        notes = found.notes if how == "linear" else (*found.notes, f"Each column scaled by {how}.")
        return replace(found, matrix=changed if changed is found.matrix else _sealed(changed), notes=notes)
    return float(changed[0, 0]) if is_one else changed.reshape(data.shape)


def _scaled(matrix: NDArray[Any], how: str) -> NDArray[Any]:
    if how == "zscore":
        return _standardised(matrix)[0]
    if how == "minmax":
        low = np.nanmin([np.nanmin(block, axis=0) for block in spill.blocks(matrix)], axis=0)
        high = np.nanmax([np.nanmax(block, axis=0) for block in spill.blocks(matrix)], axis=0)
        less = np.where(np.isfinite(high - low), 1.0, SHRUNK)  # so that the width is a float
        low, width = low / less, np.where(high > low, high / less - low / less, 1.0)
        return spill.changed(matrix, lambda block: (block / less - low) / width, matrix.shape[1])
    if how == "log":
        least = min(float(np.nanmin(block)) for block in spill.blocks(matrix))
        if least <= 0:
            raise UsageError(f"scale by log needs values above 0; the smallest here is {least:g}.")
        return spill.changed(matrix, np.log, matrix.shape[1])
    return matrix


def _standardised(matrix: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Mean 0 and variance 1 by column; a constant column becomes 0."""
    centre, spread = moments(matrix)
    less = np.where(spread > HUGE, SHRUNK, 1.0)  # so that differences from the centre are floats
    low, width = centre / less, spread / less
    return spill.changed(matrix, lambda block: (block / less - low) / width, matrix.shape[1]), centre, spread


def _has_units(data: Any) -> bool:
    inner = data[0] if isinstance(data, DataGroup) and len(data) else data
    return isinstance(inner, Table) or (type(inner) is Points and not inner.names[0].startswith(("column ", "value")))


def _best_k(matrix: NDArray[Any], seed: int) -> tuple[int, str]:
    """How many clusters suit, and why."""
    chosen = np.random.default_rng(seed).permutation(len(matrix))[:SILHOUETTE_ROWS]
    sample = matrix[np.sort(chosen)]
    most = min(_distinct(sample, CHOICES_OF_K[-1] + 1), len(sample) - 1)
    choices = [k for k in CHOICES_OF_K if k <= most]
    if not choices:
        return 1, f"k = 1: {len(sample):,} rows that are alike or so few tell of no clusters."
    metrics = import_module("sklearn.metrics")
    scores = [metrics.silhouette_score(sample, _clustered(sample, k, seed, STARTS_TRIED).labels) for k in choices]
    best = choices[int(np.argmax(scores))]
    return best, f"k = {best} has the best silhouette of 2 to {CHOICES_OF_K[-1]}."
