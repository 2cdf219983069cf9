"""Whether a value is what a head declares: its kind, dtype and sizes against a type (requirements 045 to 047).

The same comparison as at link time, on what really comes: `plotter2.model.types` compares, this module says what type
a value has. numpy's arrays have exactly their dtype; plain Python numbers and lists are taken as JSON is, where 1 may
stand for a float.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np

from plotter2.datter.values.group import DataGroup
from plotter2.datter.values.points import Points
from plotter2.datter.values.table import Table
from plotter2.model import types, values
from plotter2.model.types import DTYPES, OPEN, Kind, Mode, Type

_KINDS = {"U": "text", "S": "text", "T": "text", "M": "time", "b": "bool"}
_COLUMNS = {"text": "text", "time": "time", "flag": "bool"}
_IMAGE_RANKS = (2, 3)
_PLAIN = (bool, int, float, str)


def described(value: Any) -> Type | None:
    """The type of a value: array, table, text or bytes; None for what has none (objects of people's own classes)."""
    if isinstance(value, bytes | bytearray | memoryview):
        return Type(Kind.BYTES)
    if isinstance(value, str):
        return Type(Kind.TEXT)
    if isinstance(value, Table):
        return types.table({name: _column_dtype(value, name) for name in value.names})
    if isinstance(value, Points):
        return described(value.matrix)
    if isinstance(value, np.ndarray | np.generic):
        return types.array(_dtype(value), *value.shape)
    return None


def _column_dtype(table: Table, name: str) -> str:
    return _COLUMNS.get(table.kind(name)) or _dtype(table.column(name))


def _dtype(value: Any) -> str:
    kind = value.dtype.kind
    if kind == "O":
        flat = value.ravel()
        return "text" if len(flat) and all(isinstance(one, str) for one in flat) else OPEN
    name = _KINDS.get(kind) or str(value.dtype)
    return name if name in DTYPES else OPEN


def misfit(expected: Type, value: Any, mode: Mode = Mode.CONSTANT) -> str:
    """What a value is instead of what is expected, as the end of a sentence that names its type; "" if it fits.

    Args:
        expected: what a head declares.
        value: numpy arrays and numbers, Table, Points, text, bytes, or what JSON can hold.
        mode: of the link; a mutable one leaves out sizes.
    """
    if expected.kind is Kind.ANY:
        return ""
    if _is_plain(value) and expected.kind in {Kind.ARRAY, Kind.TEXT}:
        return values.misfit(expected, _listed(value), mode)
    if isinstance(value, Table) and expected.kind is Kind.TABLE and _has_columns(expected, value, mode):
        return ""
    given = described(np.asarray(value) if isinstance(value, list | tuple) and not _is_ragged(value) else value)
    if given is None:
        return f"this is {_spelled(value)}"
    if expected.kind is Kind.IMAGE and given.kind is Kind.ARRAY and len(given.shape or ()) in _IMAGE_RANKS:
        given = replace(given, kind=Kind.IMAGE)
    part = types.difference(expected, given, mode)
    return f"this is {given}: another {part}" if part else ""


def _has_columns(expected: Type, table: Table, mode: Mode) -> bool:
    """Whether a table fits; of a large one only those columns are looked at whose dtypes are declared."""
    wanted = {name for name, dtype in expected.columns if dtype != OPEN}
    given = {name: _column_dtype(table, name) if name in wanted else OPEN for name in table.names}
    return types.accepts(expected, types.table(given), mode)


def _is_plain(value: Any) -> bool:
    """Whether it is what JSON holds, in lists as deep as a type can be."""
    level = [value]
    for _ in range(types.RANK_MAX + 1):
        if all(isinstance(one, _PLAIN) and not isinstance(one, np.generic) for one in level):
            return True
        if not all(isinstance(one, list | tuple) for one in level):
            return False
        level = [inner for one in level for inner in one]
    return False


def _listed(value: Any) -> Any:
    return [_listed(one) for one in value] if isinstance(value, list | tuple) else value


def _is_ragged(value: Any) -> bool:
    try:
        return bool(np.asarray(value).dtype.kind == "O")
    except ValueError:
        return True


def _spelled(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "a list whose members are not of one shape"
    return {type(None): "nothing", dict: "an object"}.get(type(value), f"a {type(value).__name__}")


def lent(value: Any) -> Any:
    """A value that can be read and not written: a view of an array, a copy of a list (requirement 045)."""
    if isinstance(value, np.ndarray):
        view = value.view()
        view.flags.writeable = False
        return view
    return value.map(lent) if isinstance(value, DataGroup) else _copied(value)


def sealed(value: Any) -> Any:
    """A value that nobody can write: a copy of one that its maker still could, who may hold it for the next call."""
    if isinstance(value, np.ndarray):
        if value.flags.writeable:
            value = value.copy()
            value.flags.writeable = False
        return value
    return value.map(sealed) if isinstance(value, DataGroup) else _copied(value)


def own(value: Any) -> Any:
    """A private copy, which may be written."""
    if isinstance(value, np.ndarray):
        return np.array(value)
    return value.map(own) if isinstance(value, DataGroup) else _copied(value)


def _copied(value: Any) -> Any:
    return deepcopy(value) if isinstance(value, list | dict | set | bytearray) else value


def each(value: Any, check: Callable[[Any], None]) -> Any:
    """Have a value checked; of a group each member, when it is looked at."""
    if not isinstance(value, DataGroup):
        check(value)
        return value

    def checked(one: Any) -> Any:
        check(one)
        return one

    return value.map(checked)
