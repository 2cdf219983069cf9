"""The instances of trees that run in a child: a greenlet each in the interpreter's one thread (092, 199).

An instance runs until it asks its tree's ledger for something that is journaled; then others run, and it goes on when
its answer comes. What it only reads is answered at once, and its thread waits for it. A parked instance costs some
kilobytes. What this child knows of a tree (values by number, opened sets, who the tasks are) is shared by all of its
instances here, and kept until this child does something else: they come by portions, and thousands of them draw what
was worked out once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import msgspec
from greenlet import greenlet
from typing_extensions import override

from plotter2.child import frames
from plotter2.child.capture import Recorder
from plotter2.child.frames import Ask, Content, Ended, Printed, Run, Told
from plotter2.child.interpreter import Apart, Interpreter
from plotter2.datter.builtins import namespace
from plotter2.datter.context import Context
from plotter2.datter.ledger.ops import Describe, Described, Look, Lying, Op, Open, Question, Start, packed
from plotter2.datter.run import execute
from plotter2.datter.runs import RunInput, RunResult
from plotter2.datter.scripting import explaining
from plotter2.datter.trees import laying
from plotter2.datter.trees.asking import Fetched, Known, Shelf, refused
from plotter2.datter.trees.refs import digest_of
from plotter2.datter.trees.seeding import seed_of, sow
from plotter2.datter.vocabulary import NONE, Additions
from plotter2.errors import ConflictError, DivergenceError, Plotter2Error

_ROWS = msgspec.msgpack.Decoder(list[Lying])
_DESCRIBED = msgspec.msgpack.Decoder(list[Described])
_ENDING = (DivergenceError, ConflictError)
"""An instance that is told so cannot go on, whatever its script makes of it."""


class Line(Protocol):
    """The way to the worker."""

    def send(self, message: frames.FromChild) -> None:
        """Say something."""
        ...

    def answer(self, sequence: int, ask: int) -> Told:
        """The answer of what was asked to be read; waits for it."""
        ...

    def attend(self, sequence: int, recorder: Recorder) -> None:
        """This one is under way; 0: nobody is."""
        ...


class Afar(Shelf):
    """The values of a tree whose ledger is elsewhere: what is not here is brought when it is looked at."""

    def __init__(self, read: Callable[[Question], Told]) -> None:
        """Begin empty; `read` asks for whoever runs."""
        super().__init__(self)
        self._read = read
        self._opened: dict[int, tuple[int, ...]] = {}
        self._tasks: dict[int, Described] = {}

    def data_of(self, number: int) -> tuple[int, ...]:
        """The data in a set, which are known from then on."""
        if number not in self._opened:
            self._opened[number] = self._learn(Open(number))
        return self._opened[number]

    def described(self, tasks: Sequence[int]) -> list[Described]:
        """What is known of tasks."""
        new = tuple(one for one in tasks if one not in self._tasks)
        if new:
            found = _DESCRIBED.decode(self._read(Describe(new)).value)
            self._tasks.update(zip(new, found, strict=True))
        return [self._tasks[one] for one in tasks]

    @override
    def _known(self, number: int) -> Known:
        if number not in self._values:
            self._learn(Look((number,)))
        return self._values[number]

    def _learn(self, question: Question) -> tuple[int, ...]:
        told = self._read(question)
        rows = _ROWS.decode(told.value)
        for row in rows:
            if row.datum not in self._values:
                bring = partial(laying.take_up, row.ref, partial(self._place, row.datum, told.places), row.name)
                self._values[row.datum] = Fetched(row.label, row.place, bring)
        return tuple(row.datum for row in rows)

    def _place(self, datum: int, places: dict[str, str], digest: str) -> Path:
        """Where content lies; asked anew where it was let go since, as no instance of the tree was here."""
        path = Path(places[digest])
        return path if path.exists() else Path(self._read(Look((datum,))).places[digest])


class _Tree:
    __slots__ = ("count", "shelf")

    def __init__(self, shelf: Afar) -> None:
        self.count, self.shelf = 0, shelf


class Seat:
    """One instance: carries its ops."""

    __slots__ = ("apart", "asks", "began_s", "broken", "content", "given", "instances", "label", "lies", "mine",
                 "number", "ops", "place", "run", "shelf", "thread", "tree")  # fmt: skip

    def __init__(self, instances: Instances, run: Run, about: frames.Instance, shelf: Afar) -> None:
        self.instances, self.run, self.shelf = instances, run, shelf
        self.tree, self.number, self.label, self.place = about.tree, about.number, about.label, about.place
        self.mine: dict[int, None] = {}
        self.apart = Apart(self._execute, Recorder())
        self.thread = greenlet(instances.live)
        self.content: Content | None = None
        self.broken: Plotter2Error | None = None
        self.given: RunInput | None = None
        self.asks, self.ops = about.asked, 0
        self.began_s = 0.0

    def _execute(self, run: RunInput, emit: Callable[[str], None]) -> RunResult:
        self.given = run
        try:
            return execute(run, emit, self, self.instances.names(run.additions or NONE))
        finally:
            if self.broken is not None:  # whatever the script made of it
                raise self.broken

    def told_where(self, wrong: Plotter2Error) -> Plotter2Error:
        """What ends this instance, with the line of its script that asked; once for all, whoever catches it."""
        return wrong if self.given is None else type(wrong)(explaining.placed(wrong.message, self.given))

    def ask(self, op: Op | Start) -> Any:
        """The value of the answer, when it comes; meanwhile others run."""
        return self.instances.ask(self, op)

    def start(self, name: str, parameters: dict[str, Any]) -> list[int]:
        """Start the instances of a definition; their numbers."""
        numbers: list[int] = self.ask(Start(name, msgspec.json.encode(parameters).decode()))
        return numbers

    def described(self, tasks: Sequence[int]) -> list[Described]:
        """Definition, label and keys of tasks."""
        return self.shelf.described(tasks)

    def laid(self, context: Context, value: Any) -> str:
        """Where a value lies for others; what had to be written goes with the next question."""
        ref, path = laying.lay(context, value, self.instances.values)
        self.content = Content(str(path), bytes.fromhex(digest_of(ref))) if path is not None else None
        return ref


class Instances:
    """All instances in this child.

    Attributes:
        values: takes the values that others may read.
    """

    def __init__(self, interpreter: Interpreter, line: Line, values: Path, recorder: Recorder) -> None:
        """Begin with none.

        Args:
            interpreter: runs them.
            line: to the worker.
            values: takes the values that others may read.
            recorder: hears what is printed while none of them runs.
        """
        self._interpreter = interpreter
        self._line = line
        self._recorder = recorder
        self._seats: dict[int, Seat] = {}
        self._trees: dict[str, _Tree] = {}
        self._main = greenlet.getcurrent()
        self._present: Seat | None = None
        self._names: dict[bytes, dict[str, Any]] = {}
        self.values = values

    def __len__(self) -> int:
        return len(self._seats)

    def names(self, own: Additions) -> dict[str, Any]:
        """The built-ins, the same for all of them for which the installation adds the same."""
        found = self._names.get(own.digest)
        if found is None:
            found = self._names[own.digest] = namespace(own.calls)
        return found

    def begin(self, run: Run, about: frames.Instance) -> None:
        """An instance begins, and runs until it waits or ends."""
        tree = self._trees.get(about.tree)
        if tree is None:
            self.rest()
            tree = self._trees[about.tree] = _Tree(Afar(self._read))
        tree.count += 1
        seat = self._seats[run.sequence] = Seat(self, run, about, tree.shelf)
        self._go_on(seat, seat)

    def rest(self) -> None:
        """Something else is done here: trees that have no instance here are let go."""
        self._trees = {name: tree for name, tree in self._trees.items() if tree.count}

    def told(self, told: Told) -> None:
        """The answer of an instance that waits has come: it goes on."""
        seat = self._seats.get(told.sequence)
        if seat is not None and seat.asks == told.ask:
            self._go_on(seat, told)

    def _go_on(self, seat: Seat, what: Any) -> None:
        self._present = seat
        seat.began_s = time.thread_time()
        self._line.attend(seat.run.sequence, seat.apart.recorder)
        ended = seat.thread.switch(what)
        self._present = None
        self._line.attend(0, self._recorder)
        if isinstance(ended, Ended):
            del self._seats[seat.run.sequence]
            self._trees[seat.tree].count -= 1
            self._line.send(ended)

    def live(self, seat: Seat) -> Ended:
        """One instance from its start to its end."""
        return self._interpreter.run(seat.run, seat.apart)

    def ask(self, seat: Seat, op: Op | Start) -> Any:
        """Ask what is journaled: the instance gives way until it is told.

        Raises:
            Plotter2Error: what the answer says went wrong.
        """
        if seat.broken is not None:
            raise seat.broken
        seat.asks += 1
        seat.ops += 1
        content, seat.content = seat.content, None
        self._interpreter.set_aside(seat.run, seat.apart)
        lines, seen = seat.apart.recorder.take(), seat.apart.recorder.seen()
        if lines or seen is not None:
            self._line.send(Printed(seat.run.sequence, lines, seen))
        cpu_s = time.thread_time() - seat.began_s
        asked = Ask(seat.run.sequence, seat.asks, seat.ops, packed(op), content, cpu_s, max(0, seat.apart.memory_bytes))
        self._line.send(asked)
        told: Told = self._main.switch()
        self._interpreter.take_up(seat.run, seat.apart)
        sow(seed_of(seat.run.seed, seat.ops))
        try:
            return _value(told)
        except _ENDING as wrong:
            seat.broken = seat.told_where(wrong)
            raise seat.broken from None

    def _read(self, question: Question) -> Told:
        """Ask what only reads, for whoever runs; the thread waits for the answer.

        Raises:
            Plotter2Error: what the answer says went wrong.
        """
        seat = self._present
        if seat is None:  # pragma: no cover -- a shelf is looked at by an instance that runs, and by nobody else
            raise ConflictError("Nobody runs who could ask.")
        seat.asks += 1
        self._line.send(Ask(seat.run.sequence, seat.asks, 0, packed(question)))
        told = self._line.answer(seat.run.sequence, seat.asks)
        _value(told)
        return told


def _value(told: Told) -> Any:
    if told.code:
        raise refused(told.code, told.message)
    return msgspec.msgpack.decode(told.value) if told.value else None
