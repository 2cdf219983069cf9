"""Standing orders that people have wait, or fire again (pure).

While an order waits, what it would have fired on is passed over, and counted: to make up for all of it at once is what
nobody who paused it would expect. Arrivals go on being counted towards the n-th. A new version of the bundle changes
nothing about it.
"""

from __future__ import annotations

from dataclasses import replace

from manager import asks
from manager.commands import Answer, Command, SaveRequest, SaveTally
from manager.events import OrderAsked
from manager.journal import note
from manager.state import State
from plotter2.clock import ZERO, Instant
from plotter2.errors import NotFoundError, RefusedError
from plotter2.model import ask, names
from plotter2.model.order import Tally
from plotter2.model.package import StandingOrder
from plotter2.model.paths import is_below
from plotter2.model.request import Request, RequestState


def listed(state: State, under: str = "") -> list[tuple[StandingOrder, Tally]]:
    """All standing orders with what is remembered of them: by bundle, and as each declares them.

    Args:
        state: the bundles.
        under: only of this one and those below; "" for all.
    """
    nodes = (state.catalog.need(path) for path in sorted(state.catalog.paths()) if not under or is_below(path, under))
    return [(order, state.tally(node.version.path, order.name)) for node in nodes for order in node.package.standing]


def asked(state: State, event: OrderAsked, now: Instant) -> list[Command]:
    """Pause, or resume. Asked of an order that is so already, it changes nothing."""
    request = Request(
        event.request_id, event.kind, RequestState.DONE, event.user, event.bundle, ask.encode(event.asked),
        event.client_key, created_at=now, finished_at=now,
    )  # fmt: skip
    try:
        _check(state, event)
    except RefusedError as wrong:
        return asks.refuse(state, event.token, request, wrong, now)
    state.remember_key(request)
    return [SaveRequest(request), *_changed(state, event, now), Answer(event.token, request.id)]


def _check(state: State, event: OrderAsked) -> None:
    node = state.catalog.need(event.bundle)
    known = [one.name for one in node.package.standing]
    name = event.asked.order
    if name not in known:
        offered = f"it has {', '.join(map(repr, known))}" if known else "it has none"
        raise NotFoundError(
            f"Bundle {event.bundle!r} has no standing order {name!r}; {offered}{names.did_you_mean(name, known)}"
        )


def _changed(state: State, event: OrderAsked, now: Instant) -> list[Command]:
    tally = state.tally(event.bundle, event.asked.order)
    if tally.is_paused == event.paused:
        return []
    if event.paused:
        told = note("order.paused", event.bundle, now, order=tally.name, user=event.user, request=event.request_id)
        tally = replace(tally, paused_at=now, paused_by=event.user)
    else:
        told = note(
            "order.resumed", event.bundle, now, order=tally.name, user=event.user, request=event.request_id,
            missed=tally.missed,
        )  # fmt: skip
        tally = replace(tally, paused_at=ZERO, paused_by="", missed=0)
    return [SaveTally(state.keep_tally(tally)), told]
