"""Our own batches as protobuf: assignments to one worker, reports from one worker (pure; proto `device`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from google.protobuf.message import DecodeError

from plotter2.api.v1 import device_pb2
from plotter2.clock import ZERO, Instant
from plotter2.errors import RefusedError
from plotter2.ids import RunId, TaskId, WorkerId
from plotter2.model.task import RunState, Task
from plotter2.mqtt.payloads.fields import PayloadRefusedError
from plotter2.wire import tasks as wire

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance in a tree of them: what its ops go by.

    Attributes:
        tree: the tree's name; tells it from all others.
        number: its number in the tree's ledger, from 1.
        label: what its keys are called.
        place: where it stands on its axis.
        said: how many of its lines people were shown, in the attempts before; they come again in this one.
    """

    tree: str
    number: int
    label: str = ""
    place: float = 0.0
    said: int = 0


@dataclass(frozen=True, slots=True)
class Assignment:
    """One run given to a worker, with the epoch that its reports must carry; `instance` when it belongs to a tree.

    `config` is the digest of what the installation adds, b"" for nothing; `pins` that of what its request sees
    below the bundle.
    """

    run_id: RunId
    epoch: int
    task_id: TaskId
    bundle: str = ""
    version: int = 0
    parameters_json: str = "{}"
    lease_s: float = 0.0
    seed: int = 0
    instance: Instance | None = None
    config: bytes = b""
    pins: bytes = b""


@dataclass(frozen=True, slots=True)
class Cancellation:
    """A run that must stop."""

    run_id: RunId
    epoch: int


@dataclass(frozen=True, slots=True)
class AssignBatch:
    """What the manager says to one worker. `tasks` are the definitions meant; a long source is left out of them."""

    assignments: tuple[Assignment, ...] = ()
    tasks: tuple[Task, ...] = ()
    cancellations: tuple[Cancellation, ...] = ()
    manager_address: str = ""


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A file that a run made, below the run's own directory."""

    path: str
    kind: str
    title: str = ""
    size_bytes: int = 0
    digest: bytes = b""


@dataclass(frozen=True, slots=True)
class Report:
    """What a worker says of one run.

    `packed` is the digest of the list of all files that it left (`model.packing`), b"" where the manager sees them.
    `lines_from`: how many lines it had printed before the first of `lines`.
    """

    run_id: RunId
    epoch: int
    state: RunState
    results_json: str = ""
    error: str = ""
    error_code: str = ""
    made: tuple[MadeFile, ...] = ()
    started_at: Instant = ZERO
    finished_at: Instant = ZERO
    lines: tuple[str, ...] = ()
    progress: tuple[float, float] | None = None
    again_json: str = ""
    packed: bytes = b""
    lines_from: int = 0


@dataclass(frozen=True, slots=True)
class ReportBatch:
    """What one worker says to the manager."""

    worker_id: WorkerId
    incarnation: str
    reports: tuple[Report, ...] = ()


def encode_assign_batch(batch: AssignBatch) -> bytes:
    """Assignments as protobuf."""
    return device_pb2.AssignBatch(
        assignments=[
            device_pb2.Assignment(
                run_id=one.run_id,
                epoch=one.epoch,
                task_id=one.task_id,
                bundle=one.bundle,
                version=one.version,
                parameters_json=one.parameters_json,
                lease_s=one.lease_s,
                seed=one.seed,
                config=one.config,
                pins=one.pins,
                instance=None
                if one.instance is None
                else device_pb2.Instance(
                    tree=one.instance.tree,
                    number=one.instance.number,
                    label=one.instance.label,
                    place=one.instance.place,
                    said=one.instance.said,
                ),
            )
            for one in batch.assignments
        ],
        tasks=[wire.task_to_proto(task) for task in batch.tasks],
        cancellations=[device_pb2.Cancellation(run_id=one.run_id, epoch=one.epoch) for one in batch.cancellations],
        manager_address=batch.manager_address,
    ).SerializeToString()


def decode_assign_batch(payload: bytes) -> AssignBatch:
    """Read assignments.

    Raises:
        PayloadRefusedError: not such a message.
    """
    return _decode("assign", payload, _assign_batch)


def _assign_batch(payload: bytes) -> AssignBatch:
    message = device_pb2.AssignBatch.FromString(payload)
    return AssignBatch(
        assignments=tuple(
            Assignment(
                run_id=RunId(one.run_id),
                epoch=one.epoch,
                task_id=TaskId(one.task_id),
                bundle=one.bundle,
                version=one.version,
                parameters_json=one.parameters_json,
                lease_s=one.lease_s,
                seed=one.seed,
                instance=_instance(one.instance) if one.HasField("instance") else None,
                config=one.config,
                pins=one.pins,
            )
            for one in message.assignments
        ),
        tasks=tuple(wire.task_from_proto(task) for task in message.tasks),
        cancellations=tuple(Cancellation(RunId(one.run_id), one.epoch) for one in message.cancellations),
        manager_address=message.manager_address,
    )


def _instance(one: device_pb2.Instance) -> Instance:
    return Instance(one.tree, one.number, one.label, one.place, one.said)


def encode_report_batch(batch: ReportBatch) -> bytes:
    """Reports as protobuf."""
    return device_pb2.ReportBatch(
        worker_id=batch.worker_id,
        incarnation=batch.incarnation,
        reports=[_report_to_proto(report) for report in batch.reports],
    ).SerializeToString()


def _report_to_proto(report: Report) -> device_pb2.Report:
    return device_pb2.Report(
        run_id=report.run_id,
        epoch=report.epoch,
        state=wire.run_state_to_proto(report.state),
        results_json=report.results_json,
        error=report.error,
        error_code=report.error_code,
        made=[
            device_pb2.MadeFile(
                path=one.path, kind=one.kind, title=one.title, size_bytes=one.size_bytes, digest=one.digest
            )
            for one in report.made
        ],
        started_at=report.started_at,
        finished_at=report.finished_at,
        lines=report.lines,
        progress=None
        if report.progress is None
        else device_pb2.Progress(done=report.progress[0], total=report.progress[1]),
        again_json=report.again_json,
        packed=report.packed,
        lines_from=report.lines_from,
    )


def decode_report_batch(payload: bytes) -> ReportBatch:
    """Read reports.

    Raises:
        PayloadRefusedError: not such a message.
    """
    return _decode("report", payload, _report_batch)


def _report_batch(payload: bytes) -> ReportBatch:
    message = device_pb2.ReportBatch.FromString(payload)
    return ReportBatch(
        worker_id=WorkerId(message.worker_id),
        incarnation=message.incarnation,
        reports=tuple(
            Report(
                run_id=RunId(one.run_id),
                epoch=one.epoch,
                state=wire.run_state_from_proto(one.state),
                results_json=one.results_json,
                error=one.error,
                error_code=one.error_code,
                made=tuple(
                    MadeFile(made.path, made.kind, made.title, made.size_bytes, made.digest) for made in one.made
                ),
                started_at=Instant(one.started_at),
                finished_at=Instant(one.finished_at),
                lines=tuple(one.lines),
                progress=(one.progress.done, one.progress.total) if one.HasField("progress") else None,
                again_json=one.again_json,
                packed=one.packed,
                lines_from=one.lines_from,
            )
            for one in message.reports
        ),
    )


def _decode(what: str, payload: bytes, read: Callable[[bytes], T]) -> T:
    try:
        return read(payload)
    except DecodeError:
        raise PayloadRefusedError(f"The {what} message is not protobuf of ours.") from None
    except RefusedError as wrong:
        raise PayloadRefusedError(f"The {what} message cannot be used: {wrong.message}") from None
