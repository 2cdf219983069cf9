"""Formulas: what can be said, what cannot, and that nothing else is ever reached."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2.datter.mathematics.expression import expr
from plotter2.datter.mathematics.formula import FUNCTIONS, PARTS_MAX, TEXT_CHARS_MAX, Node
from plotter2.errors import UsageError

NODES = {"number", "name", "function", "negative", "positive", *"+-*/%^"}
X = 1.7
LETTERS = "xyzsincoe0123456789.+-*/^%(), =_[]'\"\\:;@!&|~<>{}lambdaimporteval"
LEAVES = st.sampled_from(["x", "2", "0.5", "3x", "pi"])
FORMULAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", " "]), inner).map(
            lambda three: f"({three[0]}){three[1]}({three[2]})"
        ),
        st.tuples(st.sampled_from(["sin", "cos", "exp", "tanh"]), inner).map(lambda parts: "{}({})".format(*parts)),
        inner.map(lambda one: f"-({one})"),
        inner.map(lambda one: f"({one})^2"),
    ),
    max_leaves=8,
)


def inside(node: Node) -> set[str]:
    return {node.kind}.union(*(inside(part) for part in node.parts))


@pytest.mark.req("r151")
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2x", 2 * X),
        ("y = 2x + 1", 2 * X + 1),
        ("-x^2", -(X**2)),
        ("2^-x", 2**-X),
        ("2x^3", 2 * X**3),
        ("x(x+1)", X * (X + 1)),
        ("(x+1)(x-1)", (X + 1) * (X - 1)),
        ("1/2x", X / 2),
        ("2 pi x", 2 * math.pi * X),
        ("e^x", math.exp(X)),
        ("3sin(x)cos(x)", 3 * math.sin(X) * math.cos(X)),
        ("atan2(x, 2) % 1", math.atan2(X, 2) % 1),
        ("1.5e-3 x", 1.5e-3 * X),
        (".5x", 0.5 * X),
        ("erf(x)", math.erf(X)),
        ("2\N{MULTIPLICATION SIGN}x\N{MIDDLE DOT}x", 2 * X * X),
        ("x\N{SUPERSCRIPT TWO} \N{MINUS SIGN} x\N{SUPERSCRIPT THREE}y", X**2 - X**4),
        ("\N{GREEK SMALL LETTER PI} x \N{DIVISION SIGN} 2", math.pi * X / 2),
    ],
)
def test_a_formula_means_what_it_means_on_paper(text: str, value: float) -> None:
    formula = expr(text)
    assert formula(**dict.fromkeys(formula.names, X)) == pytest.approx(value)


@pytest.mark.req("r151")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "needs a formula as text"),
        ("2x +", "wrong at character"),
        ("(x", "wrong at character"),
        ("x.real", r"'\.' \(character 2\) cannot be part of one"),
        ("__import__('os')", "cannot be part of one"),
        ("[x for x in y]", "cannot be part of one"),
        ("lambda x: x", "cannot be part of one"),
        ("x if y else z", "wrong at character 3"),
        ("not x", "wrong at character"),
        ("sin x", r"sin needs brackets, as sin\(x\)"),
        ("sine(x)", "no function 'sine'; the nearest are 'sin'"),
        ("max(x)", "max takes 2 values, not 1"),
        ("(x, 2)", "a comma stands where"),
        ("2 = x", "before = stands one name"),
        ("x = 3 = 4", "cannot be part of one"),
        ("1.2.3", r"between '1.2' and '.3' \(character 4\) stands no sign"),
        ("x 2", r"between 'x' and '2' \(character 3\) stands no sign"),
        ("1_000x", r"'_' \(character 2\) cannot be part of one"),
        ("__class__", r"'_' \(character 1\) cannot be part of one"),
        ("9" * 400, "a number is larger than 1.8e308"),
        ("(" * 300 + "x" + ")" * 300, "wrong at character"),
        ("x" * 1001, "may have 1000 characters"),
        ("+".join(["x"] * 400), f"more than {PARTS_MAX} parts"),
    ],
)
def test_what_is_no_formula_is_told_where_and_why(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        expr(text)


@pytest.mark.req("r151")
@given(
    text=st.text(
        alphabet=st.sampled_from("xyzsincoe0123456789.+-*/^%(), =_[]'\"\\:;@!&|~<>{}lambdaimporteval"), max_size=60
    )
)
def test_whatever_is_written_becomes_arithmetic_or_is_refused(text: str) -> None:
    try:
        found = expr(text)
    except UsageError:
        return
    assert inside(found._node) <= NODES
    values = dict.fromkeys(found.names, 1.5)
    assert isinstance(found(**values), float)


@pytest.mark.req("r151")
@pytest.mark.parametrize(
    "text",
    [
        "(x-x+9)^999999999",
        "(x/x*9)^999999999",
        "(9x)^999999999",
        "((((9x)^999)^999)^999)^999",
        "((x/9)^-999)^999999",
        "floor(pi^999999999) x",
        "log(9^(x-x+999999999)) x",
        "floor(exp(exp(x-x+99))) x",
        "x%(pi^999999)",
        "(1+1)^(x-x+999999999)",
        "floor(9^(e/e*99999999)) x",
        "sqrt(x-x+2)^9999999999",
        "(x+9^99)^99",
        "9^9^9^9 x",
        "(exp(9) x)^99999",
        "^".join("x" * 60),
        "*".join(f"(x-{place})" for place in range(30)),
    ],
)
def test_no_derivative_works_out_numbers_of_millions_of_digits(text: str) -> None:
    """Sympy would work for minutes and hold hundreds of megabytes at each of these."""
    try:
        found = expr(text).derivative("x")
    except UsageError:
        return
    assert len(found.text) <= TEXT_CHARS_MAX


@pytest.mark.parametrize(
    "text", ["-" * 990 + "x", "+-" * 400 + "1", "(" * 490 + "x" + ")" * 490, "-(" * 300 + "x" + ")" * 300]
)
def test_a_formula_that_is_nested_too_deep_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"is nested more than 300 deep|is not a formula"):
        expr(text)


def test_raised_digits_are_one_number_as_on_paper() -> None:
    for text, power in (("x\u00b2\u00b3", 23), ("x\u00b9\u2070", 10), ("x\u2070\u00b3", 3), ("x\u2077", 7)):
        assert expr(text)(1.1) == pytest.approx(1.1**power)
    assert expr("x\u00b2y\u00b3")(x=2, y=3) == 4 * 27


TOKENS = st.sampled_from([
    "x", "y", "(", ")", "+", "-", "*", "/", "^", "**", ",", "sin(", "floor(", "max(", "9", "999999999", "1e308", ".5",
    "pi", "__class__", "x.__init__", "[0]", "lambda:", "\u00b2", "\u2079", "\uff53in(", "for", "import os", "{x}",
    "'a'*9", "\x00",
])  # fmt: skip


@pytest.mark.req("r151")
@given(parts=st.lists(TOKENS, max_size=14))
def test_whatever_is_put_together_is_computed_and_derived_or_refused(parts: list[str]) -> None:
    """Arithmetic alone comes out: numbers, names and functions of the table, whatever went in."""
    try:
        made = expr("".join(parts))
        assert inside(made._node) <= NODES
        assert all(name.isidentifier() and not name.startswith("_") for name in made.names)
        assert isinstance(made(**dict.fromkeys(made.names, 1.5)), float)
        assert len(made.derivative("x").text) <= TEXT_CHARS_MAX
    except UsageError:
        return


def test_numbers_without_end_are_infinite_at_once() -> None:
    assert expr("9^9^9^9^9")() == math.inf
    with pytest.raises(UsageError, match=r"beyond 1\.8e308"):
        expr("9^9^9^9 x").derivative("x")
    assert expr("x^(2^40)").derivative()(1.0) == pytest.approx(2.0**40)


def test_ranges_and_constants() -> None:
    line = expr("y = a x + b", x=(0, 10, 5), a=2, b=1)
    assert line.x.tolist() == [0, 2.5, 5, 7.5, 10]
    assert line.y.tolist() == [1, 6, 11, 16, 21]
    assert (line.name, line.variable, line.names) == ("y", "x", ("x",))
    field = expr("x y", x=np.array([1, 2, 3]), y=(0, 1, 2))
    assert field.y.tolist() == [[0, 1], [0, 2], [0, 3]]
    assert expr("4").__call__() == 4
    assert np.isnan(expr("log(x)")(-1.0))


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ({"z": 1}, "has no name 'z'"),
        ({"x": (0, 0, 5)}, "A range is"),
        ({"x": (0, 1, 1)}, "2 to 1,000,000 terms"),
        ({"x": (0, math.inf)}, "A range is"),
        ({"x": [[1, 2, 3, 4]]}, "a list of 1 to"),
    ],
)
def test_a_range_that_is_none_is_refused(given_: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        expr("2x", **given_)


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ({"x": "ab"}, "not text"), ({"x": ("a", "b")}, "what holds text"), ({"a": None}, "not nothing"),
        ({"a": 1j}, "Complex numbers"), ({"a": 10**400}, "larger than 1.8e308"),
    ],
)  # fmt: skip
def test_a_value_that_is_no_number_is_refused(given_: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        expr("a x", **given_)
    with pytest.raises(UsageError, match=said):
        expr("a x", **{"a": 1, "x": (0, 1)} | dict.fromkeys(given_, 1))(**given_)


def test_ranges_that_are_many_together_are_limited() -> None:
    places = (0, 1, 2000)
    with pytest.raises(UsageError, match="8,000,000,000 values over its ranges; at most 50,000,000"):
        _ = expr("x y z", x=places, y=places, z=places).y


def test_a_name_without_a_value_is_asked_for() -> None:
    with pytest.raises(UsageError, match="a, b must be given a value, as a=1"):
        expr("a x + b", x=(0, 1))()
    with pytest.raises(UsageError, match="one variable is needed here; its names are x, y"):
        expr("x + y")(1.0)
    with pytest.raises(UsageError, match="x needs a range"):
        _ = expr("2x").x


@pytest.mark.req("r125")
@given(text=FORMULAS)
def test_a_derivative_is_the_slope(text: str) -> None:
    found = expr(text)
    if "x" not in found.names:
        assert found.derivative("x")(x=0.3) == 0 if set(found._node.names()) & {"x"} else True
        return
    slope = found.derivative("x")
    step = 1e-6
    measured = (found(0.3 + step) - found(0.3 - step)) / (2 * step)
    known = slope(x=0.3) if "x" in slope.names else slope()
    assert known == pytest.approx(measured, rel=1e-3, abs=1e-3)


@pytest.mark.req("r125")
def test_a_derivative_is_a_formula_again() -> None:
    slope = expr("y = a x^2 + sin(x)", x=(0, 1, 3), a=2).derivative()
    assert (slope.name, slope.text) == ("dy/dx", "2*a*x + cos(x)")
    assert slope.y == pytest.approx([1.0, 2 + math.cos(0.5), 4 + math.cos(1.0)])
    assert slope.derivative()(0.0) == pytest.approx(4.0)
    with pytest.raises(UsageError, match="has no derivative that can be written"):
        expr("floor(x)").derivative()
    with pytest.raises(UsageError, match="has no variable 'z'"):
        expr("x").derivative("z")


def test_every_function_takes_numbers_and_arrays() -> None:
    places = np.array([0.25, 0.5, 0.75])
    for name in FUNCTIONS:
        text = f"{name}(x, 0.5)" if name in {"min", "max", "atan2"} else f"{name}(x)"
        assert expr(text)(places).shape == (3,)
