"""Quarantine and the walks that fill it."""

from __future__ import annotations

from plotter2.api.v1 import manager_pb2
from plotter2.clock import Instant
from plotter2.errors import RefusedError
from plotter2.ids import RequestId
from plotter2.model.quarantine import ItemKind, ItemState, QuarantineItem
from plotter2.model.verification import Counts, Fault, Finding


def item_to_proto(item: QuarantineItem) -> manager_pb2.QuarantineItem:
    """Something in quarantine."""
    return manager_pb2.QuarantineItem(
        id=item.id,
        kind=item.kind.value,
        state=item.state.value,
        place=item.place,
        reason=item.reason,
        at=item.at,
        kept=item.kept,
        user=item.user,
        request_id=item.request_id,
        decided_at=item.decided_at,
        decision=item.decision,
    )


def item_from_proto(message: manager_pb2.QuarantineItem) -> QuarantineItem:
    """Something in quarantine.

    Raises:
        RefusedError: of a kind or in a state that this version does not know.
    """
    try:
        kind, state = ItemKind(message.kind), ItemState(message.state)
    except ValueError as wrong:
        raise RefusedError(f"Quarantine holds what this version does not know: {wrong}.") from None
    return QuarantineItem(
        message.id,
        kind,
        message.place,
        message.reason,
        Instant(message.at),
        state,
        message.kept,
        message.user,
        RequestId(message.request_id),
        Instant(message.decided_at),
        RequestId(message.decision),
    )


def finding_to_proto(finding: Finding) -> manager_pb2.Finding:
    """Something at rest that is not as it should be."""
    return manager_pb2.Finding(
        path=finding.path,
        problem=finding.problem,
        fault=finding.fault.value,
        remedy=finding.remedy,
        item_id=finding.item,
    )


def finding_from_proto(message: manager_pb2.Finding) -> Finding:
    """Something at rest that is not as it should be.

    Raises:
        RefusedError: a fault that this version does not know.
    """
    try:
        fault = Fault(message.fault)
    except ValueError as wrong:
        raise RefusedError(f"A fault that this version does not know was found: {wrong}.") from None
    return Finding(message.path, message.problem, fault, message.remedy, message.item_id)


def counts_to_proto(counts: Counts) -> manager_pb2.VerifyCounts:
    """How far a walk has come."""
    return manager_pb2.VerifyCounts(
        blobs=counts.blobs,
        blob_bytes=counts.blob_bytes,
        bundles=counts.bundles,
        files=counts.files,
        damaged=counts.damaged,
        hidden=counts.hidden,
        strays=counts.strays,
    )


def counts_from_proto(message: manager_pb2.VerifyCounts) -> Counts:
    """How far a walk has come."""
    return Counts(
        message.blobs,
        message.blob_bytes,
        message.bundles,
        message.files,
        message.damaged,
        message.hidden,
        message.strays,
    )
