"""What is done about each service run (pure).

::

    asked ──► QUEUED ──► RUNNING ──► HARVESTING ──► DONE
                │           │             │
                └───────────┴─────────────┴──► FAILED | STOPPED

What is known of a run is on disk before anybody is told (`Keep`), and every change is reported until it is
acknowledged. After a restart the machine is fed with what is on disk, and goes on where the run stands; programs that a
clean stop or a reboot of the machine has ended begin again. A run that has
ended is remembered for long after its directory is gone, so that asking for it again tells its end and starts nothing;
and so is a stop that has overtaken its start.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from plotter2.clock import ZERO, Instant
from plotter2.errors import LimitError
from plotter2.ids import ServiceId
from plotter2.model import service
from plotter2.model.service import SERVICE_ENDS, ServiceSpec, ServiceState, ServiceStatus

ENDED_KEPT_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Found:
    """A run that was on disk when the servicer started. Interrupted: its program was ended by us, not by its end."""

    spec: ServiceSpec
    status: ServiceStatus
    is_acknowledged: bool = False
    is_interrupted: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """The manager wants this one run."""

    spec: ServiceSpec


@dataclass(frozen=True, slots=True)
class Started:
    """Its shim runs the program."""

    service_id: ServiceId
    pid: int


@dataclass(frozen=True, slots=True)
class Exited:
    """The program has ended. `error` is one sentence when that was no success."""

    service_id: ServiceId
    exit_status: int
    is_stopped: bool = False
    error: str = ""
    tail: str = ""


@dataclass(frozen=True, slots=True)
class Harvested:
    """Its output is a child bundle; `error` says why it is not."""

    service_id: ServiceId
    error: str = ""


@dataclass(frozen=True, slots=True)
class StopAsked:
    """Somebody wants it ended: asked to, and killed after so many seconds (0: the shim's own measure)."""

    service_id: ServiceId
    grace_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The manager has committed a report of this state."""

    service_id: ServiceId
    state: ServiceState


Event = Found | Asked | Started | Exited | Harvested | StopAsked | Acknowledged


@dataclass(frozen=True, slots=True)
class Keep:
    """Write the run's status to disk."""

    status: ServiceStatus
    is_acknowledged: bool = False


@dataclass(frozen=True, slots=True)
class Launch:
    """Make its directory ready and start its shim."""

    spec: ServiceSpec


@dataclass(frozen=True, slots=True)
class Adopt:
    """Find its shim, or the record of its end, and wait for the end; start it if it never was."""

    spec: ServiceSpec


@dataclass(frozen=True, slots=True)
class Relaunch:
    """Wait until its old shim is gone; where the program was interrupted, throw away what it left and start it."""

    spec: ServiceSpec


@dataclass(frozen=True, slots=True)
class Harvest:
    """Make a child bundle of its output."""

    spec: ServiceSpec
    status: ServiceStatus


@dataclass(frozen=True, slots=True)
class End:
    """Have its shim end the program: asked to, and killed after so many seconds (0: the shim's own measure)."""

    service_id: ServiceId
    grace_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Report:
    """Tell the manager, until it has it."""

    status: ServiceStatus


@dataclass(frozen=True, slots=True)
class Clear:
    """Nobody needs its directory any more (a failed run's is kept for a while)."""

    service_id: ServiceId
    is_failed: bool


@dataclass(frozen=True, slots=True)
class Remember:
    """Write down that it has ended, apart from its directory."""

    status: ServiceStatus


Command = Keep | Launch | Adopt | Relaunch | Harvest | End | Report | Clear | Remember


class Machine:
    """All service runs that are alive or not yet acknowledged, and the newest of those that are (`ended`)."""

    def __init__(
        self, services_max: int, ended_kept_max: int = ENDED_KEPT_MAX, recalled: Iterable[ServiceStatus] = ()
    ) -> None:
        self._services_max = services_max
        self._ended_kept_max = ended_kept_max
        self.specs: dict[ServiceId, ServiceSpec] = {}
        self.statuses: dict[ServiceId, ServiceStatus] = {}
        self.ended: dict[ServiceId, ServiceStatus] = {}
        self._stopping: set[ServiceId] = set()
        self._paused: frozenset[ServiceId] = frozenset()
        for status in recalled:
            self._remember(status)

    def status(self, service_id: ServiceId) -> ServiceStatus | None:
        """How a run stands, as far as it is remembered."""
        return self.statuses.get(service_id) or self.ended.get(service_id)

    def undo(self, service_id: ServiceId) -> None:
        """What was asked could not be written down: it was never asked."""
        del self.specs[service_id], self.statuses[service_id]

    def pause(self) -> frozenset[ServiceId]:
        """The servicer itself ends: the runs whose programs are to be ended, and begin again with the next servicer."""
        open_ = {ServiceState.QUEUED, ServiceState.RUNNING}
        alive = {service_id for service_id, status in self.statuses.items() if status.state in open_}
        self._paused = frozenset(alive - self._stopping)
        return self._paused

    def check(self, service_id: ServiceId) -> None:
        """Whether there is room for this run.

        Raises:
            LimitError: there is not.
        """
        alive = sum(1 for status in self.statuses.values() if status.state not in SERVICE_ENDS)
        if self.status(service_id) is None and alive >= self._services_max:
            raise LimitError(
                f"{alive} service runs are alive already, which is the limit; ask again when one has ended."
            )

    def handle(self, event: Event, now: Instant) -> list[Command]:  # noqa: PLR0911 -- a dispatch table
        """Hear one event."""
        match event:
            case Found():
                return self._found(event)
            case Asked():
                return self._asked(event)
            case Started():
                return self._step(event.service_id, ServiceState.RUNNING, pid=event.pid, started_at=now)
            case Exited():
                return self._exited(event, now)
            case Harvested():
                state = ServiceState.FAILED if event.error else ServiceState.DONE
                return self._step(event.service_id, state, error=event.error)
            case StopAsked():
                return self._stop(event, now)
            case Acknowledged():
                return self._acknowledged(event)

    def _found(self, event: Found) -> list[Command]:
        service_id = event.spec.service_id
        if event.is_acknowledged and event.status.state in SERVICE_ENDS:
            clear = Clear(service_id, event.status.state is not ServiceState.DONE)
            return [clear] if service_id in self.ended else [*self._remember(event.status), clear]
        self.specs[service_id], self.statuses[service_id] = event.spec, event.status
        report = Report(event.status)
        if event.status.state is ServiceState.STOPPED:
            return [report, End(service_id)]  # its end may have been written down and not carried out
        if event.status.state in SERVICE_ENDS:
            return [report]
        if event.status.state is ServiceState.HARVESTING:
            return [report, Harvest(event.spec, event.status)]
        if event.is_interrupted:
            self.statuses[service_id] = again = replace(event.status, state=ServiceState.QUEUED, pid=0, started_at=ZERO)
            return [Keep(again), Relaunch(event.spec)]
        return [report, Adopt(event.spec)]

    def _asked(self, event: Asked) -> list[Command]:
        service_id = event.spec.service_id
        if service_id in self.statuses:
            return []
        if service_id in self.ended:  # whoever asks has not heard of its end
            return [Report(self.ended[service_id])]
        self.specs[service_id] = event.spec
        self.statuses[service_id] = ServiceStatus(service_id, ServiceState.QUEUED, child=event.spec.child)
        return [Keep(self.statuses[service_id]), Launch(event.spec)]

    def _exited(self, event: Exited, now: Instant) -> list[Command]:
        if event.is_stopped and event.service_id in self._paused:
            return []
        self._stopping.discard(event.service_id)
        if event.is_stopped:
            after = ServiceState.STOPPED
        else:
            after = ServiceState.FAILED if event.error else ServiceState.HARVESTING
        commands = self._step(
            event.service_id, after, finished_at=now, exit_status=event.exit_status, error=event.error, tail=event.tail
        )
        if commands and after is ServiceState.HARVESTING:
            commands.append(Harvest(self.specs[event.service_id], self.statuses[event.service_id]))
        return commands

    def _stop(self, event: StopAsked, now: Instant) -> list[Command]:
        service_id = event.service_id
        if service_id in self.ended:
            return [Report(self.ended[service_id])]
        status = self.statuses.get(service_id)
        if status is None:
            status = ServiceStatus(service_id, ServiceState.STOPPED, finished_at=now)
            return [*self._remember(status), Report(status)]
        if status.state in SERVICE_ENDS:
            return []
        if status.state is ServiceState.QUEUED:
            return [*self._step(service_id, ServiceState.STOPPED, finished_at=now), End(service_id)]
        self._stopping.add(service_id)
        return [End(service_id, event.grace_s)]

    def _acknowledged(self, event: Acknowledged) -> list[Command]:
        status = self.statuses.get(event.service_id)
        if status is None or status.state is not event.state or event.state not in SERVICE_ENDS:
            return []
        del self.statuses[event.service_id], self.specs[event.service_id]
        clear = Clear(event.service_id, event.state is not ServiceState.DONE)
        return [Keep(status, is_acknowledged=True), *self._remember(status), clear]

    def _remember(self, status: ServiceStatus) -> list[Command]:
        self.ended[status.service_id] = status
        while len(self.ended) > self._ended_kept_max:
            del self.ended[next(iter(self.ended))]
        return [Remember(status)]

    def _step(self, service_id: ServiceId, after: ServiceState, **changes: object) -> list[Command]:
        status = self.statuses.get(service_id)
        if status is None or after not in service.SERVICE_STEPS[status.state]:
            return []
        status = replace(status, state=after, **changes)  # type: ignore[arg-type]  # fields of ServiceStatus
        self.statuses[service_id] = status
        return [Keep(status), Report(status)]
