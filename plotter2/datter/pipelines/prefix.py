"""What several pipelines begin with is worked out once (requirement 104).

A pipeline's first steps that only get and change data come to the same wherever they are the same: same files, same
arguments, same seed where one needs it. Their values are kept by the process that worked them out, the newest within a
bound; those that took some work are sealed on disk too, for every other process of the machine. Whoever needs one that
another is working out just now waits for it, and then both go on side by side.
"""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from blake3 import blake3

from plotter2.datter.context import Context, Datum, file_digest
from plotter2.datter.pipelines import memo, sealed
from plotter2.datter.pipelines.sealed import Sealed
from plotter2.datter.scope import Scope
from plotter2.datter.scripting.reading import private
from plotter2.datter.values import spill
from plotter2.datter.values.group import DataGroup
from plotter2.datter.values.points import Points
from plotter2.datter.values.table import Table
from plotter2.datter.vocabulary import Role

if TYPE_CHECKING:
    from plotter2.datter.pipelines.register import Register, Step

KEPT_BYTES_MAX = 32 << 20
"""Of all values that a process keeps; mapped files and tables that are kept anyway count nothing."""
KEPT_MAX = 64
SEALED_BYTES_MIN = 64 << 10
"""Of what is worked on: from less, all is worked out again faster than another process can look for it."""
SEALED_S_MIN = 0.02
"""Of a processor: what took less is worked out again for little more than it takes to write and read it."""
SEALED_BYTES_MAX = 256 << 20
SCOPES_KEPT = 16
ITEM_BYTES = 8
SEEDED = frozenset({"kmean", "label"})
"""Ops whose random choices are the run's."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A value with what the run that made it knew: what it is called, what was read for it, what was printed."""

    value: Any
    size: int
    beside: Sealed


