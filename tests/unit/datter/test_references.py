"""Mathematics beside independent references: NIST's certified values, statsmodels, scipy, and Python's own numbers.

The NIST Statistical Reference Datasets (https://www.itl.nist.gov/div898/strd/) are given with their certified values.
"""

from __future__ import annotations

import cmath
import math
import statistics
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import scipy.integrate
import scipy.stats
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.multivariate.pca import PCA

from plotter2.datter.builtins import TABLE
from plotter2.datter.mathematics import cluster, fitting, stats, trigonometry
from plotter2.datter.mathematics.calculus import derivative, integral
from plotter2.datter.mathematics.expression import expr
from plotter2.datter.values.group import DataGroup
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError

CHANCE = np.random.default_rng(11)
TRIGONOMETRY = sorted(trigonometry.TRIGONOMETRY)
MATHEMATICS = [
    "mean", "median", "mode", "stddev", "product", "l2norm", "l1norm", "cosine_simularity", "cosine_similarity",
    "derivative", "integral", "expr", "pca", "kmean", "fit", "boxer", *TRIGONOMETRY,
]  # fmt: skip


@pytest.mark.parametrize("name", MATHEMATICS)
def test_every_word_of_mathematics_says_shapes_units_errors_and_its_source(name: str) -> None:
    doc = TABLE[name].call.__doc__ or ""
    for part in ("\n    Shapes: ", "\n    Units: ", "\n    Definition: ", "\n    Raises:\n        UsageError: "):
        assert part in doc, part
    first = doc.splitlines()[0]
    assert first.endswith((".", ")"))
    assert len(first) > 10


# StRD univariate: values, certified mean, standard deviation (n - 1).
NUM_ACC1 = [10000001.0, 10000003.0, 10000002.0]
NUM_ACC2 = [1.2] + [1.1, 1.3] * 500
NUM_ACC3 = [1000000.2] + [1000000.1, 1000000.3] * 500
NUM_ACC4 = [10000000.2] + [10000000.1, 10000000.3] * 500


@pytest.mark.req("r111", "r114")
@pytest.mark.parametrize(
    ("values", "mean", "deviation"),
    [(NUM_ACC1, 10000002.0, 1.0), (NUM_ACC2, 1.2, 0.1), (NUM_ACC3, 1000000.2, 0.1), (NUM_ACC4, 10000000.2, 0.1)],
    ids=["NumAcc1", "NumAcc2", "NumAcc3", "NumAcc4"],
)
def test_certified_means_and_deviations(values: list[float], mean: float, deviation: float) -> None:
    assert stats.mean(values) == pytest.approx(mean, rel=1e-14)
    assert stats.stddev(values, ddof=1) == pytest.approx(deviation, rel=1e-7)  # what float64 holds of the data


# StRD linear regression "Norris": 36 pairs of y and x; intercept, slope, their errors, deviation, R2.
NORRIS = [
    (0.1, 0.2), (338.8, 337.4), (118.1, 118.2), (888.0, 884.6), (9.2, 10.1), (228.1, 226.5), (668.5, 666.3),
    (998.5, 996.3), (449.1, 448.6), (778.9, 777.0), (559.2, 558.2), (0.3, 0.4), (0.1, 0.6), (778.1, 775.5),
    (668.8, 666.9), (339.3, 338.0), (448.9, 447.5), (10.8, 11.6), (557.7, 556.0), (228.3, 228.1), (998.0, 995.8),
    (888.8, 887.6), (119.6, 120.2), (0.3, 0.3), (0.6, 0.3), (557.6, 556.8), (339.3, 339.1), (888.0, 887.2),
    (998.5, 999.0), (778.9, 779.0), (10.2, 11.1), (117.6, 118.3), (228.9, 229.2), (668.4, 669.1), (449.2, 448.9),
    (0.2, 0.5),
]  # fmt: skip


