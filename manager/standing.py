"""Standing orders: what happens by itself when data arrives, at set times, or when requests are done (pure).

Requirements 023 and 024. A firing is a request of its own, linked to its cause. Old outputs stay: each firing writes to
a folder of its own. Its id comes from cause, order and target, or from the due time: decided again after a crash it is
the same request. Firings that lead to one another are a chain, which every request among them carries; what would go
round in it is stopped.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace

from blake3 import blake3

from manager import drawing, origins, runs, waiting
from manager.catalog import Node
from manager.commands import Command, Notify, SaveRequest, SaveTally, SaveTask
from manager.journal import note
from manager.prompting import AskFor
from manager.state import LiveRequest, State
from manager.store import TaskRow
from plotter2 import ids
from plotter2.clock import ZERO, Instant
from plotter2.errors import ConflictError, NotFoundError, PackageError, RefusedError
from plotter2.ids import RequestId
from plotter2.model import ask, names, package, paths, schedule, spread
from plotter2.model.bundle import BundleVersion
from plotter2.model.order import CHAIN_MAX, Firing, told
from plotter2.model.package import HERE, OrderedReport, StandingOrder
from plotter2.model.request import Request, RequestKind, RequestState

DUE_A_TICK_MAX = 1_000
"""Schedules that fire in one turn; the rest wait for the next tick."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What something came of: a request with the firings that led to it, or a time that was due."""

    request: RequestId = RequestId("")
    chain: tuple[Firing, ...] = ()
    due_at: Instant = ZERO


def on_version(state: State, node: Node, cause: Cause, now: Instant) -> list[Command]:
    """A new version of a bundle has come: its own orders, and those of its parent for a child."""
    path = node.version.path
    commands = _set_times(state, node, now)
    for order in _orders(node, "version"):
        commands += _fire(state, node, order, node, cause, now)
    commands += [*waiting.withdrawn(state, path, now), *_came(state, "version", path, cause, now)]
    above = paths.parent(path)
    parent = state.catalog.get(above) if above else None
    if parent is not None:
        commands += _came(state, "child", parent.version.path, cause, now)
        for order in _orders(parent, "child"):
            commands += _fire(state, parent, order, node, cause, now)
        for order in _orders(parent, "arrivals"):
            commands += _count(state, parent, order, cause, now)
    return commands


def on_settled(state: State, bundle: str, cause: Cause, now: Instant) -> list[Command]:
    """All that was asked of a bundle's children is in."""
    node = state.catalog.get(bundle)
    orders = _orders(node, "settled") if node is not None else []
    fired = [one for order in orders if node is not None for one in _fire(state, node, order, node, cause, now)]
    return [*fired, *_came(state, "settled", bundle, cause, now)]


def _came(state: State, on: str, of: str, cause: Cause, now: Instant) -> list[Command]:
    """Requests that have waited for this run now."""
    return waiting.came(state, on, of, cause.request, cause.chain, now) if state.awaiting else []


def on_done(state: State, request: Request, now: Instant) -> list[Command]:
    """A request has ended well: the orders of the bundle it is about that wait for such a one."""
    node = state.catalog.get(request.bundle)
    if node is None or request.state is not RequestState.DONE:
        return []
    cause = Cause(request.id, request.chain)
    orders = (order for order in _orders(node, "request") if order.request is request.kind)
    return [one for order in orders for one in _fire(state, node, order, node, cause, now)]


def on_tick(state: State, now: Instant) -> list[Command]:
    """Schedules whose time has come fire, each once however many of its times have passed while nobody ran."""
    commands: list[Command] = []
    for _ in range(DUE_A_TICK_MAX):
        if not state.due or state.due[0][0] > now:
            break
        due_at, bundle, name = heapq.heappop(state.due)
        tally = state.tally(bundle, name)
        node = state.catalog.get(bundle)
        order = next((one for one in _orders(node, "cron") if one.name == name), None) if node is not None else None
        if node is None or order is None or tally.due_at != due_at:  # changed since: its new time waits elsewhere
            continue
        state.keep_tally(replace(tally, due_at=schedule.next_after(order.cron, now)))
        commands += _fire(state, node, order, node, Cause(due_at=due_at), now)
    return commands


