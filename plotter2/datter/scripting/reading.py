"""access, load and copy: how a run gets at data (requirements 163, 171, 175), and order and the groups it works on.

A key is looked for where a link of the bundle leads, in the bundle itself, with those whose doing it shares, then in
the bundles below it, where it becomes a group with one member each.
Loaded tables are kept by a child for its next tasks; arrays are mapped, so keeping them would gain nothing.
"""

from __future__ import annotations

import copy as copying
import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from typing_extensions import override

from plotter2.datter import loading
from plotter2.datter.context import Context, KeyOf, KeyType, current, file_digest, underway
from plotter2.datter.scope import Scope
from plotter2.datter.scripting import calling
from plotter2.datter.scripting.binding import find as find_key
from plotter2.datter.trees.asking import accessed, is_transfer_key, unlocked
from plotter2.datter.values import ordering
from plotter2.datter.values.array import array
from plotter2.datter.values.group import DataGroup, Member
from plotter2.datter.values.incoming import taken_in
from plotter2.datter.values.keys import (
    IMAGES,
    NAMED_MAX,
    TEXTS,
    Key,
    below,
    ending,
    nearest,
    ordinal,
    run_titles,
    stem,
    undeclared,
    unknown,
)
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError
from plotter2.model.package import Dialect

Remember = Callable[[Any, str, str], Any]
KEPT_TABLES = 8
KEPT_BYTES_MAX = 64 << 20
KEPT_CONVERTED = 2
"""Large tables that were written anew as Arrow: they take disk, not memory."""


def access(key: Any = None, columns: Sequence[str] | None = None) -> Any:
    """Data by its key, by a path or pattern in the bundle, or the bundle's main data without an argument.

    Raises:
        UsageError: nothing provides it; with the nearest keys.
    """
    context = current()
    if isinstance(key, list | tuple) and key and all(isinstance(one, str | KeyType) for one in key):
        return {str(one): access(one, columns) for one in key}
    if isinstance(key, Exposures):
        return key.only()
    if key is not None and not isinstance(key, str | KeyType):
        return key  # a value that somebody holds already
    value = _found(context, context.run.scope, _main_key(context) if key is None else key)
    if columns is not None:
        if not isinstance(value, Table):
            raise UsageError(f"access: {key!r} is no table, so it has no columns to choose.")
        value = value.select(list(columns))
    return value


def load(bundle: str, key: str) -> Any:
    """Data of a bundle that is named, as `name` or `name@version`: this one, one below it, or any other.

    Another bundle is brought before the run begins, so its name stands in the text of the definition as it is.

    Raises:
        UsageError: there is no such bundle, its name was worked out while the run went on, or it has no such key.
    """
    context = current()
    scopes = {scope.bundle: scope for scope in (context.run.scope, *below(context.run.scope))}
    scope = context.run.loads.get(bundle) or scopes.get(bundle)
    if scope is None:
        near = nearest(bundle, [*scopes, *context.run.loads])
        if re.search(rf"""(["']){re.escape(bundle)}\1""", context.run.source):  # it was looked for before the run began
            raise UsageError(f"There is no bundle {bundle!r}; of those that this run sees {near}.")
        raise UsageError(
            f"This run does not see the bundle {bundle!r}; {near}. "
            f'What else shall be loaded stands in the text as it is: load("{bundle}", ...).'
        )
    return read(context, scope, key)


def copy(source: Any) -> Any:
    """A private copy, which may be written to, of data or of what a key names."""
    value = access(source)
    context = current()
    name = context.name_of(value)
    made = value.map(copying.copy) if isinstance(value, DataGroup) else private(value)
    context.alike(value, context.know(made, name))
    if context.carrier is not None:
        context.datum(made).source = context.carrier.shelf.number_of(value)
    return made


def private(value: Any) -> Any:
    """The same value once more, which may be written to.

    Raises:
        UsageError: it is no value, but something that gives values once.
    """
    try:
        is_plain = isinstance(value, np.ndarray) and not value.dtype.hasobject
        if not is_plain or isinstance(value, np.ma.MaskedArray):
            return copying.deepcopy(value)
        return array(np.array(value))
    except TypeError:
        raise UsageError(f"copy: a {type(value).__name__} cannot be copied; make a list of it first.") from None


