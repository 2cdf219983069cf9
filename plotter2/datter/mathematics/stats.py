"""Means, spreads, norms and similarities, by numpy (requirements 111 to 118).

Reductions work over all elements, or along `axis`. On a group they work across the items when all have one shape
(`over="items"`), or on each item (`over="values"`). NaN in gives NaN out, as in numpy; empty data is refused. Sums and
squares beyond what a float can hold are scaled first; floats of 16 and 32 bits become float64. Complex numbers are
taken where the definition holds for them (mean, stddev, product, norms), and refused where an order is
needed (median, mode, angles of points). From 256 MiB on, as float64, data is worked on by blocks (`blockwise`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.mathematics import blockwise, products
from plotter2.datter.values import spill
from plotter2.datter.values.group import DataGroup
from plotter2.datter.values.points import numbers
from plotter2.errors import UsageError

Over = Literal["items", "values"]
Reduction = Callable[[NDArray[Any], int | None], Any]
Whole = Callable[[NDArray[Any]], Any]
SQUARES = (1e-140, 1e140)
"""Between these, squares of numbers, and sums of very many of them, are ordinary floats."""
PAIRED_MAX = 10_000
"""Rows whose pairs are all compared: 800 MB of cosines."""
WHOLE_MAX = float(1 << 63)
"""Products from here on do not fit into 64 bits."""


def _reduced(
    value: Any,
    how: Reduction,
    axis: int | None,
    over: Over | None,
    *,
    whole: Whole | None = None,
    complex_too: bool = True,
) -> Any:
    """A value reduced; `whole` does the same to all of a large array of real numbers, by blocks."""
    if not isinstance(value, DataGroup):
        return _along(numbers(value, complex_too=complex_too), how, axis, whole)
    value.filled()
    if over != "values":
        found = _across(value, how, complex_too=complex_too)
        if found is not None:
            return found
        if over == "items":
            raise UsageError(
                f"The items of {value.name!r} have different shapes; over='values' reduces each by itself."
            )
    return value.map(lambda one: _along(numbers(one, complex_too=complex_too), how, axis, whole))


def _across(group: DataGroup, how: Reduction, *, complex_too: bool) -> Any:
    """A group reduced element by element, its items looked at one at a time; None where their shapes differ."""
    first = numbers(group[0], complex_too=complex_too)
    items = (numbers(one, complex_too=complex_too) for one in group)
    if first.size * len(group) * 8 < spill.LARGE_BYTES or first.dtype.kind == "c":
        listed = list(items)
        alike = all(one.shape == first.shape for one in listed)
        return _along(np.stack(listed), how, 0) if alike else None
    try:
        rows = spill.matrix(first.size, (_row(one, first.shape) for one in items))
    except _UnlikeError:
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        return plain(blockwise.along(rows, how, 0).reshape(first.shape))


class _UnlikeError(Exception):
    """An item has another shape than the first."""


def _row(item: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    if item.shape != shape or item.dtype.kind == "c":
        raise _UnlikeError
    return item.reshape(1, -1)


def _along(array: NDArray[Any], how: Reduction, axis: int | None, whole: Whole | None = None) -> Any:
    if axis is not None and not -array.ndim <= axis < array.ndim:
        raise UsageError(f"The data has {array.ndim} axes, so there is no axis {axis}.")
    with np.errstate(over="ignore", invalid="ignore"):
        if not spill.is_large(array) or array.dtype.kind == "c":
            return plain(how(blockwise.wide(array), axis))
        if axis is not None and array.ndim > 1:
            return blockwise.along(array, how, axis)
        return plain(how(array, axis) if whole is None else whole(array))


def plain(found: Any) -> Any:
    """One number as Python's own; arrays as they are."""
    return (
        found.item() if isinstance(found, np.generic) or (isinstance(found, np.ndarray) and not found.ndim) else found
    )


def mean(value: Any, axis: int | None = None, over: Over | None = None) -> Any:
    """Arithmetic mean.

    Shapes: any in; one number out, or with `axis` one axis less. Of a group: of its items, element by element.
    Units: those of the values.
    Definition: sum / count, summed pairwise in float64 (numpy.mean). Complex values too.

    Raises:
        UsageError: no numbers, empty, no such axis.
    """

    def middle(x: NDArray[Any], a: int | None) -> Any:
        return _within(x, a, lambda part, along: np.mean(part, axis=along))

    return _reduced(value, middle, axis, over, whole=blockwise.mean)


