"""Definitions, runs, what they made, and the workers that run them."""

from __future__ import annotations

from plotter2.api.v1 import manager_pb2, task_pb2
from plotter2.clock import Instant
from plotter2.ids import RequestId, RunId, TaskId, WorkerId
from plotter2.model.task import Limits, Output, RunState, Task, TaskKind, TaskRun
from plotter2.model.worker import Worker, WorkerState
from plotter2.wire.enums import EnumTable

_KINDS = EnumTable(TaskKind, task_pb2.TaskKind, "TASK_KIND_")
_STATES = EnumTable(RunState, task_pb2.RunState, "RUN_STATE_")

kind_to_proto = _KINDS.to_proto
kind_from_proto = _KINDS.from_proto
run_state_to_proto = _STATES.to_proto
run_state_from_proto = _STATES.from_proto


def limits_to_proto(limits: Limits) -> task_pb2.TaskLimits:
    """What a run may use."""
    return task_pb2.TaskLimits(wall_s=limits.wall_s, cpu_s=limits.cpu_s, memory_bytes=limits.memory_bytes)


def limits_from_proto(message: task_pb2.TaskLimits) -> Limits:
    """What a run may use."""
    return Limits(message.wall_s, message.cpu_s, message.memory_bytes)


def task_to_proto(task: Task) -> task_pb2.Task:
    """A definition. `created_at` and `wire_json` do not travel."""
    return task_pb2.Task(
        id=task.id,
        name=task.name,
        kind=kind_to_proto(task.kind),
        source=task.source,
        source_digest=task.source_digest,
        filename=task.filename,
        bundle=task.bundle,
        limits=limits_to_proto(task.limits),
        version=task.version,
    )


def task_from_proto(message: task_pb2.Task) -> Task:
    """A definition.

    Raises:
        RefusedError: of a kind that this version does not know.
    """
    return Task(
        id=TaskId(message.id),
        name=message.name,
        kind=kind_from_proto(message.kind),
        source=message.source,
        source_digest=message.source_digest,
        filename=message.filename,
        bundle=message.bundle,
        limits=limits_from_proto(message.limits),
        version=message.version,
    )


def output_to_proto(output: Output) -> task_pb2.Output:
    """A file that a run made."""
    return task_pb2.Output(
        path=output.path, kind=output.kind, title=output.title, size_bytes=output.size_bytes, digest=output.digest
    )


def output_from_proto(message: task_pb2.Output) -> Output:
    """A file that a run made."""
    return Output(message.path, message.kind, message.title, message.size_bytes, message.digest)


def run_to_proto(run: TaskRun) -> task_pb2.TaskRun:
    """An execution."""
    return task_pb2.TaskRun(
        id=run.id,
        request_id=run.request_id,
        task_id=run.task_id,
        task_name=run.task_name,
        bundle=run.bundle,
        version=run.version,
        state=run_state_to_proto(run.state),
        worker=run.worker_id,
        attempts=run.attempts,
        results_json=run.results_json,
        error=run.error,
        outputs=[output_to_proto(output) for output in run.outputs],
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        error_code=run.error_code,
        parameters_json=run.parameters_json,
        epoch=run.epoch,
        reused_of=run.reused_of,
        config=run.config,
    )


def run_from_proto(message: task_pb2.TaskRun) -> TaskRun:
    """An execution.

    Raises:
        RefusedError: in a state that this version does not know.
    """
    return TaskRun(
        id=RunId(message.id),
        request_id=RequestId(message.request_id),
        task_id=TaskId(message.task_id),
        task_name=message.task_name,
        bundle=message.bundle,
        version=message.version,
        state=run_state_from_proto(message.state),
        worker_id=WorkerId(message.worker),
        attempts=message.attempts,
        results_json=message.results_json,
        error=message.error,
        outputs=tuple(output_from_proto(output) for output in message.outputs),
        created_at=Instant(message.created_at),
        started_at=Instant(message.started_at),
        finished_at=Instant(message.finished_at),
        error_code=message.error_code,
        parameters_json=message.parameters_json,
        epoch=message.epoch,
        reused_of=RunId(message.reused_of),
        config=message.config,
    )


def worker_to_proto(worker: Worker, running: int = 0) -> manager_pb2.Worker:
    """A worker as people see it, with the number of runs it has now.

    `is_ours`, `incarnation`, `beat_s`, `history` and `metadata_json` do not travel.
    """
    return manager_pb2.Worker(
        id=worker.id,
        name=worker.name,
        state=worker.state.value,
        slots=worker.slots,
        running=running,
        last_seen_at=worker.last_seen_at,
        pid=worker.pid,
        host=worker.host,
    )


def worker_from_proto(message: manager_pb2.Worker) -> Worker:
    """A worker as people see it; a state that is not known counts as lost."""
    known = {state.value: state for state in WorkerState}
    return Worker(
        id=WorkerId(message.id),
        name=message.name,
        state=known.get(message.state, WorkerState.LOST),
        slots=message.slots,
        pid=message.pid,
        host=message.host,
        last_seen_at=Instant(message.last_seen_at),
    )
