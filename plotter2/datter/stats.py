"""Means, norms, similarities and trigonometry, by numpy (requirements 111 to 122).

Reductions work over all elements, or along `axis`. On a group they work across the items when all have one shape
(`over="items"`), or on each item (`over="values"`). NaN in gives NaN out, as in numpy; empty data is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.group import DataGroup
from plotter2.datter.points import numbers
from plotter2.errors import UsageError

Over = Literal["items", "values"]
SQUARES = (1e-140, 1e140)
"""Between these, squares of numbers, and sums of very many of them, are ordinary floats."""
WHOLE_MAX = float(1 << 63)
"""Products from here on do not fit into 64 bits."""


def _reduced(value: Any, how: Callable[[NDArray[Any], int | None], Any], axis: int | None, over: Over | None) -> Any:
    if not isinstance(value, DataGroup):
        return _plain(how(numbers(value), axis))
    items = [numbers(one) for one in value.values]
    if not items:
        raise UsageError(f"The group {value.name!r} is empty.")
    alike = all(one.shape == items[0].shape for one in items)
    if over == "items" and not alike:
        raise UsageError(f"The items of {value.name!r} have different shapes; over='values' reduces each by itself.")
    if over == "items" or (over is None and alike):
        return _plain(how(np.stack(items), 0))
    return value.map(lambda one: _plain(how(numbers(one), axis)))


def _plain(found: Any) -> Any:
    return (
        found.item() if isinstance(found, np.generic) or (isinstance(found, np.ndarray) and not found.ndim) else found
    )


def mean(value: Any, axis: int | None = None, over: Over | None = None) -> Any:
    """Arithmetic mean."""
    return _reduced(value, lambda x, a: np.mean(x, axis=a), axis, over)


def median(value: Any, axis: int | None = None, over: Over | None = None) -> Any:
    """Middle value; the mean of the two middle ones when their number is even."""
    return _reduced(value, lambda x, a: np.median(x, axis=a), axis, over)


def mode(value: Any, axis: int | None = None, over: Over | None = None) -> Any:
    """The commonest value; of several, the smallest."""
    return _reduced(
        value, lambda x, a: _commonest(x) if a is None else np.apply_along_axis(_commonest, a, x), axis, over
    )


def _commonest(array: NDArray[Any]) -> Any:
    found, counts = np.unique(array, return_counts=True)
    return found[np.argmax(counts)]


def stddev(value: Any, axis: int | None = None, ddof: int = 0, over: Over | None = None) -> Any:
    """Standard deviation of the population; `ddof=1` for that of a sample."""

    def spread(x: NDArray[Any], a: int | None) -> Any:
        count = x.size if a is None else x.shape[a]
        if count <= ddof:
            raise UsageError(f"stddev with ddof={ddof} needs more than {ddof} values, not {count}.")
        return _within(x, a, lambda part, along: np.std(part, axis=along, ddof=ddof))

    return _reduced(value, spread, axis, over)


def product(value: Any, other: Any = None, axis: int | None = None, over: Over | None = None) -> Any:
    """All values multiplied; with two arguments, the elementwise product. Integers become floats where they must."""
    if other is not None:
        one, two = numbers(value), numbers(other)
        try:
            return _plain(_exact(np.multiply(one, two), lambda: np.multiply(one.astype(float), two.astype(float))))
        except ValueError as wrong:
            raise UsageError(f"product: {wrong}.") from None

    def multiplied(x: NDArray[Any], a: int | None) -> Any:
        return _exact(np.prod(x, axis=a), lambda: np.prod(x.astype(float), axis=a))

    return _reduced(value, multiplied, axis, over)


def l2norm(value: Any, axis: int | None = None, over: Over | None = None) -> Any:
    """Euclidean length of the flattened values, or along an axis."""
    return _reduced(value, lambda x, a: _within(x, a, _length), axis, over)


def _length(x: NDArray[Any], axis: int | None) -> Any:
    return np.linalg.norm(x.ravel() if axis is None else x, 2, axis)


def _within(x: NDArray[Any], axis: int | None, how: Callable[[NDArray[Any], int | None], Any]) -> Any:
    """What scales with its data, of numbers whose squares lie outside what a float can hold."""
    largest = float(np.abs(x).max(initial=0.0))
    if not np.isfinite(largest) or largest == 0 or SQUARES[0] < largest < SQUARES[1]:
        return how(x, axis)
    return how(x / largest, axis) * largest


def _exact(found: Any, as_floats: Callable[[], Any]) -> Any:
    """Whole numbers that have not wrapped around; else the same in floats."""
    if not np.issubdtype(np.asarray(found).dtype, np.integer):
        return found
    floats = as_floats()
    return found if np.all(np.abs(floats) < WHOLE_MAX) else floats


def l1norm(value: Any, axis: int | None = None, over: Over | None = None) -> Any:
    """Sum of the absolute values, or along an axis."""
    return _reduced(value, lambda x, a: np.linalg.norm(x.ravel() if a is None else x, 1, a), axis, over)


def cosine_simularity(value: Any, other: Any = None) -> Any:
    """Cosine of the angle between two vectors, -1 to 1; of a group or matrix, of all pairs; NaN for zero vectors."""
    if other is None:
        rows = np.stack([numbers(one).ravel() for one in value]) if isinstance(value, DataGroup) else numbers(value)
        if rows.ndim != 2:  # noqa: PLR2004 -- rows and columns
            raise UsageError("cosine_simularity needs two vectors, or a matrix or group of them.")
        return _cosines(rows.astype(float), rows.astype(float))
    one, two = numbers(value).astype(float).ravel(), numbers(other).astype(float).ravel()
    if one.shape != two.shape:
        raise UsageError(f"cosine_simularity needs vectors of one length, not {one.size} and {two.size}.")
    return _plain(_cosines(one[None], two[None])[0, 0])


def _cosines(one: NDArray[Any], two: NDArray[Any]) -> NDArray[Any]:
    with np.errstate(invalid="ignore", divide="ignore"):
        units = [rows / np.abs(rows).max(axis=1, keepdims=True) for rows in (one, two)]  # no overflow in the squares
        units = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in units]
    found: NDArray[Any] = np.clip(units[0] @ units[1].T, -1.0, 1.0)
    return found


def _each(function: Callable[..., Any], doc: str) -> Callable[..., Any]:
    def apply(value: Any, *others: Any) -> Any:
        if isinstance(value, DataGroup):
            return value.map(lambda one: apply(one, *others))
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            found = function(numbers(value).astype(float), *(numbers(other) for other in others))
        return _plain(found[0]) if np.ndim(value) == 0 and not hasattr(value, "__len__") else found

    apply.__doc__ = doc
    return apply


TRIGONOMETRY: dict[str, Callable[..., Any]] = {
    name: _each(function, doc)
    for names, function, doc in (
        (("sine", "sin"), np.sin, "Sine of an angle in radians."),
        (("cos", "cosine"), np.cos, "Cosine of an angle in radians."),
        (("tan",), np.tan, "Tangent of an angle in radians."),
        (("asin",), np.arcsin, "Inverse sine, in radians; NaN outside -1 to 1."),
        (("acos",), np.arccos, "Inverse cosine, in radians; NaN outside -1 to 1."),
        (("atan",), np.arctan, "Inverse tangent, in radians."),
        (("atan2",), np.arctan2, "Angle of the point (second, first argument), in radians."),
        (("sec",), lambda x: 1 / np.cos(x), "Secant: 1 / cos."),
        (("csc",), lambda x: 1 / np.sin(x), "Cosecant: 1 / sine."),
        (("cot",), lambda x: 1 / np.tan(x), "Cotangent: 1 / tan."),
        (("sinh",), np.sinh, "Hyperbolic sine."),
        (("cosh",), np.cosh, "Hyperbolic cosine."),
        (("tanh",), np.tanh, "Hyperbolic tangent."),
        (("asinh",), np.arcsinh, "Inverse hyperbolic sine."),
        (("acosh",), np.arccosh, "Inverse hyperbolic cosine; NaN below 1."),
        (("atanh",), np.arctanh, "Inverse hyperbolic tangent."),
        (("deg",), np.degrees, "Radians to degrees."),
        (("rad",), np.radians, "Degrees to radians."),
    )
    for name in names
}
