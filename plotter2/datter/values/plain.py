"""Lists and objects as arrays of numbers, and what is said of those that hold none."""

from __future__ import annotations

from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.values import spill
from plotter2.datter.values.array import bare
from plotter2.datter.values.incoming import taken_in
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError

_MISSING = frozenset({"NAType"})
"""What pandas calls a missing number, in a list of Python's."""
_NAMED = {
    "dict": "a dictionary", "NoneType": "nothing", "NAType": "nothing", "set": "a set; make a list of it",
    "generator": "a generator; make a list of it", "bytes": "bytes", "Expr": "a formula; its values are .y",
    "Fit": "a fit; its .residuals are some", "Boxes": "boxes; their .extents are some",
}  # fmt: skip
_KINDS = {
    "M": "times; as places of derivative, integral and fit they can be given",
    "m": "spans of time; divide them by a unit, as numpy.timedelta64(1, 's')",
    "V": "records; make a datter.Table of their columns",
}


def array_of(value: Any) -> NDArray[Any]:
    """A list, array or sparse matrix as an array of at least one dimension: of numbers, or what holds none.

    Raises:
        UsageError: its rows have different lengths, or it is of objects that are no numbers.
    """
    value = _each(value)
    try:
        array = np.atleast_1d(spill.dense(value) if hasattr(value, "tocsr") else bare(value))
        return _plain_numbers(_regular(array), value) if array.dtype.kind == "O" else array
    except ValueError:
        raise UsageError("These values are not a regular array of numbers: its rows have different lengths.") from None


def _each(value: Any) -> Any:
    """A list of what other libraries hold as one of arrays; anything else as it is."""
    if not isinstance(value, list | tuple) or not value or isinstance(value[0], int | float | str):
        return value
    ours = [taken_in(one) for one in value]
    return [_rows(one) for one in ours]


def _rows(value: Any) -> Any:
    if isinstance(value, Table):
        return value.to_numpy()
    return spill.dense(value) if hasattr(value, "tocsr") else value


def _regular(array: NDArray[Any]) -> NDArray[Any]:
    """Lists of one length inside a list as the rows of a matrix."""
    listed = list(array.ravel())
    if not listed or not all(isinstance(one, list | tuple | np.ndarray) for one in listed):
        return array
    rows = [np.asarray(taken_in(one)) for one in listed]
    if len({one.shape for one in rows}) > 1:
        raise ValueError("rows of different lengths")
    return np.stack(rows).reshape(*array.shape, *rows[0].shape)


def _plain_numbers(array: NDArray[Any], value: Any) -> NDArray[Any]:
    """Python's own numbers of any size as float64."""
    if array.dtype.kind != "O":
        return array
    listed = [np.nan if one is None or type(one).__name__ in _MISSING else one for one in array.ravel()]
    if value is None or type(value).__name__ in _MISSING or not all(isinstance(one, Real | Decimal) for one in listed):
        raise UsageError(f"Numbers are needed here, not {described(value, array)}.")
    try:
        return np.array([float(one) for one in listed]).reshape(array.shape)
    except OverflowError:
        raise UsageError("A number is larger than 1.8e308, the largest there is.") from None


def described(value: Any, array: NDArray[Any]) -> str:
    """What a value is that holds no numbers, and what would be right."""
    name = type(value).__name__
    if isinstance(value, str):
        return "text" if name == "str" else f"a bare name; access({value}) gives its data"
    if array.dtype.kind in _KINDS:
        return _KINDS[array.dtype.kind]
    if name in _NAMED or not array.ndim:
        return _NAMED.get(name, name)
    odd = next((one for one in array.ravel().tolist() if one is not None and not isinstance(one, Real | Decimal)), "")
    if type(odd).__str__ is object.__str__ and type(odd).__repr__ is object.__repr__:
        return f"what holds things of the kind {type(odd).__name__}"  # what they write of themselves says nothing
    return f"what holds {type(odd).__name__ if not isinstance(odd, str) else 'text'}, as {str(odd)[:40]!r}"
