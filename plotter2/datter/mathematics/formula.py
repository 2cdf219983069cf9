"""Formulas as text, made into small trees that can hold nothing but arithmetic (pure).

A formula is numbers, names, `+ - * / % ^ **` (or the signs of print for these, and for pi), brackets, and the functions
of `FUNCTIONS`; a number, a name or a bracket before a name or a bracket multiplies (`2x`, `3(x+1)`, `x(x-1)`; `1/2x` is
half of x). Python's own parser reads it,
after every character has been looked at; what it gives is taken over part by part, and computed by numpy in float64: no
formula reaches an attribute, an import, a loop, or whole numbers without end.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from plotter2.datter.values.keys import nearest
from plotter2.errors import UsageError

TEXT_CHARS_MAX = 1000
PARTS_MAX = 300
DEPTH_MAX = 300
"""How deep signs and functions may lie inside one another: they are gone over by functions that call themselves."""
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan,
    "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh,
    "exp": np.exp, "log": np.log, "ln": np.log, "log10": np.log10, "log2": np.log2, "sqrt": np.sqrt, "abs": np.abs,
    "sign": np.sign, "floor": np.floor, "ceil": np.ceil, "erf": lambda x: import_module("scipy.special").erf(x),
    "min": np.minimum, "max": np.maximum, "atan2": np.arctan2,
}  # fmt: skip
CONSTANTS = {"pi": float(np.pi), "e": float(np.e), "tau": float(2 * np.pi)}
_TWO = frozenset({"min", "max", "atan2"})
_INFIX: dict[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Mod: "%", ast.Pow: "^",
}  # fmt: skip
_COMPUTE: dict[str, Callable[..., Any]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.true_divide, "%": np.mod, "^": np.power,
    "negative": np.negative, "positive": np.positive,
}  # fmt: skip
_PYTHONS = {
    "^": "**", "\N{MULTIPLICATION SIGN}": "*", "\N{MIDDLE DOT}": "*", "\N{DIVISION SIGN}": "/",
    "\N{MINUS SIGN}": "-", "\N{GREEK SMALL LETTER PI}": "pi",
}  # fmt: skip
"""What people write otherwise than Python."""
_LONG = re.compile(r"[^\W\d_]{2}\w*")
"""Before a bracket this is a function; of one letter, `x(x+1)` and `k1(x+1)` multiply."""
_SIGNS = "\N{MULTIPLICATION SIGN}\N{MIDDLE DOT}\N{DIVISION SIGN}\N{MINUS SIGN}"
_RAISED = "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"
"""The raised digits from 0 to 9; several that follow one another are one number, as on paper."""
_TOKEN = re.compile(
    r"\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)"
    rf"|([^\W\d_{_RAISED}][^\W{_RAISED}]*)|(\*\*|[{_RAISED}]+|[-+*/%^(),{_SIGNS}]))"
)


@dataclass(frozen=True, slots=True)
class Node:
    """A part of a formula.

    Attributes:
        kind: number, name, function (of `FUNCTIONS`), negative, positive, or an operator of `+ - * / % ^`.
    """

    kind: str
    name: str = ""
    value: float = 0.0
    parts: tuple[Node, ...] = ()

    def names(self) -> Iterator[str]:
        """The names in it, in their order, some twice."""
        if self.kind == "name":
            yield self.name
        for part in self.parts:
            yield from part.names()

    def degree(self, names: AbstractSet[str]) -> float:
        """Its degree as a polynomial in some names together: 0 without them, infinite where it is no polynomial."""
        if self.kind == "name":
            return float(self.name in names)
        inner = [part.degree(names) for part in self.parts]
        if not any(inner):
            return 0.0
        if self.kind in {"negative", "positive", "+", "-"}:
            return max(inner)
        if self.kind == "*" or (self.kind == "/" and not inner[1]):
            return sum(inner)
        return math.inf

    def computed(self, values: Mapping[str, Any]) -> Any:
        """Its value, given those of its names; float64."""
        if self.kind == "number":
            return self.value
        if self.kind == "name":
            return values[self.name]
        parts = [part.computed(values) for part in self.parts]
        return (FUNCTIONS[self.name] if self.kind == "function" else _COMPUTE[self.kind])(*parts)


def formula(text: str) -> Node:
    """The tree of a formula.

    Raises:
        UsageError: it is none; says where and why.
    """
    if len(text) > TEXT_CHARS_MAX:
        raise UsageError(f"A formula may have {TEXT_CHARS_MAX} characters, not {len(text)}.")
    written, places = _spelled(text)
    try:
        tree = ast.parse(written, mode="eval").body
    except (SyntaxError, RecursionError, MemoryError, ValueError) as wrong:
        column = (getattr(wrong, "offset", None) or 1) - 1
        place = max((ours for theirs, ours in places if theirs <= column), default=0)
        raise UsageError(f"{text.strip()!r} is not a formula: it is wrong at character {place + 1}.") from None
    if sum(isinstance(one, ast.Name | ast.Constant | ast.Call) for one in ast.walk(tree)) > PARTS_MAX:
        raise UsageError(f"{text.strip()[:40]!r}... has more than {PARTS_MAX} parts; divide it into several formulas.")
    if _depth(tree) > DEPTH_MAX:
        raise UsageError(f"{text.strip()[:40]!r}... is nested more than {DEPTH_MAX} deep; write it flatter.")
    return _taken_over(tree, text.strip())


def _depth(tree: ast.AST) -> int:
    """How deep a tree is, gone over level by level."""
    depth, level = 0, [tree]
    while level:
        depth, level = depth + 1, [inner for one in level for inner in ast.iter_child_nodes(one)]
    return depth


def _spelled(text: str) -> tuple[str, list[tuple[int, int]]]:
    """The formula as Python spells it, and which place there is which place in the text."""
    found: list[str] = []
    places: list[tuple[int, int]] = []
    at, end, length, before = 0, len(text.rstrip()), 0, ""
    while at < end:
        token = _TOKEN.match(text, at)
        if token is None:
            place = at + len(text[at:]) - len(text[at:].lstrip())
            raise UsageError(
                f"{text.strip()!r} is not a formula: {text[place]!r} (character {place + 1}) cannot be part of one; "
                "numbers, names, + - * / % ^ and brackets can."
            )
        word = str(token[token.lastindex or 0])
        is_operand = token.lastindex in {1, 2} or word == "("
        if token.lastindex == 1 and _ends_operand(before):
            raise UsageError(
                f"{text.strip()!r} is not a formula: between {before!r} and {word!r} (character "
                f"{token.start(1) + 1}) stands no sign."
            )
        if is_operand and _ends_operand(before) and not (word == "(" and _LONG.fullmatch(before)):
            found.append("*")
            length += 1
        places.append((length, token.start(token.lastindex or 0)))
        spelled = _PYTHONS.get(word, word) if word[0] not in _RAISED else "**" + _lowered(word)
        found.append(f" {spelled}")
        length += len(spelled) + 1
        at, before = token.end(), word
    return "".join(found).lstrip(), [(max(0, theirs - 1), ours) for theirs, ours in places]


def _lowered(word: str) -> str:
    """Raised digits as a number, without zeros in front, which Python refuses."""
    return str(int("".join(str(_RAISED.index(digit)) for digit in word)))


def _ends_operand(word: str) -> bool:
    return bool(word) and (word[-1].isalnum() or word[-1] in "_).")


def _taken_over(tree: ast.expr, text: str) -> Node:
    match tree:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return Node("number", value=_as_float(value, text))
        case ast.Name(id=name) if name not in FUNCTIONS:
            return Node("name", name)
        case ast.Name(id=name):
            raise UsageError(f"{text!r}: the function {name} needs brackets, as {name}(x).")
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=inner):
            return Node("negative" if isinstance(sign, ast.USub) else "positive", parts=(_taken_over(inner, text),))
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _INFIX:
            return Node(_INFIX[type(sign)], parts=(_taken_over(left, text), _taken_over(right, text)))
        case ast.Call(func=ast.Name(id=name), args=given, keywords=[]):
            return _called(name, given, text)
        case _:  # a tuple: no other character has been let through
            raise UsageError(f"{text!r} is not a formula: a comma stands where only one value can be.")


def _called(name: str, given: list[ast.expr], text: str) -> Node:
    if name not in FUNCTIONS:
        raise UsageError(f"{text!r}: there is no function {name!r}; {nearest(name, FUNCTIONS)}.")
    wanted = 2 if name in _TWO else 1
    if len(given) != wanted:
        raise UsageError(f"{text!r}: {name} takes {wanted} value{'s' * (wanted > 1)}, not {len(given)}.")
    return Node("function", name, parts=tuple(_taken_over(one, text) for one in given))


def _as_float(value: float, text: str) -> float:
    try:
        return float(value)
    except OverflowError:
        raise UsageError(f"{text!r}: a number is larger than 1.8e308, the largest there is.") from None
