"""order: what has an order, put into it (requirement 133, pure)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.values.array import bare
from plotter2.datter.values.group import DataGroup
from plotter2.datter.values.keys import natural, unknown
from plotter2.datter.values.points import Points
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError

MATRIX_AXES = 2
MISSING = frozenset({"NAType", "NaTType"})
"""What pandas calls what is missing, among objects."""


def ordered(value: Any, by: str | int | None = None) -> Any:
    """A value in its order; what that is for each kind stands at `reading.order`.

    Raises:
        UsageError: it has none, or there is no such column.
    """
    if isinstance(value, DataGroup):
        return value.ordered()
    if isinstance(value, Table):
        return _table(value, by)
    if isinstance(value, Points):
        ranks = _ranks(value.matrix[:, _place(value.names, by)])
        groups = value.groups.rows(ranks) if value.groups is not None else None
        return replace(value, matrix=value.matrix[ranks], groups=groups)
    if isinstance(value, dict):
        names = sorted(value, key=lambda one: natural(str(one)))
        return DataGroup.of([value[name] for name in names], [str(name) for name in names])
    return value if isinstance(value, str) else _plain(value, by)


def _table(table: Table, by: str | int | None) -> Table:
    if not table.names:
        raise UsageError("order: this table has no columns, so nothing to order by.")
    column = table.names[_place(table.names, by)]
    places = table.codes(column)[0] if table.kind(column) in {"text", "clock"} else table.column(column)
    if table.kind(column) in {"text", "clock"}:
        texts = table.column(column).tolist()
        places = np.where([one is None for one in texts], len(places), places)
    return table.take(_ranks(places))


def _place(names: tuple[str, ...], by: str | int | None) -> int:
    """Which column is meant, by its name or its place."""
    if isinstance(by, int) and not -len(names) <= by < len(names):
        raise UsageError(f"order: there are {len(names)} columns, so there is no column {by}.")
    if isinstance(by, str) and by not in names:
        raise unknown("column to order by called", by, names)
    return (0 if by is None else by) if not isinstance(by, str) else names.index(by)


def _plain(value: Any, by: str | int | None) -> NDArray[Any]:
    """An array, or a list as one."""
    array = _array(value)
    if array.ndim > MATRIX_AXES:
        raise UsageError(
            f"order: an array of {array.ndim} axes is in the order of its first one already; lists and matrices can be "
            "ordered."
        )
    if by is not None and array.ndim < MATRIX_AXES:
        raise UsageError(f"order: by={by!r} names a column, and a list of values has none.")
    if not array.size:
        return array
    key = array
    if array.ndim == MATRIX_AXES:
        key = array[:, _place(tuple(f"column {place}" for place in range(array.shape[1])), by)]
    found: NDArray[Any] = array[_ranks(key)]
    return found


def _array(value: Any) -> NDArray[Any]:
    try:
        array = bare(value) if hasattr(value, "__len__") and not isinstance(value, bytes | set) else np.empty(())
        if array.dtype.kind in "US" and not isinstance(value, np.ndarray) and array.ndim == 1:
            array = np.array(value, dtype=object)  # numpy would make texts of numbers beside texts
    except ValueError:
        raise UsageError("order: these rows have different lengths, so there are no columns to order by.") from None
    if not array.ndim:
        what = "one value" if isinstance(value, np.ndarray | int | float) else type(value).__name__
        raise UsageError(f"order works on groups, tables, points, lists, arrays and dictionaries, not on {what}.")
    return array


def _is_missing(one: Any) -> bool:
    if one is None or type(one).__name__ in MISSING:
        return True
    return isinstance(one, Real | Decimal) and one != one  # noqa: PLR0124 -- NaN is not itself


def _ranks(values: NDArray[Any]) -> NDArray[Any]:
    """The places of values in ascending order, texts as people count; missing ones last."""
    if values.dtype.kind not in "OU":
        return np.argsort(values, kind="stable")
    listed = values.tolist()
    missing = [_is_missing(one) for one in listed]
    there = [place for place, gone in enumerate(missing) if not gone]
    is_text = all(isinstance(listed[place], str) for place in there)
    try:
        there.sort(key=lambda place: natural(listed[place]) if is_text else listed[place])
    except (TypeError, ValueError):  # arrays say the latter
        kinds = sorted({type(one).__name__.removeprefix("nd") for one in listed})
        raise UsageError(f"order: {' and '.join(kinds)} have no common order.") from None
    return np.array([*there, *(place for place, gone in enumerate(missing) if gone)], int)
