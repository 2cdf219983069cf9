"""An ask that comes of something else, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass

from manager.events.asks import Asked
from plotter2.ids import RequestId
from plotter2.model.order import Firing


@dataclass(frozen=True, slots=True)
class Origin:
    """Why somebody asks.

    Attributes:
        cause: the request that led to this ask.
        chain: the firings that led to that one.
        because: why, in the words of who asks.
        scope: the bundle that who asks keeps to.
    """

    cause: RequestId = RequestId("")
    chain: tuple[Firing, ...] = ()
    because: str = ""
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Prompted:
    """An ask with its origin."""

    asked: Asked
    origin: Origin


@dataclass(frozen=True, slots=True)
class AskedFor:
    """What a request has us ask for is asked for. `error` says why it was refused, "" where it was not."""

    request_id: RequestId
    error: str = ""
    error_code: str = ""