def median(value: Any, axis: int | None = None, over: Over | None = None) -> Any:
    """Middle value; the mean of the two middle ones when their number is even.

    Shapes: any in; one number out, or with `axis` one axis less. Of a group: of its items, element by element.
    Units: those of the values.
    Definition: the 0.5 quantile (numpy.median).

    Raises:
        UsageError: no numbers, complex ones, empty, no such axis.
    """

    def middle(x: NDArray[Any], a: int | None) -> Any:
        return _within(x, a, lambda part, along: np.median(part, axis=along))

    return _reduced(value, middle, axis, over, whole=blockwise.median, complex_too=False)


def mode(value: Any, axis: int | None = None, over: Over | None = None) -> Any:
    """The commonest value; of several, the smallest; of text, the first in the alphabet.

    Shapes: any in; one value out, or with `axis` one axis less. Of a group: of its items, element by element.
    Units: those of the values.
    Definition: the value that occurs most often (scipy.stats.mode); NaN, or None in text, when a value is missing.

    Raises:
        UsageError: neither numbers nor text, complex, empty, no such axis.
    """
    texts = _texts(value)
    if texts is not None:
        return None if any(one is None for one in texts) else str(_commonest(np.array(texts, dtype=str)))
    return _reduced(
        value,
        lambda x, a: _commonest(x) if a is None else np.apply_along_axis(_commonest, a, x),
        axis,
        over,
        whole=blockwise.mode,
        complex_too=False,
    )


def _texts(value: Any) -> list[Any] | None:
    """The values of a list or column of text; None for anything else."""
    if isinstance(value, str | DataGroup) or not isinstance(value, list | tuple | np.ndarray):
        return None
    listed = value.ravel().tolist() if isinstance(value, np.ndarray) and value.dtype.kind in "OUT" else value
    is_text = not isinstance(listed, np.ndarray) and all(one is None or isinstance(one, str) for one in listed)
    return list(listed) if is_text and any(isinstance(one, str) for one in listed) else None


def _commonest(array: NDArray[Any]) -> Any:
    if array.dtype.kind == "f" and np.isnan(array).any():
        return np.nan
    found, counts = np.unique(array, return_counts=True)
    return found[np.argmax(counts)]


def stddev(value: Any, axis: int | None = None, ddof: int = 0, over: Over | None = None) -> Any:
    """Standard deviation of the population; `ddof=1` for that of a sample.

    Shapes: any in; one number out, or with `axis` one axis less. Of a group: of its items, element by element.
    Units: those of the values.
    Definition: the root of the sum of |x - mean|^2 over (count - ddof), in two passes (numpy.std). Complex values too.

    Raises:
        UsageError: no numbers, empty, no such axis, not more than ddof values.
    """
    if ddof < 0:
        raise UsageError(f"stddev: ddof is 0 (of a population) or 1 (of a sample) or more, not {ddof}.")

    def spread(x: NDArray[Any], a: int | None) -> Any:
        count = x.size if a is None else x.shape[a]
        if count <= ddof:
            raise UsageError(f"stddev with ddof={ddof} needs more than {ddof} values, not {count}.")
        return _within(x, a, lambda part, along: np.std(part, axis=along, ddof=ddof))

    return _reduced(value, spread, axis, over, whole=lambda x: blockwise.stddev(x, ddof))


def product(value: Any, other: Any = None, axis: int | None = None, over: Over | None = None) -> Any:
    """Product of all elements, or along an axis; of two arguments, element by element.

    Shapes: any in; one number out, or with `axis` one axis less; of two, their common shape (numpy's broadcasting).
    Units: the product of the values' units.
    Definition: numpy.multiply, and numpy.prod with powers of two kept apart where numbers on the way would be too large
    or too small; whole numbers that leave 64 bits become float64. Complex values too.

    Raises:
        UsageError: no numbers, empty, no such axis, shapes that do not fit.
    """
    if other is not None:
        one, two = numbers(value, complex_too=True), numbers(other, complex_too=True)
        try:
            with np.errstate(over="ignore", invalid="ignore"):
                return plain(_exact(np.multiply(one, two), lambda: np.multiply(one.astype(float), two.astype(float))))
        except ValueError as wrong:
            raise UsageError(f"product: {wrong}.") from None

    def multiplied(x: NDArray[Any], a: int | None) -> Any:
        if x.dtype.kind in "fc":
            return products.product(x, a)
        return _exact(np.prod(x, axis=a), lambda: products.product(x.astype(float), a))

    return _reduced(value, multiplied, axis, over, whole=blockwise.product)


