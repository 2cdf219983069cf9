"""Samples as people hold them: places along an axis, which may be times, values at them, and their weights.

Times become seconds since the first of them, so a slope over times is per second and an area in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.mathematics.moments import unit
from plotter2.datter.values.group import DataGroup
from plotter2.datter.values.keys import shown
from plotter2.datter.values.points import numbers, points
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError

Floats = NDArray[np.float64]
SECOND = np.timedelta64(1, "s")
FINEST = "datetime64[us]"


def places(value: Any) -> tuple[Floats, str]:
    """Places as float64, and what they count where they are times, else "".

    Raises:
        UsageError: neither real numbers nor times.
    """
    times = _times(value)
    if times is None:
        return numbers(value).astype(float).ravel(), ""
    if times.dtype.kind == "m":
        return _seconds(times), "seconds"
    known = times[~np.isnat(times)]
    if not known.size:
        raise UsageError("Every time is missing, so there are no places.")
    first = known.min()
    return _seconds(times - first), since(first)


def since(first: Any) -> str:
    """What places count that are times."""
    return f"seconds since {str(first.astype(FINEST)).removesuffix('.000000')}"


def of_table(table: Table) -> tuple[Any, Any, tuple[str, str]] | None:
    """x, y and their names: of two columns of numbers, or one beside times or an index; None of other tables."""
    found, times = [name for name in table.measured() if table.kind(name) == "number"], table.of_kind("time")
    places = times or [name for name in table.of_kind("number") if name in table.index]
    pair = (*places, *found) if len(places) == len(found) == 1 else tuple(found)
    if len(pair) != 2:  # noqa: PLR2004 -- x and y
        return None
    return table.column(pair[0]), table.column(pair[1]), (pair[0], pair[1])


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """What a curve is fitted to: complete points, the roots of their weights, and how large values are."""

    x: Floats
    y: Floats
    roots: Floats
    names: tuple[str, str]
    notes: tuple[str, ...]
    measure: float

    @property
    def scaled(self) -> Floats:
        """y, so small that squares of it are floats."""
        return self.y / self.measure


def samples(data: Any, other: Any, weights: Any) -> Samples:
    """What a curve is fitted to, of all that people call so.

    Raises:
        UsageError: no numbers, x and y of different lengths, more than two columns, or weights that are none.
    """
    data, weights = _weighed(data, weights)
    x, y, names = _pairs(data, other)
    scale = np.ones(len(x)) if weights is None else numbers(weights).astype(float).ravel()
    if len(scale) != len(x):
        raise UsageError(f"fit: {len(scale)} weights for {len(x)} points; one a point is needed.")
    if np.any(scale < 0) or np.any(np.isinf(scale)):
        raise UsageError("fit: weights are 0 or more, and finite: 1 / variance of each y, in any unit.")
    whole = np.isfinite(x) & np.isfinite(y) & ~np.isnan(scale)
    kept = whole & (scale > 0)
    counts = (int((~whole).sum()), "a value is missing or infinite"), (int((whole & ~kept).sum()), "its weight is 0")
    notes = tuple(f"{count:,} of {len(x):,} points left out: {why}." for count, why in counts if count)
    roots = np.sqrt(scale[kept] / scale[kept].max()) if kept.any() else np.empty(0)
    return Samples(x[kept], y[kept], roots, names, notes, unit(y[kept]))


def _weighed(data: Any, weights: Any) -> tuple[Any, Any]:
    """The data and its weights, where they are a column of it."""
    if not isinstance(weights, str):
        return data, weights
    if not isinstance(data, Table):
        raise UsageError(f"fit: weights={weights!r} names a column, so it needs a table, not {shown(data)}.")
    return data.select([name for name in data.names if name != weights]), data.column(weights)


def _pairs(data: Any, other: Any) -> tuple[Floats, Floats, tuple[str, str]]:
    if other is None and isinstance(data, Table) and (pair := of_table(data)) is not None:
        x, unit_of_x = places(pair[0])
        return x, numbers(pair[1]).astype(float), (unit_of_x or pair[2][0], pair[2][1])
    if other is not None:
        (x, unit_of_x), y = places(data), numbers(other).astype(float).ravel()
        if len(x) != len(y):
            raise UsageError(f"fit: x has {len(x)} values and y has {len(y)}; they must be equally many.")
        return x, y, (unit_of_x or "x", "y")
    found = points(data)
    if found.shape[1] == 1:
        keys = _keys(data)
        at = keys if keys is not None and len(keys) == len(found) else np.arange(len(found), dtype=float)
        return at, found.matrix[:, 0], _names(data, found.names[0])
    if found.shape[1] > 2:  # noqa: PLR2004 -- x and y
        first, second = found.names[:2]
        raise UsageError(
            f"fit: here are {found.shape[1]} columns; say which two, as fit(data['{first}'], data['{second}']), or "
            f"choose them before: access(key, columns=['{first}', '{second}'])."
        )
    return found.matrix[:, 0], found.matrix[:, 1], (found.names[0], found.names[1])


def _keys(data: Any) -> Floats | None:
    """The places of a group of single numbers: its keys, where they are numbers."""
    is_numbered = isinstance(data, DataGroup) and all(
        isinstance(key, int | float | np.number) and not isinstance(key, bool) for key in data.keys
    )
    return np.asarray(data.keys, float) if is_numbered else None


def _names(data: Any, name: str) -> tuple[str, str]:
    return (data.axis or "place", data.name or name) if isinstance(data, DataGroup) else ("place", name)


def _times(value: Any) -> NDArray[Any] | None:
    array = np.asarray(value) if isinstance(value, np.ndarray | list | tuple) and len(value) else None
    if array is not None and array.dtype.kind == "O" and hasattr(array.ravel()[0], "isoformat"):
        array = array.astype(FINEST)
    return array.ravel() if array is not None and array.dtype.kind in "mM" else None


def _seconds(spans: NDArray[Any]) -> Floats:
    """Spans of time as float64 seconds; NaN for missing ones."""
    found: Floats = spans / SECOND
    return found
