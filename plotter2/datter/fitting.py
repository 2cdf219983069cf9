"""fit: lines, polynomials, exponentials and any formula by least squares, with standard errors (requirement 152).

Definition: ordinary least squares, for formulas by Levenberg and Marquardt (scipy.optimize.curve_fit); standard errors
from the residual variance with n - p degrees of freedom, for formulas linearised at the solution; the band is the
mean's 95 % confidence band by Student's t.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.expression import Expr, expr
from plotter2.datter.points import numbers, points
from plotter2.datter.table import Table
from plotter2.errors import UsageError

DEGREE_MAX = 10
CURVE_POINTS = 200
CONFIDENCE = 0.95
EXPONENTIAL = "exp"
STEPS_MAX = 10_000
STEP = 1e-6
SEARCH_EXPONENT_MAX = 300.0


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A fitted curve.

    Attributes:
        params: coefficients, lowest power first; of a formula its free names, in their order there.
        errors: the standard error of each.
        parameters: what they are called.
        r2: share of the variance that the curve explains; NaN for constant data.
        curve: x, y, lower and upper edge of the 95 % band, as four columns.
    """

    model: str
    params: tuple[float, ...]
    errors: tuple[float, ...]
    r2: float
    x: NDArray[Any]
    y: NDArray[Any]
    residuals: NDArray[Any]
    curve: NDArray[Any]
    parameters: tuple[str, ...] = ()
    names: tuple[str, str] = ("x", "y")
    formula: Expr | None = None

    def __call__(self, x: Any) -> Any:
        """The curve's value at x."""
        if self.formula is None:
            return np.polynomial.polynomial.polyval(x, self.params)
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


def fit(data: Any, other: Any = None, model: str | Expr = "linear") -> Fit:
    """A curve through data: y over its place, y over x (two arguments), or two columns.

    Models: linear, poly:2 to poly:10, exp (a·e^(bx)), or a formula whose names but x are found.

    Raises:
        UsageError: an unknown model, too few points, no spread in x, or a formula that no numbers fit.
    """
    x, y, names = _pairs(data, other)
    kept = np.isfinite(x) & np.isfinite(y)
    x, y = x[kept], y[kept]
    if isinstance(model, Expr) or model == EXPONENTIAL:
        formula = model if isinstance(model, Expr) else expr("y = a exp(b x)")
        return _by_formula(x, y, names, formula)
    return _by_polynomial(x, y, names, model)


def _by_polynomial(x: NDArray[Any], y: NDArray[Any], names: tuple[str, str], model: str) -> Fit:
    degree = degree_of(model)
    count, terms = len(x), degree + 1
    if len(np.unique(x)) < terms or count <= terms:
        raise UsageError(f"fit: {model} needs more than {terms} points at {terms} or more places, not {count} points.")
    centre, half = (x.max() + x.min()) / 2, (x.max() - x.min()) / 2
    design = np.vander((x - centre) / half, terms, increasing=True)
    solved, *_ = np.linalg.lstsq(design, y, rcond=None)
    residuals = y - design @ solved
    variance = residuals @ residuals / (count - terms)
    covariance = variance * np.linalg.pinv(design.T @ design)
    back = _expansion(terms, centre, half)
    spread = np.sqrt(np.clip(np.diag(back @ covariance @ back.T), 0, None))
    at = np.linspace(x.min(), x.max(), CURVE_POINTS)
    rows = np.vander((at - centre) / half, terms, increasing=True)
    width = _band(rows, covariance, count - terms)
    middle = rows @ solved
    return Fit(
        model=model,
        params=tuple((back @ solved).tolist()),
        errors=tuple(spread.tolist()),
        r2=_explained(y, residuals),
        x=x,
        y=y,
        residuals=residuals,
        curve=np.column_stack([at, middle, middle - width, middle + width]),
        parameters=tuple(f"x^{power}" for power in range(terms)),
        names=names,
    )


def _by_formula(x: NDArray[Any], y: NDArray[Any], names: tuple[str, str], formula: Expr) -> Fit:
    variable = _variable(formula)
    wanted = tuple(name for name in formula.names if name != variable)
    if not wanted:
        raise UsageError(f"fit: {formula.text!r} has no free name beside {variable}; there is nothing to find.")
    if len(x) <= len(wanted) or len(np.unique(x)) < len(wanted):
        raise UsageError(f"fit: {formula.text} needs more than {len(wanted)} points, not {len(x)}.")

    def curve(places: NDArray[Any], *values: float) -> NDArray[Any]:
        given = formula(**dict(zip(wanted, values, strict=True)), **{variable: places})
        return np.broadcast_to(np.asarray(given, float), places.shape)

    solved, covariance = _solved(curve, x, y, _beginning(formula, x, y, len(wanted)), formula)
    residuals = y - curve(x, *solved)
    at = np.linspace(x.min(), x.max(), CURVE_POINTS)
    middle = curve(at, *solved)
    width = _band(_slopes(curve, at, solved), covariance, len(x) - len(wanted))
    return Fit(
        model=formula.text,
        params=tuple(solved.tolist()),
        errors=tuple(np.sqrt(np.diag(covariance)).tolist()),
        r2=_explained(y, residuals),
        x=x,
        y=y,
        residuals=residuals,
        curve=np.column_stack([at, middle, middle - width, middle + width]),
        parameters=wanted,
        names=names,
        formula=formula,
    )