def l2norm(value: Any, axis: int | None = None, over: Over | None = None) -> Any:
    """Euclidean length of the flattened values, or along an axis.

    Shapes: any in; one number out, or with `axis` one axis less. Of a group: of its items, element by element.
    Units: those of the values.
    Definition: the root of the sum of |x|^2 (numpy.linalg.norm). Complex values too.

    Raises:
        UsageError: no numbers, empty, no such axis.
    """
    return _reduced(value, lambda x, a: _within(x, a, _length), axis, over, whole=blockwise.l2norm)


def _length(x: NDArray[Any], axis: int | None) -> Any:
    return np.linalg.norm(x.ravel() if axis is None else x, 2, axis)


def _within(x: NDArray[Any], axis: int | None, how: Reduction) -> Any:
    """What scales with its data, of numbers whose sums or squares lie outside what a float can hold."""
    if x.dtype.kind in "iub":
        return how(x, axis)
    largest = float(np.abs(x).max() if x.dtype.kind == "c" else max(x.max(), -x.min()))
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
    """Sum of the absolute values, or along an axis.

    Shapes: any in; one number out, or with `axis` one axis less. Of a group: of its items, element by element.
    Units: those of the values.
    Definition: the sum of |x| (numpy.linalg.norm). Complex values too.

    Raises:
        UsageError: no numbers, empty, no such axis.
    """

    def added(x: NDArray[Any], a: int | None) -> Any:
        return np.linalg.norm(x.ravel() if a is None else x, 1, a)

    return _reduced(value, added, axis, over, whole=blockwise.l1norm)


def cosine_simularity(value: Any, other: Any = None) -> Any:
    """Cosine of the angle between two vectors, -1 to 1; of a group or matrix, of all pairs; NaN for zero vectors.

    Shapes: two of n values in, one number out; rows x n or a group of n values each in, rows x rows out, to
    10,000 rows.
    Units: none.
    Definition: x.y / (|x| |y|), each vector scaled first so that no square overflows.

    Raises:
        UsageError: no numbers, complex ones, empty, lengths that differ.
    """
    if other is None:
        rows = (_vectors(value) if isinstance(value, DataGroup) else numbers(value)).astype(float)
        if rows.ndim != 2:  # noqa: PLR2004 -- rows and columns
            raise UsageError("cosine_simularity needs two vectors, or a matrix or group of them.")
        if len(rows) > PAIRED_MAX:
            raise UsageError(
                f"cosine_simularity compares {PAIRED_MAX:,} rows at most, each with each, not {len(rows):,}; take some."
            )
        found = _cosines(rows, rows)
        np.fill_diagonal(found, np.where(np.isnan(found.diagonal()), np.nan, 1.0))
        return found
    one, two = numbers(value).astype(float).ravel(), numbers(other).astype(float).ravel()
    if one.shape != two.shape:
        raise UsageError(f"cosine_simularity needs vectors of one length, not {one.size} and {two.size}.")
    return plain(_cosines(one[None], two[None])[0, 0])


def _vectors(group: DataGroup) -> NDArray[Any]:
    """The values of a group as a row each."""
    rows = [numbers(one).ravel() for one in group.filled()]
    if len({one.size for one in rows}) > 1:
        raise UsageError(f"cosine_simularity: the values of {group.name!r} have different lengths, so no angles.")
    return np.stack(rows)


def _cosines(one: NDArray[Any], two: NDArray[Any]) -> NDArray[Any]:
    with np.errstate(invalid="ignore", divide="ignore"):
        units = [rows / np.abs(rows).max(axis=1, keepdims=True) for rows in (one, two)]  # no overflow in the squares
        units = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in units]
        found: NDArray[Any] = np.clip(units[0] @ units[1].T, -1.0, 1.0)
    return found
