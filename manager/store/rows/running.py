"""Rows of service runs, deliveries and what is in quarantine (pure)."""

from __future__ import annotations

from manager.store import Delivery, Held, ServiceRow
from manager.store.rows.shapes import Row, Values
from plotter2.clock import Instant
from plotter2.ids import DeliveryId, RequestId, ServiceId
from plotter2.model.bundle import FileEntry
from plotter2.model.quarantine import ItemKind, ItemState, QuarantineItem
from plotter2.model.service import SERVICE_ENDS, ServiceSpec, ServiceState, ServiceStatus


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
