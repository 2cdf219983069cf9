"""Deliveries and services."""

from __future__ import annotations

from dataclasses import dataclass

from manager.events.token import Token
from plotter2.ids import DeliveryId, RequestId, ServiceId
from plotter2.model.bundle import FileEntry
from plotter2.model.conditions import Condition
from plotter2.model.enclosed import Enclosed
from plotter2.model.order import Firing
from plotter2.model.service import ServiceStatus


@dataclass(frozen=True, slots=True)
class DeliveryOffered:
    """The stager has a sealed delivery.

    Attributes:
        chain: the firings of standing orders that led to the request whose run left it.
        cause: the request whose task run exports it.
        base: it adds to this version, 0 for none, and to no other; -1: whatever is there.
    """

    token: Token
    delivery_id: DeliveryId
    request_id: RequestId
    bundle: str
    user: str
    manifest_json: str
    files: tuple[FileEntry, ...]
    spool_path: str
    service_id: ServiceId = ServiceId("")
    chain: tuple[Firing, ...] = ()
    cause: RequestId = RequestId("")
    base: int = -1


@dataclass(frozen=True, slots=True)
class DeliveryInstalled:
    """The content of a delivery is in the blob store, durably, and what it declares has been read and checked."""

    delivery_id: DeliveryId
    package_json: str = ""
    parameters_json: str = ""
    metrics_json: str = ""
    conditions: tuple[Condition, ...] = ()
    tasks: tuple[Enclosed, ...] = ()


@dataclass(frozen=True, slots=True)
class DeliveryRefused:
    """The content of a delivery is not what it says, or declares what makes no sense."""

    delivery_id: DeliveryId
    reason: str
    reason_code: str


@dataclass(frozen=True, slots=True)
class ServiceReported:
    """The servicer says how a service run stands."""

    token: Token
    status: ServiceStatus


@dataclass(frozen=True, slots=True)
class ServiceRefused:
    """The servicer will not start this one."""

    service_id: ServiceId
    reason: str
