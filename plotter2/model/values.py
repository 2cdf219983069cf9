"""Whether a value fits a declared type, for values that are JSON (requirements 046, 047; pure).

JSON has one kind of number: 1 is taken where a float is expected, 1.5 not where an integer is. What JSON cannot hold
(images, bytes) is not judged; of tables only that they are lists of rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from plotter2.model import types
from plotter2.model.types import Kind, Mode, Type

_TAKES = {
    "bool": {"bool"},
    "text": {"text"},
    "time": {"text"},
    types.OPEN: {"bool", "int64", "float64", "text"},
}
_NUMBERS = ("int", "uint", "float", "complex")
_UNJUDGED = frozenset({Kind.ANY, Kind.IMAGE, Kind.BYTES, Kind.TABLE})


def misfit(expected: Type, value: Any, mode: Mode = Mode.CONSTANT) -> str:
    """What a JSON value is instead of what is expected, as the end of a sentence; "" if it fits."""
    if expected.kind in _UNJUDGED:
        return ""
    if expected.kind is Kind.TEXT:
        return "" if isinstance(value, str) else f"this is {spelled(value)}"
    shape = _shape(value)
    if shape is None:
        return "this is a list whose rows are not all of one length" if isinstance(value, list) else (
            f"this is {spelled(value)}"
        )  # fmt: skip
    wanted = types.loosened(expected) if mode is Mode.MUTABLE else expected
    whole = types.difference(types.array(types.OPEN, *(wanted.shape or ())), types.array(types.OPEN, *shape))
    if wanted.shape is not None and whole:
        return f"this is {spelled(value)}: another {whole}"
    taken = _taken(expected.dtype)
    odd = next((one for one in _leaves(value) if one not in taken), "")
    return f"this is {spelled(value)}: another dtype" if odd else ""


def spelled(value: Any) -> str:
    """The type of a JSON value for people."""
    if value is None:
        return "nothing"
    shape = _shape(value)
    if shape is None:
        return "an object" if isinstance(value, dict) else "a list"
    found = set(_leaves(value))
    dtype = next((one for one in ("text", "float64", "int64", "bool") if one in found), types.OPEN)
    return str(types.array(dtype, *shape))


def _taken(dtype: str) -> set[str]:
    if dtype in _TAKES:
        return _TAKES[dtype]
    is_real = dtype.startswith(_NUMBERS[2:])
    return {"int64", "float64"} if is_real else {"int64"}


def _shape(value: Any) -> tuple[int, ...] | None:
    """Sizes of a rectangle of lists; None for what is none."""
    if isinstance(value, dict) or value is None:
        return None
    if not isinstance(value, list):
        return ()
    inner = {_shape(one) for one in value}
    if len(inner) > 1 or None in inner:
        return None
    (below,) = inner or {()}
    return None if below is None else (len(value), *below)


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _leaves(one)
    else:
        yield {bool: "bool", int: "int64", float: "float64", str: "text"}[type(value)]
