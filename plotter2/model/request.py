"""Requests: remembered asks (requirements 016 to 021), and the table of their states.

A request is written before it is answered and never lost. What it causes (runs, service runs) is named after it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from plotter2.clock import ZERO, Instant
from plotter2.errors import IllegalStepError
from plotter2.ids import RequestId, ServiceId
from plotter2.model.order import Firing
from plotter2.model.service import ServiceState


class RequestKind(StrEnum):
    """What was asked."""

    PUSH = "push"
    RUN = "run"
    REDO = "redo"
    CALL = "call"
    STANDING = "standing"
    ARCHIVE = "archive"
    INHERIT = "inherit"
    TAG = "tag"
    LINK = "link"
    UNLINK = "unlink"
    RELEASE = "release"
    REFUSE = "refuse"
    PAUSE = "pause"
    RESUME = "resume"
    WISH = "wish"
    PLANNER = "planner"


class RequestState(StrEnum):
    """Where a request stands."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


_ENDS = frozenset({RequestState.DONE, RequestState.FAILED, RequestState.CANCELLED})
REQUEST_STEPS: dict[RequestState, frozenset[RequestState]] = {
    RequestState.ACCEPTED: frozenset({RequestState.QUEUED, RequestState.RUNNING}) | _ENDS,
    RequestState.QUEUED: frozenset({RequestState.RUNNING, RequestState.REFUSED}) | _ENDS,
    RequestState.RUNNING: _ENDS,
    RequestState.REFUSED: frozenset(),
    RequestState.DONE: frozenset(),
    RequestState.FAILED: frozenset(),
    RequestState.CANCELLED: frozenset(),
}
REQUEST_ENDS = _ENDS | {RequestState.REFUSED}


def step(request: str, before: RequestState, after: RequestState) -> RequestState:
    """Return `after` if the table has that arrow.

    Raises:
        IllegalStepError: it has not.
    """
    if after not in REQUEST_STEPS[before]:
        raise IllegalStepError(f"Request {request} cannot go from {before} to {after}.")
    return after


@dataclass(frozen=True, slots=True)
class Child:
    """One value of a redo: the bundle it becomes, and how far it is."""

    index: int
    bundle: str
    parameters_json: str
    state: ServiceState
    reused: bool = False
    service_id: ServiceId = ServiceId("")
    error: str = ""
    tail: str = ""


class Over(StrEnum):
    """What a run goes over."""

    SELF = "self"
    """The bundle alone: what lies below is part of it, and the task sees that."""
    MEMBERS = "members"
    """The bundle and its members, each by its own link, else by the bundle's own means."""
    ALL = "all"
    """The same, where every bundle below links the task."""
    ANY = "any"
    """The bundle and those below that link the task."""


@dataclass(frozen=True, slots=True)
class Skip:
    """A bundle that a request left out, and why."""

    bundle: str
    reason: str


@dataclass(frozen=True, slots=True)
class Request:
    """A remembered ask.

    Attributes:
        ask_json: the ask as it was understood, enough to ask it again.
        client_key: makes a repeat harmless; "" for none.
        cause: the request whose outcome fired this one (standing orders).
        chain: the firings that led to this request, first to last; its own is the last of a firing.
        total, finished, failed: counts of the runs or children it has.
        skipped: bundles that it goes over and leaves out.
        because: why it was asked, as who asked it says; an automatic user must say it.
        scope: the bundle that it was kept to by who asked it; "" for none.
        pins: what its runs see below their bundles, as `plotter2.model.pins` names it; b"": what is newest.
    """

    id: RequestId
    kind: RequestKind
    state: RequestState = RequestState.ACCEPTED
    user: str = ""
    bundle: str = ""
    ask_json: str = "{}"
    client_key: str = ""
    cause: RequestId = RequestId("")
    reason: str = ""
    reason_code: str = ""
    created_at: Instant = ZERO
    finished_at: Instant = ZERO
    total: int = 0
    finished: int = 0
    failed: int = 0
    children: tuple[Child, ...] = field(default=())
    chain: tuple[Firing, ...] = ()
    skipped: tuple[Skip, ...] = ()
    because: str = ""
    scope: str = ""
    pins: bytes = b""

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in REQUEST_ENDS
