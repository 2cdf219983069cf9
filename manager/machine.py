"""The manager's mind: hears events, decides, and says what must be written and done (pure).

It dispatches and holds `State`; each family of decisions lives in its neighbour. `handle` takes one event; `settle` is
called once after all events of a turn: waiting runs are assigned and changed requests written once, whatever happened.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from manager import (
    asks,
    authority,
    autouser,
    configured,
    instances,
    intake,
    linking,
    looks,
    orders,
    origins,
    planting,
    proplets,
    quarantine,
    redo,
    roster,
    rounds,
    runs,
    standing,
    waiting,
    wrecks,
)
from manager.commands import Answer, Command, Notify, NotifyCalls, SaveRequest, StartService
from manager.events import (
    ArchiveAsked,
    Asked,
    AskedFor,
    AskRefused,
    BusConnected,
    CallsAdded,
    CallsClosed,
    CallsOpened,
    ConfigRead,
    DeliveryInstalled,
    DeliveryOffered,
    DeliveryRefused,
    Event,
    InheritAsked,
    InstancesPlanned,
    LinkAsked,
    Looked,
    OpsAsked,
    OrderAsked,
    Origin,
    OutputsRefused,
    OutputsTaken,
    PlannerAsked,
    Prompted,
    PropletResult,
    QuarantineAsked,
    RedoAsked,
    RequestCancelled,
    RunAsked,
    RunsReported,
    ServiceRefused,
    ServiceReported,
    StartPlanned,
    StraysFound,
    TagsAsked,
    TaskCreated,
    TaskStarted,
    TaskStopped,
    Ticked,
    TreePlanned,
    Verified,
    WorkerAnnounced,
    WorkerBeat,
    WorkerLeft,
)
from manager.journal import note
from manager.scheduler import Scheduler
from manager.state import LiveRequest, State
from manager.store import Snapshot
from plotter2.clock import Instant
from plotter2.model import request as requests
from plotter2.model.automatic import ASKS_HOURLY
from plotter2.model.bundle import Contents
from plotter2.model.membership import THRESHOLD
from plotter2.model.request import RequestKind, RequestState
from plotter2.model.service import ServiceState, ServiceStatus
from plotter2.model.task import RUN_SUCCESSES, RunState


class Machine:
    """Decides. No await, clock, randomness or log call."""

    def __init__(
        self, scheduler: Scheduler, membership_min: float = THRESHOLD, automatic_hourly_max: int = ASKS_HOURLY
    ) -> None:
        """Knows nothing yet.

        Args:
            scheduler: who gives runs to workers.
            membership_min: the least score with which a bundle is taken for a member of its parent, 0 to 1.
            automatic_hourly_max: what all automatic users together may ask within an hour.
        """
        self.state = State(membership_min=membership_min, automatic_hourly_max=automatic_hourly_max)
        self._scheduler = scheduler

    def load(
        self,
        snapshot: Snapshot,
        sources: dict[str, dict[str, bytes]],
        contents: dict[tuple[str, int], Contents],
        now: Instant,
    ) -> list[Command]:
        """Take up the work where a former process left it, and repeat what may not have been done.

        Args:
            snapshot: the live state in the store.
            sources: for each bundle that declares tasks, the digests of their sources.
            contents: for each redo that has not ended, the version it runs.
            now: every worker's grace begins here.
        """
        state = self.state
        self._load_catalog(snapshot, sources)
        state.tasks = {row.task.id: row for row in snapshot.tasks}
        state.reports = dict(snapshot.reports)
        state.switch = autouser.switch_of(snapshot.switch)
        state.automatic.extend(reversed(snapshot.automatic))
        for tally in snapshot.tallies:
            state.keep_tally(tally)
        for worker in snapshot.workers:
            state.workers[worker.id] = replace(worker, last_seen_at=now)
            state.load[worker.id] = set()
        for service in snapshot.services:
            state.services[service.spec.service_id] = service
        self._load_requests(snapshot)
        authority.regrown(state, snapshot)
        self._load_runs(snapshot, now)
        for live in state.requests.values():
            redo.reopen(state, live, contents)
            waiting.reopen(state, live)
        return [
            *(StartService(one.spec) for one in snapshot.services if one.status.state is ServiceState.QUEUED),
            *(
                again
                for live in state.requests.values()
                for again in (*standing.reopened(live), *autouser.reopened(live))
            ),
        ]

    def _load_catalog(self, snapshot: Snapshot, sources: dict[str, dict[str, bytes]]) -> None:
        state = self.state
        for digest, text in snapshot.inheritances.items():
            state.catalog.know(digest, text)
        for version in snapshot.bundles:
            state.catalog.put(version, sources.get(version.path, {}))
        for word in snapshot.links:
            state.bonds.say(word)

    def _load_requests(self, snapshot: Snapshot) -> None:
        state = self.state
        for request in snapshot.requests:
            live = LiveRequest(request, request.total, request.finished, request.failed)
            live.children = {child.index: child for child in request.children}
            live.reason, live.reason_code = request.reason, request.reason_code
            state.requests[request.id] = live
            state.touch(live)
        for look in snapshot.looks:
            state.requests[look.request_id].looks[look.at] = look.seen
        for held in snapshot.held:
            state.held[held.id] = held
            state.requests[held.request_id].is_held = True

    def _load_runs(self, snapshot: Snapshot, now: Instant) -> None:
        state = self.state
        for run in snapshot.runs:
            state.runs[run.id] = run
            state.task_users[run.task_id] = state.task_users.get(run.task_id, 0) + 1
            state.requests[run.request_id].runs.add(run.id)
            if run.state is RunState.QUEUED and run.id in state.seats:
                if not authority.is_held(state, run.id):
                    state.queue.append(run.id)
            elif run.state is RunState.QUEUED:
                live = state.requests[run.request_id]
                runs.enqueue(state, run, state.tasks[run.task_id].task, live.request.kind)
            else:
                state.load.setdefault(run.worker_id, set()).add(run.id)
                state.sent_at[run.id] = Instant(now - runs.RESEND_S[run.state])

    def handle(self, event: Event, now: Instant) -> list[Command]:  # noqa: C901, PLR0911, PLR0912 -- a dispatch table: one line a kind of event
        """Hear one event."""
        state = self.state
        match event:
            case RunsReported():
                return runs.report(state, event, now)
            case CallsAdded():
                return asks.calls_added(state, event, now)
            case WorkerBeat():
                return roster.beat(state, event, now)
            case WorkerAnnounced():
                commands, orphans = roster.announce(state, event, now)
                return [*commands, *runs.move(state, orphans, now), *self._say_again(event, now)]
            case WorkerLeft():
                commands, orphans = roster.leave(state, event, now)
                return [*commands, *runs.move(state, orphans, now)]
            case Ticked():
                return self._tick(event, now)
            case ConfigRead():
                return configured.read(state, event, now)
            case BusConnected():
                return runs.resend(state, now, everything=True)
            case OpsAsked():
                return authority.asked(state, event, now)
            case Looked():
                return looks.looked(state, event)
            case InstancesPlanned():
                return instances.planned(state, event, now)
            case TreePlanned():
                return planting.planted(state, event, now)
            case StartPlanned():
                return authority.started(state, event, now)
            case OutputsTaken() | OutputsRefused():
                return runs.taken(state, event, now)
            case (
                RunAsked()
                | RedoAsked()
                | ArchiveAsked()
                | TagsAsked()
                | LinkAsked()
                | OrderAsked()
                | PlannerAsked()
                | InheritAsked()
                | QuarantineAsked()
                | AskRefused()
            ):
                return self._asked(event, now)
            case Prompted():
                return self._asked(event.asked, now, event.origin)
            case AskedFor():
                return origins.asked_for(state, event)
            case RequestCancelled():
                return asks.cancelled(state, event, now)
            case CallsOpened():
                return asks.calls_opened(state, event, now)
            case CallsClosed():
                return asks.calls_closed(state, event)
            case DeliveryOffered():
                return intake.offered(state, event)
            case DeliveryInstalled():
                return intake.installed(state, event, now)
            case DeliveryRefused():
                return intake.refused(state, event, now)
            case ServiceReported():
                return self._service_reported(event, now)
            case ServiceRefused():
                status = ServiceStatus(event.service_id, ServiceState.FAILED, error=event.reason, finished_at=now)
                return self._service_reported(ServiceReported(0, status), now)
            case StraysFound():
                return quarantine.strays_found(event, now)
            case Verified():
                return quarantine.verified(event, now)
            case TaskCreated():
                return proplets.created(state, event, now)
            case TaskStarted():
                return proplets.started(state, event, self._scheduler, now)
            case TaskStopped():
                return proplets.stopped(state, event, now)
            case PropletResult():
                return proplets.result(state, event, now)

    def _asked(self, event: Asked, now: Instant, origin: Origin | None = None) -> list[Command]:
        known = asks.repeated(self.state, event, now)
        if known is not None:
            return known
        wrong = autouser.objection(self.state, event, origin, now)
        commands = asks.objected(self.state, event, wrong, now) if wrong else self._decided(event, now)
        if origin is not None:
            commands = origins.marked(self.state, commands, event.request_id, origin)
        saved = [one.request for one in commands if isinstance(one, SaveRequest) and one.request.id == event.request_id]
        if not wrong and (saved or event.request_id in self.state.requests):
            autouser.count(self.state, event, now)
        return commands + [one for request in saved for one in standing.on_done(self.state, request, now)]

    def _decided(self, event: Asked, now: Instant) -> list[Command]:  # noqa: C901, PLR0911 -- a dispatch table too
        match event:
            case RunAsked():
                return asks.run(self.state, event, now)
            case RedoAsked():
                return asks.redo_asked(self.state, event, now)
            case ArchiveAsked():
                return asks.archive(self.state, event, now)
            case TagsAsked():
                return asks.tag(self.state, event, now)
            case InheritAsked():
                return asks.inherit(self.state, event, now)
            case LinkAsked():
                return linking.asked(self.state, event, now)
            case OrderAsked():
                return orders.asked(self.state, event, now)
            case PlannerAsked():
                return autouser.asked(self.state, event, now)
            case QuarantineAsked():
                return quarantine.decide(self.state, event, now)
            case AskRefused():
                return asks.refused(self.state, event, now)

    def settle(self, now: Instant) -> list[Command]:
        """After all events of a turn: assign what waits, write and tell of every request that changed."""
        commands = [*wrecks.cleared(self.state, now), *rounds.ask_for(self.state, now)]
        commands += [*instances.ask_for(self.state), *runs.assign(self.state, self._scheduler, now)]
        pending = deque(self.state.changed.values())
        self.state.changed.clear()
        while pending:
            commands += self._settle_request(pending.popleft(), now)
            if self.state.changed:  # an ended request may have fired a standing order
                pending.extend(self.state.changed.values())
                self.state.changed.clear()
                commands += [*instances.ask_for(self.state), *runs.assign(self.state, self._scheduler, now)]
        return [*commands, *authority.written(self.state)] if self.state.written else commands

    def _settle_request(self, live: LiveRequest, now: Instant) -> list[Command]:
        live.is_changed = False
        commands: list[Command] = []
        if live.waiting:
            commands += redo.start_children(self.state, live, now)
            self.state.changed.pop(live.request.id, None)
            live.is_changed = False
        has_ended = not live.is_open and not live.is_held and live.finished == live.total and not live.runs
        going = RequestState.QUEUED if live.is_held else RequestState.RUNNING
        after = self._next(live) if has_ended else going
        before = live.request.state
        if live.request.state is not after:
            live.request = replace(
                live.request, state=requests.step(live.request.id, live.request.state, after),
                finished_at=now if has_ended else live.request.finished_at,
            )  # fmt: skip
        is_going_on = (
            live.is_open and live.request.state is before and all(end.state in RUN_SUCCESSES for end in live.ends)
        )
        if live.ends:
            commands.append(NotifyCalls(live.request.id, tuple(live.ends)))
            live.ends.clear()
        if is_going_on:
            self.state.unsaved[live.request.id] = live
            return commands
        commands += [SaveRequest(live.changes()), Notify(live.snapshot())]
        if has_ended:
            commands += self._finish(live, now)
        return commands

    def _next(self, live: LiveRequest) -> RequestState:
        if live.is_cancelled:
            return RequestState.CANCELLED
        return RequestState.FAILED if live.failed else RequestState.DONE

    def _finish(self, live: LiveRequest, now: Instant) -> list[Command]:
        del self.state.requests[live.request.id]
        request = live.request
        commands: list[Command] = [note("request.ended", request.id, now, state=request.state, failed=live.failed)]
        has_new = any(child.state is ServiceState.DONE and not child.reused for child in live.children.values())
        if request.kind is RequestKind.REDO and has_new:
            cause = standing.Cause(request.id, request.chain)
            commands += standing.on_settled(self.state, request.bundle, cause, now)
            commands += autouser.follow(self.state, request, now) if request.state is RequestState.DONE else []
        return [*commands, *standing.on_done(self.state, request, now)]

    def _service_reported(self, event: ServiceReported, now: Instant) -> list[Command]:
        commands = redo.service_reported(self.state, event, now)
        return [*commands, Answer(event.token)] if event.token else commands

    def _say_again(self, event: WorkerAnnounced, now: Instant) -> list[Command]:
        held = [run for run in roster.runs_of(self.state, event.worker_id) if run.id not in self.state.taking]
        for run in held:
            self.state.sent_at[run.id] = now
        return [runs.message(self.state, event.worker_id, held)] if held and event.is_ours else []

    def _tick(self, event: Ticked, now: Instant) -> list[Command]:
        lost_before = {worker.id for worker in self.state.workers.values() if worker.state == "lost"}
        commands, orphans = roster.judge(self.state, now, event.late_s)
        commands += runs.move(self.state, orphans, now)
        for worker in self.state.workers.values():
            if worker.state == "lost" and worker.id not in lost_before and not worker.is_ours:
                commands += proplets.proplet_lost(self.state, worker.id, now)
        commands += authority.swept(self.state)
        return [*commands, *self._say_counts(), *runs.resend(self.state, now), *standing.on_tick(self.state, now)]

    def _say_counts(self) -> list[Command]:
        """How far open streams of calls are: each call saves its own run, and nobody waits for their counts."""
        unsaved = [live for live in self.state.unsaved.values() if live.request.id in self.state.requests]
        self.state.unsaved.clear()
        return [one for live in unsaved for one in (SaveRequest(live.changes()), Notify(live.snapshot()))]
