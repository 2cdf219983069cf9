"""What `expose(x as float)` promises: the type of the value that a script gives under a name (requirement 178; pure).

A value that can be brought to its type without losing anything is; every other one is refused, with both types. Arrays
are held to the type element by element, so `float` is promised of a matrix as of a number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from plotter2.datter.values.incoming import taken_in
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError

COLLECTIONS = (list, tuple, set, frozenset)
_KINDS: dict[type, str] = {bool: "b", int: "biu", float: "iuf", complex: "iufc"}
"""Kinds of dtypes that an array may have before it is brought to a type."""


def held(name: str, wanted: type, value: Any) -> Any:
    """The value as what was promised.

    Args:
        name: what it is exposed as, for the message.
        wanted: int, float, complex, bool, str, bytes, list, tuple, set, dict or Table.
        value: what the script gives.

    Raises:
        UsageError: it is something else, or would lose something on the way.
    """
    found = taken_in(value)
    if wanted in _KINDS:
        made = _number(wanted, found)
    elif wanted in COLLECTIONS:
        is_many = isinstance(found, COLLECTIONS) or (isinstance(found, np.ndarray) and found.ndim == 1)
        made = wanted(found.tolist() if isinstance(found, np.ndarray) else found) if is_many else None
    else:
        made = found if isinstance(found, wanted) else None
    if made is None:
        raise UsageError(f"This script exposes {name!r} as {wanted.__name__}, but gives {_said(found)}.")
    return made


def _number(wanted: type, value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.ndim:
        return _array(wanted, value)
    if isinstance(value, np.generic | np.ndarray):
        value = value.item()
    if isinstance(value, bool) or wanted is bool:
        return value if isinstance(value, bool) and wanted is bool else None
    if not isinstance(value, int | float | complex):
        return None
    made = _lossless(wanted, value)
    return None if made is None or (made != value and value == value) else made  # noqa: PLR0124 -- NaN is no loss


def _lossless(wanted: Callable[[Any], Any], value: complex) -> Any:
    try:
        return wanted(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _array(wanted: type, value: np.ndarray[Any, Any]) -> Any:
    if wanted is int and value.dtype.kind == "f":
        whole = (
            np.isfinite(value).all() and np.array_equal(value, np.trunc(value)) and abs(value).max(initial=0) < 2**63
        )
        return value.astype(np.int64) if whole else None
    if value.dtype.kind not in _KINDS[wanted] or (value.dtype.kind == "b" and wanted is not bool):
        return None
    is_so = value.dtype.kind == {int: "i", float: "f", complex: "c", bool: "b"}[wanted]
    return value if is_so or (wanted is int and value.dtype.kind == "u") else value.astype(wanted)


def _said(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype}"
    if isinstance(value, Table):
        return "a table"
    shown = repr(value)
    return f"{type(value).__name__} {shown}" if len(shown) <= 40 else type(value).__name__  # noqa: PLR2004 -- fits a line


def given(promised: dict[str, type], exposed: set[str], returned: Any) -> tuple[dict[str, Any], Any]:
    """What a task gives by returning it: for each promise that `expose` has not kept yet, its value.

    Args:
        promised: types by name.
        exposed: names that have their value.
        returned: what `task()` gave: the value of the one name that is missing, or values by name.

    Returns:
        The values by name, and what was returned, with these values instead of its own.

    Raises:
        UsageError: a name has no value, or one of another type.
    """
    missing = [name for name in promised if name not in exposed]
    if not missing:
        return {}, returned
    if isinstance(returned, dict) and set(missing) <= returned.keys():
        made = {name: held(name, promised[name], returned[name]) for name in missing}
        return made, {**returned, **made}
    if len(missing) > 1 or returned is None:
        raise UsageError(
            f"This script exposes {missing[0]!r} as {promised[missing[0]].__name__}, but gives no value for it: "
            f"return it, or say expose({missing[0]} as value) in task()."
        )
    value = held(missing[0], promised[missing[0]], returned)
    return {missing[0]: value}, value
