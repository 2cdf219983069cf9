"""Children in this process, between them a real ledger: what a worker and its manager do for instances, by hand."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from typing_extensions import override

from plotter2 import files
from plotter2.child import frames
from plotter2.child.capture import Recorder
from plotter2.child.frames import Ask, Ground, Program, Run, Told
from plotter2.child.instances import Instances
from plotter2.child.interpreter import Interpreter
from plotter2.child.limits import MemoryLimit
from plotter2.child.scratch import Scratch
from plotter2.datter.ledger.ops import (
    Answer,
    Begin,
    Describe,
    End,
    Entry,
    Look,
    Open,
    OpId,
    Question,
    Restart,
    Start,
    unpacked,
)
from plotter2.datter.run import execute
from plotter2.datter.runs import RunInput
from plotter2.datter.scope import Scope
from plotter2.datter.trees import refs
from plotter2.datter.trees.hub import Definition, Local
from plotter2.datter.trees.seeding import seed_of
from plotter2.model.output import PAGES

SEED = 7


class NoLimit(MemoryLimit):
    """Lets the test's own process alone."""

    @override
    def hold(self, limit_bytes: int) -> None:
        del limit_bytes


class Child:
    """One child, and the line that it thinks it has to a worker."""

    def __init__(self, fleet: Fleet, number: int) -> None:
        self.fleet, self.number = fleet, number
        recorder = Recorder()
        self.scratch = Scratch(fleet.folder / "runs", f".child-{number}")
        self.interpreter = Interpreter(execute, recorder, self.scratch, NoLimit())
        self.instances = Instances(self.interpreter, self, self.scratch.values, recorder)
        self.read = Told(0, 0)
        self.sent: list[frames.FromChild] = []
        self.known: set[str] = set()

    def send(self, message: frames.FromChild) -> None:
        self.sent.append(message)
        self.fleet.heard(self, message)

    def answer(self, sequence: int, ask: int) -> Told:
        assert (self.read.sequence, self.read.ask) == (sequence, ask)
        return self.read

    def attend(self, sequence: int, recorder: Recorder) -> None:
        del sequence, recorder