def has_open_redo(state: State, bundle: str) -> bool:
    """Whether children of this bundle are still to come."""
    return any(
        live.request.kind is RequestKind.REDO and live.request.bundle == bundle for live in state.requests.values()
    )


def check_declared(state: State, version: BundleVersion) -> None:
    """Whether all that a version's standing orders run is there: its own tasks, and those that it inherits.

    Raises:
        PackageError: something is not; the message names the key and what there is.
    """
    declared = package.read(version.package_json)
    own = [task.name for task in declared.tasks]
    known = dict.fromkeys([*own, *state.catalog.know(version.inherited).of("tasks")])
    for i, order in enumerate(declared.standing):
        for j, name in enumerate(order.run):
            if name not in known:
                has = ", ".join(map(repr, known)) or "none"
                raise PackageError(
                    f"package.json: 'standing[{i}].run[{j}]' is {name!r}, but the tasks of {version.path!r}, its own "
                    f"and inherited ones, are {has}{names.did_you_mean(name, known)}"
                )


def _orders(node: Node, on: str) -> list[StandingOrder]:
    return [order for order in node.package.standing if order.on == on]


def _set_times(state: State, node: Node, now: Instant) -> list[Command]:
    """A version sets the times of its schedules anew where they changed, and none for those that it has no more."""
    bundle = node.version.path
    wanted = {order.name: order.cron for order in _orders(node, "cron")}
    former = {name for name in state.tallies.get(bundle, {}) if state.tally(bundle, name).cron}
    commands: list[Command] = []
    for name in sorted(former | wanted.keys()):
        tally, cron = state.tally(bundle, name), wanted.get(name, "")
        if tally.cron != cron:
            due_at = schedule.next_after(cron, now) if cron else ZERO
            commands.append(SaveTally(state.keep_tally(replace(tally, cron=cron, due_at=due_at))))
    return commands


def _count(state: State, holder: Node, order: StandingOrder, cause: Cause, now: Instant) -> list[Command]:
    """One more has arrived; at the n-th the order fires on the bundle itself, and counting begins anew."""
    tally = state.tally(holder.version.path, order.name)
    tally = state.keep_tally(replace(tally, arrivals=tally.arrivals + 1))
    if tally.arrivals < order.n:
        return [SaveTally(tally)]
    state.keep_tally(replace(tally, arrivals=0))
    return _fire(state, holder, order, holder, cause, now)


def _fire(state: State, holder: Node, order: StandingOrder, target: Node, cause: Cause, now: Instant) -> list[Command]:
    bundle, path, version = holder.version.path, target.version.path, target.version.version
    tally = state.tally(bundle, order.name)
    step = Firing(bundle, order.name, path)
    request = Request(
        _id(step, version, cause, tally.fired if order.on == "arrivals" else 0),
        RequestKind.STANDING,
        RequestState.ACCEPTED,
        user=f"standing:{order.name}",
        bundle=path,
        ask_json=ask.encode(ask.StandingAsk(order.name, bundle, order.on, cause.due_at, _redo(order, bundle))),
        cause=cause.request,
        created_at=now,
        chain=(*cause.chain, step),
    )
    if request.id in state.requests:
        return []
    if tally.is_paused:
        return [SaveTally(state.keep_tally(replace(tally, missed=tally.missed + 1)))]
    if wrong := _goes_round(cause.chain, step, once=order.redo is not None):
        return _stopped(request, wrong, now)
    try:
        tasks = [state.catalog.task(name, bundle, now) for name in order.run]
    except NotFoundError as gone:  # inherited when the version came, and given up by `inherit` since
        return _stopped(request, gone, now)
    tally = state.keep_tally(replace(tally, fired=tally.fired + 1, fired_at=now, fired_as=request.id))
    live = LiveRequest(request)
    state.requests[request.id] = live
    state.touch(live)
    fired = note("standing.fired", request.id, now, order=order.name, bundle=path, cause=cause.request)
    commands: list[Command] = [SaveTally(tally), fired, *(state.fix(live) if tasks or order.report is not None else ())]
    for task in tasks:
        runs.adopt_task(state, task)
        commands.append(SaveTask(TaskRow(task, is_hidden=True)))
        commands.append(runs.add(state, live, task, (path, version), "{}", now))
    if order.report is not None:
        commands += _draw(state, live, order, (path, version), now)
    if order.redo is not None:
        live.total += 1
        commands += reopened(live)
    return [*commands, *_came(state, order.name, bundle, Cause(request.id, request.chain), now)]


