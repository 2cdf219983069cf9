"""What the store in memory says of automatic users (pure)."""

from __future__ import annotations

from collections.abc import Iterable

from plotter2.clock import Instant
from plotter2.model.automatic import ASKS_HOURLY_MAX, is_automatic
from plotter2.model.request import Request, RequestKind, RequestState


def switch(requests: Iterable[Request]) -> Request | None:
    """What was asked last about whether they may ask."""
    found = (one for one in requests if one.kind is RequestKind.PLANNER and one.state is RequestState.DONE)
    return max(found, key=lambda one: (one.created_at, one.id), default=None)


def asks(requests: Iterable[Request]) -> tuple[Instant, ...]:
    """When they asked, newest first; see `automatic_asks` among the queries."""
    found = (
        one.created_at
        for one in requests
        if is_automatic(one.user) and one.kind is not RequestKind.WISH and one.reason_code != "limit"
    )
    return tuple(sorted(found, reverse=True)[:ASKS_HOURLY_MAX])