class Fleet:
    """So many children, which share the instances of one tree by turns.

    Attributes:
        before: called with the number of a task and the count of its op, before that is taken to the ledger.
    """

    def __init__(self, folder: Path, scope: Scope, definitions: Sequence[Definition], children: int = 2) -> None:
        self.folder, self.scope = folder, scope
        self.blobs = {files.digest(path).hex(): path for path in scope.files.values()}
        self.journal: list[Entry] = []
        ground = RunInput("req-1", "", "script", "", "", {}, SEED, scope, folder)
        self.plan = Local(definitions, ground, print, journal=self.journal.append)
        self.definitions = list(definitions)
        self.children = [Child(self, number) for number in range(children)]
        self.ended: dict[int, frames.Ended] = {}
        self.lines: dict[int, list[str]] = {}
        self.asked: dict[int, tuple[Child, Ask]] = {}
        self.where: dict[int, Child] = {}
        self.runs: dict[int, Run] = {}
        self.epochs: dict[int, int] = {}
        self.todo: deque[Callable[[], None]] = deque()
        self.before: Callable[[int, int], None] = _nothing
        self.parked_max = 0
        self.reads: list[Question] = []

    def run(self, *names: str, **parameters: Any) -> dict[int, frames.Ended]:
        """Start definitions and do everything; how each instance ended."""
        for name in names:
            self.plan.start(name, parameters)
        self._planned()
        while self.todo:
            self.todo.popleft()()
            self.parked_max = max(self.parked_max, sum(len(child.instances) for child in self.children))
        return dict(sorted(self.ended.items()))

    def kill(self, child: Child) -> None:
        """A child dies, and another takes its place: whoever was in it begins again when it is told, or now."""
        place = self.children.index(child)
        self.children[place] = Child(self, child.number + 100)
        for number in [number for number, one in self.where.items() if one is child and number not in self.ended]:
            del self.where[number]
            if number not in self.asked:
                self.todo.append(lambda number=number: self._begin(number))  # type: ignore[misc] # a loop's variable

    def move(self, number: int) -> None:
        """An instance is given to another worker: a new attempt."""
        asked = OpId(number, self.epochs[number], 0)
        self.epochs[number] += 1
        self.asked.pop(number, None)
        self.plan.ledger.apply(asked, Restart())
        self._begin(number)

    def sidecars(self, number: int) -> list[Any]:
        """What programs are told of the pages of one instance."""
        pages = [one for one in self.ended[number].made if one.kind in PAGES]
        folder = self.folder / "runs" / f"{self.runs[number].run_id}.{self.runs[number].epoch}"
        return [json.loads((folder / f"{one.path}.json").read_text()) for one in pages]

    def heard(self, child: Child, message: frames.FromChild) -> None:
        match message:
            case Ask(seq=0):
                child.read = self._read(message)
            case Ask():
                if message.content is not None:
                    path = Path(message.content.path)
                    assert files.digest(path) == message.content.digest
                    kept = self.blobs[message.content.digest.hex()] = self.folder / message.content.digest.hex()
                    path.rename(kept)
                self.asked[message.sequence] = child, message
                self.todo.append(lambda: self._ask(child, message))
            case frames.Ended():
                number = message.sequence
                self.ended[number] = message
                self._told(OpId(number, self.epochs[number], 0), End(message.state, message.error))
            case frames.Printed():
                self.lines.setdefault(message.sequence, []).extend(message.lines)
            case _:
                raise AssertionError(message)

    def _planned(self) -> None:
        while self.plan._queue:
            number, answer = self.plan._queue.popleft()
            assert answer is None
            self.todo.append(lambda number=number: self._begin(number))  # type: ignore[misc] # a loop's variable

    def _begin(self, number: int) -> None:
        if number not in self.runs:
            planned = self.plan._planned.pop(number)
            place = next(at for at, one in enumerate(self.definitions) if one.name == planned.definition.name)
            about = frames.Instance("req-1", number, planned.label, planned.place)
            seed = seed_of(SEED, planned.definition.name, planned.label)
            given = json.dumps(planned.parameters)
            self.epochs[number] = 1
            self.runs[number] = Run(number, place, f"req-1.{number}", 1, given, seed, 0, about)
        child = self.where[number] = self.children[number % len(self.children)]
        run = self.runs[number]
        definition = self.definitions[run.program]
        if definition.name not in child.known:
            child.known.add(definition.name)
            child.interpreter.learn(self._program(run.program, definition))
        run = self.runs[number] = msgspec.structs.replace(run, epoch=self.epochs[number])
        assert run.instance is not None
        child.scratch.enter()  # a child has a process of its own; these share one, and its current directory
        child.instances.begin(run, run.instance)

    def _program(self, number: int, one: Definition) -> Program:
        scope = self.scope
        package = msgspec.json.encode({"data": {"matrix": {"path": "m/*.npy"}}}).decode()
        ground = Ground(scope.bundle, scope.version, {name: str(path) for name, path in scope.files.items()}, package)
        return Program(number, one.name, "script", one.source, one.filename, ground)

    def _read(self, ask: Ask) -> Told:
        question = unpacked(ask.op)
        self.reads.append(question)
        places: dict[str, str] = {}
        found: Any
        match question:
            case Open():
                found = self.plan.ledger.opened(question.set)
            case Look():
                found = self.plan.ledger.lying(question.data)
            case Describe():
                found = self.plan.ledger.described(question.tasks)
            case _:
                raise AssertionError(question)
        if not isinstance(question, Describe):
            digests = refs.digests_of(one.ref for one in found)
            places = {digest: str(self.blobs[digest]) for digest in digests}
        return Told(ask.sequence, ask.ask, "", "", msgspec.msgpack.encode(found), is_read=True, places=places)

    def _ask(self, child: Child, ask: Ask) -> None:
        number = ask.sequence
        if child in self.children:
            self.before(number, ask.seq)
        if child not in self.children:  # it died with the question: its instance asks again when it has begun again
            if self.asked.get(number, (None, None))[1] is not ask:
                return
            del self.asked[number]
            self.todo.append(lambda: self._begin(number))
            return
        what = unpacked(ask.op)
        asked = OpId(number, self.epochs[number], ask.seq)
        if isinstance(what, Start):
            known = self.plan.ledger.book.tasks[number].asked.get(ask.seq)
            if known is not None:
                assert isinstance(known.what, Begin)
                self._told(asked, known.what)
                return
            self.plan._asked[number] = ask.seq - 1
            numbers = self.plan.start(what.definition, json.loads(what.parameters_json), by=number)
            self._planned()
            self._answered(number, Answer(numbers))
            return
        assert not isinstance(what, Open | Look | Describe)
        self._told(asked, what)

    def _told(self, asked: OpId, what: Any) -> None:
        turn = self.plan.ledger.apply(asked, what)
        for told in turn.told:
            if not isinstance(what, End) or told.op != asked:
                self._answered(told.op.task, told.answer)
        for number in turn.ready:
            self.todo.append(lambda number=number: self._begin(number))  # type: ignore[misc] # a loop's variable

    def _answered(self, number: int, answer: Answer) -> None:
        found = self.asked.pop(number, None)
        if found is None:
            return
        child, ask = found
        if child not in self.children:
            self.todo.append(lambda: self._begin(number))
            return
        told = Told(ask.sequence, ask.ask, answer.code, answer.message, msgspec.msgpack.encode(answer.value))
        self.todo.append(lambda: self._go_on(child, told))

    def _go_on(self, child: Child, told: Told) -> None:
        if child not in self.children:
            self._begin(told.sequence)
            return
        child.scratch.enter()
        child.instances.told(told)


def _nothing(number: int, op: int) -> None:
    del number, op
