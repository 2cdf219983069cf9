"""What led to an ask, noted in the request that it makes (pure)."""

from __future__ import annotations

from dataclasses import replace

from manager.commands import Command, Notify, SaveRequest
from manager.events import AskedFor, Origin
from manager.state import LiveRequest, State
from plotter2.ids import RequestId
from plotter2.model.request import Request


def marked(state: State, commands: list[Command], made: RequestId, origin: Origin) -> list[Command]:
    """The same decisions, with what led to the request that they make."""

    def mark(request: Request) -> Request:
        return replace(
            request, cause=origin.cause or request.cause, chain=origin.chain, because=origin.because, scope=origin.scope
        )

    live = state.requests.get(made)
    if live is not None:
        live.request = mark(live.request)
    return [
        replace(one, request=mark(one.request))
        if isinstance(one, SaveRequest | Notify) and one.request.id == made
        else one
        for one in commands
    ]


def owes(live: LiveRequest) -> bool:
    """Whether a request has us ask for something that, as far as is written, nobody has asked for yet.

    Its runs are either under way or finished; what its total has beyond them is the ask.
    """
    return live.finished + len(live.runs) < live.total


def asked_for(state: State, event: AskedFor) -> list[Command]:
    """What a request had us ask for is asked for, by a request of its own, or was refused: then this one has failed."""
    live = state.requests.get(event.request_id)
    if live is None or not owes(live):
        return []
    live.finished += 1
    if event.error:
        live.failed += 1
        live.reason, live.reason_code = event.error, event.error_code
    state.touch(live)
    return []
