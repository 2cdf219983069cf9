"""fit beside NIST's certified values, statsmodels and exact arithmetic: formulas, weights, bad conditions, extremes."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm

from plotter2.datter.figures import visuals
from plotter2.datter.mathematics import engine
from plotter2.datter.mathematics.expression import expr
from plotter2.datter.mathematics.fitting import DEGREE_MAX, Fit, fit
from plotter2.datter.values.group import DataGroup
from plotter2.datter.values.table import Table
from plotter2.errors import ScriptError, UsageError
from tests.unit.datter.kit import Bench, scope_of, written

X = np.arange(10.0)
NONE = Fraction(0)
THREE: Any = 3
CHANCE = np.random.default_rng(5)
NIST: dict[str, tuple[str, list[float], list[float], list[float], list[float], float]] = {
    "Misra1a": (
        "y = b (1 - exp(-c x))",
        [77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0],
        [10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78],
        [2.3894212918e02, 5.5015643181e-04], [2.7070075241e00, 7.2668688436e-06], 1.2455138894e-01,
    ),
    "DanWood": (
        "y = b x^c", [1.309, 1.471, 1.490, 1.565, 1.611, 1.680], [2.138, 3.421, 3.597, 4.340, 4.882, 5.660],
        [7.6886226176e-01, 3.8604055871e00], [1.8281973860e-02, 5.1726610913e-02], 4.3173084083e-03,
    ),
    "BoxBOD": (
        "y = b (1 - exp(-c x))", [1, 2, 3, 5, 7, 10], [109, 149, 149, 191, 213, 224],
        [2.1380940889e02, 5.4723748542e-01], [1.2354515176e01, 1.0455993237e-01], 1.1680088766e03,
    ),
    "Rat42": (
        "y = b / (1 + exp(c - d x))", [9, 14, 21, 28, 42, 57, 63, 70, 79],
        [8.930, 10.800, 18.590, 22.330, 39.350, 56.110, 61.730, 64.620, 67.080],
        [7.2462237576e01, 2.6180768402e00, 6.7359200066e-02], [1.7340283401e00, 8.8295217536e-02, 3.4465663377e-03],
        8.0565229338e00,
    ),
    "MGH09": (
        "y = b (x^2 + x c) / (x^2 + x d + f)", [4, 2, 1, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625],
        [0.1957, 0.1947, 0.1735, 0.1600, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246],
        [1.9280693458e-01, 1.9128232873e-01, 1.2305650693e-01, 1.3606233068e-01],
        [1.1435312227e-02, 1.9633220911e-01, 8.0842031232e-02, 9.0025542308e-02], 3.0750560385e-04,
    ),
    "MGH10": (
        "y = b exp(c / (x + d))", [50 + 5.0 * place for place in range(16)],
        [34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744, 8261, 7030, 6005, 5147, 4427, 3820, 3307, 2872],
        [5.6096364710e-03, 6.1813463463e03, 3.4522363462e02], [1.5687892471e-04, 2.3309021107e01, 7.8486103508e-01],
        8.7945855171e01,
    ),
}  # fmt: skip
"""Statistical Reference Datasets, nonlinear: formula, x, y; certified values, their errors, sum of squares."""


@pytest.mark.req("r152")
@pytest.mark.parametrize("name", NIST)
def test_formulas_are_fitted_to_certified_values_without_being_told_where_to_begin(name: str) -> None:
    formula, x, y, values, errors, squares = NIST[name]
    found = fit(x, y, expr(formula))
    assert found.params == pytest.approx(values, rel=1e-6)
    assert found.errors == pytest.approx(errors, rel=1e-6)
    assert found.residuals @ found.residuals == pytest.approx(squares, rel=1e-8)


@pytest.mark.req("r152")
@pytest.mark.parametrize(
    ("formula", "values"),
    [
        ("y = a sin(b x + c)", (2.0, 5.0, 0.4)),
        ("y = a / (1 + exp(-b (x - c)))", (100.0, 1.2, 5.0)),
        ("y = a exp(-((x - m) / s)^2)", (1e6, 4.5, 0.8)),
        ("y = a x + b", (5e9, 3e9)),
        ("y = a x / (k + x)", (7.0, 0.3)),
        ("y = a exp(b x) + c", (3.0, -0.7, 20.0)),
        ("y = a exp(b x)", (1e300, 1.0)),
        ("y = a exp(b x)", (1e-300, 1.0)),
        ("y = a exp(b x)", (-4.0, 0.0)),
    ],
)
def test_what_a_formula_made_is_found_again(formula: str, values: tuple[float, ...]) -> None:
    x = np.linspace(0, 10, 120)
    curve = expr(formula)
    names = [name for name in curve.names if name != "x"]
    y = curve(**dict(zip(names, values, strict=True)), x=x)
    found = fit(x, y, curve)
    assert found(x) == pytest.approx(y, rel=1e-6, abs=1e-8 * np.abs(y).max())
    assert found.params[1] == pytest.approx(values[1], rel=1e-6, abs=1e-9)
    assert np.isfinite(found.curve).all()


def exactly(x: list[float], y: list[float], terms: int, weights: list[float]) -> list[Fraction]:
    """Least squares by the normal equations, in fractions."""
    powers = [[Fraction(one) ** power for power in range(terms)] for one in x]
    rows = [
        [sum((Fraction(w) * p[i] * p[j] for p, w in zip(powers, weights, strict=True)), NONE) for j in range(terms)]
        + [sum((Fraction(w) * p[i] * Fraction(v) for p, v, w in zip(powers, y, weights, strict=True)), NONE)]
        for i in range(terms)
    ]
    for i in range(terms):
        rows[i] = [one / rows[i][i] for one in rows[i]]
        for j in range(terms):
            if j != i:
                rows[j] = [one - rows[j][i] * pivot for one, pivot in zip(rows[j], rows[i], strict=True)]
    return [row[-1] for row in rows]


@pytest.mark.req("r152")
@pytest.mark.parametrize(("degree", "start"), [(1, 1e6), (3, 0.0), (5, 30.0), (DEGREE_MAX, -9.0)])
def test_badly_conditioned_polynomials_are_those_of_exact_arithmetic(degree: int, start: float) -> None:
    x = (start + np.linspace(0, 6, 25)).tolist()
    y, weights = CHANCE.normal(size=25).tolist(), CHANCE.uniform(0.5, 2, 25).tolist()
    found = fit(x, y, f"poly:{degree}", weights=weights)
    exact = exactly(x, y, degree + 1, weights)
    at = [sum(value * Fraction(one) ** power for power, value in enumerate(exact)) for one in x]
    assert found(x) == pytest.approx([float(one) for one in at], abs=1e-11)
    assert found.params == pytest.approx([float(one) for one in exact], rel=1e-6)


@pytest.mark.req("r152")
@pytest.mark.parametrize("degree", [1, 2, 5])
def test_polynomials_and_their_bands_are_those_of_statsmodels(degree: int) -> None:
    x = np.sort(CHANCE.uniform(-3, 900, 60))
    y = 2 + 0.3 * x - 0.001 * x**2 + CHANCE.normal(0, 5, 60)
    for weights in (None, CHANCE.uniform(0.2, 4, 60)):
        found = fit(x, y, f"poly:{degree}" if degree > 1 else "linear", weights)
        powers = np.vander(x / 900, degree + 1, increasing=True)
        reference = sm.WLS(y, powers, weights=1 if weights is None else weights).fit()
        units = 900.0 ** np.arange(degree + 1)
        assert np.array(found.params) * units == pytest.approx(reference.params, rel=1e-9)
        assert np.array(found.errors) * units == pytest.approx(reference.bse, rel=1e-9)
        assert found.r2 == pytest.approx(reference.rsquared)
        band = reference.get_prediction(np.vander(found.curve[:, 0] / 900, degree + 1, increasing=True)).conf_int()
        assert found.curve[:, 2:] == pytest.approx(band, rel=1e-7)


@pytest.mark.req("r152")
def test_weights_are_those_of_statsmodels() -> None:
    weights = CHANCE.uniform(0.2, 3, 10)
    y = 1 + 2 * X + CHANCE.normal(size=10) / np.sqrt(weights)
    reference = sm.WLS(y, sm.add_constant(X), weights=weights).fit()
    table = Table({"x": X, "y": y, "w": weights})
    for found in (fit(X, y, weights=weights), fit(table, weights="w"), fit(X, y, expr("y = a + b x"), weights)):
        assert found.params == pytest.approx(reference.params)
        assert found.errors == pytest.approx(reference.bse)
        assert found.r2 == pytest.approx(reference.rsquared)
        band = reference.get_prediction(sm.add_constant(found.curve[:, 0])).conf_int()
        assert found.curve[:, 2:] == pytest.approx(band)
    assert fit(X, y, weights=[*[1.0] * 9, 0.0]).params == pytest.approx(fit(X[:9], y[:9]).params)


@pytest.mark.parametrize(
    ("of_x", "of_y"), [(1e-300, 1.0), (1e-150, 1e150), (1.0, 1e300), (1e300, 1e300), (1e300, 1e-300)]
)
def test_units_of_x_and_y_change_the_numbers_and_nothing_else(of_x: float, of_y: float) -> None:
    y = 1 + 0.5 * X + np.sin(7 * X)
    plain, found = fit(X, y), fit(X * of_x, y * of_y)
    assert found.r2 == pytest.approx(plain.r2)
    assert found.params[0] / of_y == pytest.approx(plain.params[0])
    assert found.errors[0] / of_y == pytest.approx(plain.errors[0])
    assert found.curve[:, 2] / of_y == pytest.approx(plain.curve[:, 2])


@pytest.mark.req("r152")
def test_what_is_left_out_is_said_and_drawn_with_it() -> None:
    y = [1.0, 2.1, None, 3.9, np.inf, 6.2]
    found = fit(y, weights=[1, 1, 1, 0, 1, 1])
    assert found.notes == (
        "2 of 6 points left out: a value is missing or infinite.", "1 of 6 points left out: its weight is 0.",
    )  # fmt: skip
    assert set(found.notes) <= set(visuals.fitted(found).notes)
    assert found.x.tolist() == [0, 1, 5]


@pytest.mark.req("r152")
def test_times_are_seconds_and_a_group_of_numbers_lies_at_its_keys() -> None:
    days = np.array(["2024-01-01", "2024-01-02", "2024-01-04", "2024-01-05"], "M8[D]")
    for found in (fit(days, [0.0, 1, 3, 4]), fit(Table({"when": days, "y": [0.0, 1, 3, 4]}))):
        assert found.params[1] * 86_400 == pytest.approx(1)
        assert found.names[0] == "seconds since 2024-01-01T00:00:00"
    assert fit(DataGroup.of([0.0, 20.0, 60.0, 80.0], keys=[0, 10, 30, 40])).params[1] == pytest.approx(2)
    assert fit(days.astype(object), [0.0, 1, 3, 4]).params[1] * 86_400 == pytest.approx(1)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: fit(X, X, weights=[1.0]), "1 weights for 10 points"),
        (lambda: fit(X, X, weights=[-1.0] * 10), "weights are 0 or more"),
        (lambda: fit(X, X, weights="w"), "names a column, so it needs a table, not an array"),
        (lambda: fit(Table({"x": X, "y": X}), weights="v"), "no column of the table 'v'"),
        (lambda: fit(X, X, start={"a": 1.0}), "only a formula has a start"),
        (lambda: fit(X, X, expr("a x"), start={"b": 1.0}), "no free name 'b' to start; there are 'a'"),
        (lambda: engine.fit(X, X, expr("a x"), start=THREE), "start is a value for each of some names"),
        (lambda: fit(X, X, expr("y = a t")), "a formula runs over x, or over the one name that has a range"),
        (lambda: fit(np.ones((5, 3))), "here are 3 columns; say which two"),
        (lambda: fit(X * 5e-324, X), "go beyond 1.8e308; give x in another unit"),
        (lambda: fit(X, X * 0, "exp"), "some of its names cannot be told apart"),
        (lambda: fit(X, X, expr("y = a log(-x - 1)")), "no numbers were found with which"),
        (lambda: fit([0, 0, 1, 1], [1, 2, 3, 4], "poly:2"), "3 or more places, not 4 points at 2"),
    ],
)
def test_what_has_no_curve_says_what_would(call: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        call()


@pytest.mark.req("r152", "r098")
@pytest.mark.parametrize(
    ("step", "values"),
    [
        ("fit", (0, 2)), ({"fit": "poly:2"}, (0, 2, 0)), (["fit", {"model": "linear"}], (0, 2)),
        ({"fit": {"model": "y = a x + b", "start": {"a": 3}}}, (2, 0)), ({"fit": "y = a x"}, (2,)),
        ({"fit": {"weights": "w"}}, (0, 2)),
    ],
)  # fmt: skip
def test_a_pipeline_fits_all_that_a_script_can(step: Any, values: tuple[float, ...], tmp_path: Path) -> None:
    weight = ",w" if "weights" in json.dumps(step) else ""
    rows = "".join(f"{x},{2 * x}{',1' * bool(weight)}\n" for x in range(6))
    bench = Bench(tmp_path / "out")
    found = bench.run(["access", step], scope_of(written(tmp_path / "in", {"t.csv": f"x,y{weight}\n{rows}"})))
    assert found.results["params"] == pytest.approx(values, abs=1e-9)


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ({"fit": "cubic"}, "the models are linear, poly:1 to poly:10, exp, or a formula as 'y = a x^b', not 'cubic'"),
        ({"fit": {"model": "y = a +"}}, "is not a formula: it is wrong at character"),
    ],
)
def test_a_model_that_is_none_is_refused_before_anything_runs(step: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(ScriptError) as wrong:
        Bench(tmp_path).run(["access", step])
    assert said in str(wrong.value)
    assert "step 2 (fit)" in str(wrong.value)


def test_a_script_fits_a_formula_that_is_text(context: object) -> None:
    assert context
    found = engine.fit(X, 3 * X**2, model="y = a x^b")
    assert isinstance(found, Fit)
    assert found.params == pytest.approx((3, 2))
    assert found(2.0) == pytest.approx(12)
    again = engine.fit(3 * X, "y = a x")
    assert isinstance(again, Fit)
    assert again.params == pytest.approx((3,))