class Prefixes:
    """The values that a process keeps, the ones used last within a bound."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._bytes = 0
        self._scopes: OrderedDict[int, tuple[Scope, str]] = OrderedDict()

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
        self._bytes = 0

    def get(self, key: str) -> Kept | None:
        """A value that is kept."""
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def put(self, key: str, kept: Kept) -> None:
        """Keep a value; those that were not used for the longest time go."""
        if kept.size > KEPT_BYTES_MAX:
            return
        former = self._kept.pop(key, None)
        self._kept[key] = kept
        self._bytes += kept.size - (former.size if former is not None else 0)
        while len(self._kept) > KEPT_MAX or self._bytes > KEPT_BYTES_MAX:
            self._bytes -= self._kept.popitem(last=False)[1].size

    def digest_of(self, scope: Scope) -> str:
        """A digest of everything that a run sees of a bundle and those below it."""
        known = self._scopes.get(id(scope))
        if known is None:
            known = self._scopes[id(scope)] = scope, _digest(scope)  # kept beside it, so its id stays its own
            if len(self._scopes) > SCOPES_KEPT:
                self._scopes.popitem(last=False)
        return known[1]


KNOWN = Prefixes()


def _digest(scope: Scope) -> str:
    files = [(path, file_digest(local)) for path, local in scope.files.items()]
    below = [_digest(one) for one in scope.descendants]
    seen = [scope.bundle, scope.version, files, repr(scope.package), repr(scope.parameters), below]
    return blake3(json.dumps(seen).encode()).hexdigest()


def resumed(
    steps: tuple[Step, ...], context: Context, register: Register, do: Callable[[Step], None]
) -> tuple[Step, ...]:
    """Have the first steps done, by whoever did them; gives those that are left.

    Args:
        steps: a whole pipeline that begins by itself.
        context: of its run.
        register: takes the value.
        do: does one step.
    """
    if steps[0].builtin.role is Role.CONTRACT:
        do(steps[0])
        steps = steps[1:]
    work = _Work(context, register, do)
    keys = work.keys(steps)
    with work.listening():
        count = next((place for place in range(len(keys), 0, -1) if work.is_known(keys, place, len(steps))), 0)
        for place in range(count, len(keys)):
            work.step(keys[place], steps[place], is_last=place + 1 == len(steps))
    rest = steps[len(keys) :]
    if len(keys) > 1 and any(map(is_users, rest)):
        work.own()
    return rest


def is_users(step: Step) -> bool:
    """Whether a step runs code of users, which may do anything with what it is given."""
    return step.builtin.name in {memo.SCRIPT, memo.THROUGH} or step.builtin.function is not None


class _Work:
    """One run at its first steps."""

    def __init__(self, context: Context, register: Register, do: Callable[[Step], None]) -> None:
        self._context, self._register, self._do = context, register, do
        self._lines: list[str] = []

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear what is printed."""
        emit = self._context.emit

        def heard(line: str) -> None:
            self._lines.append(line)
            emit(line)

        self._context.emit = heard
        try:
            yield
        finally:
            self._context.emit = emit

    def keys(self, steps: tuple[Step, ...]) -> list[str]:
        """A key for each of the first steps that depend on nothing but data: none, where other instances give some."""
        if self._context.carrier is not None:
            return []
        run = self._context.run
        imposed = {name: given for name, (_, given) in self._context.bindings.items()}
        seen = [KNOWN.digest_of(one) for one in (run.scope, *run.lenders.values())]
        key = _of([seen, repr(run.links), memo.engine(), imposed])
        found: list[str] = []
        for step in steps:
            name = step.builtin.name
            wanted = Role.DATA if found else Role.SOURCE
            if step.builtin.role is not wanted or name in memo.FRESH or is_users(step):
                break
            key = _of([key, name, step.args, step.kwargs, run.seed if name in SEEDED else 0])
            found.append(key)
        return found

    def is_known(self, keys: list[str], count: int, total: int) -> bool:
        """Go on from the value of the first `count` of `total` steps, if it is known; the ends are never sealed."""
        return self._is_taken(keys[count - 1], is_sealed=1 < count < total)

    def _is_taken(self, key: str, *, is_sealed: bool) -> bool:
        """Go on from a value as if this run had worked it out; whether there is one."""
        kept = KNOWN.get(key) or (self._unsealed(key) if is_sealed else None)
        if kept is None:
            return False
        context, beside = self._context, kept.beside
        self._register.value = kept.value
        context.data[id(kept.value)] = replace(beside.about, value=kept.value)
        for where, files in ((context.reads, beside.reads), (context.called, beside.called)):
            where.update({(bundle, version, path): Path(local) for bundle, version, path, local in files})
        for line in beside.lines:
            context.emit(line)
        return True

    def _unsealed(self, key: str) -> Kept | None:
        folder = self._context.run.common
        found = sealed.read(folder, key) if folder is not None else None
        if found is None:
            return None
        kept = Kept(found[0], 0, found[1])
        KNOWN.put(key, kept)
        return kept

    def step(self, key: str, step: Step, *, is_last: bool) -> None:
        """Do one step and keep its value; if it is much work and more follows, alone of all processes here."""
        folder = self._context.run.common
        if folder is None or is_last or step.builtin.role is Role.SOURCE or not _is_much(self._register.value):
            self._done(key, step)
            return
        with sealed.locked(folder, key):
            if self._is_taken(key, is_sealed=True):
                return
            began_s = time.thread_time()
            made = self._done(key, step)
            is_work = time.thread_time() - began_s >= SEALED_S_MIN
            if made is not None and is_work and made.size <= SEALED_BYTES_MAX:
                sealed.write(folder, key, made.value, made.beside)

    def _done(self, key: str, step: Step) -> Kept | None:
        self._do(step)
        context, value = self._context, self._register.value
        size = sealed.bytes_of(value)
        if size is None:
            return None
        said = context.data.get(id(value)) or Datum(None)
        reads, called = (
            [(*place, str(local)) for place, local in one.items()] for one in (context.reads, context.called)
        )
        sealed.still(value)
        kept = Kept(value, size, Sealed(None, replace(said, value=None), reads, called, list(self._lines)))
        KNOWN.put(key, kept)
        return kept

    def own(self) -> None:
        """Whoever may write into the value gets one of its own; what the bundle has can be written by nobody."""
        value, folder = self._register.value, self._context.run.common
        place = spill.file_of(value)
        if place is not None and place.parent != folder:
            return
        self._register.value = made = private(value)
        said = self._context.data.get(id(value))
        if said is not None:
            self._context.data[id(made)] = replace(said, value=made)


def _of(parts: list[Any]) -> str:
    return blake3(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def _is_much(value: Any) -> bool:
    if isinstance(value, DataGroup):
        return True
    if isinstance(value, Table):
        return len(value) * len(value.names) * ITEM_BYTES >= SEALED_BYTES_MIN
    array = value.matrix if isinstance(value, Points) else value
    return isinstance(array, np.ndarray) and array.nbytes >= SEALED_BYTES_MIN
