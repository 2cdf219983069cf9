"""stats, cluster and fitting against independent references."""

from __future__ import annotations

import statistics

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from plotter2.datter.builtins import TABLE
from plotter2.datter.context import Context
from plotter2.datter.figures import looks
from plotter2.datter.mathematics import cluster, engine, fitting, stats, trigonometry
from plotter2.datter.mathematics.expression import expr
from plotter2.datter.values.group import DataGroup
from plotter2.datter.values.points import complete, points
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError

CHANCE = np.random.default_rng(1)
VALUES = st.lists(st.integers(-1000, 1000), min_size=1, max_size=30)


@given(VALUES)
@pytest.mark.req("r111", "r112", "r113", "r114")
def test_averages_agree_with_scipy(values: list[int]) -> None:
    assert stats.mean(values) == pytest.approx(np.sum(values) / len(values))
    assert stats.median(values) == pytest.approx(statistics.median(values))
    assert stats.mode(values) == scipy.stats.mode(values).mode
    assert stats.stddev(values) == pytest.approx(statistics.pstdev(values))


@given(VALUES)
@pytest.mark.req("r116", "r117")
def test_norms_are_what_they_are_called(values: list[int]) -> None:
    assert stats.l1norm(values) == sum(abs(value) for value in values)
    assert stats.l2norm(values) ** 2 == pytest.approx(sum(value * value for value in values))


@pytest.mark.req("r114", "r116")
@pytest.mark.parametrize("size", [1e200, 1e-200, 1.0])
def test_lengths_and_spreads_hold_where_squares_do_not(size: float) -> None:
    assert stats.l2norm([3 * size, 4 * size]) == pytest.approx(5 * size)
    assert stats.l2norm(np.array([[3 * size, 4 * size]] * 2), axis=1).tolist() == pytest.approx([5 * size] * 2)
    assert stats.stddev([size, -size]) == pytest.approx(size)
    assert stats.l2norm([0.0, 0.0]) == 0
    assert np.isnan(stats.l2norm([np.nan, size]))


@pytest.mark.req("r115")
def test_products_of_whole_numbers_do_not_wrap_around() -> None:
    assert stats.product([2**40, 2**40]) == pytest.approx(2.0**80)
    assert stats.product([3, 7]) == 21
    assert isinstance(stats.product([3, 7]), int)
    assert stats.product(np.array([2**62, 3]), np.array([4, 5])).tolist() == [2.0**64, 15.0]
    assert stats.product([2**62, -2]) == -(2**63)


def test_a_group_is_reduced_across_its_items() -> None:
    group = DataGroup.of([np.array([1.0, 10.0]), np.array([3.0, 30.0])])
    assert stats.mean(group).tolist() == [2.0, 20.0]
    assert stats.mean(group, over="values").values == [5.5, 16.5]


@pytest.mark.req("r118")
def test_cosines_stay_between_their_ends_and_zero_has_none() -> None:
    assert stats.cosine_simularity([1e300, 0], [1e300, 1e300]) == pytest.approx(np.sqrt(0.5))
    assert np.isnan(stats.cosine_simularity([0, 0], [1, 1]))
    assert stats.cosine_simularity(np.eye(2)).tolist() == [[1, 0], [0, 1]]


@pytest.mark.req("r119", "r120", "r121", "r122")
def test_trigonometry_is_numpys() -> None:
    angle = np.array([0.1, 0.7])
    for name, reference in {
        "sine": np.sin,
        "cos": np.cos,
        "tan": np.tan,
        "atanh": np.arctanh,
        "deg": np.degrees,
    }.items():
        assert trigonometry.TRIGONOMETRY[name](angle) == pytest.approx(reference(angle))
    assert isinstance(trigonometry.TRIGONOMETRY["sin"](0.5), float)
    assert np.isnan(trigonometry.TRIGONOMETRY["asin"](2.0))


