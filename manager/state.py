"""What the manager's machine knows: live requests, runs, workers, services, and the newest version of every bundle.

Only what has not ended is here; the rest is in the store. Built from a `Snapshot` at start.
"""

from __future__ import annotations

import heapq
from collections import OrderedDict, deque
from dataclasses import dataclass, field, replace

from manager.bonds import Bonds
from manager.catalog import Catalog
from manager.commands import CallEnd, Command
from manager.events import DeliveryOffered, Token
from manager.experiment import Experiment
from manager.ledgers import Seat, Tree
from manager.pins import Pins
from manager.store import Delivery, Held, ServiceRow, TaskRow
from plotter2.clock import ZERO, Instant
from plotter2.ids import DeliveryId, RequestId, RunId, ServiceId, TaskId, WorkerId
from plotter2.model import ask
from plotter2.model.automatic import ASKS_HOURLY, Switch
from plotter2.model.bundle import BundleVersion
from plotter2.model.membership import THRESHOLD
from plotter2.model.order import Tally
from plotter2.model.request import Child, Request, Skip
from plotter2.model.task import Task, TaskRun
from plotter2.model.worker import Worker

QUEUE_RUNS_MAX = 1_000_000
RECENT_MAX = 10_000
"""How many client keys and deliveries are remembered here; older ones are found in the store before they come here."""


