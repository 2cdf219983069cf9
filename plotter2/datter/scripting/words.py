"""The words that say who and what: me, datter, loggy, expose, impose, imposed, giveup."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from typing_extensions import override

from plotter2.datter.context import Context, Imposition, KeyType, Symbol, current
from plotter2.datter.scope import Scope
from plotter2.datter.scripting import contract, promises
from plotter2.datter.scripting.binding import find as find_key
from plotter2.datter.scripting.contract import Wants
from plotter2.datter.scripting.reading import over, read
from plotter2.datter.trees import tasks
from plotter2.datter.trees.asking import exposed_by
from plotter2.datter.values.group import DataGroup
from plotter2.datter.values.keys import below, natural, run_titles, unknown
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError


class GaveUp(BaseException):
    """A task has ended by `giveup()`."""


@dataclass(frozen=True, slots=True)
class Me:
    """The task that is running: `me`."""

    run: str
    task: str
    bundle: str
    version: int
    number: int = 1

    @override
    def __eq__(self, other: object) -> bool:
        """It is found among the tasks that are gathered: a task is its number."""
        return isinstance(other, Me | tasks.Handle) and other.number == self.number

    @override
    def __hash__(self) -> int:
        """That of the same task as others know it."""
        return hash((self.number,))

    @property
    def keys(self) -> dict[str, str]:
        """The keys that this instance is bound to, by the names that its script imposes."""
        context = current()
        found: dict[str, str] = {}
        for name, (base, given) in context.bindings.items():
            if given is not None:
                key = find_key(context.run.scope, base, given)
                found[name] = str(given) if key is None else key.name
        return found

    @property
    def owners(self) -> list[tasks.Handle]:
        """The tasks that linked this one, in the same order for everybody; none when it is alone."""
        return tasks.islinked(self) or []

    @property
    def parameters(self) -> dict[str, Any]:
        """What the run was given, and the bundle's own parameters."""
        return dict(current().parameters)


class Run:
    """One earlier run of the experiment: a bundle below this one that has parameters."""

    def __init__(self, context: Context, scope: Scope, name: str) -> None:
        self._context, self._scope = context, scope
        self.bundle = scope.bundle
        self.name = name
        self.parameters = dict(scope.parameters)

    @property
    def keys(self) -> list[str]:
        """The keys of its data."""
        return list(self._context.keys_of(self._scope))

    def access(self, key: str) -> Any:
        """Its data by key."""
        return read(self._context, self._scope, key)

    @override
    def __repr__(self) -> str:
        return f"Run({self.name!r})"


class Runs(list[Run]):
    """Runs in the order of their parameters."""

    def __init__(self, context: Context, scopes: list[Scope]) -> None:
        self._context = context
        self._scopes = sorted(scopes, key=_rank)
        titled = zip(self._scopes, run_titles(self._scopes), strict=True)
        super().__init__(Run(context, scope, title) for scope, title in titled)

    def access(self, key: str) -> DataGroup:
        """One key of all runs, one member a run; runs that lack it are named in the log and left out."""
        having = [one for one in self._scopes if (found := self._context.keys_of(one).get(key)) and found.paths]
        if not having:
            raise unknown("data of the runs called", key, {name for run in self for name in run.keys})
        if len(having) < len(self._scopes):
            lacking = ", ".join(run.name for run, one in zip(self, self._scopes, strict=True) if one not in having)
            self._context.emit(f"warning: without {key!r} and left out: {lacking}")
        return over(self._context, having, key)


def _rank(scope: Scope) -> list[tuple[int, float, Any]]:
    """Numbers by size, then words by their natural order."""
    values = [value for _, value in sorted(scope.parameters.items())]
    ranks: list[tuple[int, float, Any]] = [
        (0, float(value), []) if isinstance(value, int | float) else (1, 0.0, natural(str(value))) for value in values
    ]
    return [*ranks, (2, 0.0, natural(scope.bundle))]


