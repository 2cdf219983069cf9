"""Everything the manager can decide: writes, which go into the turn's one transaction, and effects, which follow it.

Imperative, frozen. A write knows its place in the batch; an effect is safe to carry out twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Protocol

from manager.prompting import AskFor, Consider
from manager.store import Batch, Delivery, Held, ServiceRow, Tags, TaskRow
from plotter2.errors import Plotter2Error
from plotter2.ids import DeliveryId, RequestId, RunId, ServiceId, WorkerId
from plotter2.model.bundle import Contents, FileEntry
from plotter2.model.lineage import Edge
from plotter2.model.link import SaidLink
from plotter2.model.order import Tally
from plotter2.model.quarantine import QuarantineItem
from plotter2.model.record import NewRecord
from plotter2.model.report import Report
from plotter2.model.request import Request
from plotter2.model.service import ServiceSpec
from plotter2.model.task import Output, RunState, Task, TaskRun
from plotter2.model.worker import Worker


class Write(Protocol):
    """A decision that must be in the database before anything follows from it."""

    def put(self, batch: Batch) -> None:
        """Take its place in the batch."""
        ...


@dataclass(frozen=True, slots=True)
class Append:
    """Add a record to the journal."""

    record: NewRecord

    def put(self, batch: Batch) -> None:
        """Take its place in the batch."""
        batch.records.append(self.record)


@dataclass(frozen=True, slots=True)
class SaveRequest:
    """Write a request as it is now, with those of its children that have changed."""

    request: Request

    def put(self, batch: Batch) -> None:
        """Take its place in the batch, beside children that changed earlier in the turn."""
        former = batch.requests.get(self.request.id)
        request = self.request
        if former is not None and former.children:
            changed = {child.index: child for child in (*former.children, *request.children)}
            request = replace(request, children=tuple(changed.values()))
        batch.requests[request.id] = request


@dataclass(frozen=True, slots=True)
class SaveTask:
    """Write a definition as it is now."""

    row: TaskRow

    def put(self, batch: Batch) -> None:
        """Take its place in the batch."""
        batch.tasks[self.row.task.id] = self.row


@dataclass(frozen=True, slots=True)
class SaveRun:
    """Write a run as it is now."""

    run: TaskRun

    def put(self, batch: Batch) -> None:
        """Take its place in the batch."""
        batch.runs[self.run.id] = self.run


@dataclass(frozen=True, slots=True)
class SaveBundle:
    """Write a new version with its files, and the text of what it inherits, "" for nothing."""

    contents: Contents
    inherited_json: str = ""

    def put(self, batch: Batch) -> None:
        """Take its place in the batch."""
        batch.bundles.append(self.contents)
        if self.inherited_json:
            batch.inheritances[self.contents.bundle.inherited] = self.inherited_json


@dataclass(frozen=True, slots=True)
class SetArchived:
    """Hide a bundle, or show it again."""

    bundle: str
    archived: bool

    def put(self, batch: Batch) -> None:
        """Take its place in the batch."""
        batch.archived[self.bundle] = self.archived


@dataclass(frozen=True, slots=True)
class SetTags:
    """Mark a bundle: what is set by hand, and the tags that it has with that."""

    bundle: str
    by_hand_json: str
    shown_json: str

    def put(self, batch: Batch) -> None:
        """Take its place in the batch."""
        batch.tags[self.bundle] = Tags(self.by_hand_json, self.shown_json)


@dataclass(frozen=True, slots=True)
class SaveLink:
    """Write what was asked about a link; what was asked before stays."""

    word: SaidLink

    def put(self, batch: Batch) -> None:
        """Take its place in the batch."""
        batch.links.append(self.word)


@dataclass(frozen=True, slots=True)
class SaveWorker:
    """Write a worker as it is now."""

    worker: Worker

    def put(self, batch: Batch) -> None:
        """Take its place in the batch."""
        batch.workers[self.worker.id] = self.worker


@dataclass(frozen=True, slots=True)
class SaveService:
    """Write a service run as it is now."""

    row: ServiceRow

    def put(self, batch: Batch) -> None:
        """Take its place in the batch."""
        batch.services[self.row.spec.service_id] = self.row


@dataclass(frozen=True, slots=True)
class SaveDelivery:
    """Remember that a delivery was taken in, so that a repeat is answered and not installed."""

    delivery: Delivery

    def put(self, batch: Batch) -> None:
        """Take its place in the batch."""
        batch.deliveries[self.delivery.id] = self.delivery


@dataclass(frozen=True, slots=True)
class SaveHeld:
    """Keep everything about a delivery in quarantine."""

    held: Held

    def put(self, batch: Batch) -> None:
        """Take its place in the batch."""
        batch.held[self.held.id] = self.held


@dataclass(frozen=True, slots=True)
class SaveItem:
    """Write something in quarantine as it is now."""

    item: QuarantineItem

    def put(self, batch: Batch) -> None:
        """Take its place in the batch."""
        batch.quarantine[self.item.id] = self.item


@dataclass(frozen=True, slots=True)
class SaveTally:
    """Write what is remembered of a standing order."""

    tally: Tally

    def put(self, batch: Batch) -> None:
        """Take its place in the batch."""
        batch.tallies[self.tally.bundle, self.tally.name] = self.tally


@dataclass(frozen=True, slots=True)
class SaveReport:
    """Write a report with its number."""

    report: Report

    def put(self, batch: Batch) -> None:
        """Take its place in the batch."""
        batch.reports.append(self.report)


@dataclass(frozen=True, slots=True)
class SaveEdges:
    """Remember what came of which version, where no other row says it."""

    edges: tuple[Edge, ...]

    def put(self, batch: Batch) -> None:
        """Take its place in the batch."""
        batch.edges += self.edges


# --- effects ------------------------------------------------------------------------------------------------------


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
    """Tell those who watch a request what its runs print. Nothing durable."""

    request_id: RequestId
    run_id: RunId
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NotifyProgress:
    """Tell those who watch a request how far one of its runs says it is. Nothing durable."""

    request_id: RequestId
    run_id: RunId
    done: float
    total: float


@dataclass(frozen=True, slots=True)
class AssignRuns:
    """Send runs (and cancellations) to one of our workers, in one message."""

    worker_id: WorkerId
    runs: tuple[TaskRun, ...]
    tasks: tuple[Task, ...]
    cancelled: tuple[tuple[RunId, int], ...] = field(default=())


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
class TakeOutputs:
    """Bring what a run on a version (bundle and number; none: "", 0) made under output/."""

    run_id: RunId
    epoch: int
    made: tuple[Output, ...]
    target: str
    version: tuple[str, int] = ("", 0)


@dataclass(frozen=True, slots=True)
class PlanInstances:
    """Find out how many instances a run is; it waits for the answer, which may be asked for again."""

    run: TaskRun
    task: Task


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
    | StartService
    | StopService
)
Command = Write | Effect
