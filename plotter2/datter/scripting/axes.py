"""Axes: how many instances of a script a request starts, and with which keys (rule R1 of scripts, pure).

Each `impose(k as datter.keytype(x))` at the module level is an axis: one instance for each key of the data `x` in the
bundle and the bundles below it, with `k` bound to that key. Axes over the same data go in step with each other,
axes over different data give every combination. A parameter that is called like an axis chooses one of its keys.
Opens no file and runs nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import Any

from plotter2.datter.scope import Scope
from plotter2.datter.values.keys import Key, below, catalog, nearest, ordinal, run_titles, stem, undeclared
from plotter2.errors import LimitError, UsageError

INSTANCES_MAX = 100_000
"""Of one definition in one request, unless the installation says otherwise."""
KEYTYPE = "keytype"


@dataclass(frozen=True, slots=True)
class Axis:
    """A name that a script wants bound, and the data whose keys it is bound to."""

    name: str
    base: str


@dataclass(frozen=True, slots=True)
class BoundKey:
    """One key of some data: what an instance has on one of its axes.

    Attributes:
        name: tells it from the other keys of this data in this scope; goes as a parameter's value.
        place: where it stands on the data's own axis, as the step that its file's name ends with.
    """

    base: str
    name: str
    bundle: str
    path: str
    place: float


@dataclass(frozen=True, slots=True)
class Plan:
    """The instances of one definition, in the order of their keys.

    Attributes:
        instances: the key of each axis, by the axis' name; one empty entry for a script without axes.
        warning: why there are none; "" when there are some.
    """

    instances: tuple[dict[str, BoundKey], ...]
    axes: tuple[Axis, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    warning: str = ""

    def parameters(self, place: int) -> dict[str, str]:
        """What binds the axes of one instance: the names of its keys."""
        return {name: key.name for name, key in self.instances[place].items()}


def declared(tree: ast.Module) -> tuple[Axis, ...]:
    """The axes of a script whose `X as Y` is rewritten already: those that stand at its module level."""
    calls = [node.value for node in tree.body if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)]
    found = [
        Axis(word.arg, base)
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id == "impose"
        for word in call.keywords
        if word.arg is not None
        and isinstance(word.value, ast.Call)
        and isinstance(word.value.func, ast.Attribute)
        and word.value.func.attr == KEYTYPE
        for base in _named(word.value.args)
    ]
    return tuple(dict.fromkeys(found))


def _named(args: list[ast.expr]) -> Iterator[str]:
    """The name that stands alone in a call, bare or as a text."""
    if len(args) == 1 and isinstance(args[0], ast.Name):
        yield args[0].id
    elif len(args) == 1 and isinstance(args[0], ast.Constant) and isinstance(args[0].value, str):
        yield args[0].value


def keys_of(scope: Scope, base: str) -> tuple[BoundKey, ...]:
    """The keys of some data in a bundle and the bundles below it: its own first, each bundle's in natural order."""
    keys = [(one, catalog(one).get(base) or undeclared(one, base)) for one in (scope, *below(scope))]
    having = [(one, key) for one, key in keys if key.paths]
    titles = run_titles([one for one, _ in having])
    found = [
        BoundKey(base, name, one.bundle, path, place)
        for (one, key), title in zip(having, titles, strict=True)
        for name, path, place in _members(key, "" if one is scope else title)
    ]
    if len({key.name for key in found}) == len(found):
        return tuple(found)
    return tuple(BoundKey(base, f"{key.bundle}/{key.path}", key.bundle, key.path, key.place) for key in found)


def _members(key: Key, title: str) -> Iterator[tuple[str, str, float]]:
    for place, path in enumerate(key.paths):
        counted = ordinal(stem(path))
        name = "/".join(part for part in (title, stem(path) if len(key.paths) > 1 or not title else "") if part)
        yield name, path, counted[1] if counted is not None else float(place)


def chosen(keys: Sequence[BoundKey], wanted: Any, base: str) -> BoundKey:
    """The key that is called so, or that stands at this place.

    Raises:
        UsageError: there is none; with the nearest.
    """
    named = next((key for key in keys if key.name == str(wanted)), None)
    if named is None and isinstance(wanted, int | float):
        named = next((key for key in keys if key.place == wanted), None)
    if named is None:
        raise UsageError(f"{base!r} has no key {str(wanted)!r}; {nearest(str(wanted), [key.name for key in keys])}.")
    return named


def planned(
    axes: Sequence[Axis],
    keys: Callable[[str], Sequence[BoundKey]],
    given: Mapping[str, Any] | None = None,
    limit: int = INSTANCES_MAX,
) -> Plan:
    """Which instances a definition has.

    Args:
        axes: what its script imposes.
        keys: the keys of the data of this name.
        given: parameters of the request; one that is called like an axis chooses a key.
        limit: so many instances at most.

    Raises:
        UsageError: a parameter names a key that is not there.
        LimitError: they would be more than the limit.
    """
    given = given or {}
    found: dict[str, tuple[BoundKey, ...]] = {}
    for axis in axes:
        every = found.get(axis.base)
        every = tuple(keys(axis.base)) if every is None else every
        found[axis.base] = (chosen(every, given[axis.name], axis.base),) if axis.name in given else every
    counts = {base: len(every) for base, every in found.items()}
    if prod(counts.values()) > limit:
        written = " x ".join(f"{count:,} keys of {base!r}" for base, count in counts.items())
        raise LimitError(
            f"{written} are {prod(counts.values()):,} instances, more than the {limit:,} of one request; "
            "impose fewer keys, or choose some by a parameter."
        )
    empty = [base for base, count in counts.items() if not count]
    warning = f"There is no data called {empty[0]!r} here, so no instance is started." if empty else ""
    combined = (dict(zip(found, one, strict=True)) for one in product(*found.values()))
    return Plan(tuple({axis.name: one[axis.base] for axis in axes} for one in combined), tuple(axes), counts, warning)
