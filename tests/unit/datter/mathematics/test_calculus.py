"""derivative and integral against known answers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2.datter.mathematics.calculus import derivative, integral
from plotter2.datter.mathematics.expression import expr
from plotter2.datter.values.group import DataGroup
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError

PLACES = np.sort(np.random.default_rng(3).uniform(0, 3, 400))


@pytest.mark.req("r125")
def test_the_slope_of_samples_at_uneven_places() -> None:
    assert derivative([0.0, 1.0, 4.0, 9.0, 16.0]).tolist() == [1, 2, 4, 6, 7]
    assert derivative(PLACES**2, PLACES)[1:-1] == pytest.approx(2 * PLACES[1:-1])
    assert derivative(np.array([[1, 5], [2, 7]])).tolist() == [[1, 2], [1, 2]]
    assert derivative(np.array([[1, 5], [2, 7]]), axis=1).tolist() == [[4, 4], [5, 5]]
    assert derivative([7, 7, 7]).tolist() == [0, 0, 0]
    assert derivative(Table({"t": [0.0, 2.0, 4.0], "s": [0.0, 6.0, 12.0]})).tolist() == [3, 3, 3]
    assert derivative(DataGroup.of([[0, 1], [0, 2]])).values[1].tolist() == [2, 2]


@pytest.mark.req("r126")
def test_the_area_below_samples() -> None:
    assert integral([1.0, 1.0, 1.0]).tolist() == [0, 1, 2]
    assert integral(np.sin(np.linspace(0, np.pi, 10_001)), np.linspace(0, np.pi, 10_001))[-1] == pytest.approx(
        2, abs=1e-7
    )
    assert integral([0.0, 2.0, 4.0], bounds=(0.5, 1.5)) == pytest.approx(2.0)
    assert integral([0.0, 2.0, 4.0], bounds=(1.5, 0.5)) == pytest.approx(-2.0)
    assert integral([4.0, 2.0, 0.0], [2, 1, 0], bounds=(0, 2)) == pytest.approx(4.0)
    assert integral(np.ones((3, 2)), bounds=(0, 2)).tolist() == [2, 2]
    assert integral(expr("y = 3x^2"), bounds=(0, 2)) == pytest.approx(8)
    assert integral(expr("1/(1+x^2)", x=(0, 1, 100_001)))[-1] == pytest.approx(np.pi / 4)


@pytest.mark.req("r125", "r126")
@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=40), st.integers(0, 38))
def test_an_integral_between_bounds_is_the_difference_of_the_running_one(values: list[float], at: int) -> None:
    low = min(at, len(values) - 1)
    running = integral(values)
    assert integral(values, bounds=(low, len(values) - 1)) == pytest.approx(running[-1] - running[low], abs=1e-3)


def test_what_is_missing_stays_missing() -> None:
    assert np.isnan(derivative([0.0, np.nan, 2.0, 3.0])).tolist() == [True, False, True, False]
    assert np.isnan(integral([0.0, np.nan, 2.0])).tolist() == [False, True, True]


@pytest.mark.parametrize("word", [derivative, integral])
@pytest.mark.parametrize(
    ("data", "x", "said"),
    [
        ([1.0], None, "needs at least 2 samples, not 1"),
        ([], None, "the data is empty"),
        ([1.0, 2.0], [0.0], "1 places for 2 samples"),
        ([1.0, 2.0, 3.0], [0.0, 0.0, 1.0], "must rise"),
        ([1.0, 2.0], [1j, 2j], "Complex numbers"),
        (["a", "b"], None, "Numbers are needed"),
    ],
)
def test_what_has_no_slope_is_refused(word: object, data: object, x: object, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        word(data, x)


def test_bounds_lie_within_the_data() -> None:
    with pytest.raises(UsageError, match="bounds 0 to 9 lie outside of the places 0 to 2"):
        integral([1.0, 1.0, 1.0], bounds=(0, 9))
    with pytest.raises(UsageError, match="there is no axis 3"):
        derivative([1.0, 2.0], axis=3)


def test_an_integral_of_huge_values_is_theirs_where_a_float_can_hold_it() -> None:
    assert integral([1.5e308, 1.5e308, -1.5e308]) == pytest.approx([0.0, 1.5e308, 1.5e308])
    assert integral([1e-310, 3e-310]) == pytest.approx([0.0, 2e-310])
