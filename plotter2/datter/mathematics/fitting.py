"""fit: lines, polynomials, exponentials and any formula by least squares, with standard errors (requirement 152).

Definition: (weighted) ordinary least squares, for formulas by Levenberg and Marquardt (MINPACK, as scipy has it) from
the best of many beginnings; standard errors from the residual variance with n - p degrees of freedom, for formulas
linearised at the solution; the band is the mean's 95 % confidence band by Student's t. Nothing is squared that a
decomposition can give (QR, singular values), so badly conditioned data keeps its digits. From 256 MiB on, as float64,
points are gone over by blocks (`least`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

from plotter2.datter.mathematics.descent import independent, nearest_to, slopes_of
from plotter2.datter.mathematics.expression import Expr, expr
from plotter2.datter.mathematics.least import Curve, Many, many
from plotter2.datter.mathematics.samples import Samples, samples
from plotter2.datter.mathematics.starting import beginnings
from plotter2.datter.values.keys import nearest
from plotter2.errors import UsageError

Floats = NDArray[np.float64]
DEGREE_MAX = 10
CURVE_POINTS = 200
CONFIDENCE = 0.95
EXPONENTIAL = "exp"


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A fitted curve.

    Attributes:
        params: coefficients, lowest power first; of a formula its free names, in their order there.
        errors: the standard error of each.
        parameters: what they are called.
        r2: share of the variance that the curve explains; NaN for constant data.
        x, y: the places and values that it was fitted to.
        residuals: y less the curve.
        curve: x, y, lower and upper edge of the 95 % band, as four columns.
        notes: what was left out and why.
        centred: of a polynomial its Chebyshev coefficients over (x - middle) / half, middle and half.
    """

    model: str
    params: tuple[float, ...]
    errors: tuple[float, ...]
    r2: float
    x: Floats
    y: Floats
    residuals: Floats
    curve: Floats
    parameters: tuple[str, ...] = ()
    names: tuple[str, str] = ("x", "y")
    formula: Expr | None = None
    notes: tuple[str, ...] = ()
    centred: tuple[tuple[float, ...], float, float] = ((), 0.0, 1.0)

    def __call__(self, x: Any) -> Any:
        """The curve's value at x."""
        if self.formula is None:
            coefficients, middle, half = self.centred
            found = chebyshev.chebval((np.asarray(x, float) - middle) / half, coefficients)
            return found if np.ndim(found) else float(found)
        values = dict(zip(self.parameters, self.params, strict=True))
        return self.formula(**values, **{_variable(self.formula): x})

    @property
    def written(self) -> str:
        """The curve as a formula with its numbers."""
        if self.formula is None:
            parts = [
                f"{'-' if value < 0 else '+'} {abs(value):.4g}{('', ' x', f' x^{power}')[min(power, 2)]}"
                for power, value in enumerate(self.params)
            ]
            return " ".join(parts).removeprefix("+ ")
        found = ", ".join(f"{name} = {value:.4g}" for name, value in zip(self.parameters, self.params, strict=True))
        return f"{self.formula.text.partition('=')[2].strip() or self.formula.text}, {found}"


def fit(
    data: Any,
    other: Any = None,
    model: str | Expr = "linear",
    weights: Any = None,
    start: Mapping[str, float] | None = None,
) -> Fit:
    """A curve through data: y over its place, y over x (two arguments), or two columns.

    Models: linear (as poly:1), poly:2 to poly:10, exp (a·e^(bx)), or a formula whose names but x are found.

    Raises:
        UsageError: an unknown model, too few points, no spread in x, or a formula that no numbers fit.
    """
    if not isinstance(start, Mapping | None):
        raise UsageError(f"fit: start is a value for each of some names, as {{'a': 2.0}}, not {start!r}.")
    whole = many(data, other, weights)
    given = samples(data, other, weights) if whole is None else whole.sample()
    if isinstance(model, Expr) or model == EXPONENTIAL:
        found = _by_formula(given, model if isinstance(model, Expr) else expr("y = a exp(b x)"), start or {})
    elif start is not None:
        raise UsageError("fit: only a formula has a start; a polynomial is found without one.")
    else:
        found = _by_polynomial(given, model)
    if whole is None:
        return found
    return _polynomial_of(found, whole) if found.formula is None else _formula_of(found, found.formula, whole)


def _polynomial_of(begun: Fit, whole: Many) -> Fit:
    """The same polynomial through all of many points."""
    terms, (low, high) = len(begun.params), whole.extent()
    centre, half = high / 2 + low / 2, high / 2 - low / 2
    triangle = whole.triangle(lambda x: chebyshev.chebvander((x - centre) / half, terms - 1))
    back = np.linalg.inv(triangle[:terms, :terms])
    solved = back @ triangle[:terms, terms]

    def curve(x: Floats) -> Floats:
        return np.asarray(chebyshev.chebval((x - centre) / half, solved))

    at, plain = np.linspace(-1, 1, CURVE_POINTS), _expansion(terms, centre, half)
    measure, moves = whole.measure, chebyshev.chebvander(at, terms - 1) @ back
    params = tuple((plain @ solved * measure).tolist())
    exact = replace(begun, params=params, centred=(tuple((solved * measure).tolist()), centre, half))
    return _through_all(exact, whole, curve, centre + half * at, moves, plain @ back * measure)


