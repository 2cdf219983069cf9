"""What led to an ask, noted in the request that it makes (pure)."""

from __future__ import annotations

from dataclasses import replace

from manager.commands import Command, Notify, SaveRequest
from manager.events import Origin
from manager.state import State
from plotter2.ids import RequestId
from plotter2.model.request import Request


def marked(state: State, commands: list[Command], made: RequestId, origin: Origin) -> list[Command]:
    """The same decisions, with what led to the request that they make."""

    def mark(request: Request) -> Request:
        return replace(request, cause=origin.cause, chain=origin.chain)

    live = state.requests.get(made)
    if live is not None:
        live.request = mark(live.request)
    return [
        replace(one, request=mark(one.request))
        if isinstance(one, SaveRequest | Notify) and one.request.id == made
        else one
        for one in commands
    ]
