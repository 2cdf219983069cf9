"""The store: one transaction in, snapshots and pages out. A protocol with two complete implementations.

`PostgresStore` (postgres.py) is the truth in production; `MemoryStore` (memory) is for tests and trials. Both pass
tests/contract/test_store.py. Rows stop here: inside the manager there are only frozen dataclasses of `plotter2.model`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Generic, Protocol, TypeVar

from manager.eventlog import EventLog
from manager.store.ancestry import Ancestry
from manager.store.growing import Grown, Leaf, Lines, TreeRow
from plotter2.clock import Instant
from plotter2.ids import DeliveryId, RequestId, RunId, ServiceId, TaskId, WorkerId
from plotter2.model.bundle import BundleVersion, Contents, FileEntry
from plotter2.model.difference import FileChange
from plotter2.model.entry import Entry, Space
from plotter2.model.lineage import Edge
from plotter2.model.link import SaidLink
from plotter2.model.order import Tally
from plotter2.model.pins import Look
from plotter2.model.quarantine import QuarantineItem
from plotter2.model.query import Search
from plotter2.model.record import NewRecord
from plotter2.model.report import Report
from plotter2.model.request import Request
from plotter2.model.service import ServiceSpec, ServiceStatus
from plotter2.model.task import Output, Task, TaskRun, TaskState
from plotter2.model.worker import Worker

T = TypeVar("T")
FACT_NAMES_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a delivery: the deduplication record of the hand-over from the stager."""

    id: DeliveryId
    request_id: RequestId
    bundle: str
    version: int
    is_new: bool
    installed_at: Instant
    manifest_json: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """A delivery in quarantine: everything needed to take it in later. Its content is in the blob store."""

    id: DeliveryId
    request_id: RequestId
    bundle: str
    user: str
    reason: str
    held_at: Instant
    manifest_json: str = ""
    package_json: str = ""
    metrics_json: str = ""
    service_id: ServiceId = ServiceId("")
    files: tuple[FileEntry, ...] = ()

    def short(self) -> Held:
        """The same without what may be long: what is remembered while it waits."""
        return replace(self, manifest_json="", package_json="", metrics_json="", files=())


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """A service run with what it was asked to do and how far it is."""

    spec: ServiceSpec
    status: ServiceStatus
    request_id: RequestId


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A definition started over Propeller's HTTP, with its state there."""

    task: Task
    state: TaskState = TaskState.PENDING
    proplet_id: str = ""
    results_json: str = ""
    error: str = ""
    started_at: Instant = Instant(0.0)
    finished_at: Instant = Instant(0.0)
    updated_at: Instant = Instant(0.0)
    run_id: RunId = RunId("")
    is_hidden: bool = False


@dataclass(frozen=True, slots=True)
class OutputRow:
    """An output with where it came from."""

    output: Output
    bundle: str
    request_id: RequestId
    run_id: RunId
    task_name: str
    created_at: Instant


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """A request with what it came to.

    Attributes:
        version: the version that a push made, or found to be the same; 0 for everything else.
        is_new: whether that push made it.
        delivery_id: the delivery that a push was, "" for everything else.
    """

    request: Request
    version: int = 0
    is_new: bool = False
    delivery_id: DeliveryId = DeliveryId("")


@dataclass(frozen=True, slots=True)
class Tags:
    """The tags of a bundle: those set by hand (null: taken away), and all that it has with them. JSON objects or ""."""

    by_hand_json: str
    shown_json: str


_WRITE_NOTHING = frozenset({"turn", "inheritances"})
"""Of a batch: its name, and texts that go with versions."""