@pytest.mark.parametrize("name", ["mean", "median", "mode", "stddev", "product", "l1norm", "l2norm"])
@pytest.mark.parametrize(
    ("bad", "words"),
    [([], "empty"), ("text", "not text"), ([[1], [1, 2]], "regular"), ([1, {}], "Numbers are needed"),
     ([10**400], "larger than 1.8e308")],
)  # fmt: skip
def test_what_is_no_numbers_is_refused(name: str, bad: object, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        TABLE[name].call(bad)


@pytest.mark.req("r123")
def test_pca_agrees_with_the_singular_value_decomposition() -> None:
    data = CHANCE.normal(size=(50, 4)) @ np.diag([5, 3, 1, 0.1])
    found = cluster.pca(data, 3)
    centred = data - data.mean(axis=0)
    _, values, rows = np.linalg.svd(centred, full_matrices=False)
    assert found.explained == pytest.approx((values**2 / (values**2).sum())[:3])
    assert np.abs(found.components) == pytest.approx(np.abs(rows[:3]))
    assert centred @ found.components.T == pytest.approx(found.matrix)
    for row in found.components:
        assert row[np.abs(row).argmax()] > 0


def test_pca_says_what_it_left_out_and_keeps_labels_in_step() -> None:
    table = Table({"a": [1.0, 2, None, 4, 9, 3], "b": [2, 1, 5, 7, 1, 0], "c": [1] * 6, "who": list("xyxyxx")})
    found = cluster.pca(table.labelled("who"), 1)
    assert found.groups is not None
    assert found.groups.codes.tolist() == [0, 1, 1, 0, 0]
    assert found.loadings == ("a", "b")
    assert any("the same in every row: c" in note for note in found.notes)


@pytest.mark.parametrize(
    ("data", "k", "words"),
    [
        (np.ones((5, 2)), 1, "Nothing is left"),
        (np.full((5, 2), np.nan), 1, "Nothing is left"),
        (np.eye(3), 9, "at least 9 columns of numbers; here 3"),
        (np.eye(1), 1, "."),
        (np.empty((0, 2)), 1, "empty"),
        (Table({"t": ["a", "b"]}), 1, "no numeric column"),
    ],
)
def test_pca_refuses_what_has_no_components(data: object, k: int, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        cluster.pca(data, k)


@pytest.mark.req("r124")
def test_kmean_finds_clusters_the_same_way_every_time() -> None:
    centres = np.array([[0, 0], [10, 0], [0, 10]])
    data = np.vstack([centre + CHANCE.normal(size=(40 + 10 * place, 2)) for place, centre in enumerate(centres)])
    found = cluster.kmean(data, seed=3)
    assert found.sizes == [60, 50, 40]
    assert found.centres == pytest.approx(centres[::-1], abs=0.6) or len(found.centres) == 3
    assert cluster.kmean(data, seed=3).labels.tolist() == found.labels.tolist()
    assert "best silhouette" in found.notes[-1]


def test_kmean_wants_a_k_that_the_rows_can_fill() -> None:
    with pytest.raises(UsageError, match="between 1 and the 3 distinct rows, not 4"):
        cluster.kmean(np.eye(3), 4)


def test_centres_of_a_table_are_in_its_own_units() -> None:
    table = Table({"km": [1.0, 1, 100, 100], "g": [1000.0, 1001, 5000, 5001]})
    centres = cluster.kmean(table, 2).centres
    assert sorted(centres[:, 0].tolist()) == pytest.approx([1, 100])


@pytest.mark.req("r154")
def test_scales_do_what_they_say() -> None:
    data = np.array([[1.0, 10.0], [3.0, 10.0]])
    assert cluster.scale(data).tolist() == [[-1, 0], [1, 0]]
    assert cluster.scale(data, "minmax").tolist() == [[0, 0], [1, 0]]
    assert cluster.scale(data, "log") == pytest.approx(np.log(data))
    with pytest.raises(UsageError, match="above 0; the smallest here is -1"):
        cluster.scale([-1.0, 2.0], "log")
    with pytest.raises(UsageError, match="'cubic' is not one of"):
        cluster.scale(data, "cubic")


@pytest.mark.req("r152")
def test_a_straight_line_agrees_with_scipy() -> None:
    x = np.linspace(5, 9, 30)
    y = 3 - 2 * x + CHANCE.normal(size=30)
    found, reference = fitting.fit(x, y), scipy.stats.linregress(x, y)
    assert found.params == pytest.approx((reference.intercept, reference.slope))
    assert found.errors == pytest.approx((reference.intercept_stderr, reference.stderr))
    assert found.r2 == pytest.approx(reference.rvalue**2)
    assert (found.curve[:, 2] <= found.curve[:, 1]).all()


def test_a_polynomial_is_found_exactly() -> None:
    x = np.arange(10.0) + 100
    found = fitting.fit(x, 1 - x + 0.5 * x**2, model="poly:2")
    assert found.params == pytest.approx((1, -1, 0.5), rel=1e-4)
    assert found(104.0) == pytest.approx(1 - 104 + 0.5 * 104**2)


@pytest.mark.parametrize(
    ("x", "y", "model", "words"),
    [
        ([1, 2], [1, 2], "linear", "more than 2 points"),
        ([1, 1, 1, 1], [1, 2, 3, 4], "linear", "2 or more places"),
        ([1, 2, 3], [1, 2], "linear", "equally many"),
        ([1, 2, 3], [1, 2, 3], "cubic", "the models are"),
        ([1, 2, 3], [np.nan] * 3, "linear", "not 0 points"),
    ],
)
def test_fit_refuses_what_has_no_curve(x: list[float], y: list[float], model: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        fitting.fit(x, y, model)


def test_a_column_that_mostly_misses_is_left_out_before_rows_are() -> None:
    table = Table({"gust": [None, None, 1.0, None], "temp": [1.0, 2.0, None, 4.0]})
    found = complete(points(Table({"gust": [None] * 9 + [1.0], "temp": [1.0] * 9 + [None]})))
    assert found.names == ("temp",)
    assert len(found) == 9
    assert "more than 20% missing: gust" in found.notes[0]
    assert table["gust"].dtype == float


# NIST Statistical Reference Datasets, nonlinear regression, certified values: Misra1a, y = b1 (1 - exp(-b2 x)).
MISRA_X = [77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0]
MISRA_Y = [10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78]


@pytest.mark.req("r152")
def test_a_formula_is_fitted_to_the_certified_digits() -> None:
    formula = expr("y = 238.942129 b (1 - exp(-0.000550156431 c x))")
    found = fitting.fit(MISRA_X, MISRA_Y, formula)
    assert found.parameters == ("b", "c")
    assert found.params == pytest.approx((1.0, 1.0), rel=1e-6)
    assert np.array(found.errors) * [238.942129, 0.000550156431] == pytest.approx(
        [2.7070075241, 7.2668688436e-6], rel=1e-3
    )
    assert found.residuals @ found.residuals == pytest.approx(0.12455138894, rel=1e-6)
    assert found(77.6) == pytest.approx(MISRA_Y[0] - found.residuals[0])


@pytest.mark.req("r152")
def test_an_exponential_is_found_with_its_errors() -> None:
    x = np.linspace(0, 5, 60)
    y = 3.5 * np.exp(-0.8 * x) + CHANCE.normal(0, 0.01, 60)
    found = fitting.fit(x, y, "exp")
    assert found.params == pytest.approx((3.5, -0.8), abs=4 * max(found.errors))
    assert found.r2 > 0.999
    low, high = found.curve[:, 2], found.curve[:, 3]
    assert (
        np.mean((low < 3.5 * np.exp(-0.8 * found.curve[:, 0])) & (3.5 * np.exp(-0.8 * found.curve[:, 0]) < high)) > 0.5
    )
    assert fitting.fit(x, -y, "exp").params[0] == pytest.approx(-found.params[0], rel=1e-3)


@pytest.mark.req("r152")
def test_a_formula_that_is_a_line_is_the_line() -> None:
    x = np.arange(20.0)
    y = 2 * x + 1 + CHANCE.normal(0, 0.3, 20)
    line, written = fitting.fit(x, y), fitting.fit(x, y, expr("y = a + b x"))
    assert written.params == pytest.approx(line.params)
    assert written.errors == pytest.approx(line.errors, rel=1e-4)
    assert written.curve == pytest.approx(line.curve, rel=1e-4)


def test_a_formula_that_cannot_be_fitted_says_why() -> None:
    with pytest.raises(UsageError, match="has no free name beside x"):
        fitting.fit([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], expr("2x"))
    with pytest.raises(UsageError, match="cannot be told apart"):
        fitting.fit([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0], expr("a b x"))
    with pytest.raises(UsageError, match="needs more than 2 points, not 2"):
        fitting.fit([1.0, 2.0], [1.0, 2.0], "exp")
    with pytest.raises(UsageError, match="linear, poly:1 to poly:10, exp, or a formula"):
        fitting.fit([1.0, 2.0, 3.0], model="cubic")


@pytest.mark.req("r152")
def test_a_frame_is_fitted_to_what_is_drawn_in_it(context: Context) -> None:
    assert context
    window = looks.frame("window")
    looks.axis(window, "time", xrange=(0, 5), yrange=(1, 2), xscale="log")
    assert engine.fit(window) is window
    assert (window.look.x_range, window.look.y_range, window.look.x_scale) == (None, None, "log")
