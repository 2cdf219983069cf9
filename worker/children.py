"""Children that begin, end and are replaced, and what becomes of the runs in their queues (pure)."""

from __future__ import annotations

from plotter2.mqtt.payloads import Report
from worker.commands import Command, KillChild, RetireChild, StartChild
from worker.events import ChildGone
from worker.seats import Held, Seat
from worker.state import State

DEATHS_MAX = 1
"""So often a run is begun again when its interpreter was killed from outside."""
DEATHS_OF_INSTANCE_MAX = 3
"""An instance between two new ops: it shares its interpreter with others, so it meets deaths of their making too."""
SIGNALS_FROM_OUTSIDE = frozenset({-1, -2, -9, -15})
"""SIGHUP, SIGINT, SIGKILL, SIGTERM: what a script hardly does to itself."""


def start(state: State, now: float) -> StartChild:
    """One more child."""
    seat, after_s = state.seats.add(now)
    return StartChild(seat.number, after_s)


def kill(state: State, seat: Seat, head: Held, said: Report, now: float) -> list[Command]:
    """End a child for what its first run has done; the others do not pay."""
    state.seats.pop(seat, head.sequence, now)
    seat.done += 1
    ended = state.end(head, said, is_told=not head.is_cancelled)
    return [KillChild(seat.number), *ended, *replace(state, seat, now)]


def gone(state: State, event: ChildGone, now: float) -> list[Command]:
    """A child has ended: the run under it is begun again, or has failed; those behind it go elsewhere."""
    seat = state.seats.get(event.child)
    if seat is None:
        return []
    head = seat.head
    commands: list[Command] = []
    if head is not None and not head.is_cancelled:
        is_from_outside = event.status is None or event.status in SIGNALS_FROM_OUTSIDE
        deaths_max = DEATHS_MAX if head.assignment.instance is None else DEATHS_OF_INSTANCE_MAX
        if is_from_outside and head.deaths < deaths_max:
            head.deaths += 1
        else:
            state.seats.pop(seat, head.sequence, now)
            commands = state.end(head, state.reports.crashed(head, event.status, now))
    return [*commands, *replace(state, seat, now)]


def replace(state: State, seat: Seat, now: float) -> list[Command]:
    """Another child in the place of one that is gone; instances that wait do so without one."""
    for held in list(seat.parked.values()):
        leave(state, seat, held)
    return [*take_back(state, state.seats.remove(seat), now), start(state, now)]


def leave(state: State, seat: Seat, held: Held) -> None:
    """An instance that waits has no child from now on: it is begun again when its answer comes."""
    state.seats.unpark(seat, held)
    forget_turns(held)


def forget_turns(held: Held) -> None:
    """What it has done is done again from its beginning."""
    held.child = held.sequence = held.memory_bytes = 0
    held.started_at = held.used_s = held.used_cpu_s = 0.0
    held.repeated = held.lines_from + len(held.lines)


def retire_if_due(state: State, seat: Seat, now: float) -> list[Command]:
    """Another child in the place of one that is old, once it has nothing to do."""
    if not seat.is_retiring or seat.runs:
        return []
    return [RetireChild(seat.number), *replace(state, seat, now)]


def take_back(state: State, runs: list[Held], now: float) -> list[Command]:
    """Runs that no child works on any more go to the head of the queue, in their order."""
    commands: list[Command] = []
    for held in reversed(runs):
        if held.is_cancelled or state.is_draining:
            commands += state.end(held, state.reports.cancelled(held, now), is_told=False)
        else:
            forget_turns(held)
            state.waiting.appendleft(held)
    return commands
