"""Rows of what was asked, and of the event log (pure)."""

from __future__ import annotations

import json

import msgspec

from manager.store import HistoryRow
from manager.store.rows.shapes import Row, Values
from plotter2.clock import Instant
from plotter2.ids import DeliveryId, RequestId, ServiceId
from plotter2.model.order import Firing
from plotter2.model.record import Record
from plotter2.model.request import Child, Request, RequestKind, RequestState, Skip
from plotter2.model.service import ServiceState


def record_values(one: Record) -> Values:
    """For `turn`, without topic and partition."""
    return one.offset, one.at, one.kind, one.key, one.payload_json, one.previous, one.hash


def request_values(one: Request) -> Values:
    """For put_requests; its children have a table of their own."""
    return (
        one.id, one.kind, one.state, one.has_ended, one.user, one.bundle, one.ask_json, one.client_key, one.cause,
        one.reason, one.reason_code, one.created_at, one.finished_at, one.total, one.finished, one.failed,
        _chain_text(one.chain),
        msgspec.json.encode([(skip.bundle, skip.reason) for skip in one.skipped]).decode() if one.skipped else "",
        one.because, one.scope, one.pins,
    )  # fmt: skip


def _chain_text(chain: tuple[Firing, ...]) -> str:
    return json.dumps([[one.bundle, one.order, one.target] for one in chain]) if chain else ""


def child_values(request: RequestId, one: Child) -> Values:
    """For put_children."""
    return (
        request, one.index, one.bundle, one.parameters_json, one.state, one.reused, one.service_id, one.error, one.tail,
    )  # fmt: skip


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
        row["because"], row["scope"], row["pins"],
    )  # fmt: skip


def to_history(row: Row) -> HistoryRow:
    """A request with what it came to."""
    made_by = DeliveryId(row["made_by"] or "")
    return HistoryRow(to_request(row), row["made_version"] or 0, bool(row["made_new"]), made_by)
