"""Rows and dataclasses: each shape of the store both ways, in the column order of its statement (pure)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from blake3 import blake3

from manager.store import Delivery, Held, HistoryRow, OutputRow, ServiceRow, TaskRow
from plotter2.clock import Instant
from plotter2.ids import DeliveryId, RequestId, RunId, ServiceId, TaskId, WorkerId
from plotter2.model.bundle import BundleVersion, FileEntry
from plotter2.model.difference import FileChange
from plotter2.model.entry import Entry, facts
from plotter2.model.link import SaidLink
from plotter2.model.order import Firing
from plotter2.model.paths import BundlePath
from plotter2.model.quarantine import ItemKind, ItemState, QuarantineItem
from plotter2.model.record import Record
from plotter2.model.report import Report
from plotter2.model.request import Child, Request, RequestKind, RequestState, Skip
from plotter2.model.service import SERVICE_ENDS, ServiceSpec, ServiceState, ServiceStatus
from plotter2.model.task import Limits, Output, RunState, Task, TaskKind, TaskRun, TaskState
from plotter2.model.types import Mode
from plotter2.model.worker import Worker, WorkerState

Row = Mapping[str, Any]
Values = tuple[object, ...]
RUN_COLUMNS = (
    "id", "request_id", "position", "task_id", "task_name", "bundle", "version", "parameters", "created_at", "state",
    "has_ended", "epoch", "attempts", "worker_id", "results", "error", "error_code", "started_at", "finished_at",
)  # fmt: skip
FILE_COLUMNS = ("version_id", "path", "size_bytes", "digest", "mode")


def columns(rows: Iterable[Values]) -> list[Sequence[object]]:
    """One sequence a column, as unnest() wants them; at least one row."""
    return list(zip(*rows, strict=True))


def position_of(run: RunId) -> int:
    """Where a run stands among those of its request: runs are named `<request>.<index>`."""
    index = run.rpartition(".")[2]
    return int(index) if index.isascii() and index.isdigit() and len(index) < 10 else 0  # noqa: PLR2004 -- below 2**31


# --- out of the model -----------------------------------------------------------------------------------------------


def record_values(one: Record) -> Values:
    """For begin_turn, without topic and partition."""
    return one.offset, one.at, one.kind, one.key, one.payload_json, one.previous, one.hash


def request_values(one: Request) -> Values:
    """For put_requests; its children have a table of their own."""
    return (
        one.id, one.kind, one.state, one.has_ended, one.user, one.bundle, one.ask_json, one.client_key, one.cause,
        one.reason, one.reason_code, one.created_at, one.finished_at, one.total, one.finished, one.failed,
        _chain_text(one.chain),
        msgspec.json.encode([(skip.bundle, skip.reason) for skip in one.skipped]).decode() if one.skipped else "",
    )  # fmt: skip


def _chain_text(chain: tuple[Firing, ...]) -> str:
    return json.dumps([[one.bundle, one.order, one.target] for one in chain]) if chain else ""


def child_values(request: RequestId, one: Child) -> Values:
    """For put_children."""
    return (
        request, one.index, one.bundle, one.parameters_json, one.state, one.reused, one.service_id, one.error, one.tail,
    )  # fmt: skip


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
        one.results_json, one.error, one.error_code, one.started_at, one.finished_at,
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


def version_values(one: BundleVersion) -> Values:
    """For put_versions; whether it is hidden belongs to the bundle."""
    return (
        one.path, one.version, one.digest, one.files, one.size_bytes, one.created_at, one.request_id, one.package_json,
        one.parameters_json, one.run_key, one.ok, one.metrics_json,
        one.inherited,
    )  # fmt: skip


def worker_values(one: Worker) -> Values:
    """For put_worker."""
    return (
        one.id, one.name, one.state, one.is_ours, one.incarnation, one.slots, one.beat_s, one.pid, one.host,
        one.last_seen_at, list(one.history), one.metadata_json,
    )  # fmt: skip


def file_list(files: Iterable[FileEntry]) -> tuple[bytes, str]:
    """For put_file_list: the digest of a list, and the list."""
    text = msgspec.json.encode([(one.path, one.size_bytes, one.digest.hex(), one.mode) for one in files])
    return blake3(text).digest(), text.decode()


def spec_values(one: ServiceRow, files: bytes) -> Values:
    """For put_services; `files` is the digest of its file list."""
    spec = one.spec
    return (
        spec.service_id, one.request_id, spec.bundle, spec.version, spec.child, spec.service_json, spec.parameters_json,
        spec.code_digest, spec.run_key, files, spec.user, spec.data_digest,
    )  # fmt: skip


def status_values(one: ServiceRow) -> Values:
    """For put_service_states."""
    status = one.status
    return (
        one.spec.service_id, status.state, status.state in SERVICE_ENDS, status.pid, status.started_at,
        status.finished_at, status.exit_status, status.error, status.tail, status.child, status.delivery_id,
    )  # fmt: skip


def delivery_values(one: Delivery) -> Values:
    """For put_deliveries."""
    return one.id, one.request_id, one.bundle, one.version, one.is_new, one.installed_at, one.manifest_json


def entry_values(one: Entry) -> Values:
    """For put_entries."""
    return (
        one.path, one.version, one.state, one.at, one.archived, one.parameters_json, one.metrics_json, one.tags_json,
    )  # fmt: skip


def tag_values(entry: int, tags_json: str) -> list[Values]:
    """For put_facts: tags alone."""
    return fact_values(entry, Entry("", 0, ServiceState.DONE, tags_json=tags_json))


def fact_values(entry: int, one: Entry) -> list[Values]:
    """For put_facts; `entry` is the number of its row."""
    return [(entry, fact.space, fact.name, fact.number, fact.word) for fact in facts(one)]


def held_values(one: Held, files: bytes) -> Values:
    """For put_held; `files` is the digest of its file list."""
    return (
        one.id, one.request_id, one.bundle, one.user, one.reason, one.held_at, one.manifest_json, one.package_json,
        one.metrics_json, one.service_id, files,
    )  # fmt: skip


def item_values(one: QuarantineItem) -> Values:
    """For put_quarantine."""
    return (
        one.id, one.kind, one.state, one.place, one.reason, one.at, one.kept, one.user, one.request_id, one.decided_at,
        one.decision,
    )  # fmt: skip


def link_values(one: SaidLink) -> Values:
    """For put_links."""
    return (
        one.request_id, one.src, one.dst, one.operation, one.out_head, one.mode, one.forward, one.backward,
        one.is_forced, one.is_unlinked, one.user, one.created_at,
    )  # fmt: skip


def report_values(one: Report) -> Values:
    """For put_reports."""
    return (one.bundle, one.number, one.run_id, one.made_at, one.about_json, file_list(one.files)[1])


# --- into the model -------------------------------------------------------------------------------------------------


def to_record(row: Row) -> Record:
    """A record of the log."""
    return Record(
        row["topic"], row["part"], row["offset"], Instant(row["at"]), row["kind"], row["key"], row["payload"],
        row["previous"], row["hash"],
    )  # fmt: skip


def to_child(row: Row) -> Child:
    """A child of a request."""
    return Child(
        row["position"], row["bundle"], row["parameters"], ServiceState(row["state"]), row["reused"],
        ServiceId(row["service_id"]), row["error"], row["tail"],
    )  # fmt: skip


def to_request(row: Row, children: tuple[Child, ...] = ()) -> Request:
    """A request."""
    return Request(
        RequestId(row["id"]), RequestKind(row["kind"]), RequestState(row["state"]), row["user_name"], row["bundle"],
        row["ask"], row["client_key"], RequestId(row["cause"]), row["reason"], row["reason_code"],
        Instant(row["created_at"]), Instant(row["finished_at"]), row["total"], row["finished"], row["failed"], children,
        tuple(Firing(*one) for one in json.loads(row["chain"] or "[]")),
        tuple(Skip(*skip) for skip in msgspec.json.decode(row["skipped"] or "[]", type=list[tuple[str, str]])),
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
        Instant(row["created_at"]), Instant(row["started_at"]), Instant(row["finished_at"]),
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


def to_version(row: Row) -> BundleVersion:
    """A version."""
    return BundleVersion(
        BundlePath(row["path"]), row["version"], row["digest"], row["files"], row["size_bytes"],
        Instant(row["created_at"]), RequestId(row["request_id"]), row["archived"], row["package"], row["parameters"],
        row["run_key"], row["ok"], row["metrics"], row["inherited"], row["tags"],
    )  # fmt: skip


def to_entry(row: Row) -> Entry:
    """What search sees."""
    return Entry(
        row["path"], row["version"], ServiceState(row["state"]), Instant(row["at"]), row["archived"], row["parameters"],
        row["metrics"], row["tags"],
    )  # fmt: skip


def to_file(row: Row) -> FileEntry:
    """A file of a version."""
    return FileEntry(row["path"], row["size_bytes"], row["digest"], row["mode"])


def to_file_change(row: Row) -> FileChange:
    """A file that differs between two versions."""
    before, after = (
        FileEntry(row["path"], row[f"{side}_size"], row[f"{side}_digest"], row[f"{side}_mode"])
        if row[f"{side}_digest"] is not None
        else None
        for side in ("before", "after")
    )
    return FileChange(before, after)


def to_history(row: Row) -> HistoryRow:
    """A request with what it came to."""
    made_by = DeliveryId(row["made_by"] or "")
    return HistoryRow(to_request(row), row["made_version"] or 0, bool(row["made_new"]), made_by)


def to_worker(row: Row) -> Worker:
    """A worker."""
    return Worker(
        WorkerId(row["id"]), row["name"], WorkerState(row["state"]), row["is_ours"], row["incarnation"], row["slots"],
        row["beat_s"], row["pid"], row["host"], Instant(row["last_seen_at"]),
        tuple(Instant(at) for at in row["history"]), row["metadata"],
    )  # fmt: skip


def to_files(text: str) -> tuple[FileEntry, ...]:
    """A file list as `file_list` wrote it."""
    entries = msgspec.json.decode(text, type=list[tuple[str, int, str, int]])
    return tuple(FileEntry(path, size, bytes.fromhex(digest), mode) for path, size, digest, mode in entries)


def to_service(row: Row, files: tuple[FileEntry, ...]) -> ServiceRow:
    """A service run."""
    spec = ServiceSpec(
        ServiceId(row["id"]), row["bundle"], row["version"], row["child"], row["service"], row["parameters"],
        row["code_digest"], row["run_key"], files, row["user_name"], row["data_digest"],
    )  # fmt: skip
    status = ServiceStatus(
        ServiceId(row["id"]), ServiceState(row["state"]), row["pid"], Instant(row["started_at"]),
        Instant(row["finished_at"]), row["exit_status"], row["error"], row["tail"], row["status_child"],
        DeliveryId(row["delivery_id"]),
    )  # fmt: skip
    return ServiceRow(spec, status, RequestId(row["request_id"]))


def to_link(row: Row) -> SaidLink:
    """What was asked about a link."""
    return SaidLink(
        RequestId(row["request_id"]), row["src"], row["dst"], row["operation"], row["out_head"], Mode(row["mode"]),
        row["forward"], row["backward"], row["is_forced"], row["is_unlinked"], row["user_name"],
        Instant(row["created_at"]),
    )  # fmt: skip


def to_delivery(row: Row) -> Delivery:
    """What became of a delivery."""
    return Delivery(
        DeliveryId(row["id"]), RequestId(row["request_id"]), row["bundle"], row["version"], row["is_new"],
        Instant(row["installed_at"]), row["manifest"],
    )  # fmt: skip


def to_held(row: Row, files: tuple[FileEntry, ...]) -> Held:
    """A delivery in quarantine."""
    return Held(
        DeliveryId(row["id"]), RequestId(row["request_id"]), row["bundle"], row["user_name"], row["reason"],
        Instant(row["held_at"]), row["manifest"], row["package"], row["metrics"], ServiceId(row["service_id"]), files,
    )  # fmt: skip


def to_item(row: Row) -> QuarantineItem:
    """Something in quarantine."""
    return QuarantineItem(
        row["id"], ItemKind(row["kind"]), row["place"], row["reason"], Instant(row["at"]), ItemState(row["state"]),
        row["kept"], row["user_name"], RequestId(row["request_id"]), Instant(row["decided_at"]),
        RequestId(row["decision"]),
    )  # fmt: skip


def to_report(row: Row) -> Report:
    """A report with its number."""
    return Report(
        row["bundle"], row["number"], RunId(row["run_id"]), Instant(row["made_at"]), row["about"],
        to_files(row["files"]),
    )  # fmt: skip
