"""What leaves for workers: assignments merged to one message a worker, and Propeller's start and stop.

MQTT is the doorbell, PostgreSQL the truth: a message that is lost is said again by the machine, so a failed publication
is logged and forgotten.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from dataclasses import replace
from typing import Any

import structlog
from blake3 import blake3

from manager.commands import AskWho, AssignRuns, StartOnProplet, StopOnProplet
from manager.store import TaskRow
from plotter2.errors import UnreachableError
from plotter2.ids import RunId, WorkerId
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
        runs: dict[WorkerId, list[TaskRun]] = defaultdict(list)
        tasks: dict[WorkerId, dict[str, Task]] = defaultdict(dict)
        cancelled: dict[WorkerId, list[tuple[RunId, int]]] = defaultdict(list)
        instances: dict[RunId, payloads.Instance] = {}
        found: list[Published] = []
        for message in waiting:
            match message:
                case AssignRuns():
                    runs[message.worker_id] += message.runs
                    tasks[message.worker_id].update({task.id: task for task in message.tasks})
                    cancelled[message.worker_id] += message.cancelled
                    instances.update(message.instances)
                case AskWho():
                    empty = payloads.AssignBatch((), (), (), self._address)
                    found.append((self._topics.assign(message.worker_id), payloads.encode_assign_batch(empty), 0))
                case StartOnProplet():
                    found.append((self._topics.start, _start(message.worker_id, message.row), 1))
                case StopOnProplet():
                    found.append((self._topics.stop, _stop(message.worker_id, message.row), 1))
        for worker, held in runs.items():
            found += self._assignments(worker, held, tasks[worker], cancelled[worker], instances)
        return found

    def _assignments(
        self,
        worker: WorkerId,
        runs: list[TaskRun],
        tasks: dict[str, Task],
        cancelled: list[tuple[RunId, int]],
        instances: dict[RunId, payloads.Instance],
    ) -> list[Published]:
        topic = self._topics.assign(worker)
        found = []
        for start in range(0, max(1, len(runs)), MESSAGE_RUNS_MAX):
            part = runs[start : start + MESSAGE_RUNS_MAX]
            batch = payloads.AssignBatch(
                tuple(_assignment(run, instances.get(run.id)) for run in part),
                tuple(_inline(tasks[task]) for task in {run.task_id for run in part}),
                tuple(payloads.Cancellation(run, epoch) for run, epoch in cancelled) if start == 0 else (),
                self._address,
            )
            found.append((topic, payloads.encode_assign_batch(batch), 0))
        return found


def _assignment(run: TaskRun, instance: payloads.Instance | None) -> payloads.Assignment:
    return payloads.Assignment(
        run.id, run.epoch, run.task_id, run.bundle, run.version, run.parameters_json, LEASE_S, seed_of(run), instance,
        run.config,
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
