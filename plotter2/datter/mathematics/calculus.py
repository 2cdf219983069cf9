"""derivative and integral: of samples by numpy and scipy, of formulas as formulas (requirements 125, 126).

Samples lie at 0, 1, 2, ... unless their places are given, which must rise or fall throughout; places that are times
count in seconds. NaN in gives NaN out, there and in its neighbours.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.mathematics import samples
from plotter2.datter.mathematics.expression import Expr
from plotter2.datter.mathematics.moments import unit
from plotter2.datter.values.group import DataGroup
from plotter2.datter.values.points import numbers
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError

SAMPLES_MIN = 2
QUADRATURE_PARTS = 200
STEPS = (1e-100, 1e100)
"""Between these, distances of places can be multiplied with one another."""


def derivative(data: Any, x: Any = None, *, by: str = "", axis: int = 0) -> Any:
    """Slope of samples at each of them, per unit of x; of a formula the formula of its slope.

    Shapes: one or more axes in, the same out, float64 or complex128; of a group, of each item; of a table of x (numbers
    or times) and y, one axis. `x`: the places of the samples along `axis`, n numbers or times; `by`: the variable of a
    formula.
    Units: those of the values by those of x; times count in seconds.
    Definition: central differences of second order, one-sided at the ends (numpy.gradient; Fornberg 1988 for uneven
    places); sympy's derivative for formulas.

    Raises:
        UsageError: no numbers, fewer than two samples, or places that do not fit.
    """
    if isinstance(data, Expr):
        return data.derivative(by)
    if isinstance(data, DataGroup):
        return data.filled().map(lambda one: derivative(one, x, by=by, axis=axis))
    values, places = _sampled("derivative", data, x, axis)
    steps, tall = np.abs(np.diff(places)), unit(values)
    wide = 1.0 if STEPS[0] < steps.min() <= steps.max() < STEPS[1] else float(steps.max())
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        if tall == wide == 1:
            return np.gradient(values, places, axis=axis)
        found = np.gradient(values / tall, places / wide, axis=axis)
        return found / wide * tall if wide > 1 else found * tall / wide


def integral(data: Any, x: Any = None, *, bounds: tuple[float, float] | None = None, axis: int = 0) -> Any:
    """Running integral of samples from the first of them on; between two bounds, one number (or one a series).

    Shapes: one or more axes in, the same out, float64 or complex128, with `bounds` one axis less; of a group, of each
    item; of a formula over its range; of a table of x (numbers or times) and y, one axis. Bounds must lie within the
    places, as seconds since the first where these are times; between samples values are on the straight line, and what
    lies outside of the bounds does not matter.
    Units: those of the values times those of x; times count in seconds.
    Definition: trapezoidal rule (scipy.integrate.cumulative_trapezoid); a formula between bounds, also
    infinite ones, by adaptive quadrature (scipy.integrate.quad, QUADPACK).

    Raises:
        UsageError: no numbers, fewer than two samples, places that do not fit, bounds outside of them, or a formula
            without an integral there.
    """
    if isinstance(data, Expr):
        return _of_formula(data, bounds)
    if isinstance(data, DataGroup):
        return data.filled().map(lambda one: integral(one, x, bounds=bounds, axis=axis))
    values, places = _sampled("integral", data, x, axis)
    measure = unit(values)  # the sum of two neighbours may be larger than the largest float
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = values / measure if measure != 1 else values
        if bounds is not None:
            scaled, places, turn = _between(scaled, places, _checked(bounds), axis)
            measure *= turn
        running = import_module("scipy.integrate").cumulative_trapezoid(scaled, places, axis=axis, initial=0) * measure
    if bounds is None:
        return running
    found = np.take(running, -1, axis=axis)
    return found if np.ndim(found) else found.item()


def _of_formula(formula: Expr, bounds: tuple[float, float] | None) -> Any:
    if bounds is None:
        return integral(formula.y, formula.x)
    low, high = _checked(bounds, infinite_too=True)
    name = formula.variable
    lacking = [one for one in formula.names if one != name]
    if lacking:
        raise UsageError(f"expr {formula.text!r}: {', '.join(lacking)} must be given a value, as {lacking[0]}=1.")
    found, _, *more = import_module("scipy.integrate").quad(
        lambda at: formula(**{name: at}), low, high, limit=QUADRATURE_PARTS, full_output=True
    )
    if len(more) > 1 or not np.isfinite(found):
        raise UsageError(
            f"integral: {formula.text!r} has none between {low:g} and {high:g}, or one that quadrature does not reach: "
            "it may be infinite or undefined in there."
        )
    return float(found)


def _sampled(word: str, data: Any, x: Any, axis: int) -> tuple[NDArray[Any], NDArray[Any]]:
    if x is None and isinstance(data, Table) and (pair := samples.of_table(data)) is not None:
        x, data, _ = pair
    values = numbers(data, complex_too=True)
    values = values if values.dtype.kind == "c" else values.astype(float, copy=False)
    if not -values.ndim <= axis < values.ndim:
        raise UsageError(f"{word}: the data has {values.ndim} axes, so there is no axis {axis}.")
    count = values.shape[axis]
    if count < SAMPLES_MIN:
        raise UsageError(f"{word} needs at least {SAMPLES_MIN} samples, not {count}.")
    places = np.arange(count, dtype=float) if x is None else samples.places(x)[0]
    if len(places) != count:
        raise UsageError(f"{word}: {len(places)} places for {count} samples; they must be equally many.")
    with np.errstate(over="ignore", invalid="ignore"):
        steps = np.diff(places)
    if not np.isfinite(steps).all():
        raise UsageError(f"{word}: a place is missing or infinite; take only samples whose places are known.")
    if not (np.all(steps > 0) or np.all(steps < 0)):
        raise UsageError(f"{word}: the places must rise (or fall) from sample to sample; sort them first.")
    return values, places


def _checked(bounds: tuple[float, float], *, infinite_too: bool = False) -> tuple[float, float]:
    try:
        low, high = (float(one) for one in bounds)
    except (TypeError, ValueError):
        low = high = np.nan
    if np.isnan([low, high]).any() or not (infinite_too or np.isfinite([low, high]).all()):
        raise UsageError(f"integral: bounds are two numbers, as bounds=(0, 1), not {bounds!r}.")
    return low, high


def _between(
    values: NDArray[Any], places: NDArray[Any], bounds: tuple[float, float], axis: int
) -> tuple[NDArray[Any], NDArray[Any], int]:
    """The samples between two bounds with those at the bounds, and -1 where the second lies before the first."""
    low, high = sorted(bounds)
    least, most = float(places.min()), float(places.max())
    if not least <= low <= high <= most:
        raise UsageError(f"integral: bounds {low:g} to {high:g} lie outside of the places {least:g} to {most:g}.")
    rising = np.moveaxis(values, axis, 0)
    rising, places = (rising, places) if places[-1] > places[0] else (rising[::-1], places[::-1])
    inside = (places > low) & (places < high)
    ends = [_at(rising, places, place)[None] for place in (low, high)]
    cut = np.concatenate([ends[0], rising[inside], ends[1]])
    return np.moveaxis(cut, 0, axis), np.concatenate([[low], places[inside], [high]]), 1 if bounds[0] == low else -1


def _at(values: NDArray[Any], places: NDArray[Any], at: float) -> NDArray[Any]:
    """The value at any place: a sample's own, else on the straight line between two."""
    after = int(np.searchsorted(places, at))
    if places[after] == at:
        return np.asarray(values[after])
    share = (at - places[after - 1]) / (places[after] - places[after - 1])
    return np.asarray(values[after - 1] * (1 - share) + values[after] * share)