def _formula_of(begun: Fit, formula: Expr, whole: Many) -> Fit:
    """The same formula through all of many points, from where some of them led."""
    variable, measure = _variable(formula), whole.measure

    def curve(places: Floats, *values: float) -> Floats:
        found = formula(**dict(zip(begun.parameters, values, strict=True)), **{variable: places})
        return np.broadcast_to(np.asarray(found, float) / measure, places.shape)

    def slopes(places: Floats, values: Floats) -> Floats:
        return slopes_of(curve, places, values)

    solved, _ = whole.descended(curve, slopes, np.array(begun.params))
    count = len(solved)
    back = np.linalg.pinv(whole.triangle(lambda x: slopes(x, solved), lambda x: curve(x, *solved))[:count, :count])
    at = np.linspace(*whole.extent(), CURVE_POINTS)
    exact = replace(begun, params=tuple(solved.tolist()))
    return _through_all(exact, whole, lambda x: curve(x, *solved), at, slopes(at, solved) @ back, back)


def _through_all(exact: Fit, whole: Many, curve: Curve, at: Floats, moves: Floats, back: Floats) -> Fit:
    """What is told of a curve through many points.

    Args:
        exact: with its numbers.
        whole: the points.
        curve: in the measure of the points.
        at: the places at which it is drawn.
        moves: how it moves there, in standard deviations.
        back: how the numbers do.
    """
    misfit, freedom = whole.misfit(curve), len(whole.rows) - len(exact.params)
    deviation = math.sqrt(misfit / freedom)
    return replace(
        exact,
        errors=tuple((_lengths(back) * deviation).tolist()),
        r2=whole.explained(misfit),
        x=whole.rows[:, 0],
        y=whole.rows[:, 1],
        residuals=whole.residuals(curve),
        curve=_drawn(at, curve(at), deviation * _reach(freedom) * _lengths(moves), whole.measure),
    )


def _by_polynomial(given: Samples, model: str) -> Fit:
    terms, count = degree_of(model) + 1, len(given.x)
    distinct = len(np.unique(given.x))
    if distinct < terms or count <= terms:
        raise UsageError(
            f"fit: {model} needs more than {terms} points at {terms} or more places, not {count} points at {distinct}."
        )
    low, high = float(given.x.min()), float(given.x.max())
    centre, half = high / 2 + low / 2, high / 2 - low / 2
    roots, y = given.roots, given.scaled
    height = float(np.average(y, weights=roots**2))
    turned, triangle = np.linalg.qr(chebyshev.chebvander((given.x - centre) / half, terms - 1) * roots[:, None])
    back = np.linalg.inv(triangle)
    solved = back @ (turned.T @ (roots * (y - height)))
    solved[0] += height
    residuals = y - chebyshev.chebval((given.x - centre) / half, solved)
    weighed = roots * residuals
    deviation = math.sqrt(weighed @ weighed / (count - terms))
    at = np.linspace(-1, 1, CURVE_POINTS)
    width = deviation * _reach(count - terms) * _lengths(chebyshev.chebvander(at, terms - 1) @ back)
    with np.errstate(over="ignore", invalid="ignore"):
        plain = _expansion(terms, centre, half)
        params = plain @ solved * given.measure
        errors = _lengths(plain @ back) * deviation * given.measure
    if not np.isfinite(params).all():
        raise UsageError(f"fit: the coefficients of {model} go beyond 1.8e308; give x in another unit.")
    curve = chebyshev.chebval(at, solved)
    return Fit(
        model=model,
        params=tuple(params.tolist()),
        errors=tuple(errors.tolist()),
        r2=_explained(y, roots, residuals),
        x=given.x,
        y=given.y,
        residuals=residuals * given.measure,
        curve=_drawn(centre + half * at, curve, width, given.measure),
        parameters=tuple(f"x^{power}" for power in range(terms)),
        names=given.names,
        notes=given.notes,
        centred=(tuple((solved * given.measure).tolist()), centre, half),
    )


def _lengths(rows: NDArray[Any]) -> Floats:
    """The length of each row; no square leaves what a float can hold."""
    tops = np.maximum(np.abs(rows).max(axis=1), np.finfo(float).tiny)
    found: Floats = tops * np.linalg.norm(rows / tops[:, None], axis=1)
    return found


def _drawn(at: NDArray[Any], middle: NDArray[Any], width: Floats, measure: float) -> Floats:
    """The curve with its band; where the band goes beyond what a float can hold it ends there."""
    largest = np.finfo(float).max
    with np.errstate(over="ignore"):
        band = np.stack([middle, middle - width, middle + width]) * measure
    return np.column_stack([at, *np.clip(band, -largest, largest)])


