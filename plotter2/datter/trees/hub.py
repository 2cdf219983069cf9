"""A carrier of ops for many instances: takes what scripts ask to the ledger and brings the answers back.

`Local` is a whole tree of instances in one process: each runs in a greenlet of one thread, gives way when it waits,
and costs a few kilobytes while it does (requirement 199). Instances run in the order in which they were made and
woken, so two runs of the same tree are the same, line by line (R12).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from blake3 import blake3
from greenlet import greenlet

from plotter2.datter.builtins import namespace
from plotter2.datter.context import Context
from plotter2.datter.ledger import Ledger
from plotter2.datter.ledger.ops import ROOT, Answer, Begin, Define, Described, End, Entry, Instance, Op, OpId
from plotter2.datter.run import execute
from plotter2.datter.runs import RunInput, RunResult
from plotter2.datter.scripting import axes, script
from plotter2.datter.trees.asking import Shelf, refused
from plotter2.datter.trees.seeding import seed_of, sow
from plotter2.datter.vocabulary import NONE
from plotter2.errors import Plotter2Error, UsageError
from plotter2.model.task import RunState


@dataclass(frozen=True, slots=True)
class Definition:
    """A script that can be started in a tree.

    Attributes:
        linked: definitions whose instances it may link; they are made before its own.
    """

    name: str
    source: str
    filename: str
    parameters: dict[str, Any] = field(default_factory=dict)
    linked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """How one instance ended; `result` is None for one that failed, and `error` says why."""

    number: int
    definition: str
    label: str
    state: str
    result: RunResult | None = None
    error: str = ""


class Seat:
    """One instance's place in a tree: carries its ops."""

    __slots__ = ("label", "mine", "number", "place", "shelf", "tree")

    def __init__(self, tree: Local, number: int, label: str, place: float) -> None:
        self.tree, self.number, self.label, self.place = tree, number, label, place
        self.mine: dict[int, None] = {}
        self.shelf = tree.shelf

    def ask(self, op: Op) -> Any:
        """The value of the answer, when it comes; meanwhile others run."""
        return self.tree.ask(self.number, op)

    def start(self, name: str, parameters: dict[str, Any]) -> list[int]:
        """Start the instances of a definition; their numbers."""
        return self.tree.start(name, parameters, by=self.number)

    def described(self, tasks: Sequence[int]) -> list[Described]:
        """Definition, label and keys of tasks."""
        return self.tree.described(tasks)

    def laid(self, _: Context, __: Any) -> str:
        """Nowhere: whoever may read it is in this process."""
        return ""


@dataclass(frozen=True, slots=True)
class _Planned:
    definition: Definition
    parameters: dict[str, Any]
    label: str
    place: float


