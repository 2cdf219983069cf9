"""Requests to run that wait for something to happen (requirement 174; pure).

`repeat(on="version")` of a run makes one. It stays queued, without runs, until a bundle gets a new version or a child,
has all its children in, or an order of it fires; then it runs on what is newest, in the same transaction. What it waits
for is part of its ask, so it waits on after a restart.
"""

from __future__ import annotations

from dataclasses import replace

from blake3 import blake3

from manager import runs
from manager.commands import Command, SaveTask
from manager.journal import note
from manager.state import LiveRequest, State
from manager.store import TaskRow
from plotter2.clock import Instant
from plotter2.datter.values.keys import nearest
from plotter2.errors import ConflictError, NotFoundError, RefusedError
from plotter2.ids import RequestId, TaskId, uuid7
from plotter2.model import ask, paths
from plotter2.model.ask import RunAsk
from plotter2.model.order import Firing
from plotter2.model.request import Request, RequestKind, RequestState
from plotter2.model.rounds import EVENTS, told
from plotter2.model.task import Task

CHILDREN = "bundles"
"""The folder of what an experiment leaves."""


def check(state: State, on: str, of: str) -> None:
    """Whether this can happen at all.

    Raises:
        NotFoundError: there is no such bundle, or nothing is called so; with the nearest.
        ConflictError: it never happens.
    """
    node = state.catalog.need(of)
    orders = [one.name for one in node.package.standing]
    if on not in EVENTS and on not in orders:
        has = f"its standing orders are {', '.join(map(repr, orders))}" if orders else "it has no standing order"
        raise NotFoundError(
            f"Nothing that happens to {of!r} is called {on!r}; {nearest(on, [*EVENTS, *orders])}, and {has}."
        )
    is_experiment = node.package.service is not None or any(True for _ in state.catalog.below(f"{of}/{CHILDREN}"))
    if on == "settled" and not is_experiment:
        raise ConflictError(
            f"{of!r} declares no service and has no runs, so no experiment of it ever ends: waiting for "
            "'settled' would never be over."
        )


def begin(state: State, live: LiveRequest) -> None:
    """Have a request wait for what its ask says."""
    asked = ask.run_ask(live.request.ask_json)
    live.is_held = True
    state.awaiting.setdefault((asked.on, asked.of), {})[live.request.id] = None


def reopen(state: State, live: LiveRequest) -> None:
    """After a restart: one that waits waits on."""
    if is_waiting(live.request):
        begin(state, live)


def is_waiting(request: Request) -> bool:
    """Whether a request has not begun yet, because something has not happened."""
    is_open = request.kind is RequestKind.RUN and request.state in {RequestState.ACCEPTED, RequestState.QUEUED}
    return is_open and not request.total and bool(ask.run_ask(request.ask_json).on)


def forget(state: State, live: LiveRequest) -> None:
    """It waits no more."""
    asked = ask.run_ask(live.request.ask_json)
    live.is_held = False
    state.awaiting.get((asked.on, asked.of), {}).pop(live.request.id, None)


def words(state: State, request: Request) -> str:
    """What a request waits for, and why that may never happen; "" for one that does not wait."""
    if not is_waiting(request):
        return ""
    asked = ask.run_ask(request.ask_json)
    is_paused = asked.on not in EVENTS and state.tally(asked.of, asked.on).is_paused
    return told(asked.on, asked.of) + (", which is paused" if is_paused else "")


def has_come(state: State, on: str, of: str, since: Instant) -> bool:
    """Whether it has happened after a moment: while the run that asks was under way. Of `settled` nobody knows."""
    if on == "version":
        return state.catalog.need(of).version.created_at > since
    if on == "child":
        below = (state.catalog.need(one).version for one in state.catalog.below(of))
        return any(one.created_at > since for one in below if paths.parent(one.path) == of)
    return on not in EVENTS and state.tally(of, on).fired_at > since


def came(state: State, on: str, of: str, cause: RequestId, chain: tuple[Firing, ...], now: Instant) -> list[Command]:
    """Something has happened: those that have waited for it run.

    Args:
        state: everything.
        on: what.
        of: to which bundle.
        cause: the request that led to it; "" for none.
        chain: the firings that led to it.
        now: when.
    """
    commands: list[Command] = []
    for request_id in state.awaiting.pop((on, of), {}):
        live = state.requests[request_id]
        commands += [note("wait.over", request_id, now, on=on, of=of, cause=cause), *start(state, live, chain, now)]
    return commands


def start(state: State, live: LiveRequest, chain: tuple[Firing, ...], now: Instant) -> list[Command]:
    """Have a request that has waited run."""
    asked = ask.run_ask(live.request.ask_json)
    forget(state, live)
    live.request = replace(live.request, chain=chain)
    state.touch(live)
    try:
        target = ("", 0)
        if asked.bundle:
            target = asked.bundle, asked.version or state.catalog.need(asked.bundle).version.version
        task = _task(state, live, asked, now)
    except RefusedError as gone:
        return _lost(state, live, gone, now)
    fixed = state.fix(live)
    runs.adopt_task(state, task)
    given = bytes(asked.parameters).decode()
    return [*fixed, SaveTask(TaskRow(task, is_hidden=True)), runs.add(state, live, task, target, given, now)]


def withdrawn(state: State, of: str, now: Instant) -> list[Command]:
    """A new version of a bundle declares its orders: who waits for one that is no more is told so."""
    known = {*EVENTS, *(one.name for one in state.catalog.need(of).package.standing)}
    lost = [place for place in state.awaiting if place[1] == of and place[0] not in known]
    commands: list[Command] = []
    for on, _ in lost:
        wrong = NotFoundError(f"{of!r} has no standing order {on!r} any more, so nothing would ever end the wait.")
        for request_id in list(state.awaiting.get((on, of), {})):
            live = state.requests[request_id]
            forget(state, live)
            commands += _lost(state, live, wrong, now)
    return commands


def _lost(state: State, live: LiveRequest, wrong: RefusedError, now: Instant) -> list[Command]:
    live.total, live.finished, live.failed = 1, 1, 1
    live.reason, live.reason_code = wrong.message, wrong.code
    state.touch(live)
    return [note("wait.lost", live.request.id, now, reason=wrong.message)]


def _task(state: State, live: LiveRequest, asked: RunAsk, now: Instant) -> Task:
    """The definition as it is declared now; one that came along is read from the store by its digest."""
    if not asked.source:
        return state.catalog.task(asked.task, asked.bundle, now)
    chance = blake3(live.request.id.encode()).digest()
    return Task(
        TaskId(uuid7(int(now * 1000), chance)), asked.task, asked.kind, "", bytes.fromhex(asked.source),
        asked.filename, asked.bundle, asked.limits, created_at=now,
    )  # fmt: skip
