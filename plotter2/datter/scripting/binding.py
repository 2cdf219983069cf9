"""What an instance has on its axes and for its other imposed names, as values that its script can use (R1, r181).

`impose(k as datter.keytype(m))` binds `k` to a key of `m`: a text that `access` understands. `impose(lr as float)`
binds `lr` to the value that the run was given. Keys of a scope are worked out once and kept for the next instances,
which have the same one: an instance among ten thousand must not sort ten thousand names.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from plotter2.datter.context import Context, KeyOf
from plotter2.datter.scope import Scope
from plotter2.datter.scripting.axes import Axis, BoundKey, chosen, keys_of
from plotter2.datter.scripting.contract import Contract

KEPT_MAX = 16
_kept: OrderedDict[tuple[int, str], tuple[Scope, tuple[BoundKey, ...], dict[str, BoundKey]]] = OrderedDict()


def bind(contract: Contract, context: Context) -> dict[str, Any]:
    """The value of each imposed name that this run was given, by name.

    Raises:
        UsageError: a key of data that is here is named, and there is none of that name; with the nearest.
    """
    axes = {axis.name: axis for axis in contract.axes}
    return {
        one.name: _key(axes[one.name], context) if one.name in axes else context.parameters[one.name]
        for one in contract.imposes
        if one.name in context.parameters
    }


def is_first(contract: Contract, context: Context) -> bool:
    """Whether this is the first of the instances of its definition: that of the first key on every axis."""
    scope = context.run.scope
    return all(
        find(scope, axis.base, context.parameters.get(axis.name)) in {None, *_keys(scope, axis.base)[0][:1]}
        for axis in contract.axes
    )


def _key(axis: Axis, context: Context) -> KeyOf:
    given = context.parameters[axis.name]
    found = find(context.run.scope, axis.base, given)
    context.bindings[axis.name] = (axis.base, given)
    return KeyOf(str(given) if found is None else found.name, axis.name)


def find(scope: Scope, base: str, wanted: Any) -> BoundKey | None:
    """The key of some data that is called so, or that stands at this place; None where there is no such data.

    Raises:
        UsageError: there is data, and it has no such key; with the nearest.
    """
    keys, named = _keys(scope, base)
    if not keys:
        return None
    return named.get(str(wanted)) or chosen(keys, wanted, base)


def _keys(scope: Scope, base: str) -> tuple[tuple[BoundKey, ...], dict[str, BoundKey]]:
    """The keys of some data, worked out once, and by name."""
    kept = _kept.get((id(scope), base))
    if kept is None:  # the scope is kept beside its keys, so its id stays its own
        keys = keys_of(scope, base)
        kept = _kept[id(scope), base] = scope, keys, {key.name: key for key in keys}
        if len(_kept) > KEPT_MAX:
            _kept.popitem(last=False)
    return kept[1:]
