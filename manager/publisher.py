"""What leaves for workers: assignments merged to one message a worker, and Propeller's start and stop.

MQTT is the doorbell, PostgreSQL the truth: a message that is lost is said again by the machine, so a failed publication
is logged and forgotten.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import structlog
from blake3 import blake3

from manager.commands import AskWho, AssignRuns, StartOnProplet, StopOnProplet
from manager.store import TaskRow
from plotter2.errors import UnreachableError
from plotter2.ids import RequestId, RunId, WorkerId
from plotter2.model.task import Task, TaskRun
from plotter2.mqtt import payloads
from plotter2.mqtt.protocol import Bus
from plotter2.mqtt.topics import Topics

OUTBOX_MAX = 100_000
MESSAGE_RUNS_MAX = 1_000
INLINE_SOURCE_BYTES_MAX = 64 << 10
LEASE_S = 60.0
SEED_BITS = 32


Outgoing = AssignRuns | AskWho | StartOnProplet | StopOnProplet
Published = tuple[str, bytes, int]
"""Topic, payload, quality of service: 0 for what the machine says again until it is confirmed by a report, so that no
broker has to write it down first; 1 for proplets, which are told once."""


class Publisher:
    """The one task that publishes; whatever gathered meanwhile goes out together."""

    def __init__(self, bus: Bus, topics: Topics, manager_address: str) -> None:
        self._bus = bus
        self._topics = topics
        self._address = manager_address
        self._outbox: asyncio.Queue[Outgoing] = asyncio.Queue(OUTBOX_MAX)
        self._log = structlog.get_logger("manager.publisher")

    def put(self, message: Outgoing) -> None:
        """Have it published. When more than the limit wait, it is dropped: the machine says it again."""
        try:
            self._outbox.put_nowait(message)
        except asyncio.QueueFull:
            self._log.warning("outbox.full", limit=OUTBOX_MAX)

    async def run(self) -> None:
        """Publish, until cancelled."""
        while True:
            waiting = [await self._outbox.get()]
            while not self._outbox.empty():
                waiting.append(self._outbox.get_nowait())
            try:
                async with asyncio.TaskGroup() as group:
                    for topic, payload, qos in self._messages(waiting):
                        group.create_task(self._bus.publish(topic, payload, qos), name=f"publish {topic}")
            except* UnreachableError as away:
                self._log.warning("publish.failed", messages=len(waiting), why=str(away.exceptions[0]))

    def _messages(self, waiting: list[Outgoing]) -> list[Published]:
        gathered: dict[WorkerId, _Gathered] = defaultdict(_Gathered)
        found: list[Published] = []
        for message in waiting:
            match message:
                case AssignRuns():
                    gathered[message.worker_id].take(message)
                case AskWho():
                    empty = payloads.AssignBatch((), (), (), self._address)
                    found.append((self._topics.assign(message.worker_id), payloads.encode_assign_batch(empty), 0))
                case StartOnProplet():
                    found.append((self._topics.start, _start(message.worker_id, message.row), 1))
                case StopOnProplet():
                    found.append((self._topics.stop, _stop(message.worker_id, message.row), 1))
        for worker, all_of_it in gathered.items():
            topic = self._topics.assign(worker)
            found += [(topic, payloads.encode_assign_batch(one), 0) for one in all_of_it.batches(self._address)]
        return found


@dataclass(slots=True)
class _Gathered:
    """All that is on its way to one worker."""

    runs: list[TaskRun] = field(default_factory=list)
    tasks: dict[str, Task] = field(default_factory=dict)
    cancelled: list[payloads.Cancellation] = field(default_factory=list)
    instances: dict[RunId, payloads.Instance] = field(default_factory=dict)
    pins: dict[RequestId, bytes] = field(default_factory=dict)

    def take(self, message: AssignRuns) -> None:
        """Add a message."""
        self.runs += message.runs
        self.tasks.update({task.id: task for task in message.tasks})
        self.cancelled += [payloads.Cancellation(run, epoch) for run, epoch in message.cancelled]
        self.instances.update(message.instances)
        self.pins.update(message.pins)

    def batches(self, address: str) -> Iterator[payloads.AssignBatch]:
        """As messages of so many runs each; what is cancelled goes with the first."""
        for start in range(0, max(1, len(self.runs)), MESSAGE_RUNS_MAX):
            part = self.runs[start : start + MESSAGE_RUNS_MAX]
            yield payloads.AssignBatch(
                tuple(map(self._assignment, part)),
                tuple(_inline(self.tasks[task]) for task in {run.task_id for run in part}),
                tuple(self.cancelled) if start == 0 else (),
                address,
            )

    def _assignment(self, run: TaskRun) -> payloads.Assignment:
        return payloads.Assignment(
            run.id, run.epoch, run.task_id, run.bundle, run.version, run.parameters_json, LEASE_S, seed_of(run),
            self.instances.get(run.id), run.config, self.pins.get(run.request_id, b"") if run.bundle else b"",
        )  # fmt: skip


def seed_of(run: TaskRun) -> int:
    """The seed of a run's random numbers: the same for the same definition on the same data (scripts R12)."""
    text = f"{run.task_name}\0{run.bundle}\0{run.version}\0{run.parameters_json}"
    return int.from_bytes(blake3(text.encode()).digest(SEED_BITS // 8), "big")


def _inline(task: Task) -> Task:
    return task if len(task.source) <= INLINE_SOURCE_BYTES_MAX else replace(task, source="")


def _start(worker: WorkerId, row: TaskRow) -> bytes:
    kept: dict[str, Any] = json.loads(row.task.wire_json or "{}")
    args = kept.get("cli_args")
    message = payloads.StartMessage(
        row.task.id,
        row.task.name,
        proplet_id=worker,
        cli_args=tuple(args) if args is not None else None,
        daemon=bool(kept.get("daemon")),
        latent=bool(kept.get("latent")),
        encrypted=bool(kept.get("encrypted")),
        extra=kept,
    )
    return payloads.encode_start(message)


def _stop(worker: WorkerId, row: TaskRow) -> bytes:
    message = payloads.StopMessage(row.task.id, worker, name=row.task.name, state=str(int(row.state)))
    return payloads.encode_stop(message)
