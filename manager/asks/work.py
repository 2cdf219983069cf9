"""What is asked to run: a task on bundles, an experiment again; and its end on request (pure)."""

from __future__ import annotations

from dataclasses import replace

from blake3 import blake3

from manager import fan, redo, runs, waiting
from manager.asks.remembered import PLAN_AGAIN, accepted, described, opened, refuse
from manager.commands import (
    Answer,
    Command,
    SaveTask,
)
from manager.events import (
    RedoAsked,
    RequestCancelled,
    RunAsked,
)
from manager.journal import note
from manager.state import QUEUE_RUNS_MAX, State
from manager.store import TaskRow
from plotter2.clock import Instant
from plotter2.errors import ConflictError, LimitError, NotFoundError, RefusedError
from plotter2.ids import TaskId, uuid7
from plotter2.model.request import Over, Request, RequestKind, RequestState
from plotter2.model.task import Task

OPEN_REQUESTS_MAX = 100_000


def run(state: State, event: RunAsked, now: Instant) -> list[Command]:
    """Run a task on a bundle."""
    request = Request(
        event.request_id, RequestKind.RUN, RequestState.ACCEPTED, event.user, event.bundle, described(event),
        event.client_key, event.cause, created_at=now,
    )  # fmt: skip
    if event.on:
        return _waited_for(state, event, request, now)
    try:
        own = _resolve(state, event, now)
        spread = fan.out(state, event, own, now) if event.over is not Over.SELF else fan.Spread([own], [])
        _check_room(state, len(spread.targets))
    except RefusedError as wrong:
        return refuse(state, event.token, request, wrong, now)
    live = opened(state, replace(request, skipped=tuple(spread.skipped)))
    live.config = event.config
    fixed = state.fix(live)
    tasks = {task.id: task for task, _ in spread.targets}
    for task in tasks.values():
        runs.adopt_task(state, task)
    return [
        *fixed,
        *(SaveTask(TaskRow(task, is_hidden=True)) for task in tasks.values()),
        *(runs.add(state, live, task, target, event.parameters_json, now) for task, target in spread.targets),
        accepted(request, now),
        Answer(event.token, request.id),
    ]


def _waited_for(state: State, event: RunAsked, request: Request, now: Instant) -> list[Command]:
    """It runs when something has happened; at once if that was while the run that asks for it was under way."""
    try:
        waiting.check(state, event.on, event.of)
        _check_room(state, 1)
    except RefusedError as wrong:
        return refuse(state, event.token, request, wrong, now)
    live = opened(state, request)
    live.config = event.config
    waiting.begin(state, live)
    begun: list[Command] = []
    if waiting.has_come(state, event.on, event.of, event.since):
        begun = waiting.start(state, live, request.chain, now)
    return [*begun, accepted(request, now), Answer(event.token, request.id)]


def _resolve(state: State, event: RunAsked, now: Instant) -> tuple[Task, tuple[str, int]]:
    target = ("", 0)
    if event.bundle:
        node = state.catalog.need(event.bundle)
        newest = node.version.version
        if event.version > newest:
            raise NotFoundError(f"Bundle {event.bundle!r} has no version {event.version}; the newest is {newest}.")
        target = (event.bundle, event.version or newest)
    if not event.source and not event.source_digest:
        if not event.bundle:
            raise NotFoundError(f"Task {event.task!r} needs a bundle that declares it, or its source.")
        return state.catalog.task(event.task, event.bundle, now), target
    chance = blake3(event.request_id.encode()).digest()
    task_id = TaskId(uuid7(int(now * 1000), chance))
    return Task(
        task_id,
        event.task,
        event.kind,
        event.source,
        event.source_digest or blake3(event.source.encode()).digest(),
        event.filename,
        event.bundle,
        event.limits,
        created_at=now,
    ), target


def redo_asked(state: State, event: RedoAsked, now: Instant) -> list[Command]:
    """Run an experiment again for other values, unless a new version came in while it was planned."""
    path, version = event.experiment.version.path, event.experiment.version.version
    request = Request(
        event.request_id, RequestKind.REDO, RequestState.ACCEPTED, event.user, path, event.ask_json, event.client_key,
        created_at=now,
    )  # fmt: skip
    node = state.catalog.get(path)
    if node is None or (node.version.version != version and not event.is_pinned):
        return [Answer(event.token, PLAN_AGAIN)]
    live = opened(state, request)
    redo.open_children(live, event)
    return [
        accepted(request, now),
        *redo.start_children(state, live, now),
        Answer(event.token, request.id),
    ]


def cancelled(state: State, event: RequestCancelled, now: Instant) -> list[Command]:
    """End what a request still has running. One that has ended is left as it is."""
    live = state.requests.get(event.request_id)
    if live is None:
        return [Answer(event.token)]
    if live.is_held and live.request.kind is RequestKind.RUN:
        waiting.forget(state, live)
    elif live.is_held:
        delivery = live.request.client_key
        way = f"decide about it with `plotter2 quarantine refuse {delivery}`"
        return [Answer(event.token, error=ConflictError(f"Request {live.request.id} waits in quarantine; {way}."))]
    live.is_open = False
    live.reason, live.reason_code = "cancelled on request", "cancelled"
    commands = [*runs.cancel(state, live, now), *redo.cancel(state, live)]
    live.reason, live.reason_code = "cancelled on request", "cancelled"
    live.is_cancelled = True
    state.touch(live)
    return [*commands, note("request.cancelled", live.request.id, now), Answer(event.token)]


def _check_room(state: State, count: int) -> None:
    if len(state.requests) >= OPEN_REQUESTS_MAX:
        raise LimitError(f"There are {OPEN_REQUESTS_MAX:,} open requests already; ask again when some have ended.")
    if len(state.runs) + count > QUEUE_RUNS_MAX:
        raise LimitError(f"There are {QUEUE_RUNS_MAX:,} runs waiting already; ask again when some have ended.")
