"""What instances ask: reads are answered at once, ops go to the ledger, starts are planned first (pure).

What a worker says of a run that it has no more, or of an attempt that is over, changes nothing: it is told so.
"""

from __future__ import annotations

from manager.authority.following import check_room, follow, sprout
from manager.commands import Command, PlanStart, Tell
from manager.events import OpAsked, OpsAsked, StartPlanned
from manager.ledgers import Asking, Seat
from manager.state import State
from plotter2.clock import Instant
from plotter2.datter.ledger.ops import (
    Answer,
    Begin,
    Define,
    Describe,
    End,
    Entry,
    Look,
    Op,
    Open,
    OpId,
    Read,
    Restart,
    Start,
    Sweep,
    Told,
    Turn,
)
from plotter2.errors import ConflictError, LimitError, OwnershipError, Plotter2Error
from plotter2.ids import WorkerId
from plotter2.model import ask


def asked(state: State, event: OpsAsked, now: Instant) -> list[Command]:
    """A worker brings questions; it has the runs that ask."""
    return [command for one in event.asks for command in _one(state, event.worker_id, one, now)]


def _one(state: State, worker: WorkerId, one: OpAsked, now: Instant) -> list[Command]:
    run, seat = state.runs.get(one.run_id), state.seats.get(one.run_id)
    if run is None or seat is None or (run.epoch, run.worker_id) != (one.epoch, worker) or run.id in state.taking:
        return [_told(worker, one, ConflictError(f"Attempt {one.epoch} of {one.run_id} is over; it can ask nothing."))]
    state.sent_at[run.id] = now
    try:
        return _answered(state, worker, seat, one) if not seat.tree.fault else []  # it is ended after this turn
    except Plotter2Error as wrong:
        return [_told(worker, one, wrong)]


def _answered(state: State, worker: WorkerId, seat: Seat, one: OpAsked) -> list[Command]:
    match one.question:
        case Open() | Look() | Describe() as question:
            found = seat.tree.guarded(lambda: _looked_up(seat, question), None)
            if seat.tree.fault:
                return follow(state, seat.tree, Turn())
            return [Tell(worker, one.run_id, one.epoch, one.ask, Answer(found))]
        case Start():
            return _start(state, seat, one, one.question)
        case Begin() | Define() | End() | Restart() | Sweep():
            what = type(one.question).__name__.lower()
            return [_told(worker, one, OwnershipError(f"No instance can ask for {what!r}: the manager knows it."))]
        case _:
            return _apply(state, seat, one, one.question)


def _told(worker: WorkerId, one: OpAsked, wrong: Plotter2Error) -> Tell:
    return Tell(worker, one.run_id, one.epoch, one.ask, Answer(None, wrong.code, wrong.message))


def _looked_up(seat: Seat, question: Read) -> object:
    ledger = seat.tree.ledger
    match question:
        case Open():
            return ledger.opened(question.set)
        case Look():
            return ledger.lying(question.data)
        case Describe():
            return ledger.described(question.tasks)


def _apply(state: State, seat: Seat, one: OpAsked, what: Op) -> list[Command]:
    """Have the ledger do it; a run whose op waits holds no slot until it is told."""
    tree, number = seat
    op = OpId(number, one.epoch, one.seq)
    tree.asking[number] = Asking(one.epoch, one.seq, one.ask)
    turn = tree.apply(op, what)
    if not any(told.op == op for told in turn.told):
        state.parked.setdefault(state.runs[one.run_id].worker_id, set()).add(one.run_id)
        tree.is_stirred = True
    return follow(state, tree, turn)


def _start(state: State, seat: Seat, one: OpAsked, what: Start) -> list[Command]:
    """Plan what it wants started, unless it was begun already, or there is no such definition."""
    tree, number = seat
    book = tree.ledger.book
    name = book.called.get(what.definition, what.definition)
    known = book.tasks[number].asked.get(one.seq)
    begun = known.what if known is not None else None
    if isinstance(begun, Begin) and (begun.definition, begun.given) == (name, what.parameters_json):
        return _apply(state, seat, one, begun)
    if begun is not None or name not in tree.tasks:  # the ledger says what is wrong
        return _apply(state, seat, one, Begin(name, (), given=what.parameters_json))
    tree.asking[number] = asking = Asking(one.epoch, one.seq, one.ask)
    is_planned = number in tree.starting and tree.starting[number][:2] == asking[:2]
    tree.starting[number] = asking
    if is_planned:
        return []
    wanted = [other for other in _linked(seat, name) if not book.definitions[other].tasks]
    definitions = [(other, state.tasks[tree.tasks[other]].task) for other in (*wanted, name)]
    return [
        PlanStart(
            tree.id, number, one.epoch, one.seq, what.parameters_json, (tree.row.bundle, tree.row.version),
            tuple(
                (other, task, ask.filled(what.parameters_json, state.catalog.parameters(task, tree.row.bundle)))
                for other, task in definitions
            ),
            state.requests[tree.row.request_id].request.pins,
            _config(state, seat),
        )
    ]  # fmt: skip


def _config(state: State, seat: Seat) -> bytes:
    """What the installation added when the tree was asked for: all instances are pinned to that."""
    return state.runs[seat.tree.leaves[seat.number].run_id].config


def _linked(seat: Seat, name: str) -> list[str]:
    """What is there before a definition, in the order in which it is made: what that is linked to before it."""
    found: dict[str, None] = {}
    waiting = [(name, False)]
    while waiting:
        one, is_seen = waiting.pop()
        if is_seen:
            found[one] = None
        elif one not in found:
            waiting.append((one, True))
            waiting += [(other, False) for other in reversed(seat.tree.ledger.book.definitions[one].linked)]
    del found[name]
    return list(found)


def started(state: State, event: StartPlanned, now: Instant) -> list[Command]:
    """What an instance wants started is planned: it is begun, unless that attempt is over."""
    tree = state.trees.get(event.tree)
    waiting = tree.starting.get(event.number) if tree is not None else None
    if tree is None or tree.fault or waiting is None or waiting[:2] != (event.epoch, event.seq):
        return []
    del tree.starting[event.number]
    op = OpId(event.number, event.epoch, event.seq)
    if event.error:
        return follow(state, tree, Turn([Told(op, Answer(None, event.error_code, event.error))]))
    try:
        check_room(state, event.sprouts)
    except LimitError as wrong:
        return follow(state, tree, Turn([Told(op, Answer(None, wrong.code, wrong.message))]))
    found: list[Command] = []
    for one in event.sprouts[:-1]:
        if not tree.ledger.book.definitions[one.definition].tasks:
            held = Begin(one.definition, one.instances, is_held=True)
            found += sprout(state, tree, one, Entry(tree.next_root, held), now)
    last = event.sprouts[-1]
    begin = Begin(last.definition, last.instances, given=event.given)
    return [*found, *sprout(state, tree, last, Entry(op, begin), now)]