@pytest.mark.req("r152")
def test_a_certified_line() -> None:
    y, x = np.array(NORRIS).T
    found = fitting.fit(x, y)
    assert found.params == pytest.approx((-0.262323073774029, 1.00211681802045), rel=1e-10)
    assert found.errors == pytest.approx((0.232818234301152, 0.429796848199937e-03), rel=1e-10)
    assert found.r2 == pytest.approx(0.999993745883712, rel=1e-12)
    assert math.sqrt(found.residuals @ found.residuals / 34) == pytest.approx(0.884796396144373, rel=1e-10)


@pytest.mark.req("r152")
@pytest.mark.parametrize(("name", "value"), [("Wampler1", 0.0), ("Wampler2", 0.0)])
def test_certified_polynomials_of_degree_five(name: str, value: float) -> None:
    x = np.arange(21.0)
    step = 1.0 if name == "Wampler1" else 0.1
    y = np.polynomial.polynomial.polyval(x, step ** np.arange(6))
    found = fitting.fit(x, y, model="poly:5")
    assert found.params == pytest.approx(tuple(step ** np.arange(6)), rel=1e-7, abs=1e-8)
    assert found.errors == pytest.approx((value,) * 6, abs=1e-6)
    assert found.r2 == pytest.approx(1.0, abs=1e-12)


@pytest.mark.req("r152")
def test_lines_and_their_bands_are_those_of_statsmodels() -> None:
    x = CHANCE.uniform(-3, 8, 60)
    y = 2.5 - 0.7 * x + CHANCE.normal(0, 0.4, 60)
    found, reference = fitting.fit(x, y), sm.OLS(y, sm.add_constant(x)).fit()
    assert found.params == pytest.approx(reference.params)
    assert found.errors == pytest.approx(reference.bse)
    assert found.r2 == pytest.approx(reference.rsquared)
    band = reference.get_prediction(sm.add_constant(found.curve[:, 0])).conf_int()
    assert found.curve[:, 2:] == pytest.approx(band)


@pytest.mark.req("r123")
def test_components_are_those_of_statsmodels() -> None:
    data = CHANCE.normal(size=(80, 5)) @ CHANCE.normal(size=(5, 5))
    table = Table({f"c{place}": data[:, place] for place in range(5)})
    found, reference = cluster.pca(table, 3), PCA(data, ncomp=5, standardize=True, method="svd")
    assert np.abs(found.components) == pytest.approx(np.abs(reference.loadings.T[:3]))
    assert found.explained == pytest.approx((reference.eigenvals / reference.eigenvals.sum())[:3])


@pytest.mark.req("r124")
def test_clusters_of_fishers_irises_have_the_published_inertia() -> None:
    from sklearn.datasets import load_iris  # noqa: PLC0415 -- heavy, and only here

    data = load_iris().data
    found = cluster.kmean(data, 3, starts=10)
    assert found.inertia == pytest.approx(78.851441426, rel=1e-6)  # the least for k = 3, as the literature has it
    assert sorted(found.sizes) == [38, 50, 62]


NUMBERS = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=40)


@given(NUMBERS)
@pytest.mark.req("r111", "r112", "r114", "r115", "r116", "r117")
def test_reductions_are_those_of_exact_arithmetic(values: list[float]) -> None:
    exact = [Fraction(value) for value in values]
    size = max(map(abs, exact)) or 1
    assert stats.mean(values) == pytest.approx(float(sum(exact) / len(exact)), abs=float(size) * 1e-15)
    assert stats.median(values) == pytest.approx(float(statistics.median(exact)), abs=float(size) * 1e-15)
    assert stats.stddev(values, ddof=1) == pytest.approx(statistics.stdev(values), rel=1e-9, abs=float(size) * 1e-12)
    assert stats.l1norm(values) == pytest.approx(float(sum(map(abs, exact))))
    assert stats.l2norm(values) == pytest.approx(math.hypot(*values))
    assert stats.product(values[:5]) == pytest.approx(math.prod(values[:5]), rel=1e-12)


