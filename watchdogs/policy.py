"""What is done about one ward (pure): wait, kill, start again later.

::

    STARTING ── probe answers ──► RUNNING ── exits ────────────────► BACKING_OFF ── pause is over ──► STARTING
        │                            │ three looks in a row are bad     ▲
        └── exits, or takes too long ┴──────► KILLING ── exits ─────────┘

A look is bad when nobody answers, or when the ward has taken more memory than it should ever need: what leaks is
started anew. Every daemon survives a kill at any line, so that is how it is ended. The pause doubles with each failure
up to a limit and is forgotten after a while of health. A ward is never given up: somebody may mend what ails it while
we go on trying.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

PAUSE_S_MIN = 0.2
PAUSE_S_MAX = 10.0
HEALTHY_S = 30.0
BAD_LOOKS_MAX = 3


class WardState(StrEnum):
    """Where a ward stands."""

    STARTING = "starting"
    RUNNING = "running"
    KILLING = "killing"
    BACKING_OFF = "backing_off"


class Seen(StrEnum):
    """What was observed."""

    ANSWERED = "answered"
    SILENT = "silent"
    SWOLLEN = "swollen"
    EXITED = "exited"


class Action(StrEnum):
    """What to do about it."""

    WAIT = "wait"
    KILL = "kill"


@dataclass(frozen=True, slots=True)
class Case:
    """The story of one ward so far. Times are monotonic seconds."""

    state: WardState = WardState.BACKING_OFF
    since: float = 0.0
    bad_looks: int = 0
    pause_s: float = 0.0
    restarts: int = -1


@dataclass(frozen=True, slots=True)
class Limits:
    """How patient we are with a ward: how long it may take to start, and whether it may be killed at all."""

    start_s_max: float
    may_kill: bool = True


def look(case: Case, seen: Seen, now: float, limits: Limits) -> tuple[Case, Action]:
    """Take in an observation; returns the case as it is now and what to do."""
    if seen is Seen.EXITED:
        return _exited(case, now), Action.WAIT
    if case.state is WardState.KILLING:
        return case, Action.WAIT
    has_started = case.state is WardState.STARTING and seen is Seen.SWOLLEN
    if seen is Seen.ANSWERED or has_started:
        return _good(case, now), Action.WAIT
    return _bad(case, now, limits)


def _good(case: Case, now: float) -> Case:
    if case.state is WardState.STARTING:
        return replace(case, state=WardState.RUNNING, since=now, bad_looks=0)
    is_healthy = now - case.since >= HEALTHY_S
    return replace(case, bad_looks=0, pause_s=0.0 if is_healthy else case.pause_s)


def _bad(case: Case, now: float, limits: Limits) -> tuple[Case, Action]:
    bad = case.bad_looks + 1
    is_starting = case.state is WardState.STARTING
    is_over = now - case.since >= limits.start_s_max if is_starting else bad >= BAD_LOOKS_MAX
    if is_over and limits.may_kill:
        return replace(case, state=WardState.KILLING, bad_looks=bad), Action.KILL
    return replace(case, bad_looks=bad), Action.WAIT


def is_due(case: Case, now: float) -> bool:
    """Whether the pause of a ward that ended is over."""
    return case.state is WardState.BACKING_OFF and now - case.since >= case.pause_s


def started(case: Case, now: float) -> Case:
    """It was started (again)."""
    return replace(case, state=WardState.STARTING, since=now, bad_looks=0, restarts=case.restarts + 1)


def _exited(case: Case, now: float) -> Case:
    pause_s = min(2 * case.pause_s, PAUSE_S_MAX) or PAUSE_S_MIN
    return replace(case, state=WardState.BACKING_OFF, since=now, pause_s=pause_s, bad_looks=0)