class Exposures:
    """What is exposed to this task: names and values. `x in exposed()` asks for a name, or for the very value."""

    __slots__ = ("_named", "_number_of")

    def __init__(self, named: dict[str, DataGroup], number_of: Callable[[Any], int]) -> None:
        """Show groups by name; the ledger's number of a value says which it is, 0 for one that it does not know."""
        self._named = named
        self._number_of = number_of

    def only(self) -> Any:
        """One name: its group; several: groups by name."""
        if not self._named:
            raise UsageError("Nothing is exposed to this task.")
        return next(iter(self._named.values())) if len(self._named) == 1 else dict(self._named)

    def __getitem__(self, name: str) -> DataGroup:
        """What is exposed under a name.

        Raises:
            UsageError: nothing is.
        """
        if name not in self._named:
            raise UsageError(f"Nothing is exposed to this task as {name!r}; {nearest(name, self._named)}.")
        return self._named[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._named)

    @override
    def __repr__(self) -> str:
        return f"exposed({', '.join(f'{name}: {len(group)}' for name, group in self._named.items())})"

    def __contains__(self, what: object) -> bool:
        if isinstance(what, str):
            return what in self._named
        number = self._number_of(what)
        return any(number in group.numbered for group in self._named.values())

    @property
    def named(self) -> dict[str, DataGroup]:
        """The groups by name."""
        return dict(self._named)

    def __len__(self) -> int:
        return len(self._named)


def _main_key(context: Context) -> str:
    """The key that is called like the bundle, the only one, or the largest; texts and pictures last."""
    scope = context.run.scope
    keys = context.keys_of(scope)
    if not keys:
        raise UsageError(f"access: {scope.bundle or 'this run'} has no data; name a bundle with --on, or a key.")
    name = scope.bundle.rpartition("/")[2]
    if name in keys or len(keys) == 1:
        return name if name in keys else next(iter(keys))
    ranks = {
        one: (not _is_beside(key), sum(scope.files[path].stat().st_size for path in key.paths))
        for one, key in keys.items()
    }
    chosen = max(ranks, key=lambda one: ranks[one])
    more = f" and {len(keys) - NAMED_MAX:,} more" if len(keys) > NAMED_MAX else ""
    context.emit(f"access: of {', '.join(islice(keys, NAMED_MAX))}{more} the largest is taken: {chosen}")
    return chosen


def _is_beside(key: Key) -> bool:
    """Whether a key is text or a picture, which mostly stands beside the data."""
    return {f".{ending(path)[0]}" for path in key.paths} <= TEXTS | IMAGES


def _found(context: Context, scope: Scope, key: str | KeyType) -> Any:
    if isinstance(key, KeyType):
        return _found(context, scope, key.base)
    name = key.imposed if isinstance(key, KeyOf) else str(key)
    if name in context.bindings:
        return _bound(context, scope, *context.bindings[name])
    if name in context.exposures:
        return context.exposures[name]
    reader = _reader_of(context, scope, name)
    shown = None if context.carrier is None else _shown(context, name, is_here=reader is not None)
    if shown is None and reader is None:
        raise unknown(f"data in {scope.bundle or 'this run'} called", name, _all_keys(context, scope))
    return reader() if shown is None and reader is not None else shown


def _shown(context: Context, name: str, *, is_here: bool) -> Any:
    """What other instances show under a name, or what a transfer key opens; None: what the bundle has is meant."""
    if is_transfer_key(name):
        return context.know(unlocked(context.carrier, name), "")
    return accessed(context, context.carrier, name, is_here=is_here)


def _reader_of(context: Context, scope: Scope, name: str) -> Callable[[], Any] | None:
    """How a name is read: in the bundle itself, else in all those below it that have it."""
    here = _here(context, scope, name)
    if here is not None:
        return here
    owners = [child for child in below(scope) if _provides(context, child, name)]
    return (lambda: over(context, owners, name)) if owners else None


def _here(context: Context, scope: Scope, name: str) -> Callable[[], Any] | None:
    """How the bundle itself comes by data: over a link of its own, by its own key, or with whom it shares."""
    own = calling.data(context, name, is_own=True)
    if own is None and _provides(context, scope, name):
        return _reader(context, scope, name)
    link = own or calling.data(context, name, is_own=False)
    return None if link is None else calling.Operation(context, link, read)


def _bound(context: Context, scope: Scope, base: str, wanted: Any) -> Any:
    """What an imposed name stands for: the one key of the data that this instance has, or all of it."""
    key = find_key(scope, base, wanted) if wanted is not None else None
    if key is None:
        return _found(context, scope, base)
    owner = next(one for one in (scope, *below(scope)) if one.bundle == key.bundle)
    declared = context.keys_of(owner).get(base) or undeclared(owner, base)
    return _read_file(context, owner, declared, key.path, stem(key.path) if declared.is_group else base, context.know)


def over(context: Context, scopes: Sequence[Scope], name: str) -> DataGroup:
    """One key of many bundles as a group, one member a bundle."""
    titled = zip(run_titles(scopes), scopes, strict=True)
    members = (
        Member(title, place, _reader(context, one, name), one.bundle) for place, (title, one) in enumerate(titled)
    )
    group = DataGroup(members, name)
    key = context.keys_of(scopes[0]).get(name)
    return group if key is None else _declared(context, group, key)


