"""Automatic users: what they may ask, the switch that lets them, and wishes that a planner thinks about (pure).

Requirements 019 and 020. An automatic user asks as everybody does and has no door of its own. Beyond what holds for
everybody: somebody must have let them ask; they say which bundle they keep to, and why they ask; all of them together
ask so often an hour and no more. What does not fit is refused, and the refusal is remembered.
"""

from __future__ import annotations

from dataclasses import replace

from blake3 import blake3

from manager import asks, origins
from manager.commands import Answer, Command, SaveRequest
from manager.events import Asked, LinkAsked, Origin, PlannerAsked
from manager.journal import note
from manager.prompting import Consider
from manager.state import LiveRequest, State
from plotter2 import ids
from plotter2.clock import Instant
from plotter2.errors import ConflictError, LimitError, RefusedError
from plotter2.model import ask, paths
from plotter2.model.ask import PlannerAsk, WishAsk
from plotter2.model.automatic import ASKS_HOURLY_MAX, HOUR_S, RULES, Switch, is_automatic
from plotter2.model.request import Request, RequestKind, RequestState

PEOPLE_ONLY = frozenset({RequestKind.PLANNER, RequestKind.WISH, RequestKind.RELEASE, RequestKind.REFUSE})
"""What only people decide: whether automatic users may ask, what they shall think about, what comes in after all."""


def objection(state: State, event: Asked, origin: Origin | None, now: Instant) -> RefusedError | None:
    """Why an automatic user may not ask this; None for what it may, and for people."""
    if not is_automatic(event.user):
        return None
    try:
        _check(state, event, origin or Origin(), now)
    except RefusedError as wrong:
        return wrong
    return None


def _check(state: State, event: Asked, origin: Origin, now: Instant) -> None:
    kind, _, bundle = asks.what(event)
    if kind in PEOPLE_ONLY:
        raise RefusedError(f"A {kind} is for people: {event.user!r} is an automatic user.")
    if not state.switch.is_on:
        raise ConflictError("Automatic users may not ask now; `plotter2 planner on` lets them.")
    if not origin.because.strip():
        raise RefusedError(f"{event.user!r} does not say why it asks; an automatic user gives its reason (`because`).")
    if not origin.scope:
        raise RefusedError(f"{event.user!r} names no bundle that it keeps to; an automatic user has a `scope`.")
    state.catalog.need(origin.scope)
    about = [event.asked.src, event.asked.dst] if isinstance(event, LinkAsked) else [bundle]
    for one in about:
        if not paths.is_below(one, origin.scope):
            named = repr(one) if one else "no bundle"
            raise RefusedError(f"{event.user!r} keeps to {origin.scope!r}, and asks about {named}, which is not in it.")
    _check_quota(state, now)


def _check_quota(state: State, now: Instant) -> None:
    while state.automatic and state.automatic[0] <= now - HOUR_S:
        state.automatic.popleft()
    if len(state.automatic) >= state.automatic_hourly_max:
        raise LimitError(
            f"Automatic users have asked {len(state.automatic)} times within an hour, and {state.automatic_hourly_max} "
            "are allowed (`automatic_hourly_max` of the manager); ask again later."
        )


def count(state: State, event: Asked, now: Instant) -> None:
    """An automatic user has made a request."""
    if is_automatic(event.user):
        state.automatic.append(now)
        if len(state.automatic) > ASKS_HOURLY_MAX:
            state.automatic.popleft()


def asked(state: State, event: PlannerAsked, now: Instant) -> list[Command]:
    """Let automatic users ask, or not; or have one think about a wish."""
    if isinstance(event.asked, PlannerAsk):
        return _switched(state, event, event.asked, now)
    request = Request(
        event.request_id, RequestKind.WISH, RequestState.ACCEPTED, event.user, event.bundle, ask.encode(event.asked),
        event.client_key, created_at=now,
    )  # fmt: skip
    try:
        state.catalog.need(event.bundle)
        if not state.switch.is_on:
            raise ConflictError("Nobody thinks about wishes now: the planner is off; `plotter2 planner on` sets it on.")
    except RefusedError as wrong:
        return asks.refuse(state, event.token, request, wrong, now)
    state.remember_key(request)
    return [*_opened(state, request, now), Answer(event.token, request.id)]


def _switched(state: State, event: PlannerAsked, wanted: PlannerAsk, now: Instant) -> list[Command]:
    request = Request(
        event.request_id, RequestKind.PLANNER, RequestState.DONE, event.user, "", ask.encode(wanted), event.client_key,
        created_at=now, finished_at=now,
    )  # fmt: skip
    state.remember_key(request)
    state.switch = switch_of(request)
    return [
        SaveRequest(request),
        note("planner.on" if wanted.on else "planner.off", request.id, now, user=event.user),
        Answer(event.token, request.id),
    ]


def switch_of(request: Request | None) -> Switch:
    """Whether automatic users may ask: what was asked about it last."""
    if request is None:
        return Switch()
    return Switch(ask.planner_ask(request.ask_json).on, request.user, request.created_at)


def follow(state: State, done: Request, now: Instant) -> list[Command]:
    """A redo that somebody asked for has brought something new: have a planner think about what follows."""
    if not state.switch.is_on or is_automatic(done.user):
        return []
    chance = blake3(f"{done.id}\0wish".encode()).digest()
    request = Request(
        ids.request_id(int(now * 1000), chance), RequestKind.WISH, RequestState.ACCEPTED, RULES, done.bundle,
        ask.encode(WishAsk(done.bundle, of=done.id)), cause=done.id, created_at=now, chain=done.chain,
        because=f"Request {done.id} is done.", scope=done.bundle,
    )  # fmt: skip
    return _opened(state, request, now)


def _opened(state: State, request: Request, now: Instant) -> list[Command]:
    live = LiveRequest(replace(request, scope=request.scope or request.bundle), total=1)
    state.requests[request.id] = live
    state.touch(live)
    told = note("request.accepted", request.id, now, kind=request.kind, user=request.user, bundle=request.bundle)
    return [told, *reopened(live)]


def reopened(live: LiveRequest) -> list[Command]:
    """A wish that nobody has thought about yet; also after a restart."""
    is_waiting = live.request.kind is RequestKind.WISH and origins.owes(live)
    return [Consider(live.request.id)] if is_waiting else []
