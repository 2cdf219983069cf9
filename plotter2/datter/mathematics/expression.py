"""expr: formulas as people write them, for drawing, computing, deriving and fitting (requirement 151).

How a formula is spelled stands in `formula`. Values are IEEE 754 double precision; outside a function's domain they
are NaN. Derivatives are sympy's; it is given the tree part by part, never text.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from plotter2.datter.mathematics.formula import CONSTANTS, TEXT_CHARS_MAX, Node, formula
from plotter2.datter.values.keys import nearest
from plotter2.datter.values.points import numbers
from plotter2.errors import UsageError

TERMS_MAX = 1_000_000
TERMS = 200
VALUES_MAX = 50_000_000
"""Of a formula over all its ranges: 400 MB."""
WHOLE_MAX = 1e9


class Expr:
    """A formula, with the ranges of its variables and the values of its constants.

    Attributes:
        text: as it was given.
        name: what stands before `=`; "" for nothing.
        ranges: the places of each variable that has a range, float64.
        constants: the values of names that were given one.
    """

    __slots__ = ("_node", "constants", "name", "ranges", "text")

    def __init__(
        self, text: str, node: Node, name: str, ranges: Mapping[str, NDArray[Any]], constants: Mapping[str, float]
    ) -> None:
        """Made by `expr`."""
        self.text = text
        self.name = name
        self.ranges = dict(ranges)
        self.constants = dict(constants)
        self._node = node

    @property
    def names(self) -> tuple[str, ...]:
        """Names without a value: variables, and parameters for `fit`; in their order in the text."""
        known = CONSTANTS.keys() | self.constants.keys()
        return tuple(name for name in dict.fromkeys(self._node.names()) if name not in known)

    @property
    def variable(self) -> str:
        """The one variable that has a range, or the one that there is.

        Raises:
            UsageError: there are several, or none.
        """
        found = list(self.ranges) or list(self.names)
        if len(found) != 1:
            said = f"its names are {', '.join(found)}" if found else "it has no variable"
            raise UsageError(f"expr {self.text!r}: one variable is needed here; {said}.")
        return found[0]

    def __call__(self, *places: Any, **values: Any) -> Any:
        """The value: at a place of the one variable, or with names and their values; arrays of float64 broadcast.

        Raises:
            UsageError: a name has no value, or there is none of that name.
        """
        given = dict(values)
        if places:
            given[self.variable] = places[0]
        unknown = set(given) - set(self._node.names())
        if unknown and places == ():
            raise UsageError(f"expr {self.text!r} has no name {min(unknown)!r}; {nearest(min(unknown), self.names)}.")
        lacking = [name for name in self.names if name not in given and name not in self.ranges]
        if lacking:
            raise UsageError(f"expr {self.text!r}: {', '.join(lacking)} must be given a value, as {lacking[0]}=1.")
        grids = {} if set(self.names) <= given.keys() else self._grids(given)
        floats = {name: _number_or_array(name, value) for name, value in given.items()}
        with np.errstate(all="ignore"):
            found = self._node.computed({**CONSTANTS, **self.constants, **grids, **floats})
        array = np.asarray(found, float)
        return float(array) if not array.ndim else array

    def _grids(self, given: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
        """The ranges of the variables; of several, each along an axis of its own, the last one fastest."""
        free = {name: places for name, places in self.ranges.items() if name not in given}
        return dict(zip(free, np.meshgrid(*free.values(), indexing="ij", sparse=True), strict=True)) if free else {}

    @property
    def x(self) -> NDArray[Any]:
        """The places of the one variable."""
        name = self.variable
        if name not in self.ranges:
            raise UsageError(f"expr {self.text!r}: {name} needs a range, as {name}=(0, 10, {TERMS}).")
        return self.ranges[name]

    @property
    def y(self) -> NDArray[Any]:
        """The values over the places of all variables: one axis a variable."""
        shape = tuple(len(places) for places in self.ranges.values())
        if prod(shape) > VALUES_MAX:
            raise UsageError(f"expr {self.text!r}: {prod(shape):,} values over its ranges; at most {VALUES_MAX:,}.")
        return np.broadcast_to(np.asarray(self(), float), shape).copy()

    def linear_in(self, names: Sequence[str]) -> tuple[str, ...]:
        """Those of the names, as many as go together, of which the formula is a sum of multiples."""
        found: list[str] = []
        for name in names:
            if self._node.degree({*found, name}) <= 1:
                found.append(name)
        return tuple(found)

    def derivative(self, by: str = "") -> Expr:
        """The derivative by a variable, as a formula with the same ranges and constants (sympy).

        Raises:
            UsageError: there is no such variable, or the formula has no derivative in these functions.
        """
        name = by or self.variable
        if name not in set(self._node.names()) | set(self.ranges):
            raise UsageError(f"expr {self.text!r} has no variable {name!r}; {nearest(name, self.names)}.")
        sympy = import_module("sympy")
        found = sympy.diff(_symbolic(self._node, sympy), sympy.Symbol(name, real=True))
        text = _written(str(found), self.text)
        if len(text) > TEXT_CHARS_MAX:
            raise UsageError(
                f"expr {self.text[:40]!r}: its derivative would be written with {len(text):,} characters, more than "
                f"{TEXT_CHARS_MAX:,}; derivative(f.y, f.x) gives its values."
            )
        node = formula(text)
        return Expr(text, node, f"d{self.name or 'f'}/d{name}", self.ranges, self.constants)

    @override
    def __repr__(self) -> str:
        return f"expr({self.text!r})"


_SYMPY = {"ln": "log", "abs": "Abs", "ceil": "ceiling", "min": "Min", "max": "Max"}
_BASES = {"log10": 10, "log2": 2}
_WORKED_OUT = frozenset({"floor", "ceil", "sign", "abs", "min", "max"})
"""Functions that sympy looks up the value of, to as many digits as that takes."""
POWER_BITS_MAX = 4_096


def _symbolic(node: Node, sympy: Any) -> Any:
    """The formula for sympy."""
    if node.kind == "number":
        return _number(node.value, sympy)
    if node.kind == "name":
        known = {"pi": sympy.pi, "e": sympy.E, "tau": 2 * sympy.pi}
        return known[node.name] if node.name in known else sympy.Symbol(node.name, real=True)
    parts = [_symbolic(part, sympy) for part in node.parts]
    is_said = node.name in _WORKED_OUT or node.kind in {"^", "%"}
    if is_said and not any(part.free_symbols for part in parts):
        return _worked_out(node, parts, sympy)
    if node.kind != "function":
        return _power(parts[0], parts[1], sympy) if node.kind == "^" else _COMBINED[node.kind](*parts)
    if node.name in _BASES:
        return sympy.log(parts[0], _BASES[node.name])
    return getattr(sympy, _SYMPY.get(node.name, node.name))(*parts)


def _worked_out(node: Node, parts: Sequence[Any], sympy: Any) -> Any:
    """Powers and roundings of numbers in float64: sympy works them out in whole numbers, which have no end."""
    with np.errstate(all="ignore"):
        inner = tuple(Node("number", value=float(part)) for part in parts)
        return _number(float(replace(node, parts=inner).computed({})), sympy)


def _power(base: Any, exponent: Any, sympy: Any) -> Any:
    """A power; its exponent a float where sympy would otherwise work out numbers of thousands of digits."""
    if not exponent.is_Integer:
        return base**exponent
    bits = max((int(one.p).bit_length() + int(one.q).bit_length() for one in base.atoms(sympy.Rational)), default=0)
    return base ** (exponent if abs(int(exponent)) * bits <= POWER_BITS_MAX else sympy.Float(float(exponent)))


def _number(value: float, sympy: Any) -> Any:
    if not np.isfinite(value):
        raise UsageError("A formula whose numbers go beyond 1.8e308 has no derivative.")
    return sympy.Integer(int(value)) if value.is_integer() and abs(value) < WHOLE_MAX else sympy.Float(repr(value))


_COMBINED: dict[str, Callable[..., Any]] = {
    "negative": operator.neg, "positive": operator.pos, "+": operator.add, "-": operator.sub, "*": operator.mul,
    "/": operator.truediv, "%": operator.mod,
}  # fmt: skip


def _written(text: str, original: str) -> str:
    """What sympy writes, in our words."""
    for ours, theirs in (("abs", "Abs"), ("ceil", "ceiling"), ("pi", "pi")):
        text = re.sub(rf"\b{theirs}\b", ours, text)
    text = re.sub(r"\bE\b", "e", text)
    if re.search(r"Derivative|Subs|Piecewise|Heaviside|DiracDelta|Mod|Min|Max|zoo|nan", text):
        raise UsageError(f"expr {original!r} has no derivative that can be written in these functions.")
    return text


def expr(text: str, **given: Any) -> Expr:
    """A formula: `expr("y = 2x + 1", x=(0, 10, 200))`; drawn as a curve, computed by calling it, derived, or fitted.

    Args:
        text: `name = formula`, or only the formula; at most 1,000 characters.
        given: of each name a range (start, stop) or (start, stop, terms), an array (or longer list) of places, or a
            constant.

    Shapes: a formula out; `.y` has one axis a range, up to 1,000,000 terms each; called, it has the shape of what it is
    given.
    Units: angles in radians; else those of its numbers.
    Definition: IEEE 754 double precision; outside a function's domain the value is NaN.

    Raises:
        UsageError: it cannot be read as a formula (says where), or a range is none.
    """
    if not str(text).strip():
        raise UsageError('expr needs a formula as text, as expr("y = 2x", x=(0, 10)).')
    text = str(text)
    head, is_equation, tail = text.partition("=")
    name, body = (head.strip(), tail) if is_equation else ("", text)
    if is_equation and not name.isidentifier():
        raise UsageError(f"expr {text!r}: before = stands one name, as in y = 2x.")
    node = formula(body)
    ranges: dict[str, NDArray[Any]] = {}
    constants: dict[str, float] = {}
    for word, value in given.items():
        if word not in set(node.names()):
            raise UsageError(f"expr {text!r} has no name {word!r}; {nearest(word, dict.fromkeys(node.names()))}.")
        if np.ndim(value) == 0:
            constants[word] = float(_number_or_array(word, value))
        else:
            ranges[word] = _range(word, value)
    return Expr(text, node, name, ranges, constants)


def _number_or_array(name: str, value: Any) -> NDArray[Any]:
    """Numbers as float64, of the shape that they have."""
    if isinstance(value, float | np.ndarray) and np.asarray(value).dtype == float:
        return np.asarray(value)
    try:
        found = numbers(value).astype(float)
    except UsageError as wrong:
        raise UsageError(f"expr, {name}: {wrong}") from None
    return found.reshape(()) if np.ndim(value) == 0 else found


def _range(name: str, value: Sequence[Any] | NDArray[Any]) -> NDArray[Any]:
    places = _number_or_array(name, value)
    if isinstance(value, tuple | list) and len(value) in {2, 3}:
        start, stop, terms = float(value[0]), float(value[1]), int(value[2]) if len(value) > 2 else TERMS  # noqa: PLR2004 -- start, stop, terms
        if not 2 <= terms <= TERMS_MAX or not np.isfinite([start, stop]).all() or start == stop:  # noqa: PLR2004 -- two ends
            raise UsageError(
                f"A range is (start, stop, terms) with 2 to {TERMS_MAX:,} terms, as {name}=(0, 10, {TERMS})."
            )
        return np.linspace(start, stop, terms)
    if places.ndim != 1 or not 0 < places.size <= TERMS_MAX:
        raise UsageError(f"The places of {name} are a list of 1 to {TERMS_MAX:,} numbers.")
    return places
