"""derivative and integral: of samples by numpy and scipy, of formulas as formulas (requirements 125, 126).

Samples lie at 0, 1, 2, ... unless their places are given, which must rise or fall throughout. NaN in gives NaN out,
there and in its neighbours.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.expression import Expr
from plotter2.datter.group import DataGroup
from plotter2.datter.moments import unit
from plotter2.datter.points import numbers
from plotter2.datter.table import Table
from plotter2.errors import UsageError

SAMPLES_MIN = 2
BOUNDS = 2


def derivative(data: Any, x: Any = None, *, by: str = "", axis: int = 0) -> Any:
    """Slope of samples at each of them, per unit of x; of a formula the formula of its slope.

    Shapes: one or more axes in, the same out, float64 or complex128; of a group, of each item. `x`: the places of the
    samples along `axis`, n numbers; `by`: the variable of a formula.
    Units: those of the values by those of x.
    Definition: central differences of second order, one-sided at the ends (numpy.gradient; Fornberg 1988 for uneven
    places); sympy's derivative for formulas.

    Raises:
        UsageError: no numbers, fewer than two samples, or places that do not fit.
    """
    if isinstance(data, Expr):
        return data.derivative(by)
    if isinstance(data, DataGroup):
        return data.map(lambda one: derivative(one, x, by=by, axis=axis))
    values, places = _sampled("derivative", data, x, axis)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.gradient(values, places, axis=axis)


def integral(data: Any, x: Any = None, *, bounds: tuple[float, float] | None = None, axis: int = 0) -> Any:
    """Running integral of samples from the first of them on; between two bounds, one number (or one a series).

    Shapes: one or more axes in, the same out, float64 or complex128, with `bounds` one axis less; of a group, of each
    item; of a formula over its range. Bounds must lie within the places; between samples values are on the straight
    line.
    Units: those of the values times those of x.
    Definition: trapezoidal rule (scipy.integrate.cumulative_trapezoid); a formula between bounds by adaptive quadrature
    (scipy.integrate.quad, QUADPACK).

    Raises:
        UsageError: no numbers, fewer than two samples, places that do not fit, or bounds outside of them.
    """
    if isinstance(data, Expr):
        return _of_formula(data, bounds)
    if isinstance(data, DataGroup):
        return data.map(lambda one: integral(one, x, bounds=bounds, axis=axis))
    values, places = _sampled("integral", data, x, axis)
    measure = unit(values)  # the sum of two neighbours may be larger than the largest float
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = values / measure if measure != 1 else values
        running = import_module("scipy.integrate").cumulative_trapezoid(scaled, places, axis=axis, initial=0) * measure
    return running if bounds is None else _between(values, places, running, bounds, axis)


def _of_formula(formula: Expr, bounds: tuple[float, float] | None) -> Any:
    if bounds is None:
        return integral(formula.y, formula.x)
    low, high = _checked(bounds)
    return float(import_module("scipy.integrate").quad(formula, low, high)[0])


def _sampled(word: str, data: Any, x: Any, axis: int) -> tuple[NDArray[Any], NDArray[Any]]:
    if x is None and isinstance(data, Table) and len(data.of_kind("number")) == 2:  # noqa: PLR2004 -- x and y
        first, second = data.of_kind("number")
        x, data = data.column(first), data.column(second)
    values = numbers(data, complex_too=True)
    values = values if values.dtype.kind == "c" else values.astype(float, copy=False)
    if not -values.ndim <= axis < values.ndim:
        raise UsageError(f"{word}: the data has {values.ndim} axes, so there is no axis {axis}.")
    count = values.shape[axis]
    if count < SAMPLES_MIN:
        raise UsageError(f"{word} needs at least {SAMPLES_MIN} samples, not {count}.")
    places = np.arange(count, dtype=float) if x is None else numbers(x).astype(float).ravel()
    if len(places) != count:
        raise UsageError(f"{word}: {len(places)} places for {count} samples; they must be equally many.")
    steps = np.diff(places)
    if not (np.all(steps > 0) or np.all(steps < 0)):
        raise UsageError(f"{word}: the places must rise (or fall) from sample to sample; sort them first.")
    return values, places


def _checked(bounds: tuple[float, float]) -> tuple[float, float]:
    if len(bounds) != BOUNDS or not np.isfinite(np.asarray(bounds, float)).all():
        raise UsageError(f"integral: bounds are two numbers, as bounds=(0, 1), not {bounds!r}.")
    return float(bounds[0]), float(bounds[1])


def _between(
    values: NDArray[Any], places: NDArray[Any], running: NDArray[Any], bounds: tuple[float, float], axis: int
) -> Any:
    low, high = _checked(bounds)
    least, most = float(places.min()), float(places.max())
    if not least <= min(low, high) <= max(low, high) <= most:
        raise UsageError(f"integral: bounds {low:g} to {high:g} lie outside of the places {least:g} to {most:g}.")
    ends = [_running_at(values, places, running, place, axis) for place in (low, high)]
    found = ends[1] - ends[0]
    return found if np.ndim(found) else found.item()


def _running_at(values: NDArray[Any], places: NDArray[Any], running: NDArray[Any], at: float, axis: int) -> Any:
    """The running integral at any place: up to the sample before it, and the trapezoid from there."""
    order = 1 if places[-1] > places[0] else -1
    place = int(np.clip(np.searchsorted(order * places, order * at, "right") - 1, 0, len(places) - 2))
    before, after = (np.take(values, one, axis=axis) for one in (place, place + 1))
    part = at - places[place]
    slope = (after - before) / (places[place + 1] - places[place])
    return np.take(running, place, axis=axis) + part * (before + slope * part / 2)