def _variable(formula: Expr) -> str:
    """What the formula runs over: what it has a range of, else x, else its one name."""
    return formula.variable if formula.ranges or "x" not in formula.names else "x"


def _beginning(formula: Expr, x: NDArray[Any], y: NDArray[Any], count: int) -> NDArray[Any]:
    """Where the search begins; an exponential at the straight line through the logarithms."""
    if formula.text != "y = a exp(b x)" or not (np.all(y > 0) or np.all(y < 0)):
        return np.ones(count)
    slope, height = np.polyfit(x, np.log(np.abs(y)), 1)
    return np.array([np.sign(y[0]) * np.exp(np.clip(height, -SEARCH_EXPONENT_MAX, SEARCH_EXPONENT_MAX)), slope])


def _solved(
    curve: Callable[..., NDArray[Any]], x: NDArray[Any], y: NDArray[Any], begin: NDArray[Any], formula: Expr
) -> tuple[NDArray[Any], NDArray[Any]]:
    optimize = import_module("scipy.optimize")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", optimize.OptimizeWarning)
            solved, covariance = optimize.curve_fit(curve, x, y, begin, maxfev=STEPS_MAX)
        if np.linalg.matrix_rank(_slopes(curve, x, solved)) < len(begin):
            raise ValueError("some names only work together")
    except (RuntimeError, ValueError, optimize.OptimizeWarning):
        raise UsageError(
            f"fit: no numbers were found with which {formula.text!r} follows the data; it may not suit, or has names "
            "that cannot be told apart."
        ) from None
    return solved, covariance


def _slopes(curve: Callable[..., NDArray[Any]], at: NDArray[Any], solved: NDArray[Any]) -> NDArray[Any]:
    """How the curve moves with each parameter: central differences."""
    columns = []
    for place, value in enumerate(solved):
        step = np.zeros(len(solved))
        step[place] = max(abs(value), 1.0) * STEP
        columns.append((curve(at, *(solved + step)) - curve(at, *(solved - step))) / (2 * step[place]))
    return np.column_stack(columns)


def _band(rows: NDArray[Any], covariance: NDArray[Any], freedom: int) -> NDArray[Any]:
    """Half the width of the confidence band where the curve moves by `rows` with its parameters."""
    reach = import_module("scipy.stats").t.ppf((1 + CONFIDENCE) / 2, freedom)
    width: NDArray[Any] = reach * np.sqrt(np.clip(np.einsum("ij,jk,ik->i", rows, covariance, rows), 0, None))
    return width


def _explained(y: NDArray[Any], residuals: NDArray[Any]) -> float:
    total = ((y - y.mean()) ** 2).sum()
    return float(1 - residuals @ residuals / total) if total > 0 else float("nan")


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
            f"fit: the models are linear, poly:1 to poly:{DEGREE_MAX}, exp, or a formula as expr('y = a x^b'), "
            f"not {model!r}."
        )
    return int(power)


def _pairs(data: Any, other: Any) -> tuple[NDArray[Any], NDArray[Any], tuple[str, str]]:
    if other is not None:
        x, y = numbers(data).astype(float).ravel(), numbers(other).astype(float).ravel()
        if len(x) != len(y):
            raise UsageError(f"fit: x has {len(x)} values and y has {len(y)}; they must be equally many.")
        return x, y, ("x", "y")
    found = points(data)
    if found.shape[1] == 1:
        return np.arange(len(found), dtype=float), found.matrix[:, 0], ("place", found.names[0])
    if found.shape[1] > 2 and isinstance(data, Table):  # noqa: PLR2004 -- x and y
        first, second = found.names[:2]
        raise UsageError(
            f"fit: say which two columns, as fit(t['{first}'], t['{second}']), or choose them before: "
            f"access(key, columns=['{first}', '{second}'])."
        )
    return found.matrix[:, 0], found.matrix[:, 1], (found.names[0], found.names[1])


def _expansion(terms: int, centre: float, half: float) -> NDArray[Any]:
    """The matrix from coefficients of ((x - centre) / half) to coefficients of x."""
    power, found = np.ones(1), np.zeros((terms, terms))
    for place in range(terms):
        found[: place + 1, place] = power
        power = np.convolve(power, [-centre / half, 1 / half])
    return found
