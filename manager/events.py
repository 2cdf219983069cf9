"""Everything that can happen to the manager. Edges make these, the machine hears them: past tense, frozen, passive.

`token` names whoever waits for an answer (`manager.desk`); 0 means nobody does.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from manager.store import TaskRow
from plotter2.errors import RefusedError
from plotter2.ids import DeliveryId, RequestId, RunId, ServiceId, TaskId, WorkerId
from plotter2.model.bundle import BundleVersion, Contents, FileEntry
from plotter2.model.request import RequestKind
from plotter2.model.service import ServiceStatus
from plotter2.model.task import Output, RunState, Task, TaskKind

Token = int


# --- from workers (devices) ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WorkerAnnounced:
    """A worker has started or found the broker again."""

    worker_id: WorkerId
    name: str = ""
    is_ours: bool = False
    incarnation: str = ""
    slots: int = 1
    beat_s: float = 10.0
    pid: int = 0
    host: str = ""
    metadata_json: str = "{}"


@dataclass(frozen=True, slots=True)
class WorkerBeat:
    """A worker said that it lives."""

    worker_id: WorkerId
    incarnation: str = ""


@dataclass(frozen=True, slots=True)
class WorkerLeft:
    """The last will of a worker, or its own goodbye. `incarnation` says of which of its processes; "" of any."""

    worker_id: WorkerId
    incarnation: str = ""


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a worker says of one run. Terminal or RUNNING; `lines` is what it printed since the last report."""

    run_id: RunId
    epoch: int
    state: RunState
    results_json: str = ""
    error: str = ""
    error_code: str = ""
    made: tuple[Output, ...] = field(default=())
    lines: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class RunsReported:
    """A batch of reports from one of our workers."""

    worker_id: WorkerId
    incarnation: str
    reports: tuple[RunReport, ...]


@dataclass(frozen=True, slots=True)
class PropletResult:
    """A Propeller proplet has finished a task."""

    worker_id: str
    task_id: TaskId
    results_json: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class BusConnected:
    """The broker is there (again): whatever was not confirmed is said again."""


# --- from clients -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RunAsked:
    """Run a task on a bundle. `source` is set for a task that no bundle declares."""

    token: Token
    request_id: RequestId
    user: str
    task: str
    bundle: str = ""
    version: int = 0
    source: str = ""
    kind: TaskKind = TaskKind.SCRIPT
    filename: str = ""
    parameters_json: str = "{}"
    client_key: str = ""


@dataclass(frozen=True, slots=True)
class PlannedChild:
    """One value of a redo as it was planned at the edge: parameters bound, key computed, looked up in the store.

    Attributes:
        existing: the version that the same run left before, if any.
    """

    bundle: str
    parameters_json: str
    run_key: bytes
    existing: BundleVersion | None = None


@dataclass(frozen=True, slots=True)
class RedoAsked:
    """Run an experiment again. Planned at the edge from `contents`, which must still be the newest version."""

    token: Token
    request_id: RequestId
    user: str
    contents: Contents
    children: tuple[PlannedChild, ...]
    parallel: int
    force: bool
    ask_json: str
    client_key: str = ""


@dataclass(frozen=True, slots=True)
class AskRefused:
    """An ask made no sense at the edge already; it is remembered with its reason."""

    token: Token
    request_id: RequestId
    kind: RequestKind
    user: str
    bundle: str
    ask_json: str
    wrong: RefusedError


@dataclass(frozen=True, slots=True)
class ArchiveAsked:
    """Hide a bundle, or show it again."""

    token: Token
    request_id: RequestId
    user: str
    bundle: str
    archived: bool
    client_key: str = ""


@dataclass(frozen=True, slots=True)
class RequestCancelled:
    """Somebody wants a request ended."""

    token: Token
    request_id: RequestId


@dataclass(frozen=True, slots=True)
class CallsOpened:
    """A stream of many small runs begins."""

    token: Token
    request_id: RequestId
    user: str
    task: Task
    client_key: str = ""


@dataclass(frozen=True, slots=True)
class CallsAdded:
    """Calls of an open stream: one JSON object of parameters each; the first has index `first`."""

    request_id: RequestId
    first: int
    parameters_json: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CallsClosed:
    """No more calls will come on this stream."""

    request_id: RequestId


# --- Propeller's HTTP ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TaskCreated:
    """A definition came in over HTTP."""

    token: Token
    row: TaskRow


@dataclass(frozen=True, slots=True)
class TaskStarted:
    """Start a definition on the proplet that the scheduler picks."""

    token: Token
    request_id: RequestId
    task_id: TaskId


@dataclass(frozen=True, slots=True)
class TaskStopped:
    """Stop a definition's run."""

    token: Token
    task_id: TaskId


# --- deliveries and services --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DeliveryOffered:
    """The stager has a sealed delivery."""

    token: Token
    delivery_id: DeliveryId
    request_id: RequestId
    bundle: str
    user: str
    manifest_json: str
    files: tuple[FileEntry, ...]
    spool_path: str
    service_id: ServiceId = ServiceId("")


@dataclass(frozen=True, slots=True)
class DeliveryInstalled:
    """The content of a delivery is in the blob store, durably, and what it declares has been read and checked."""

    delivery_id: DeliveryId
    package_json: str = ""
    parameters_json: str = ""


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


# --- outcomes and time --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OutputsTaken:
    """What a run made lies under output/, durably."""

    run_id: RunId
    epoch: int
    outputs: tuple[Output, ...]


@dataclass(frozen=True, slots=True)
class OutputsRefused:
    """What a run said it made is not there, or not what it said."""

    run_id: RunId
    epoch: int
    reason: str


@dataclass(frozen=True, slots=True)
class Ticked:
    """Time has passed."""


Event = (
    WorkerAnnounced
    | WorkerBeat
    | WorkerLeft
    | RunsReported
    | PropletResult
    | BusConnected
    | RunAsked
    | RedoAsked
    | AskRefused
    | ArchiveAsked
    | RequestCancelled
    | CallsOpened
    | CallsAdded
    | CallsClosed
    | TaskCreated
    | TaskStarted
    | TaskStopped
    | DeliveryOffered
    | DeliveryInstalled
    | DeliveryRefused
    | ServiceReported
    | ServiceRefused
    | OutputsTaken
    | OutputsRefused
    | Ticked
)
