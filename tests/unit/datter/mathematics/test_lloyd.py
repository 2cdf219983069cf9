"""k-means by products of matrices: what scikit-learn's KMeans finds, from the same beginning."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from plotter2.datter.mathematics import lloyd
from plotter2.datter.mathematics.lloyd import clustered

ROWS = 2_000


def clouds(seed: int, rows: int = ROWS) -> tuple[NDArray[Any], int]:
    """Some that overlap, far from 0, of any size; and in how many clusters they are to be put."""
    chance = np.random.default_rng(seed)
    columns, k = int(chance.integers(1, 9)), int(chance.integers(1, 13))
    centres = chance.normal(size=(k, columns)) * chance.uniform(0.5, 6)
    matrix = centres[chance.integers(0, k, rows)] + chance.normal(size=(rows, columns))
    return (matrix + chance.normal() * 9) * 10.0 ** chance.integers(-5, 6), k


@pytest.mark.req("r124")
@pytest.mark.parametrize("seed", range(40))
def test_clusters_are_those_of_scikit_learn(seed: int) -> None:
    matrix, k = clouds(seed)
    reference = KMeans(k, random_state=seed, n_init=1).fit(matrix)
    found = clustered(matrix, k, np.random.RandomState(seed))
    assert found is not None
    np.testing.assert_array_equal(found.labels, reference.labels_)
    size = float(np.abs(matrix).max())
    np.testing.assert_allclose(found.centres, reference.cluster_centers_, rtol=1e-9, atol=1e-12 * size)
    assert found.inertia == pytest.approx(reference.inertia_, rel=1e-9)


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 3), st.integers(1, 40))
def test_of_few_whole_numbers_each_row_belongs_to_one_nearest_centre_and_each_centre_is_a_mean(
    seed: int, k: int, columns: int, rows: int
) -> None:
    """Whole numbers lie as near to one centre as to another again and again."""
    matrix = np.random.default_rng(seed).integers(-3, 4, (max(rows, k), columns)).astype(float)
    found = clustered(matrix, k, np.random.RandomState(seed))
    if found is None:
        return
    distances = ((matrix[:, None] - found.centres) ** 2).sum(axis=2)
    own = distances[np.arange(len(matrix)), found.labels]
    assert (own <= distances.min(axis=1) + 1e-9).all()
    assert found.inertia == pytest.approx(own.sum(), abs=1e-9)
    assert (np.bincount(found.labels, minlength=k) > 0).all()


def test_narrow_clusters_that_lie_far_apart_keep_the_digits_of_their_inertia() -> None:
    chance = np.random.default_rng(3)
    matrix = np.repeat([[-1e6, 0.0], [1e6, 0.0]], ROWS, axis=0) + chance.normal(size=(2 * ROWS, 2)) * 1e-3
    found = clustered(matrix, 2, np.random.RandomState(0))
    assert found is not None
    exact = sum(float(((part - part.mean(axis=0)) ** 2).sum()) for part in (matrix[:ROWS], matrix[ROWS:]))
    assert found.inertia == pytest.approx(exact, rel=1e-6)


def test_more_clusters_than_there_are_different_rows_have_no_answer() -> None:
    assert clustered(np.zeros((9, 2)), 3, np.random.RandomState(0)) is None


def test_one_cluster_is_the_mean() -> None:
    matrix, _ = clouds(5)
    found = clustered(matrix, 1, np.random.RandomState(0))
    assert found is not None
    np.testing.assert_allclose(found.centres[0], matrix.mean(axis=0))
    assert not found.labels.any()


def test_the_rows_need_no_more_room_than_a_few_of_their_own() -> None:
    """However many clusters: distances are of some rows at a time."""
    matrix = np.random.default_rng(0).normal(size=(60_000, 2))
    tracemalloc.start()
    try:
        assert clustered(matrix, 60, np.random.RandomState(0)) is not None
        assert tracemalloc.get_traced_memory()[1] < 12 * matrix.nbytes
    finally:
        tracemalloc.stop()


def test_the_end_comes_also_where_centres_never_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lloyd, "STEPS_MAX", 2)
    matrix, _ = clouds(8)
    found = clustered(matrix, 7, np.random.RandomState(8))
    assert found is not None
    distances = ((matrix[:, None] - found.centres) ** 2).sum(axis=2)
    np.testing.assert_array_equal(found.labels, distances.argmin(axis=1))
