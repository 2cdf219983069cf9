"""Trigonometry by numpy, element by element (requirements 119 to 122). Angles are radians; `deg` and `rad` turn them.

NaN in gives NaN out, and NaN is what a function has outside of its domain; nothing warns.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.mathematics import blockwise
from plotter2.datter.mathematics.stats import plain
from plotter2.datter.values.group import DataGroup, Member
from plotter2.datter.values.points import numbers
from plotter2.errors import UsageError

_TEMPLATE = """{what}

    Shapes: any in, the same out; of a group, item by item.
    Units: {units}.
    Definition: {source}, element by element in float64{complex}.

    Raises:
        UsageError: no numbers, empty{refused}.
    """
_REAL_ONLY = frozenset({"deg", "rad"})


def _each(name: str, function: Callable[..., Any], what: str, units: str, source: str) -> Callable[..., Any]:
    complex_too = name not in _REAL_ONLY

    def apply(value: Any) -> Any:
        if isinstance(value, DataGroup):
            return value.filled().map(apply)
        return _computed(function, value, numbers(value, complex_too=complex_too))

    apply.__name__ = apply.__qualname__ = name
    apply.__doc__ = _TEMPLATE.format(
        what=what,
        units=units,
        source=source,
        complex="; complex values too" if complex_too else "",
        refused="" if complex_too else ", complex ones",
    )
    return apply


def _computed(function: Callable[..., Any], value: Any, *arrays: NDArray[Any]) -> Any:
    floats = [one if one.dtype.kind == "c" else one.astype(float) for one in map(blockwise.wide, arrays)]
    with np.errstate(invalid="ignore", divide="ignore", over="ignore", under="ignore"):
        found = function(*floats)
    is_one = np.ndim(value) == 0 if isinstance(value, np.ndarray | np.generic) else not hasattr(value, "__len__")
    return plain(found[0]) if is_one and found.size == 1 else found


def atan2(y: Any, x: Any) -> Any:
    """Angle of the point (x, y): of the second and the first argument.

    Shapes: two that broadcast in, their common shape out; of groups, item by item.
    Units: lengths of one unit in, radians out.
    Definition: numpy.arctan2, element by element in float64.

    Raises:
        UsageError: no numbers, empty, complex ones, shapes that do not fit.
    """
    if isinstance(y, DataGroup) or isinstance(x, DataGroup):
        return _pairwise(y, x)
    ups, acrosses = numbers(y), numbers(x)
    try:
        np.broadcast_shapes(ups.shape, acrosses.shape)
    except ValueError:
        raise UsageError(f"atan2: y has the shape {ups.shape} and x {acrosses.shape}; they do not fit.") from None
    return _computed(np.arctan2, y if np.ndim(y) else x, ups, acrosses)


def _pairwise(y: Any, x: Any) -> DataGroup:
    """The angles of two groups item by item, or of one with the same value everywhere."""
    groups = [one.filled() for one in (y, x) if isinstance(one, DataGroup)]
    first = groups[0]
    if len(groups[-1]) != len(first):
        raise UsageError(f"atan2: a group of {len(first)} and one of {len(groups[-1])}; as many are needed.")
    ups, acrosses = (one if isinstance(one, DataGroup) else [one] * len(first) for one in (y, x))
    angles = [atan2(up, across) for up, across in zip(ups, acrosses, strict=True)]
    members = [Member.holding(one.name, one.key, found) for one, found in zip(first.members, angles, strict=True)]
    return DataGroup(members, first.name, first.axis)


_IN, _OUT, _BARE = "radians in, a ratio out", "a ratio in, radians out", "none"
TRIGONOMETRY: dict[str, Callable[..., Any]] = {
    name: _each(name, function, *about)
    for names, function, *about in (
        (("sine", "sin"), np.sin, "Sine of an angle.", _IN, "numpy.sin"),
        (("cos", "cosine"), np.cos, "Cosine of an angle.", _IN, "numpy.cos"),
        (("tan",), np.tan, "Tangent of an angle.", _IN, "numpy.tan"),
        (("asin",), np.arcsin, "Inverse sine; NaN outside -1 to 1.", _OUT, "numpy.arcsin"),
        (("acos",), np.arccos, "Inverse cosine; NaN outside -1 to 1.", _OUT, "numpy.arccos"),
        (("atan",), np.arctan, "Inverse tangent.", _OUT, "numpy.arctan"),
        (("sec",), lambda x: 1 / np.cos(x), "Secant of an angle.", _IN, "1 / cos"),
        (("csc",), lambda x: 1 / np.sin(x), "Cosecant of an angle.", _IN, "1 / sine"),
        (("cot",), lambda x: 1 / np.tan(x), "Cotangent of an angle.", _IN, "1 / tan"),
        (("sinh",), np.sinh, "Hyperbolic sine.", _BARE, "numpy.sinh"),
        (("cosh",), np.cosh, "Hyperbolic cosine.", _BARE, "numpy.cosh"),
        (("tanh",), np.tanh, "Hyperbolic tangent.", _BARE, "numpy.tanh"),
        (("asinh",), np.arcsinh, "Inverse hyperbolic sine.", _BARE, "numpy.arcsinh"),
        (("acosh",), np.arccosh, "Inverse hyperbolic cosine; NaN below 1.", _BARE, "numpy.arccosh"),
        (("atanh",), np.arctanh, "Inverse hyperbolic tangent; NaN outside -1 to 1.", _BARE, "numpy.arctanh"),
        (("deg",), np.degrees, "Radians to degrees.", "radians in, degrees out", "x * 180 / pi (numpy.degrees)"),
        (("rad",), np.radians, "Degrees to radians.", "degrees in, radians out", "x * pi / 180 (numpy.radians)"),
    )
    for name in names
} | {"atan2": atan2}
