"""Workers that run instances of trees as scripts of ops: generators that ask, are told, and end."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from typing import Any

import msgspec
from blake3 import blake3

from manager.commands import AssignRuns, Command, PlanInstances, PlanStart, SaveRequest, SaveRun, Tell
from manager.events import OpAsked, OpsAsked, RunReport, RunsReported, Sprout, StartPlanned, TreePlanned
from manager.ledgers import Tree
from manager.machine import Machine
from manager.scheduler import RoundRobin
from manager.store import Batch
from manager.store.memory import MemoryStore
from plotter2.datter.ledger.ops import (
    Collect,
    Define,
    Expose,
    Exposed,
    Gather,
    Handin,
    Instance,
    Islinked,
    Link,
    Open,
    Question,
    Read,
    Register,
    Release,
)
from plotter2.errors import BY_CODE, Plotter2Error, UsageError
from plotter2.ids import RequestId, RunId, TaskId, WorkerId
from plotter2.model.request import RequestState
from plotter2.model.task import RunState, Task, TaskKind
from plotter2.mqtt import payloads
from tests.unit.manager.kit import Story, only

Asks = Generator[Question, Any, Any]
Script = Callable[[int], Asks]
TASK1, META = "plot_matrix", "meta"


def matrix(me: int) -> Asks:
    """The sample's first script: shows its own, lends it to each parent, and ends with what it was shown."""
    shown = yield from lean(me)
    return shown if isinstance(shown, RunState) else [one[-1] for one in (yield Open(shown))]


def lean(me: int) -> Asks:
    """The same, but for looking at what it was shown: a worker opens a set once, for all its instances."""
    own = yield Register("matrix", f"json:{me}", label=f"step_{me}", place=float(me))
    yield Expose("matrix", own)
    for parent in (yield Islinked(me)):
        yield Handin((own,), (parent,))
        yield Release()
    shown = yield Exposed()
    if "matrix" not in shown:
        return RunState.GAVEUP
    return shown["matrix"]


def meta(me: int) -> Asks:
    """The sample's second: waits for all, takes what they hand in, gives it back."""
    tasks = yield Gather(TASK1)
    yield Link((me,), tuple(tasks))
    yield Collect(tuple(tasks))
    shown = (yield Exposed())["matrix"]
    data = yield Open(shown)
    yield Handin(tuple(one[0] for one in data), tuple(tasks))
    yield Release()
    return [one[-1] for one in data]


def definition(name: str, *linked: str) -> tuple[Task, Define]:
    task = Task(TaskId(f"t-{name}"), name, TaskKind.SCRIPT, "", blake3(name.encode()).digest(), f"{name}.py")
    return task, Define(name, (f"{name}.py",), ("matrix",) if name == TASK1 else (), linked)


def sprout(name: str, count: int = 1, warning: str = "") -> Sprout:
    labels = [f"step_{place}" for place in range(count)] if name == TASK1 else [""] * count
    instances = tuple(Instance(label, {"k": label} if label else {}) for label in labels)
    keys = tuple(msgspec.json.encode(one.keys).decode() for one in instances)
    return Sprout(name, instances, tuple(float(place) for place in range(count)), keys, warning)


