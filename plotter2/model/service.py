"""Services: experiments as supervised processes (requirements 073, 074), and the table of their states."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from plotter2.clock import ZERO, Instant
from plotter2.errors import IllegalStepError
from plotter2.ids import DeliveryId, ServiceId
from plotter2.model.bundle import FileEntry


class ServiceState(StrEnum):
    """Where one service run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    HARVESTING = "harvesting"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


_ENDS = frozenset({ServiceState.DONE, ServiceState.FAILED, ServiceState.STOPPED})
SERVICE_STEPS: dict[ServiceState, frozenset[ServiceState]] = {
    ServiceState.QUEUED: frozenset({ServiceState.RUNNING, ServiceState.HARVESTING}) | _ENDS,
    ServiceState.RUNNING: frozenset({ServiceState.HARVESTING}) | _ENDS,
    ServiceState.HARVESTING: _ENDS,
    ServiceState.DONE: frozenset(),
    ServiceState.FAILED: frozenset(),
    ServiceState.STOPPED: frozenset(),
}
SERVICE_ENDS = _ENDS


def step(service: str, before: ServiceState, after: ServiceState) -> ServiceState:
    """Return `after` if the table has that arrow.

    Raises:
        IllegalStepError: it has not.
    """
    if after not in SERVICE_STEPS[before]:
        raise IllegalStepError(f"Service run {service} cannot go from {before} to {after}.")
    return after


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """Everything needed to run one experiment once. JSON documents are text as the user wrote them.

    Attributes:
        child: the bundle that its output becomes.
        service_json: the `service` section of package.json.
        parameters_json: all parameters, declared defaults included.
        files: the code that the program gets a copy of, with digests.
        data_digest: over what else the version holds; the program finds it in the tree of the version.
    """

    service_id: ServiceId
    bundle: str
    version: int
    child: str
    service_json: str
    parameters_json: str
    code_digest: bytes
    run_key: bytes
    files: tuple[FileEntry, ...] = field(default=())
    user: str = ""
    data_digest: bytes = b""


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """What the servicer knows of one service run. `exit_status` is negative for a signal."""

    service_id: ServiceId
    state: ServiceState
    pid: int = 0
    started_at: Instant = ZERO
    finished_at: Instant = ZERO
    exit_status: int = 0
    error: str = ""
    tail: str = ""
    child: str = ""
    delivery_id: DeliveryId = DeliveryId("")
