"""Where k-means begins: the rows that scikit-learn would choose."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import kmeans_plusplus

from plotter2.datter.mathematics.starts import Across, chosen, spread_out


@pytest.mark.parametrize("seed", range(20))
def test_the_same_draws_choose_the_rows_that_scikit_learn_chooses(seed: int) -> None:
    chance = np.random.default_rng(seed)
    rows, k = int(chance.integers(30, 2_000)), int(chance.integers(1, 30))
    matrix = chance.normal(size=(rows, int(chance.integers(1, 9)))) * 10.0 ** chance.integers(-3, 4)
    matrix -= matrix.mean(axis=0)
    reference, numbers = kmeans_plusplus(matrix, k, random_state=seed)
    assert list(chosen(Across.of(matrix), k, np.random.RandomState(seed))) == list(numbers)
    np.testing.assert_array_equal(spread_out(matrix, k, np.random.RandomState(seed)), reference)


def test_rows_that_are_all_the_same_can_be_begun_with() -> None:
    assert spread_out(np.zeros((9, 2)), 3, np.random.RandomState(0)).shape == (3, 2)


def test_each_of_a_few_rows_is_chosen_once_where_all_are_wanted() -> None:
    matrix = np.array([[-3.0, 0], [0.0, 1], [3.0, -1]])
    assert sorted(chosen(Across.of(matrix), 3, np.random.RandomState(4))) == [0, 1, 2]
