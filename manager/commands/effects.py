"""Effects: what follows a transaction. Each is safe to carry out twice (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from manager.prompting import AskFor, Consider
from manager.store import Delivery, TaskRow
from plotter2.datter.ledger import ops
from plotter2.errors import Plotter2Error
from plotter2.ids import DeliveryId, RequestId, RunId, ServiceId, WorkerId
from plotter2.model.bundle import FileEntry
from plotter2.model.order import Firing
from plotter2.model.report import Report
from plotter2.model.request import Request
from plotter2.model.service import ServiceSpec
from plotter2.model.task import Output, RunState, Task, TaskRun
from plotter2.mqtt.payloads import Instance


@dataclass(frozen=True, slots=True)
class Answer:
    """Tell whoever waits at the desk."""

    token: int
    value: object = None
    error: Plotter2Error | None = None


@dataclass(frozen=True, slots=True)
class Notify:
    """Tell those who watch a request how it stands."""

    request: Request


@dataclass(frozen=True, slots=True)
class CallEnd:
    """How one call of a stream ended."""

    index: int
    state: RunState
    results_json: str
    error: str


@dataclass(frozen=True, slots=True)
class NotifyCalls:
    """Tell the stream which of its calls have ended; their results are committed."""

    request_id: RequestId
    ends: tuple[CallEnd, ...]


@dataclass(frozen=True, slots=True)
class NotifyLines:
    """Tell those who watch a request what its runs print. Logged before it counts, else nothing durable.

    Attributes:
        first: how many lines of the attempt were taken before these.
        attempt: of the run; 0 for an instance, which prints the same in each.
    """

    request_id: RequestId
    run_id: RunId
    lines: tuple[str, ...]
    first: int = 0
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class NotifyProgress:
    """Tell those who watch a request how far one of its runs says it is. Nothing durable."""

    request_id: RequestId
    run_id: RunId
    done: float
    total: float


@dataclass(frozen=True, slots=True)
class AssignRuns:
    """Send runs (and cancellations) to one of our workers, in one message; `pins` of their requests go with them."""

    worker_id: WorkerId
    runs: tuple[TaskRun, ...]
    tasks: tuple[Task, ...]
    cancelled: tuple[tuple[RunId, int], ...] = field(default=())
    instances: Mapping[RunId, Instance] = field(default_factory=dict)
    pins: Mapping[RequestId, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AskWho:
    """Ask one of our workers to announce itself (again)."""

    worker_id: WorkerId


@dataclass(frozen=True, slots=True)
class StartOnProplet:
    """Send one definition to a Propeller proplet."""

    worker_id: WorkerId
    row: TaskRow


@dataclass(frozen=True, slots=True)
class StopOnProplet:
    """Ask a Propeller proplet to stop a definition."""

    worker_id: WorkerId
    row: TaskRow


@dataclass(frozen=True, slots=True)
class InstallDelivery:
    """Bring a delivery's content into the blob store, read what it declares, and check what its manifest claims."""

    delivery_id: DeliveryId
    bundle: str
    files: tuple[FileEntry, ...]
    spool_path: str
    manifest_json: str


@dataclass(frozen=True, slots=True)
class Materialise:
    """Make the folders that people browse show this version."""

    bundle: str
    version: int
    files: tuple[FileEntry, ...]


@dataclass(frozen=True, slots=True)
class KeepRecord:
    """Leave a delivery's record in the history of its bundle; `files` are those of the version it made."""

    delivery: Delivery
    files: tuple[FileEntry, ...]


@dataclass(frozen=True, slots=True)
class KeepReport:
    """Show a report under its number among its bundle's."""

    report: Report


@dataclass(frozen=True, slots=True)
class KeepMemo:
    """Show what a run came to among its bundle's results that are used again."""

    run: TaskRun


@dataclass(frozen=True, slots=True)
class TakeOutputs:
    """Bring what a run on a version (bundle and number; none: "", 0) made under output/, what it exports into bundles.

    Attributes:
        user: who asked for the run.
        chain: the firings that led to it.
        packed: the digest of the list of its files; b"": they lie in its directory.
    """

    run_id: RunId
    epoch: int
    made: tuple[Output, ...]
    target: str
    version: tuple[str, int] = ("", 0)
    user: str = ""
    chain: tuple[Firing, ...] = ()
    packed: bytes = b""


@dataclass(frozen=True, slots=True)
class PlanInstances:
    """Find out how many instances a run is, and which were run before; it waits for the answer, and may ask again.

    Attributes:
        stamp: of what it sees; b"" where its results are never found again.
        is_forced: it is run whatever is known.
        pins: what it sees below its bundle, see `plotter2.model.pins`.
    """

    run: TaskRun
    task: Task
    stamp: bytes = b""
    is_forced: bool = False
    pins: bytes = b""


@dataclass(frozen=True, slots=True)
class PlanStart:
    """Find out which instances one of a tree wants started; it waits for the answer, which may be asked for again.

    Attributes:
        wanted: definitions with what they are given, a JSON object each; those that start held before the one that
            was asked for.
        given: the parameters as they were asked.
        pins: what the tree sees below its bundle.
        config: the digest of what the installation added when the tree was asked for.
    """

    tree: str
    number: int
    epoch: int
    seq: int
    given: str
    target: tuple[str, int]
    wanted: tuple[tuple[str, Task, str], ...]
    pins: bytes = b""
    config: bytes = b""


@dataclass(frozen=True, slots=True)
class Tell:
    """Answer a question of an instance, over the stream of the worker that runs it.

    Attributes:
        ask: what the answer goes by.
    """

    worker_id: WorkerId
    run_id: RunId
    epoch: int
    ask: int
    answer: ops.Answer


@dataclass(frozen=True, slots=True)
class StartService:
    """Have the servicer run an experiment once."""

    spec: ServiceSpec


@dataclass(frozen=True, slots=True)
class StopService:
    """Have the servicer end a service run."""

    service_id: ServiceId


Effect = (
    Answer
    | Notify
    | NotifyCalls
    | NotifyLines
    | NotifyProgress
    | AskFor
    | AssignRuns
    | AskWho
    | Consider
    | StartOnProplet
    | StopOnProplet
    | InstallDelivery
    | Materialise
    | KeepRecord
    | KeepReport
    | TakeOutputs
    | PlanInstances
    | KeepMemo
    | PlanStart
    | Tell
    | StartService
    | StopService
)