@dataclass(slots=True)
class Batch:
    """Everything one turn of the loop decided: written in one transaction, all or nothing.

    Later values of the same thing replace earlier ones, so each row is written once a turn. Committing the same batch
    twice changes nothing (`turn` is unique): a lost answer from the database is met by trying again.
    """

    turn: str = ""
    records: list[NewRecord] = field(default_factory=list)
    requests: dict[RequestId, Request] = field(default_factory=dict)
    tasks: dict[TaskId, TaskRow] = field(default_factory=dict)
    runs: dict[RunId, TaskRun] = field(default_factory=dict)
    bundles: list[Contents] = field(default_factory=list)
    inheritances: dict[bytes, str] = field(default_factory=dict)
    pins: dict[bytes, str] = field(default_factory=dict)
    """What requests see below a bundle, by digest."""
    archived: dict[str, bool] = field(default_factory=dict)
    tags: dict[str, Tags] = field(default_factory=dict)
    workers: dict[WorkerId, Worker] = field(default_factory=dict)
    services: dict[ServiceId, ServiceRow] = field(default_factory=dict)
    deliveries: dict[DeliveryId, Delivery] = field(default_factory=dict)
    quarantine: dict[str, QuarantineItem] = field(default_factory=dict)
    links: list[SaidLink] = field(default_factory=list)
    tallies: dict[tuple[str, str], Tally] = field(default_factory=dict)
    held: dict[DeliveryId, Held] = field(default_factory=dict)
    reports: list[Report] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    trees: list[TreeRow] = field(default_factory=list)
    leaves: list[Leaf] = field(default_factory=list)
    lines: list[Lines] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)

    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not any(getattr(self, one.name) for one in fields(self) if one.name not in _WRITE_NOTHING)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The live state at start: what has not ended, and the newest version of every bundle and word of every link.

    Attributes:
        held: deliveries in quarantine that nobody has decided about, oldest first, in short.
        inheritances: the text of each snapshot that one of these versions speaks of, by digest.
        reports: the number of each bundle's newest report.
        switch: what was asked last about whether automatic users may ask.
        automatic: when they asked, newest first; the last of it.
        trees: linked trees of instances whose request has not ended.
        looks: what requests that have not ended saw when they looked for the first time.
    """

    requests: tuple[Request, ...]
    runs: tuple[TaskRun, ...]
    tasks: tuple[TaskRow, ...]
    bundles: tuple[BundleVersion, ...]
    workers: tuple[Worker, ...]
    services: tuple[ServiceRow, ...]
    inheritances: dict[bytes, str] = field(default_factory=dict)
    links: tuple[SaidLink, ...] = ()
    tallies: tuple[Tally, ...] = ()
    held: tuple[Held, ...] = ()
    reports: dict[str, int] = field(default_factory=dict)
    switch: Request | None = None
    automatic: tuple[Instant, ...] = ()
    trees: tuple[Grown, ...] = ()
    looks: tuple[Look, ...] = ()


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A slice of a longer list."""

    items: tuple[T, ...]
    total: int