class Datter:
    """The handle on the engine: `datter`."""

    Table = Table
    is_pool = True
    """Where data goes that is handed in to `datter`."""

    @staticmethod
    def task(name: Any, **parameters: Any) -> Any:
        """Start a task: the built-in, which a script's own `task` hides."""
        return tasks.task(name, **parameters)

    @staticmethod
    def keytype(base: Any) -> KeyType:
        """The type "key of this data"."""
        return KeyType(str(base))

    @staticmethod
    def runs() -> Runs:
        """The earlier runs of this experiment, in the order of their parameters."""
        context = current()
        return Runs(context, [one for one in below(context.run.scope) if one.parameters])

    @staticmethod
    def keys() -> list[str]:
        """The keys of this bundle's data."""
        context = current()
        return list(context.keys_of(context.run.scope))

    @staticmethod
    def group(values: Any, names: Any = None, name: str = "") -> DataGroup:
        """A group of values, or of a dictionary of them."""
        if isinstance(values, Mapping):
            return DataGroup.of(values.values(), list(map(str, values)), name)
        return DataGroup.of(values, names, name)

    def __iter__(self) -> Iterator[Any]:
        raise UsageError("datter is a handle; datter.runs() and datter.keys() give lists.")


def loggy(*words: Any, level: str = "info", **fields: Any) -> None:
    """A line of the run's log, with fields."""
    parts = [" ".join(str(word) for word in words), *(f"{name}={_short(value)}" for name, value in fields.items())]
    line = " ".join(part for part in parts if part)
    current().emit(line if level == "info" else f"{level}: {line}")


def _short(value: Any) -> str:
    return (
        json.dumps(value, ensure_ascii=False) if isinstance(value, str) and (not value or " " in value) else str(value)
    )


def giveup() -> NoReturn:
    """End well: what was exposed and never drawn is drawn by the default rules."""
    raise GaveUp


def expose(*names: str, **values: Any) -> None:
    """Say what this script gives: `expose(name)` announces, `expose(name as value)` hands over the value.

    `expose(name as float)` promises its type: of the value that is exposed later, else of what `task()` returns.

    Raises:
        UsageError: a value is not what was promised.
    """
    context = current()
    for name in names:
        if not isinstance(name, str):
            raise UsageError("expose takes names, or `name as value`.")
    for name, given in values.items():
        if isinstance(given, Symbol) and given == name:
            continue  # announced again: nothing is behind it yet
        if isinstance(given, type):
            context.promised[name] = given
            continue
        value = promises.held(name, context.promised[name], given) if name in context.promised else given
        context.exposures[name] = value
        context.aside.discard(name)
        datum = context.datum(value)
        datum.name = datum.name or name
        if context.carrier is not None:
            exposed_by(context, context.carrier, name, value)


def impose(*names: str, **constraints: Any) -> None:
    """Say what must hold: a key of some data, a type, or one of several values of a parameter.

    Raises:
        UsageError: it does not hold.
    """
    context = current()
    for name in map(str, names):
        context.imposed[name] = Imposition(Wants.GIVEN, None, _given(context, name))
    for name, wanted in constraints.items():
        if isinstance(wanted, KeyType):
            context.imposed[name] = _key(context, name, wanted.base)
            continue
        given = _given(context, name)
        kind = _kind(wanted)
        if not contract.is_met(kind, wanted, given):
            raise UsageError(contract.not_met(name, wanted, given))
        context.imposed[name] = Imposition(kind, wanted, given)


def _given(context: Context, name: str) -> Any:
    if name not in context.parameters:
        raise UsageError(contract.not_given(name))
    return context.parameters[name]


def _key(context: Context, name: str, base: str) -> Imposition:
    given = context.parameters.get(name)
    context.bindings[name] = (base, given)
    found = None if given is None else find_key(context.run.scope, base, given)
    return Imposition(Wants.KEY, base, given if found is None else found.name)


def _kind(wanted: Any) -> Wants:
    if isinstance(wanted, type):
        return Wants.TYPE
    return Wants.VALUES if isinstance(wanted, list | tuple | set) else Wants.VALUE


def imposed() -> dict[str, Imposition]:
    """Everything imposed on this task: by name the kind, what must hold, and the value that was given."""
    return dict(current().imposed)
