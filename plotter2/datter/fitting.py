"""fit: straight lines and polynomials by least squares, with standard errors (requirement 152).

Definition: ordinary least squares; standard errors from the residual variance with n - p degrees of freedom; the band
is the mean's 95 % confidence band by Student's t.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.points import numbers, points
from plotter2.datter.table import Table
from plotter2.errors import UsageError

DEGREE_MAX = 10
CURVE_POINTS = 200
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A fitted curve.

    Attributes:
        params: coefficients, lowest power first.
        errors: the standard error of each.
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
    names: tuple[str, str] = ("x", "y")

    def __call__(self, x: Any) -> Any:
        """The curve's value at x."""
        return np.polynomial.polynomial.polyval(x, self.params)


def fit(data: Any, other: Any = None, model: str = "linear") -> Fit:
    """A curve through data: y over its place, y over x (two arguments), or two columns; linear or poly:2 to poly:10.

    Raises:
        UsageError: an unknown model, too few points, or no spread in x.
    """
    degree = _degree(model)
    x, y, names = _pairs(data, other)
    kept = np.isfinite(x) & np.isfinite(y)
    x, y = x[kept], y[kept]
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
    total = ((y - y.mean()) ** 2).sum()
    at = np.linspace(x.min(), x.max(), CURVE_POINTS)
    rows = np.vander((at - centre) / half, terms, increasing=True)
    reach = import_module("scipy.stats").t.ppf((1 + CONFIDENCE) / 2, count - terms)
    width = reach * np.sqrt(np.clip(np.einsum("ij,jk,ik->i", rows, covariance, rows), 0, None))
    middle = rows @ solved
    return Fit(
        model=model,
        params=tuple((back @ solved).tolist()),
        errors=tuple(spread.tolist()),
        r2=float(1 - residuals @ residuals / total) if total > 0 else float("nan"),
        x=x,
        y=y,
        residuals=residuals,
        curve=np.column_stack([at, middle, middle - width, middle + width]),
        names=names,
    )


def _degree(model: str) -> int:
    if model == "linear":
        return 1
    kind, _, power = str(model).partition(":")
    if kind != "poly" or not power.isdecimal() or not 1 <= int(power) <= DEGREE_MAX:
        raise UsageError(f"fit: the models are linear and poly:1 to poly:{DEGREE_MAX}, not {model!r}.")
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