class Local:
    """A tree of instances in this process, over one ledger.

    Attributes:
        parked_max: how many instances waited at once, at most.
    """

    def __init__(
        self,
        definitions: Sequence[Definition],
        ground: RunInput,
        emit: Callable[[str], None],
        *,
        journal: Callable[[Entry], None] | None = None,
        limit: int = axes.INSTANCES_MAX,
    ) -> None:
        """Make a tree in which nothing runs yet.

        Args:
            definitions: all that may be started in it.
            ground: what its instances have in common: scope, seed, folder for what they draw, one within it for each.
            emit: takes the lines that they log.
            journal: gets each op before its answer is given.
            limit: so many instances of one definition at most.
        """
        self._definitions = {one.name: one for one in definitions}
        self._ground, self._emit, self._limit = ground, emit, limit
        self._ledger = Ledger(blake3(ground.run_id.encode()).digest(), journal)
        self._asked: dict[int, int] = {}
        self._seeds: dict[int, int] = {}
        self._planned: dict[int, _Planned] = {}
        self._running: dict[int, greenlet] = {}
        self._queue: deque[tuple[int, Answer | None]] = deque()
        self._ended: list[Ended] = []
        self._main = greenlet.getcurrent()
        self.parked_max = 0
        self.shelf = Shelf(self._ledger)
        self._own = ground.additions or NONE
        self._names = namespace(self._own.calls)
        _check_links(self._definitions)
        for one in definitions:
            found = script.compiled(one.source, one.filename, self._own.names)
            file = Path(one.filename)
            self.ask(ROOT, Define(one.name, (file.name, file.stem), tuple(found.exposes), one.linked))

    @property
    def ledger(self) -> Ledger:
        """Who owns what, and who waits for whom."""
        return self._ledger

    def run(self, *names: str, **parameters: Any) -> list[Ended]:
        """Start definitions and run everything to its end; how each instance ended, in the order of their numbers.

        Raises:
            UsageError: there is no such definition, or a parameter names no key.
            LimitError: they would be too many instances.
        """
        self._main = greenlet.getcurrent()
        for name in names:
            self.start(name, parameters)
        while self._queue:
            number, answer = self._queue.popleft()
            if number not in self._running:
                self._running[number] = greenlet(self._instance)
                self._running[number].switch(number)
            else:
                self._running[number].switch(answer)
            self.parked_max = max(self.parked_max, len(self._ledger.book.suspended))
            if self._running[number].dead:
                del self._running[number]
        return sorted(self._ended, key=lambda one: one.number)

    def start(self, name: str, parameters: dict[str, Any], *, by: int = ROOT, is_held: bool = False) -> list[int]:
        """Make the instances of a definition, and before them, held, those of the definitions that it is linked to.

        Raises:
            UsageError: there is no such definition, or a parameter names no key.
            LimitError: they would be too many instances.
        """
        definition = self._definitions.get(self._ledger.book.called.get(name, name))
        if definition is None:
            self.ask(by, Begin(name, ()))  # which refuses it, and names the nearest
            raise UsageError(f"There is no task {name!r} in this run.")
        for other in definition.linked:
            if not self._ledger.book.definitions[other].tasks:
                self.start(other, parameters, by=by, is_held=True)
        given = {**definition.parameters, **parameters}
        found = script.compiled(definition.source, definition.filename, self._own.names)
        plan = axes.planned(found.axes, lambda base: axes.keys_of(self._ground.scope, base), given, self._limit)
        if plan.warning:
            self._emit(f"warning: {definition.name}: {plan.warning}")
        labels = [", ".join(dict.fromkeys(key.name for key in one.values())) for one in plan.instances]
        instances = tuple(Instance(label, plan.parameters(place)) for place, label in enumerate(labels))
        numbers: list[int] = self.ask(by, Begin(definition.name, instances, is_held))
        for place, number in enumerate(numbers):
            keys = list(plan.instances[place].values())
            where = keys[0].place if keys else float(place)
            self._planned[number] = _Planned(definition, {**given, **plan.parameters(place)}, labels[place], where)
        return numbers

    def described(self, tasks: Sequence[int]) -> list[Described]:
        """Definition, label and keys of tasks."""
        return self._ledger.described(tasks)

    def ask(self, number: int, op: Op) -> Any:
        """Take an op to the ledger; when it waits, run others until its answer comes.

        Raises:
            Plotter2Error: what the answer says went wrong.
        """
        seq = self._asked[number] = self._asked.get(number, 0) + 1
        asked = OpId(number, 1, seq)
        turn = self._ledger.apply(asked, op)
        mine: Answer | None = None
        for told in turn.told:
            if told.op == asked:
                mine = told.answer
            else:
                self._queue.append((told.op.task, told.answer))
        self._queue.extend((ready, None) for ready in turn.ready)
        if mine is None:
            mine = self._main.switch()
        if number in self._seeds:
            sow(seed_of(self._seeds[number], seq))
        if mine.code:
            raise refused(mine.code, mine.message)
        return mine.value

    def _instance(self, number: int) -> None:
        """One instance from its start to its end."""
        planned = self._planned.pop(number)
        definition, ground = planned.definition, self._ground
        seed = self._seeds[number] = seed_of(ground.seed, definition.name, planned.label)
        sow(seed)
        given = replace(
            ground, run_id=f"{ground.run_id}.{number}", task_name=definition.name, source=definition.source,
            filename=definition.filename, parameters=planned.parameters, seed=seed,
            output_dir=ground.output_dir / f"{number:05d}",
        )  # fmt: skip
        seat = Seat(self, number, planned.label, planned.place)
        try:
            result = execute(given, self._emit, seat, self._names)
            ended = Ended(number, definition.name, planned.label, result.state, result)
        except Plotter2Error as wrong:
            ended = Ended(number, definition.name, planned.label, str(RunState.FAILED), None, wrong.message)
        del self._seeds[number]
        self.ask(number, End(ended.state, ended.error))
        self._ended.append(ended)


def _check_links(definitions: dict[str, Definition]) -> None:
    """Refuse links that lead nowhere or round in a circle.

    Raises:
        UsageError: there is one.
    """
    for name, one in definitions.items():
        path, rest = [name], list(one.linked)
        while rest:
            other = rest.pop()
            if other not in definitions:
                raise UsageError(f"{path[-1]} is linked to {other!r}, which is no task here.")
            if other == name:
                raise UsageError(f"{name} is linked to itself, by way of {path[-1]}; links go one way.")
            if other not in path:
                path.append(other)
                rest += definitions[other].linked
