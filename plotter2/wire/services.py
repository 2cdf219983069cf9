"""Service runs: what to run, and how it stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from plotter2.api.v1 import servicer_pb2
from plotter2.clock import Instant
from plotter2.ids import DeliveryId, ServiceId
from plotter2.model.bundle import FileEntry
from plotter2.model.service import ServiceSpec, ServiceState, ServiceStatus
from plotter2.wire.enums import EnumTable

MESSAGE_BYTES = 4 << 20
"""Of the specs or statuses in one message; a single one may have more."""
M = TypeVar("M", servicer_pb2.ServiceSpec, servicer_pb2.ServiceStatus)
_STATES = EnumTable(ServiceState, servicer_pb2.ServiceState, "SERVICE_STATE_")

state_to_proto = _STATES.to_proto
state_from_proto = _STATES.from_proto


def spec_to_proto(spec: ServiceSpec) -> servicer_pb2.ServiceSpec:
    """Everything needed to run one experiment once."""
    return servicer_pb2.ServiceSpec(
        service_id=spec.service_id,
        bundle=spec.bundle,
        version=spec.version,
        child=spec.child,
        service_json=spec.service_json,
        parameters_json=spec.parameters_json,
        code_digest=spec.code_digest,
        run_key=spec.run_key,
        files=[
            servicer_pb2.ServiceFile(path=entry.path, digest=entry.digest, mode=entry.mode, size_bytes=entry.size_bytes)
            for entry in spec.files
        ],
        user=spec.user,
        data_digest=spec.data_digest,
    )


def spec_from_proto(message: servicer_pb2.ServiceSpec) -> ServiceSpec:
    """Everything needed to run one experiment once; file paths are not checked here."""
    return ServiceSpec(
        service_id=ServiceId(message.service_id),
        bundle=message.bundle,
        version=message.version,
        child=message.child,
        service_json=message.service_json,
        parameters_json=message.parameters_json,
        code_digest=message.code_digest,
        run_key=message.run_key,
        files=tuple(FileEntry(entry.path, entry.size_bytes, entry.digest, entry.mode) for entry in message.files),
        user=message.user,
        data_digest=message.data_digest,
    )


def status_to_proto(status: ServiceStatus) -> servicer_pb2.ServiceStatus:
    """How a service run stands."""
    return servicer_pb2.ServiceStatus(
        service_id=status.service_id,
        state=state_to_proto(status.state),
        pid=status.pid,
        started_at=status.started_at,
        finished_at=status.finished_at,
        exit_status=status.exit_status,
        error=status.error,
        tail=status.tail,
        child=status.child,
        delivery_id=status.delivery_id,
    )


def status_from_proto(message: servicer_pb2.ServiceStatus) -> ServiceStatus:
    """How a service run stands.

    Raises:
        RefusedError: in a state that this version does not know.
    """
    return ServiceStatus(
        service_id=ServiceId(message.service_id),
        state=state_from_proto(message.state),
        pid=message.pid,
        started_at=Instant(message.started_at),
        finished_at=Instant(message.finished_at),
        exit_status=message.exit_status,
        error=message.error,
        tail=message.tail,
        child=message.child,
        delivery_id=DeliveryId(message.delivery_id),
    )


def fitting(messages: Iterable[M]) -> Iterator[list[M]]:
    """The same in the same order, in lists that fit into one message each."""
    size, fits = 0, list[M]()
    for one in messages:
        size += one.ByteSize()
        if size > MESSAGE_BYTES and fits:
            yield fits
            size, fits = one.ByteSize(), []
        fits.append(one)
    if fits:
        yield fits
