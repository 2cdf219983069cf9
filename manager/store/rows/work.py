"""Rows of definitions, runs, what they made, and workers (pure)."""

from __future__ import annotations

from manager.store import OutputRow, TaskRow
from manager.store.rows.shapes import Row, Values
from plotter2.clock import Instant
from plotter2.ids import RequestId, RunId, TaskId, WorkerId
from plotter2.model.task import Limits, Output, RunState, Task, TaskKind, TaskRun, TaskState
from plotter2.model.worker import Worker, WorkerState

RUN_COLUMNS = (
    "id", "request_id", "position", "task_id", "task_name", "bundle", "version", "parameters", "created_at", "state",
    "has_ended", "epoch", "attempts", "worker_id", "results", "error", "error_code", "started_at", "finished_at",
    "memo_key", "reused_of", "config", "said",
)  # fmt: skip


def position_of(run: RunId) -> int:
    """Where a run stands among those of its request: runs are named `<request>.<index>`."""
    index = run.rpartition(".")[2]
    return int(index) if index.isascii() and index.isdigit() and len(index) < 10 else 0  # noqa: PLR2004 -- below 2**31


def task_values(one: TaskRow) -> Values:
    """For put_tasks."""
    task, limits = one.task, one.task.limits
    return (
        task.id, task.name, task.kind, task.source, task.source_digest, task.filename, task.bundle, limits.wall_s,
        limits.cpu_s, limits.memory_bytes, task.created_at, task.wire_json, int(one.state), one.proplet_id,
        one.results_json, one.error, one.started_at, one.finished_at, one.updated_at, one.run_id, one.is_hidden,
        task.version,
    )  # fmt: skip


def run_values(one: TaskRun) -> Values:
    """For put_runs, in the order of RUN_COLUMNS; its outputs have a table of their own."""
    return (
        one.id, one.request_id, position_of(one.id), one.task_id, one.task_name, one.bundle, one.version,
        one.parameters_json, one.created_at, one.state, one.has_ended, one.epoch, one.attempts, one.worker_id,
        one.results_json, one.error, one.error_code, one.started_at, one.finished_at, one.memo_key, one.reused_of,
        one.config, one.said,
    )  # fmt: skip


def outputs_of(run: TaskRun) -> list[OutputRow]:
    """The outputs of a run as they are listed: made when the run ended."""
    at = run.finished_at or run.created_at
    return [OutputRow(output, run.bundle, run.request_id, run.id, run.task_name, at) for output in run.outputs]


def output_values(run: TaskRun) -> list[Values]:
    """For put_outputs."""
    return [
        (row.run_id, position, row.output.path, row.output.kind, row.output.title, row.output.size_bytes,
         row.output.digest, row.bundle, row.request_id, row.task_name, row.created_at)
        for position, row in enumerate(outputs_of(run))
    ]  # fmt: skip


def worker_values(one: Worker) -> Values:
    """For put_worker."""
    return (
        one.id, one.name, one.state, one.is_ours, one.incarnation, one.slots, one.beat_s, one.pid, one.host,
        one.last_seen_at, list(one.history), one.metadata_json,
    )  # fmt: skip


def to_task(row: Row) -> TaskRow:
    """A definition."""
    task = Task(
        TaskId(row["id"]), row["name"], TaskKind(row["kind"]), row["source"], row["source_digest"], row["filename"],
        row["bundle"], Limits(row["wall_s"], row["cpu_s"], row["memory_bytes"]), Instant(row["created_at"]),
        row["wire"], row["version"],
    )  # fmt: skip
    return TaskRow(
        task, TaskState(row["state"]), row["proplet_id"], row["results"], row["error"], Instant(row["started_at"]),
        Instant(row["finished_at"]), Instant(row["updated_at"]), RunId(row["run_id"]), row["is_hidden"],
    )  # fmt: skip


def to_run(row: Row, outputs: tuple[Output, ...] = ()) -> TaskRun:
    """A run."""
    return TaskRun(
        RunId(row["id"]), RequestId(row["request_id"]), TaskId(row["task_id"]), row["task_name"], row["bundle"],
        row["version"], row["parameters"], RunState(row["state"]), row["epoch"], row["attempts"],
        WorkerId(row["worker_id"]), row["results"], row["error"], row["error_code"], outputs,
        Instant(row["created_at"]), Instant(row["started_at"]), Instant(row["finished_at"]), row["memo_key"],
        RunId(row["reused_of"]), row["config"], row["said"],
    )  # fmt: skip


def to_output(row: Row) -> Output:
    """A file that a run made."""
    return Output(row["path"], row["kind"], row["title"], row["size_bytes"], row["digest"])


def to_output_row(row: Row) -> OutputRow:
    """The same with where it came from."""
    return OutputRow(
        to_output(row), row["bundle"], RequestId(row["request_id"]), RunId(row["run_id"]), row["task_name"],
        Instant(row["created_at"]),
    )  # fmt: skip


def to_worker(row: Row) -> Worker:
    """A worker."""
    return Worker(
        WorkerId(row["id"]), row["name"], WorkerState(row["state"]), row["is_ours"], row["incarnation"], row["slots"],
        row["beat_s"], row["pid"], row["host"], Instant(row["last_seen_at"]),
        tuple(Instant(at) for at in row["history"]), row["metadata"],
    )  # fmt: skip
