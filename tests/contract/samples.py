"""Things to store, with short words."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from manager.store import Batch, Delivery, Held, ServiceRow, Store, TaskRow
from manager.store.growing import Leaf, Lines, TreeRow
from plotter2.clock import Instant
from plotter2.ids import DeliveryId, RequestId, RunId, ServiceId, TaskId, WorkerId
from plotter2.model.bundle import BundleVersion, Contents, FileEntry
from plotter2.model.lineage import Edge
from plotter2.model.link import SaidLink
from plotter2.model.order import Tally
from plotter2.model.paths import BundlePath
from plotter2.model.pins import Look
from plotter2.model.quarantine import QuarantineItem
from plotter2.model.record import NewRecord
from plotter2.model.report import Report
from plotter2.model.request import Child, Request, RequestKind
from plotter2.model.service import ServiceSpec, ServiceState, ServiceStatus
from plotter2.model.task import Limits, Task, TaskKind, TaskRun
from plotter2.model.worker import Worker, WorkerState

_turns = itertools.count(1)
FILES = (FileEntry("a/x.csv", 3, bytes([1]) * 32), FileEntry("b.txt", 0, bytes([2]) * 32, 0o755))


def at(seconds: float) -> Instant:
    return Instant(1_700_000_000.123456 + seconds)


def batch(*things: object, records: Sequence[NewRecord] = ()) -> Batch:
    """A batch with everything given; its turn is new."""
    made = Batch(turn=f"test.{next(_turns)}", records=list(records))
    places: dict[type, Callable[[Any], object]] = {
        Request: lambda one: made.requests.update({one.id: one}),
        TaskRow: lambda one: made.tasks.update({one.task.id: one}),
        TaskRun: lambda one: made.runs.update({one.id: one}),
        Contents: made.bundles.append,
        Worker: lambda one: made.workers.update({one.id: one}),
        ServiceRow: lambda one: made.services.update({one.spec.service_id: one}),
        tuple: lambda one: made.tags.update({one[0]: one[1]}),
        Delivery: lambda one: made.deliveries.update({one.id: one}),
        Held: lambda one: made.held.update({one.id: one}),
        QuarantineItem: lambda one: made.quarantine.update({one.id: one}),
        Tally: lambda one: made.tallies.update({(one.bundle, one.name): one}),
        Report: made.reports.append,
        NewRecord: made.records.append,
        SaidLink: made.links.append,
        Edge: made.edges.append,
        TreeRow: made.trees.append,
        Leaf: made.leaves.append,
        Lines: made.lines.append,
        Look: made.looks.append,
    }
    for thing in things:
        places[type(thing)](thing)
    return made


async def put(store: Store, *things: object) -> None:
    await store.commit(batch(*things))


def note(number: int, **more: Any) -> NewRecord:
    return NewRecord(**{"kind": "thing.happened", "key": f"k{number}", "payload_json": "{}", "at": at(number), **more})


def request(number: int, **more: Any) -> Request:
    given = {"kind": RequestKind.RUN, "user": "ann", "created_at": at(number), **more}
    return Request(RequestId(f"req-{number:032x}"), **given)


def child(index: int, state: ServiceState = ServiceState.QUEUED, **more: Any) -> Child:
    return Child(index, f"digits/bundles/lr={index}", f'{{"lr": {index}}}', state, **more)


def run(of: Request, index: int, **more: Any) -> TaskRun:
    given = {
        "task_name": "curve",
        "created_at": at(index),
        "bundle": "digits",
        "version": 1,
        "config": b"c" * 32,
        **more,
    }
    return TaskRun(RunId(f"{of.id}.{index}"), of.id, TaskId("task-1"), **given)


def task(name: str, number: int = 1, **more: Any) -> TaskRow:
    made = Task(
        TaskId(name), name, TaskKind.SCRIPT, "def task(): pass", bytes(32), "t.py", "digits", Limits(1.5, 2.0, 1 << 40),
        at(number), more.pop("wire_json", ""),
    )  # fmt: skip
    return TaskRow(made, **more)


def version(
    path: str, number: int = 1, files: Sequence[FileEntry] = FILES, seconds: float = 0, **more: Any
) -> Contents:
    size = sum(one.size_bytes for one in files)
    made = BundleVersion(BundlePath(path), number, bytes([number]) * 32, len(files), size, at(seconds), **more)
    return Contents(made, tuple(files))


def worker(name: str, **more: Any) -> Worker:
    return Worker(WorkerId(name), name, **{"state": WorkerState.ALIVE, "history": (at(1), at(2)), **more})


def service(of: Request, index: int, state: ServiceState = ServiceState.QUEUED, **more: Any) -> ServiceRow:
    name = ServiceId(f"{of.id}.s{index}")
    spec = ServiceSpec(
        name,
        "digits",
        1,
        f"digits/bundles/{index}",
        "{}",
        "{}",
        bytes(32),
        bytes([9]) * 32,
        FILES,
        "ann",
        bytes([8]) * 32,
    )
    return ServiceRow(spec, ServiceStatus(name, state, **more), of.id)


def delivery(number: int, bundle: str = "digits") -> Delivery:
    name = DeliveryId(f"dlv-{number:032x}")
    return Delivery(name, RequestId(f"req-{number:032x}"), bundle, number, is_new=True, installed_at=at(number))
