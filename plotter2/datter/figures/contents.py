"""Digests of values' content: of each value once, for as long as somebody holds it and nobody can write to it.

A value is drawn by several panels and animations, and each says what it shows by digest. What may still change is
hashed each time; an array is known to stay as it is when neither it nor what it looks into can be written to.
"""

from __future__ import annotations

import mmap
import weakref
from collections.abc import Mapping
from typing import Any, Protocol

import msgspec
import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from plotter2.datter.figures import figure
from plotter2.datter.figures.frame import Coloured, Curve, MotionOf, Scene, Shape, TableOf
from plotter2.datter.mathematics.boxes import Boxes
from plotter2.datter.mathematics.expression import Expr
from plotter2.datter.values.group import DataGroup
from plotter2.datter.values.points import Points
from plotter2.datter.values.table import Table

_INSIDE: tuple[tuple[type, str], ...] = (
    (Points, "matrix"), (Curve, "y"), (Expr, "y"), (TableOf, "table"), (MotionOf, "value"), (Shape, "value"),
    (Coloured, "value"), (Boxes, "table"), (Scene, "states"),
)  # fmt: skip


class Told(Protocol):
    """What is said of a value: its digest, "" where nobody knows it yet."""

    digest: str


class Contents:
    """The digests of one run's values."""

    __slots__ = ("_kept", "_known")

    def __init__(self, known: Mapping[int, Told]) -> None:
        """`known` says by identity with which digest values came."""
        self._known = known
        self._kept: dict[int, tuple[weakref.ref[Any], str]] = {}

    def digest(self, value: Any) -> str:
        """The digest of what a value holds; hexadecimal."""
        return self._found(value)[0]

    def _found(self, value: Any) -> tuple[str, bool]:
        """The digest, and whether it stays so."""
        known = self._known.get(id(value))
        if known is not None and known.digest:
            return known.digest, True
        kept = self._kept.get(id(value))
        if kept is not None and kept[0]() is value and (not isinstance(value, np.ndarray) or is_fixed(value)):
            return kept[1], True
        made, stays = self._made(value)
        if stays and type(value).__weakrefoffset__:
            self._kept[id(value)] = weakref.ref(value), made  # of a value that is gone it says nothing: see above
        return made, stays

    def _made(self, value: Any) -> tuple[str, bool]:
        if isinstance(value, np.ndarray):
            return figure.digest(value), is_fixed(value)
        if isinstance(value, DataGroup):
            return self._of_group(value)
        if isinstance(value, list | tuple):
            return self._joined(value, stays=False)
        if isinstance(value, Table):
            columns = [(name, *self._found(value.column(name))) for name in value.names]
            return _joined([name + digest for name, digest, _ in columns]), all(stays for *_, stays in columns)
        for kind, attribute in _INSIDE:
            if isinstance(value, kind):
                return self._found(getattr(value, attribute))
        return figure.digest(value if _is_plain(value) else repr(value)), False

    def _of_group(self, group: DataGroup) -> tuple[str, bool]:
        """Of a group that many instances look at, worked out once for all of them.

        From the values by themselves, so that it is the same whichever of them does it.
        """
        if not group.numbered:
            return self._joined(group, stays=True)
        bare = Contents({})
        known: str = group.once("content", lambda values: bare._joined(values, stays=True)[0])
        return known, True

    def _joined(self, values: Any, *, stays: bool) -> tuple[str, bool]:
        found = [self._found(one) for one in values]
        return _joined([digest for digest, _ in found]), stays and all(one for _, one in found)


def is_fixed(array: NDArray[Any]) -> bool:
    """Whether nobody can write to an array: not to itself, nor to an array that it is a view of."""
    inner: Any = array
    while isinstance(inner, np.ndarray):
        if inner.flags.writeable:
            return False
        inner = inner.base
    if isinstance(inner, mmap.mmap):
        return memoryview(inner).readonly
    # What Arrow holds is never written to; of any other owner nobody knows.
    return inner is None or isinstance(inner, bytes) or type(inner).__module__.startswith("pyarrow")


def _is_plain(value: Any) -> bool:
    try:
        msgspec.json.encode(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def _joined(digests: list[str]) -> str:
    return blake3("".join(digests).encode()).hexdigest()