class Fleet:
    """Workers, and a story of a machine that gives them runs. Nothing happens until `go`."""

    def __init__(self, story: Story | None = None, **scripts: Script) -> None:
        self.scripts: dict[str, Script] = {TASK1: matrix, META: meta, **scripts}
        self.story = story or Story()
        self.story.is_plain = False
        self.instances: dict[RunId, payloads.Instance] = {}
        self.results: dict[RunId, Any] = {}
        self.told: list[Tell] = []
        self._running: dict[RunId, Asks] = {}
        self._epochs: dict[RunId, tuple[WorkerId, int]] = {}
        self._counts: dict[RunId, tuple[int, int]] = {}
        self._open: dict[RunId, OpAsked] = {}
        self._heard: deque[Command] = deque()
        self._asks: dict[WorkerId, list[OpAsked]] = {}
        self.sprouts: dict[str, tuple[Sprout, ...]] = {}
        self.refused: dict[str, str] = {}
        self.linked: dict[str, tuple[str, ...]] = {}

    def plant(self, *sprouts: Sprout, linked: Iterable[str] = (TASK1,), name: str = META) -> RequestId:
        """Ask for a run that is planned as this tree."""
        request, said = self.story.run(name, "lab", source="link")
        (plan,) = only(said, PlanInstances)
        others = [definition(one, *self.linked.get(one, ())) for one in self.scripts if one != name]
        own = plan.task, definition(name, *linked)[1]
        event = TreePlanned(plan.run.id, bytes(32), (own, *others), sprouts)
        self.hear(self.story.turn(event))
        return request

    @property
    def tree(self) -> Tree:
        (tree,) = self.story.machine.state.trees.values()
        return tree

    def hear(self, commands: Iterable[Command]) -> None:
        self._heard.extend(one for one in commands if isinstance(one, AssignRuns | Tell | PlanStart))

    def go(self, turns: int | None = None) -> None:
        """Until nothing happens any more, or so many turns."""
        while turns is None or turns > 0:
            while self._heard:
                self._one(self._heard.popleft())
            asks, self._asks = self._asks, {}
            if not asks:
                return
            self.hear(self.story.turn(*(OpsAsked(worker, tuple(some)) for worker, some in asks.items())))
            turns = turns - 1 if turns is not None else None

    def _one(self, command: Command) -> None:
        match command:
            case AssignRuns():
                for run in command.runs:
                    if self._epochs.get(run.id) == (command.worker_id, run.epoch):
                        continue
                    instance = self.instances[run.id] = command.instances[run.id]
                    self.begin(run.id, instance.number, run.task_name, command.worker_id, run.epoch)
            case Tell():
                self.told.append(command)
                open_ = self._open.get(command.run_id)
                if open_ is not None and (open_.epoch, open_.ask) == (command.epoch, command.ask):
                    self._told(command)
            case PlanStart():
                name = command.wanted[-1][0]
                asked = command.tree, command.number, command.epoch, command.seq, command.given
                if name in self.refused:
                    event = StartPlanned(*asked, error=self.refused[name], error_code=UsageError.code)
                else:
                    event = StartPlanned(*asked, self.sprouts[name])
                self.hear(self.story.turn(event))

    def begin(self, run: RunId, number: int, name: str, worker: WorkerId, epoch: int) -> None:
        """Run an instance from its start."""
        self._running[run] = self.scripts[name](number)
        self._epochs[run] = worker, epoch
        self._counts[run] = 0, 0
        self._go_on(run, None)

    async def written(self) -> MemoryStore:
        """A store with all that was written."""
        store, batch = MemoryStore(), Batch(turn="all")
        for command in self.story.said:
            if hasattr(command, "put"):
                command.put(batch)
        await store.commit(batch)
        return store

    async def restart(self) -> None:
        """The manager dies after its last turn: a new one takes up what that wrote, and the workers ask again."""
        store, machine = await self.written(), Machine(RoundRobin())
        self.hear(machine.load(await store.load(), {}, {}, self.story.now))
        self.story.machine = machine
        for worker in list(machine.state.workers.values()):
            self.hear(self.story.worker(worker.id, worker.slots))
        self.ask_again()

    def again(self) -> None:
        """Every child has crashed: all instances are begun again in the same attempt."""
        for run, instance in self.instances.items():
            if run in self._running:
                name = self.story.machine.state.runs[run].task_name
                self.begin(run, instance.number, name, *self._epochs[run])

    def ask_again(self) -> None:
        """The stream was lost: everything that has no answer is asked again."""
        for run, one in self._open.items():
            self._asks.setdefault(self._epochs[run][0], []).append(one)

    def forget(self, worker: str) -> None:
        """A worker is gone, with all that it runs."""
        for run, (where, _) in list(self._epochs.items()):
            if where == worker:
                self._running.pop(run, None)
                self._open.pop(run, None)

    def _told(self, told: Tell) -> None:
        del self._open[told.run_id]
        if told.answer.code:
            wrong = BY_CODE[told.answer.code](told.answer.message)
            self._go_on(told.run_id, wrong)
        else:
            encoded = msgspec.msgpack.encode(told.answer.value)
            self._go_on(told.run_id, msgspec.msgpack.decode(encoded, strict=False))

    def _go_on(self, run: RunId, value: Any) -> None:
        asks = self._running[run]
        worker, epoch = self._epochs[run]
        try:
            question = asks.throw(value) if isinstance(value, Plotter2Error) else asks.send(value)
        except StopIteration as ended:
            self._end(run, ended.value, ended.value if isinstance(ended.value, RunState) else RunState.DONE)
            return
        except Plotter2Error as wrong:
            self._end(run, wrong, RunState.FAILED, f"{type(wrong).__name__}: {wrong.message}")
            return
        ask, seq = self._counts[run]
        is_read = isinstance(question, Read)
        self._counts[run] = ask + 1, seq + (not is_read)
        one = OpAsked(run, epoch, ask + 1, 0 if is_read else seq + 1, question)
        self._open[run] = one
        self._asks.setdefault(worker, []).append(one)

    def _end(self, run: RunId, value: Any, state: RunState, error: str = "") -> None:
        del self._running[run]
        self.results[run] = value
        worker, epoch = self._epochs[run]
        said = RunReport(run, epoch, state, error=error, error_code="task_failed" if error else "")
        self.hear(self.story.turn(RunsReported(worker, "one", (said,))))

    def states(self, request: RequestId) -> list[str]:
        """How the runs of a request stand, in the order of their numbers in the tree."""
        newest = {one.run.id: str(one.run.state) for one in only(self.story.said, SaveRun)}
        numbers = {run: instance.number for run, instance in self.instances.items()}
        ours = [run for run in newest if run.startswith(f"{request}.")]
        return [newest[run] for run in sorted(ours, key=lambda run: numbers.get(run, 0))]

    def state_of(self, request: RequestId) -> RequestState:
        return [one.request.state for one in only(self.story.said, SaveRequest) if one.request.id == request][-1]