@pytest.mark.req("r119", "r120", "r121", "r122")
@pytest.mark.parametrize("at", [0.1, -0.7, 0.99])
def test_trigonometry_is_that_of_the_c_library(at: float) -> None:
    ours = trigonometry.TRIGONOMETRY
    plain = {"sine": "sin", "sin": "sin", "cos": "cos", "cosine": "cos", "tan": "tan", "asin": "asin", "acos": "acos",
             "atan": "atan", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "asinh": "asinh", "atanh": "atanh",
             "deg": "degrees", "rad": "radians"}  # fmt: skip
    for name, theirs in plain.items():
        assert ours[name](at) == pytest.approx(getattr(math, theirs)(at), rel=1e-15)
    assert ours["acosh"](1 + abs(at)) == pytest.approx(math.acosh(1 + abs(at)))
    assert ours["atan2"](at, -2.0) == math.atan2(at, -2.0)
    assert (ours["sec"](at), ours["csc"](at), ours["cot"](at)) == pytest.approx(
        (1 / math.cos(at), 1 / math.sin(at), 1 / math.tan(at))
    )
    assert set(plain) | {"acosh", "atan2", "sec", "csc", "cot"} == set(ours)


COMPLEX = [3 + 4j, 1 - 2j, -1j]


@pytest.mark.req("r111", "r114", "r115", "r116", "r117", "r119", "r125", "r126")
def test_complex_numbers_are_taken_where_the_definition_holds() -> None:
    mean = sum(COMPLEX) / 3
    assert stats.mean(COMPLEX) == pytest.approx(mean)
    assert stats.stddev(COMPLEX) == pytest.approx(math.sqrt(sum(abs(one - mean) ** 2 for one in COMPLEX) / 3))
    assert stats.product(COMPLEX) == pytest.approx(math.prod(COMPLEX))
    assert stats.l1norm(COMPLEX) == pytest.approx(sum(map(abs, COMPLEX)))
    assert stats.l2norm(COMPLEX) == pytest.approx(math.sqrt(5 + 25 + 1))
    assert trigonometry.TRIGONOMETRY["sine"](COMPLEX[0]) == pytest.approx(cmath.sin(COMPLEX[0]))
    assert trigonometry.TRIGONOMETRY["acosh"](-2 + 0j) == pytest.approx(cmath.acosh(-2))
    assert derivative(COMPLEX).tolist() == pytest.approx(np.gradient(COMPLEX).tolist())
    assert integral(COMPLEX)[-1] == pytest.approx(scipy.integrate.trapezoid(COMPLEX))
    assert integral(COMPLEX, bounds=(0, 2)) == pytest.approx(scipy.integrate.trapezoid(COMPLEX))


@pytest.mark.parametrize(
    "call",
    [
        stats.median, stats.mode, stats.cosine_simularity, cluster.pca, cluster.kmean, cluster.scale, fitting.fit,
        TABLE["deg"].call, TABLE["boxer"].call, lambda value: cluster.pca(Table({"z": value, "a": [1.0, 2, 3]}), 1),
    ],
)  # fmt: skip
def test_complex_numbers_are_refused_where_an_order_is_needed(call: Callable[[Any], Any], context: object) -> None:
    assert context
    with pytest.raises(UsageError, match="Complex numbers have no order"):
        call(COMPLEX)