class Store(EventLog, Ancestry, Protocol):
    """The seam. Every method is safe to call from many tasks at a time; reads see committed batches only."""

    async def commit(self, batch: Batch) -> None:
        """Write the batch in one transaction.

        Of a request the batch holds those children that have changed; the others stay as they are.
        What a run, service run or version was made as (ids, parameters, files) is written once and never changed by a
        later batch; states are. A new version sets `archived` and tags of its bundle. NUL and lone surrogates,
        which no database text can hold, become U+FFFD.

        Raises:
            UnreachableError: the database is away or the answer was lost: commit the same batch again.
            ConflictError: a version or client key is there already, or another manager writes to the same database;
                nothing of the batch was written.
            UsageError: the batch has no turn.
        """
        ...

    async def load(self) -> Snapshot:
        """The live state, as `Snapshot` describes it.

        Requests, runs and services that have not ended, with the trees and looks of these; tasks that any of them
        speaks of, and every task created over HTTP; all workers; the newest version of every bundle, archived ones
        included; the newest word about each operation of two bundles; what is remembered of standing orders.
        """
        ...

    async def get_request(self, request: RequestId) -> Request | None:
        """One request with its children, ended or not."""
        ...

    async def find_request(self, client_key: str) -> Request | None:
        """The request that was made under this client key."""
        ...

    async def list_requests(self, offset: int, limit: int, bundle: str = "", cause: str = "") -> Page[Request]:
        """Newest first, without their children.

        `bundle`: only those about it or below it. `cause`: only those it caused.
        """
        ...

    async def runs_of(self, request: RequestId) -> tuple[TaskRun, ...]:
        """All runs of a request, in index order, with outputs; one that was not run has those of the one it reuses."""
        ...

    async def get_run(self, run: RunId) -> TaskRun | None:
        """One run with its outputs, ended or not."""
        ...

    async def get_task(self, task: TaskId) -> TaskRow | None:
        """One definition."""
        ...

    async def list_tasks(self, offset: int, limit: int) -> Page[TaskRow]:
        """Definitions that were created over HTTP and are not hidden, newest first."""
        ...

    async def list_bundles(
        self, offset: int, limit: int, under: str = "", *, archived: bool = False
    ) -> Page[BundleVersion]:
        """The newest version of each bundle, by path. `under`: that bundle and what is below it."""
        ...

    async def list_versions(self, bundle: str, offset: int, limit: int) -> Page[BundleVersion]:
        """All versions of one bundle, newest first."""
        ...

    async def get_bundle(self, bundle: str, version: int = 0) -> BundleVersion | None:
        """One version; 0 means the newest."""
        ...

    async def files_of(self, bundle: str, version: int) -> tuple[FileEntry, ...]:
        """The files of a version, by path."""
        ...

    async def files_after(self, bundle: str, version: int, after: str, limit: int) -> tuple[FileEntry, ...]:
        """The first `limit` files of a version, by path, of those that sort after `after`: a long list in parts."""
        ...

    async def newest_of(self, bundles: Sequence[str]) -> tuple[BundleVersion, ...]:
        """The newest version of each of these bundles, in no order; those that are not here are left out."""
        ...

    async def versions_of(self, places: Sequence[tuple[str, int]]) -> tuple[BundleVersion, ...]:
        """These versions (bundle, version), in no order; those that are not here are left out."""
        ...

    async def get_pins(self, digest: bytes) -> str:
        """The text of a list of what requests see below a bundle; "" for one that was never written."""
        ...

    async def files_of_many(self, places: Sequence[tuple[str, int]]) -> dict[tuple[str, int], tuple[FileEntry, ...]]:
        """The files of each of these versions (bundle, version), by path; versions without files are left out."""
        ...

    async def digests_of(self, wanted: Sequence[tuple[str, int, str]]) -> dict[tuple[str, int, str], bytes]:
        """The digests of single files (bundle, version, path); those that are not there are left out."""
        ...

    async def get_inheritance(self, digest: bytes) -> str:
        """The text of a snapshot of what is inherited; "" for one that was never written."""
        ...

    async def changed_files(
        self, before: tuple[str, int], after: tuple[str, int], from_path: str, limit: int
    ) -> tuple[FileChange, ...]:
        """Files that differ between two versions (bundle, version), by path, of those that sort after `from_path`."""
        ...

    async def list_history(self, bundle: str, offset: int, limit: int) -> Page[HistoryRow]:
        """Requests about a bundle or what lies below it, oldest first, without their children."""
        ...

    async def find_run_keys(self, run_keys: Sequence[bytes]) -> dict[bytes, BundleVersion]:
        """For each of these keys the newest version that a successful service run left under it, if any."""
        ...

    async def find_memos(self, keys: Sequence[bytes]) -> dict[bytes, TaskRun]:
        """For each of these keys the newest run that has ended and keeps its results under it, without outputs."""
        ...

    async def get_service(self, service: ServiceId) -> ServiceRow | None:
        """One service run, ended or not."""
        ...

    async def find_maker(self, bundle: str, version: int) -> ServiceRow | None:
        """The service run whose output became this version; None where no run made it."""
        ...

    async def get_delivery(self, delivery: DeliveryId) -> Delivery | None:
        """What became of a delivery; None if it never arrived."""
        ...

    async def get_delivery_of(self, request: RequestId) -> Delivery | None:
        """The delivery that a push was; the first one, where there are several."""
        ...

    async def list_outputs(
        self, offset: int, limit: int, *, bundle: str = "", request: str = "", kind: str = ""
    ) -> Page[OutputRow]:
        """Outputs, newest first.

        `bundle`: only those of runs on just that bundle. `request`: those that it made, or took from an earlier one.
        """
        ...

    async def search(self, search: Search, offset: int, limit: int) -> Page[Entry]:
        """The bundles and runs that a search finds, in its order; what is equal there follows by path."""
        ...

    async def fact_names(self, wanted: Iterable[tuple[Space, str]] = ()) -> dict[Space, tuple[str, ...]]:
        """Names under which any entry has, or once had, a value; sorted, the first `FACT_NAMES_MAX`.

        Names never go away: where only `wanted` ones count, an earlier answer that has them all will do.
        """

    async def get_held(self, delivery: DeliveryId) -> Held | None:
        """A delivery that is, or was, in quarantine, with its files."""
        ...

    async def get_report(self, bundle: str, number: int) -> Report | None:
        """A report of a bundle, by its number."""
        ...

    async def get_item(self, item: str) -> QuarantineItem | None:
        """What is, or was, in quarantine under this id."""
        ...

    async def list_quarantine(self, offset: int, limit: int, *, decided: bool = False) -> Page[QuarantineItem]:
        """What is in quarantine, oldest first. `decided`: also what somebody has decided about."""
        ...