def _by_formula(given: Samples, formula: Expr, start: Mapping[str, float]) -> Fit:
    variable = _variable(formula)
    wanted = tuple(name for name in formula.names if name != variable)
    if not wanted:
        raise UsageError(f"fit: {formula.text!r} has no free name beside {variable}; there is nothing to find.")
    unknown = next((name for name in start if name not in wanted), None)
    if unknown is not None:
        raise UsageError(f"fit: {formula.text!r} has no free name {unknown!r} to start; {nearest(unknown, wanted)}.")
    x, y, roots = given.x, given.scaled, given.roots
    if len(x) <= len(wanted) or len(np.unique(x)) < len(wanted):
        raise UsageError(f"fit: {formula.text} needs more than {len(wanted)} points, not {len(x)}.")

    def curve(places: Floats, *values: float) -> Floats:
        found = formula(**dict(zip(wanted, values, strict=True)), **{variable: places})
        return np.broadcast_to(np.asarray(found, float) / given.measure, places.shape)

    begun = beginnings(curve, formula.linear_in(wanted), wanted, x, y, start)
    solved = nearest_to(curve, x, y, roots, begun)
    slopes = None if solved is None else slopes_of(curve, x, solved) * roots[:, None]
    if solved is None or slopes is None or not np.isfinite(slopes).all():
        raise UsageError(
            f"fit: no numbers were found with which {formula.text!r} follows the data; it may not suit, or x lies too "
            f"far from 0. Say where to begin: start={{{wanted[0]!r}: 1.0}}, with each name that you know roughly."
        )
    residuals = y - curve(x, *solved)
    weighed = roots * residuals
    deviation = math.sqrt(weighed @ weighed / (len(x) - len(wanted)))
    apart = independent(slopes)
    if apart is None:
        raise UsageError(
            f"fit: many numbers suit {formula.text!r} alike: some of its names cannot be told apart, or do nothing. "
            f"Leave one out, or give it a value, as expr(..., {wanted[-1]}=1)."
        )
    sizes, spread = apart
    at = np.linspace(x.min(), x.max(), CURVE_POINTS)
    with np.errstate(all="ignore"):
        middle = curve(at, *solved)
        width = deviation * _reach(len(x) - len(wanted)) * _lengths(slopes_of(curve, at, solved) / sizes @ spread)
        errors = deviation * np.linalg.norm(spread, axis=1) / sizes
    return Fit(
        model=formula.text,
        params=tuple(solved.tolist()),
        errors=tuple(errors.tolist()),
        r2=_explained(y, roots, residuals),
        x=x,
        y=given.y,
        residuals=residuals * given.measure,
        curve=_drawn(at, middle, width, given.measure),
        parameters=wanted,
        names=given.names,
        formula=formula,
        notes=given.notes,
    )


def _variable(formula: Expr) -> str:
    """What the formula runs over: what it has a range of, else x."""
    found = list(formula.ranges) or [name for name in formula.names if name == "x"]
    if len(found) != 1:
        raise UsageError(
            f"fit: a formula runs over x, or over the one name that has a range, as expr('y = a t', t=(0, 10)); the "
            f"names of {formula.text!r} are {', '.join(formula.names)}."
        )
    return found[0]


def _reach(freedom: int) -> float:
    """How many standard errors the band is to each side."""
    return float(import_module("scipy.stats").t.ppf((1 + CONFIDENCE) / 2, freedom))


def _explained(y: Floats, roots: Floats, residuals: Floats) -> float:
    if y.min() == y.max():
        return math.nan
    total, left = roots * (y - np.average(y, weights=roots**2)), roots * residuals
    return float(1 - (left @ left) / (total @ total))


def degree_of(model: str) -> int:
    """The degree of the polynomial that a model is.

    Raises:
        UsageError: it is none; with the models that there are.
    """
    if model == "linear":
        return 1
    kind, _, power = str(model).partition(":")
    if kind != "poly" or not power.isdecimal() or not 1 <= int(power) <= DEGREE_MAX:
        raise UsageError(
            f"fit: the models are linear, poly:1 to poly:{DEGREE_MAX}, exp, or a formula as 'y = a x^b', not {model!r}."
        )
    return int(power)


def _expansion(terms: int, centre: float, half: float) -> Floats:
    """The matrix from Chebyshev coefficients over (x - centre) / half to coefficients of x."""
    found, power = np.zeros((terms, terms)), np.ones(1)
    for place in range(terms):
        found[: place + 1, place] = power
        power = np.convolve(power, [-centre / half, 1 / half])
    plain = np.zeros((terms, terms))
    for place in range(terms):
        plain[: place + 1, place] = chebyshev.cheb2poly([0.0] * place + [1.0])
    return found @ plain
