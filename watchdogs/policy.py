"""What is done about one ward (pure): wait, kill, start again later.

::

    STARTING ── probe answers ──► RUNNING ── exits ────────────────► BACKING_OFF ── pause is over ──► STARTING
        │                            │ three probes fail in a row       ▲
        └── exits, or takes too long ┴──────► KILLING ── exits ─────────┘

The pause doubles with each failure up to a limit and is forgotten after a while of health. A ward is never given up:
somebody may mend what ails it while we go on trying.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

PAUSE_S_MIN = 0.2
PAUSE_S_MAX = 10.0
HEALTHY_S = 30.0
FAILED_PROBES_MAX = 3


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
    failed_probes: int = 0
    pause_s: float = 0.0
    restarts: int = -1


def look(case: Case, seen: Seen, now: float, start_limit_s: float) -> tuple[Case, Action]:
    """Take in an observation; returns the case as it is now and what to do."""
    if seen is Seen.EXITED:
        return _exited(case, now), Action.WAIT
    if case.state is WardState.KILLING:
        return case, Action.WAIT
    if seen is Seen.ANSWERED:
        is_new = case.state is WardState.STARTING
        since = now if is_new else case.since
        return replace(case, state=WardState.RUNNING, since=since, failed_probes=0), Action.WAIT
    return _silent(case, now, start_limit_s)


def _silent(case: Case, now: float, start_limit_s: float) -> tuple[Case, Action]:
    failed = case.failed_probes + 1
    is_starting = case.state is WardState.STARTING
    is_stuck = now - case.since >= start_limit_s if is_starting else failed >= FAILED_PROBES_MAX
    if is_stuck:
        return replace(case, state=WardState.KILLING, failed_probes=failed), Action.KILL
    return replace(case, failed_probes=failed), Action.WAIT


def is_due(case: Case, now: float) -> bool:
    """Whether the pause of a ward that ended is over."""
    return case.state is WardState.BACKING_OFF and now - case.since >= case.pause_s


def started(case: Case, now: float) -> Case:
    """It was started (again)."""
    return replace(case, state=WardState.STARTING, since=now, failed_probes=0, restarts=case.restarts + 1)


def _exited(case: Case, now: float) -> Case:
    was_healthy = case.state is WardState.RUNNING and now - case.since >= HEALTHY_S
    pause_s = PAUSE_S_MIN if was_healthy or case.pause_s == 0 else min(2 * case.pause_s, PAUSE_S_MAX)
    return replace(case, state=WardState.BACKING_OFF, since=now, pause_s=pause_s, failed_probes=0)