def _reader(context: Context, scope: Scope, name: str) -> Callable[[], Any]:
    return lambda: read(context, scope, name, context.meet)


def _all_keys(context: Context, scope: Scope) -> list[str]:
    return list(dict.fromkeys(key for one in (scope, *below(scope)) for key in context.keys_of(one)))


def _provides(context: Context, scope: Scope, name: str) -> bool:
    key = context.keys_of(scope).get(name)
    if key is not None:
        return bool(key.paths)
    return bool(undeclared(scope, name).paths)


def read(context: Context, scope: Scope, name: str, remember: Remember | None = None) -> Any:
    """The value of one key of one bundle; of a folder or a pattern the group of its files.

    `remember` is told where it came from; without it the run keeps the value until its end.
    """
    key = context.keys_of(scope).get(name) or undeclared(scope, name)
    if not key.paths:
        declared = scope.package.data[name].path if scope.package and name in scope.package.data else name
        raise UsageError(f"{scope.bundle or 'The bundle'} has no file {declared!r}, which is what {name!r} stands for.")
    if not key.is_group:
        called = name if name in context.keys_of(scope) else stem(name)
        return _read_file(context, scope, key, key.paths[0], called, remember or context.know)
    members = []
    axes = set()
    for place, path in enumerate(key.paths):
        counted = ordinal(stem(path))
        axes.add(counted[0] if counted else None)
        called = _inside(key.folder, path)
        members.append(
            Member(called, counted[1] if counted else place, _file_reader(context, scope, key, path), scope.bundle)
        )
    axis = axes.pop() if len(axes) == 1 else None
    if axis is None:
        members = [one.at(place) for place, one in enumerate(members)]
    return _declared(context, DataGroup(members, name, axis or ""), key)


def _declared(context: Context, value: Any, key: Key) -> Any:
    """Remember what is declared of a value's key: units, and which picture suits it, or each member of it."""
    if key.units or key.visual:
        found = context.data.get(id(value)) or context.datum(value)
        found.units = key.units
        if isinstance(value, DataGroup):
            found.item_visual = key.visual
        else:
            found.visual = found.visual or key.visual
    return value


def _inside(folder: str, path: str) -> str:
    """What a file of a group is called: its path in its folder, without what says how it is written."""
    above = path.removeprefix(folder + "/").rpartition("/")[0] if folder else ""
    return f"{above}/{stem(path)}" if above else stem(path)


def _file_reader(context: Context, scope: Scope, key: Key, path: str) -> Callable[[], Any]:
    return lambda: _read_file(context, scope, key, path, stem(path), context.meet)


def _read_file(context: Context, scope: Scope, key: Key, path: str, name: str, remember: Remember) -> Any:
    local = scope.files[path]
    context.reads[scope.bundle, scope.version, path] = local
    value = _load(local, path, key)
    if isinstance(value, Table):
        for note in value.notes:
            context.emit(f"warning: {note}")
        if value.name != name:
            value = Table(value.to_arrow(), name=name, notes=value.notes)
    return _declared(context, remember(value, name, file_digest(local)), key)


def _load(local: Path, path: str, key: Key) -> Any:
    status = local.stat()
    is_parsed = ending(path)[0] in loading.PARTED
    if loading.is_converted(local, path):
        return _converted(local, status.st_mtime_ns, status.st_size, path, key.type, key.columns, key.dialect)
    if status.st_size > KEPT_BYTES_MAX or not is_parsed:
        return loading.load_file(local, path, key.type, dict(key.columns), key.dialect)
    return _kept(local, status.st_mtime_ns, status.st_size, path, key.type, key.columns, key.dialect)


def _parsed(
    local: Path, _: int, __: int, path: str, kind: str, columns: tuple[tuple[str, str], ...], dialect: Dialect
) -> Any:
    return loading.load_file(local, path, kind, dict(columns), dialect)


_kept = lru_cache(maxsize=KEPT_TABLES)(_parsed)
_converted = lru_cache(maxsize=KEPT_CONVERTED)(_parsed)


def order(value: Any, by: str | int | None = None) -> Any:
    """A group in its stable total order; a table, points or a matrix by a column; values by size; a dictionary by name.

    Shapes: any in, the same out. Groups: by key (tuples part by part, numbers before texts), then origin, then name in
    natural order; the keys stay the axis that drawings use. Tables, points and matrices (rows x columns): whole rows by
    `by`, a column's name or its place from 0, or by their first column. Lists and arrays of one axis: by value.
    Ties keep their order everywhere; what is missing (None, NaN) stands last.
    Units: those of the values.
    Definition: stable ascending sort (numpy.sort, "stable").

    Raises:
        UsageError: no such column, values that have no common order, or an array of more than two axes, which is in the
            order of its first one already.
    """
    value = taken_in(value)
    context, made = underway(), ordering.ordered(value, by)
    return made if context is None else context.alike(value, made)
