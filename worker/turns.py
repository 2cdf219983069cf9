"""Instances that ask and are answered: who waits, who goes on, and who waits without a child (pure).

An instance holds the thread of its child from one op to the next. While it waits it is parked in its child, or in none:
when the child is gone, or was replaced because too many wait. Then it is begun again when its answer comes, asks all it
has asked before, and gets the same answers.
"""

from __future__ import annotations

from collections.abc import Sequence

from plotter2.child.frames import Told
from worker import children
from worker.commands import CarryOp, Command, SendTold
from worker.events import OpAnswered, OpAsked
from worker.seats import Held, Seat
from worker.state import State


def asked(state: State, event: OpAsked, now: float) -> list[Command]:
    """An instance asks: its turn is over, unless it only reads."""
    seat = state.seats.get(event.child)
    held = seat.runs.get(event.ask.sequence) if seat is not None else None
    if seat is None or held is None or held.assignment.instance is None:
        return []
    one = held.assignment
    held.asks = event.ask.ask
    carried = CarryOp(one.run_id, one.epoch, held.assignment.instance.tree, event.ask)
    if not event.ask.seq:
        return [carried]
    state.seats.learn(held, now - held.turn_at)
    held.used_cpu_s += event.ask.cpu_s
    held.memory_bytes = event.ask.memory_bytes
    state.seats.park(seat, held.sequence, now)
    if held.is_cancelled or state.is_draining or not state.is_live(held):
        return cancelled(state, seat, held, now)
    held.ask, held.has_asked = event.ask.ask, True
    if event.ask.seq > held.reached:  # it gets on: what killed an interpreter under it before was not its own doing
        held.reached, held.deaths = event.ask.seq, 0
    state.asleep[one.run_id] = held
    if state.seats.parked() > state.policy.parked_max:
        max(state.seats, key=lambda other: len(other.parked)).is_retiring = True
    return [carried, *(command for other in state.seats for command in children.retire_if_due(state, other, now))]


def cancelled(state: State, seat: Seat, held: Held, now: float) -> list[Command]:
    """An instance that waits will not go on; its child is replaced in a quiet moment, for what it holds."""
    children.leave(state, seat, held)
    seat.is_retiring = True
    ended = state.end(held, state.reports.cancelled(held, now), is_told=False)
    return [*ended, *children.retire_if_due(state, seat, now)]


def keep(held: Held, lines: Sequence[str]) -> None:
    """Keep what a run has printed, without what it had printed when it did the same before."""
    known = min(held.repeated, len(lines))
    held.repeated -= known
    held.lines += lines[known:]


def answered(state: State, event: OpAnswered, now: float) -> list[Command]:
    """The answer has come: the instance goes on in its turn, or begins again where it has no child."""
    held = state.held.get(event.run_id)
    if held is None or held.assignment.epoch != event.epoch:
        return []
    told = Told(held.sequence, event.ask, event.code, event.message, event.value, event.is_read, event.places)
    seat = state.seats.get(held.child)
    if event.is_read:
        return [SendTold(seat.number, told)] if seat is not None else []
    if held.ask != event.ask or event.run_id not in state.asleep:
        return []
    held.ask = 0
    del state.asleep[event.run_id]
    if seat is not None and not seat.is_retiring:
        state.seats.unpark(seat, held)
        state.seats.put(seat, held, now)
        return [SendTold(seat.number, told)]
    if seat is not None:
        children.leave(state, seat, held)
    state.waiting.append(held)
    return children.retire_if_due(state, seat, now) if seat is not None else []