@dataclass(slots=True)
class LiveRequest:
    """A request that has not ended, with its counts.

    Attributes:
        is_open: more calls may come (a stream of calls that has not been closed).
        touched: indices of children that have changed since the request was written last.
        is_held: a push whose delivery is in quarantine, or a run that waits for something to happen; it stays queued.
        waiting: indices of children that have not been started, in the order asked.
        parallel: how many children may run at a time.
        experiment: the version that its children run.
        config: the additions that its runs were asked to be pinned to, b"" for those that hold now.
        ends: calls that ended in this turn.
        looks: what it saw when it looked somewhere for the first time, see `plotter2.model.pins`.
    """

    request: Request
    total: int = 0
    finished: int = 0
    failed: int = 0
    is_open: bool = False
    is_changed: bool = False
    is_cancelled: bool = False
    is_held: bool = False
    children: dict[int, Child] = field(default_factory=dict)
    touched: set[int] = field(default_factory=set)
    waiting: deque[int] = field(default_factory=deque)
    running: int = 0
    parallel: int = 1
    runs: set[RunId] = field(default_factory=set)
    ends: list[CallEnd] = field(default_factory=list)
    experiment: Experiment | None = None
    config: bytes = b""
    looks: dict[str, str] = field(default_factory=dict)
    reason: str = ""
    reason_code: str = ""

    def put_child(self, child: Child) -> None:
        """A child is new, or has come to another state."""
        self.children[child.index] = child
        self.touched.add(child.index)

    def leave_out(self, bundle: str, warning: str) -> None:
        """Remember why nothing runs of something on a bundle."""
        reason = warning[:1].lower() + warning[1:].rstrip(".")
        self.request = replace(self.request, skipped=(*self.request.skipped, Skip(bundle, reason)))

    def changes(self) -> Request:
        """The request as it is to be written: with those children alone that have changed since this was asked last."""
        changed = tuple(self.children[index] for index in sorted(self.touched))
        self.touched.clear()
        return self._with(changed)

    def snapshot(self) -> Request:
        """The request as it is now, with all its children."""
        return self._with(tuple(self.children.values()))

    def _with(self, children: tuple[Child, ...]) -> Request:
        return replace(
            self.request,
            total=self.total,
            finished=self.finished,
            failed=self.failed,
            children=children,
            reason=self.reason or self.request.reason,
            reason_code=self.reason_code or self.request.reason_code,
        )


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that has ended well and wants to be done again, with all that is needed to ask for it."""

    run: TaskRun
    task: Task
    request: Request
    again_json: str


@dataclass(slots=True)
class State:
    """Everything the machine decides from.

    Attributes:
        unplanned: runs of this turn of which it is not known how many instances they are.
        planning: runs of which that is being found out.
        without_axes: digests of sources that are known to be one instance.
        unsaved: open streams of calls whose counts have changed since they were written, at the last tick.
        progress: how far runs say they are: so much of so much. Not written down.
        wishes: of runs whose end has been reported and not been committed: what they want done again.
        again: those of this turn that have ended.
        tallies: of standing orders, by bundle and name.
        reports: the number of each bundle's newest report.
        switch: whether automatic users may ask.
        stamps: what runs of definitions see, by bundle and by whose definition, and how much was known then.
        automatic: when they asked within the last hour, oldest first; at most `automatic_hourly_max` times.
        trees: linked trees of instances, by name; those of which some instance has not ended.
        seats: which instance of which tree a run is, of those that are in one.
        parked: runs of each worker that wait for other instances and hold no slot.
        written: trees whose journal has grown in this turn.
        config: the digest of what the installation adds now.
        awaiting: requests that have not begun, by what they wait for and the bundle that it is about.
        due: a heap of their times, with bundle and name; one that is no more its tally's is passed over.
    """

    catalog: Catalog = field(default_factory=Catalog)
    requests: dict[RequestId, LiveRequest] = field(default_factory=dict)
    tasks: dict[TaskId, TaskRow] = field(default_factory=dict)
    task_users: dict[TaskId, int] = field(default_factory=dict)
    runs: dict[RunId, TaskRun] = field(default_factory=dict)
    queue: deque[RunId] = field(default_factory=deque)
    unplanned: list[RunId] = field(default_factory=list)
    planning: set[RunId] = field(default_factory=set)
    without_axes: set[bytes] = field(default_factory=set)
    progress: dict[RunId, tuple[float, float]] = field(default_factory=dict)
    taking: dict[RunId, TaskRun] = field(default_factory=dict)
    wishes: dict[RunId, str] = field(default_factory=dict)
    again: list[Ended] = field(default_factory=list)
    workers: dict[WorkerId, Worker] = field(default_factory=dict)
    load: dict[WorkerId, set[RunId]] = field(default_factory=dict)
    sent_at: dict[RunId, Instant] = field(default_factory=dict)
    services: dict[ServiceId, ServiceRow] = field(default_factory=dict)
    installing: dict[DeliveryId, DeliveryOffered] = field(default_factory=dict)
    held: dict[DeliveryId, Held] = field(default_factory=dict)
    waiting_for: dict[DeliveryId, list[Token]] = field(default_factory=dict)
    changed: dict[RequestId, LiveRequest] = field(default_factory=dict)
    unsaved: dict[RequestId, LiveRequest] = field(default_factory=dict)
    keys: OrderedDict[str, tuple[RequestId, bytes]] = field(default_factory=OrderedDict)
    delivered: OrderedDict[DeliveryId, tuple[Delivery, BundleVersion]] = field(default_factory=OrderedDict)
    membership_min: float = THRESHOLD
    bonds: Bonds = field(init=False)
    pins: Pins = field(init=False)
    tallies: dict[str, dict[str, Tally]] = field(default_factory=dict)
    due: list[tuple[Instant, str, str]] = field(default_factory=list)
    awaiting: dict[tuple[str, str], dict[RequestId, None]] = field(default_factory=dict)
    reports: dict[str, int] = field(default_factory=dict)
    stamps: dict[tuple[str, str], tuple[int, bytes]] = field(default_factory=dict)
    switch: Switch = field(default_factory=Switch)
    automatic: deque[Instant] = field(default_factory=deque)
    automatic_hourly_max: int = ASKS_HOURLY
    trees: dict[str, Tree] = field(default_factory=dict)
    seats: dict[RunId, Seat] = field(default_factory=dict)
    parked: dict[WorkerId, set[RunId]] = field(default_factory=dict)
    written: dict[str, Tree] = field(default_factory=dict)
    config: bytes = b""

    def __post_init__(self) -> None:
        self.bonds = Bonds(self.catalog, self.membership_min)
        self.pins = Pins(self.catalog)

    def tally(self, bundle: str, order: str) -> Tally:
        """What is remembered of a standing order; of a new one nothing."""
        return self.tallies.get(bundle, {}).get(order) or Tally(bundle, order)

    def keep_tally(self, tally: Tally) -> Tally:
        """Remember this of a standing order."""
        if tally.due_at != ZERO and tally.due_at != self.tally(tally.bundle, tally.name).due_at:
            heapq.heappush(self.due, (tally.due_at, tally.bundle, tally.name))
        self.tallies.setdefault(tally.bundle, {})[tally.name] = tally
        return tally

    def versions_in_use(self) -> set[tuple[str, int]]:
        """Every version that programs run on, or will."""
        running = {(row.spec.bundle, row.spec.version) for row in self.services.values()}
        experiments = (live.experiment for live in self.requests.values() if live.experiment is not None)
        return running | {(one.version.path, one.version.version) for one in experiments}

    def fix(self, live: LiveRequest) -> list[Command]:
        """A request that will have runs sees from now on what lies below its bundle now."""
        if not live.request.bundle:
            return []
        pinned, commands = self.pins.take(live.request.bundle)
        live.request = replace(live.request, pins=pinned)
        return commands

    def touch(self, live: LiveRequest) -> None:
        """Have this request written and told of at the end of the turn."""
        if not live.is_changed:
            live.is_changed = True
            self.changed[live.request.id] = live

    def remember_key(self, request: Request) -> None:
        """A request was made; under its key, if it has one, another ask may not come."""
        if request.client_key:
            self.keys[request.client_key] = request.id, ask.identity(request.kind, request.ask_json)
            if len(self.keys) > RECENT_MAX:
                self.keys.popitem(last=False)

    def remember_delivery(self, delivery: Delivery, version: BundleVersion) -> None:
        """A delivery was taken in."""
        self.delivered[delivery.id] = (delivery, version)
        if len(self.delivered) > RECENT_MAX:
            self.delivered.popitem(last=False)
