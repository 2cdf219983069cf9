"""A machine with short words for what happens to it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import TypeVar

from manager import plans
from manager.commands import Command, PlanInstances
from manager.events import (
    CallsAdded,
    CallsOpened,
    DeliveryInstalled,
    DeliveryOffered,
    Event,
    InstancesPlanned,
    RedoAsked,
    RunAsked,
    RunReport,
    RunsReported,
    WorkerAnnounced,
)
from manager.experiment import Experiment
from manager.machine import Machine
from manager.scheduler import RoundRobin
from plotter2.clock import Instant
from plotter2.ids import DeliveryId, RequestId, RunId, ServiceId, WorkerId
from plotter2.model.bundle import Contents, FileEntry
from plotter2.model.order import Firing
from plotter2.model.task import RunState, Task, TaskKind

T = TypeVar("T")
DIGITS = """{
  "parameters": {"lr": {"type": "float", "default": 0.1}, "seed": {"type": "int", "default": 0}},
  "service": {"command": ["{python}", "train.py", "--lr", "{lr}"]},
  "data": {"metrics": {"path": "metrics.csv"}},
  "tasks": [{"name": "curve", "task_src": "tasks/curve.json"}, {"name": "compare", "task_src": "tasks/compare.py"}],
  "standing": [{"name": "each", "on": "child", "run": ["curve"]}, {"name": "all", "on": "settled", "run": ["compare"]}]
}"""
FILES = tuple(
    FileEntry(path, 3, bytes([i]) * 32)
    for i, path in enumerate(["code_sources/train.py", "package.json", "tasks/compare.py", "tasks/curve.json"])
)


def request(number: int) -> RequestId:
    return RequestId(f"req-{number:032x}")


class Story:
    """Turns of a machine, one event each, with a clock that goes on by itself.

    Definitions have no axes, unless a story says (`is_plain`) that it answers itself.
    """

    def __init__(self) -> None:
        self.machine = Machine(RoundRobin())
        self.now = Instant(1_000.0)
        self.numbers = itertools.count(1)
        self.said: list[Command] = []
        self.is_plain = True
        self.last: RedoAsked

    def turn(self, *events: Event, after_s: float = 0.01) -> list[Command]:
        self.now = Instant(self.now + after_s)
        commands = [command for event in events for command in self.machine.handle(event, self.now)]
        commands += self.machine.settle(self.now)
        if self.is_plain and only(commands, PlanInstances):
            plain = [InstancesPlanned(one.run.id) for one in only(commands, PlanInstances)]
            commands += [command for event in plain for command in self.machine.handle(event, self.now)]
            commands += self.machine.settle(self.now)
        self.said += commands
        return commands

    def worker(self, name: str, slots: int = 4, incarnation: str = "one") -> list[Command]:
        return self.turn(
            WorkerAnnounced(WorkerId(name), name, is_ours=True, incarnation=incarnation, slots=slots, beat_s=1.0)
        )

    def push(
        self,
        bundle: str,
        package_json: str = "",
        files: Iterable[FileEntry] = FILES,
        service_id: str = "",
        chain: tuple[Firing, ...] = (),
        user: str = "ann",
    ) -> list[Command]:
        number = next(self.numbers)
        delivery = DeliveryId(f"dlv-{number:032x}")
        offer = DeliveryOffered(
            number,
            delivery,
            request(number),
            bundle,
            user,
            "{}",
            tuple(files),
            "/spool",
            ServiceId(service_id),
            chain,
        )
        return [*self.turn(offer), *self.turn(DeliveryInstalled(delivery, package_json))]

    def run(self, task: str, bundle: str = "", source: str = "", key: str = "") -> tuple[RequestId, list[Command]]:
        asked = request(next(self.numbers))
        event = RunAsked(7, asked, "ann", task, bundle, source=source, kind=TaskKind.SCRIPT, client_key=key)
        return asked, self.turn(event)

    def redo(
        self, bundle: str, values: list[str], parallel: int = 2, **existing: bool
    ) -> tuple[RequestId, list[Command]]:
        asked = request(next(self.numbers))
        node = self.machine.state.catalog.need(bundle)
        experiment = Experiment.of(Contents(node.version, FILES), node.inherited)
        children = plans.plan(experiment, [plans.Axis("lr", tuple(values))])
        event = RedoAsked(
            8, asked, "ann", experiment, children, parallel, existing.get("force", False),
            f'{{"parallel": {parallel}, "runs_version": {node.version.version}}}',
        )  # fmt: skip
        self.last = event
        return asked, self.turn(event)

    def calls(self, count: int, name: str = "add") -> RequestId:
        from manager.asks import calls_task_id  # noqa: PLC0415 -- only stories of calls need it

        asked = request(next(self.numbers))
        task = Task(calls_task_id(asked), name, TaskKind.SCRIPT, "def task(): pass", bytes(32))
        self.turn(CallsOpened(9, asked, "ann", task), CallsAdded(asked, 0, ("{}",) * count))
        return asked

    def report(
        self, run: str, epoch: int = 1, worker: str = "w1", state: RunState = RunState.DONE, **more: str
    ) -> list[Command]:
        said = RunReport(RunId(run), epoch, state, **more)
        return self.turn(RunsReported(WorkerId(worker), "one", (said,)))


def only(commands: Iterable[Command], kind: type[T]) -> list[T]:
    return [command for command in commands if isinstance(command, kind)]