def _draw(
    state: State, live: LiveRequest, order: StandingOrder, target: tuple[str, int], now: Instant
) -> list[Command]:
    wanted = order.report or OrderedReport()
    task = drawing.report(live.request.id, now)
    runs.adopt_task(state, task)
    given = drawing.given(wanted.data, wanted.title or order.name)
    return [SaveTask(TaskRow(task, is_hidden=True)), runs.add(state, live, task, target, given, now)]


def _redo(order: StandingOrder, bundle: str) -> ask.RedoAsk | None:
    wanted = order.redo
    if wanted is None:
        return None
    return ask.RedoAsk(
        bundle if wanted.of == HERE else wanted.of,
        set={name: list(map(ask.raw, spread.texts(given))) for name, given in wanted.set.items()},
        parallel=wanted.parallel,
        force=wanted.force,
    )


def reopened(live: LiveRequest) -> list[Command]:
    """The redo that a firing wants and nobody has asked for yet; also after a restart."""
    if live.request.kind is not RequestKind.STANDING or not origins.owes(live):
        return []
    wanted = ask.standing_ask(live.request.ask_json).redo
    return [AskFor(live.request.id, live.request.user, wanted)] if wanted is not None else []


def _id(step: Firing, version: int, cause: Cause, number: int) -> RequestId:
    """The same for the same firing, whenever it is decided; `number` tells many firings of one cause apart."""
    at_ms = int(cause.due_at * 1000) if cause.due_at else int(cause.request.removeprefix("req-")[:12], 16)
    why = f"{cause.due_at}" if cause.due_at else f"{cause.request}\0{number}"
    text = f"{why}\0{step.bundle}\0{step.order}\0{step.target}\0{version}"
    return ids.request_id(at_ms, blake3(text.encode()).digest())


def _goes_round(chain: tuple[Firing, ...], step: Firing, *, once: bool) -> ConflictError | None:
    """Why this firing must not be; None where nothing speaks against it.

    An order that asks for a redo fires `once` in a chain, on whatever: each child of its redo could have it fire again.
    """
    if step in chain or (once and any((one.bundle, one.order) == (step.bundle, step.order) for one in chain)):
        return ConflictError(
            f"Stopped: the standing order {step.order!r} of {step.bundle!r} leads to itself, by "
            f"{told((*chain, step))}. Let it wait for something that it does not bring about."
        )
    if len(chain) >= CHAIN_MAX:
        return ConflictError(
            f"Stopped: more than {CHAIN_MAX} firings of standing orders led to one another, by {told((*chain, step))}."
        )
    return None


def _stopped(request: Request, wrong: RefusedError, now: Instant) -> list[Command]:
    refused = replace(
        request, state=RequestState.REFUSED, reason=wrong.message, reason_code=wrong.code, finished_at=now
    )
    return [
        SaveRequest(refused),
        note("standing.stopped", request.id, now, reason=wrong.message, cause=request.cause),
        Notify(refused),
    ]