@pytest.mark.parametrize("name", ["mean", "median", "mode", "stddev", "product", "l1norm", "l2norm"])
def test_missing_values_stay_missing(name: str) -> None:
    for values in ([1.0, np.nan, 2.0], [1, None, 2]):
        assert math.isnan(TABLE[name].call(values))
    along = TABLE[name].call(np.array([[1.0, np.nan], [2.0, 3.0]]), axis=1)
    assert np.isnan(along).tolist() == [True, False]


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("mean", [1.7e308, 1.7e308], 1.7e308), ("median", [1.7e308, 1.7e308], 1.7e308),
        ("stddev", [1e300, -1e300], 1e300), ("mean", [2**70, 2**70], 2.0**70), ("mode", [2**70, 1, 2**70], 2.0**70),
        ("product", [1e300, 1e300], math.inf), ("product", [0.0, -2.0], -0.0), ("l1norm", [-(2**63), 0], 2.0**63),
        ("mean", np.array([2**62, 2**62]), 2.0**62), ("mean", np.array([200, 200], np.uint8), 200.0),
        ("stddev", np.array([-128, 127], np.int8), 127.5), ("l1norm", np.array([-128, -128], np.int8), 256.0),
        ("product", np.array([200, 200], np.uint8), 40_000), ("mean", [True, False], 0.5), ("median", [True, True], 1),
        ("stddev", [7, 7, 7], 0.0), ("mode", [3, 1, 3, 1], 1), ("mean", [5e-324, 5e-324], 5e-324),
    ],
)  # fmt: skip
def test_constant_whole_and_extreme_numbers(name: str, values: Any, expected: float) -> None:
    assert TABLE[name].call(values) == pytest.approx(expected, rel=1e-12, abs=0)


@pytest.mark.req("r113")
def test_the_mode_of_text_is_the_commonest_word() -> None:
    assert stats.mode(["b", "a", "b", "a", "c"]) == "a"
    assert stats.mode(np.array(["x", "x", "y"])) == "x"
    assert stats.mode(Table({"who": ["u", "v", "v"]})["who"]) == "v"
    assert stats.mode(["a", None, "a"]) is None


def test_an_axis_that_is_not_there_is_refused() -> None:
    for name in ("mean", "median", "mode", "stddev", "product", "l1norm", "l2norm"):
        with pytest.raises(UsageError, match="The data has 1 axes, so there is no axis 1"):
            TABLE[name].call([1.0, 2.0], axis=1)


VECTORS = st.lists(st.integers(-16_000, 16_000).map(lambda value: value / 16), min_size=3, max_size=3)


@pytest.mark.req("r118")
@given(VECTORS, VECTORS)
def test_cosines_are_scipys(one: list[float], two: list[float]) -> None:
    from scipy.spatial.distance import cosine  # noqa: PLC0415 -- heavy, and only here

    found = stats.cosine_simularity(one, two)
    if not any(one) or not any(two):
        assert math.isnan(found)
    else:
        assert found == pytest.approx(1 - cosine(one, two), abs=1e-7)


@pytest.mark.req("r125", "r126")
def test_slopes_and_areas_are_those_of_the_function() -> None:
    x = np.sort(CHANCE.uniform(0, 2 * np.pi, 4000))
    assert derivative(np.sin(x), x)[1:-1] == pytest.approx(np.cos(x)[1:-1], abs=1e-2)
    assert integral(np.sin(x), x, bounds=(1, 3)) == pytest.approx(math.cos(1) - math.cos(3), abs=1e-4)
    assert integral(expr("exp(-x^2)"), bounds=(-8, 8)) == pytest.approx(math.sqrt(math.pi))
    assert derivative(np.arange(5, dtype=np.uint8)[::-1]).tolist() == [-1] * 5
    assert integral(np.array([250, 250, 250], np.uint8)).tolist() == [0, 250, 500]
    assert derivative(DataGroup.of([[1e308, -1e308, 1e308]])).values[0].tolist()[1] == 0


def test_the_spread_of_a_sample_is_scipys() -> None:
    values = CHANCE.normal(size=(7, 9))
    assert stats.stddev(values, axis=0, ddof=1) == pytest.approx(scipy.stats.tstd(values, axis=0))
    assert stats.mode(np.round(values), axis=1).tolist() == scipy.stats.mode(np.round(values), axis=1).mode.tolist()
