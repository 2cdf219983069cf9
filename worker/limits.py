"""What runs may use, in time and memory, and what becomes of one that uses more (pure)."""

from __future__ import annotations

from plotter2.child import words
from worker import children
from worker.commands import Command, SkipRuns, Tell
from worker.events import ChildMeasured
from worker.seats import Held, Seat
from worker.state import State

TELL_RUNNING_AFTER_S = 0.5
"""A run that takes longer is said to be running; of a shorter one only the end is told."""
STEAL_AFTER_S = 0.25
"""What waits behind a run that has taken longer is taken back when another child has nothing to do."""


def ticked(state: State, now: float) -> list[Command]:
    """Time has passed: who has had too much of it is ended, who waits behind a long run is taken back."""
    commands: list[Command] = []
    for seat in state.seats:
        head = seat.head
        if head is None:
            seat.is_retiring |= seat.done > 0 and now - seat.born_at >= state.policy.recycle_age_s
            commands += children.retire_if_due(state, seat, now)
            continue
        ran_s = now - head.turn_at
        limit_s = state.limits(head).wall_s
        if head.is_cancelled:
            commands += children.kill(state, seat, head, state.reports.cancelled(head, now), now)
        elif limit_s and head.used_s + ran_s > limit_s:
            said = state.reports.broke(head, "wall", f"{limit_s:g} s", now)
            commands += children.kill(state, seat, head, said, now)
        else:
            commands += _going_on(state, seat, head, ran_s)
    return [*commands, *_give_back(state, now)]


def _going_on(state: State, seat: Seat, head: Held, ran_s: float) -> list[Command]:
    commands: list[Command] = []
    if ran_s > TELL_RUNNING_AFTER_S and not head.is_told:
        head.is_told = True
        commands.append(Tell(state.reports.running(head)))
    others_are_idle = any(other.is_ready and not other.runs for other in state.seats)
    if ran_s > STEAL_AFTER_S and others_are_idle and len(seat.runs) > 1:
        commands.append(SkipRuns(seat.number, tuple(seat.runs)[1:]))
    return commands


def _give_back(state: State, now: float) -> list[Command]:
    """Runs that could not be begun within their lease are left to others."""
    late = [held for held in state.waiting if 0 < held.assignment.lease_s < now - held.taken_at and not held.has_asked]
    commands: list[Command] = []
    for held in late:
        state.waiting.remove(held)
        said = state.reports.given_back(held)
        commands += [Tell(said), *state.end(held, said, is_told=False)]
    return commands


def measured(state: State, event: ChildMeasured, now: float) -> list[Command]:
    """What a child uses: too much of it ends the run under way."""
    seat = state.seats.get(event.child)
    head = seat.head if seat is not None else None
    if seat is None or head is None:
        return []
    seat.is_retiring |= event.memory_bytes >= state.policy.recycle_memory_bytes
    limits = state.limits(head)
    if seat.cpu_base_s < 0:
        seat.cpu_base_s = event.cpu_s
    if limits.memory_bytes and event.memory_bytes - seat.parked_bytes > limits.memory_bytes:
        said = state.reports.broke(head, "memory", words.mebibytes(limits.memory_bytes), now)
        return children.kill(state, seat, head, said, now)
    if limits.cpu_s and head.used_cpu_s + event.cpu_s - seat.cpu_base_s > limits.cpu_s:
        said = state.reports.broke(head, "CPU", f"{limits.cpu_s:g} s", now)
        return children.kill(state, seat, head, said, now)
    return []
