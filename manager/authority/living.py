"""What becomes of the runs of a tree: their ends, moves, a cancel; circles among those who wait; a restart (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from manager.authority.following import follow
from manager.commands import Command, SaveLines
from manager.ledgers import Seat, Tree
from manager.state import State
from manager.store import Snapshot
from manager.store.growing import Lines
from plotter2.datter.ledger import TaskState, ops
from plotter2.datter.ledger.ops import End, Restart, Sweep
from plotter2.ids import RunId
from plotter2.model.task import SHOWN_FOR, RunState, TaskRun
from plotter2.mqtt.payloads import Instance

ERROR_CHARS_MAX = 2_000
"""Of the error of an instance, its end: what those hear who wait for it."""


def instances_of(state: State, runs: Iterable[TaskRun]) -> Mapping[RunId, Instance]:
    """What the ops of these runs go by; of those that are in a tree."""
    found = {}
    for run in runs if state.seats else ():
        seat = state.seats.get(run.id)
        if seat is not None:
            tree, number = seat
            label = tree.ledger.book.tasks[number].label if not tree.fault else ""
            found[run.id] = Instance(tree.id, number, label, tree.leaves[number].place, run.said)
    return found


def ended(state: State, final: TaskRun) -> list[Command]:
    """A run has ended: its loans go back, who waits for it is told, the last of its tree ends that."""
    seat = state.seats.pop(final.id, None)
    if seat is None:
        return []
    tree, number = seat
    tree.asking.pop(number, None)
    tree.starting.pop(number, None)
    turn = tree.apply_for(number, End(str(final.state), final.error[-ERROR_CHARS_MAX:]))
    del tree.leaves[number]
    commands = follow(state, tree, turn)
    if not tree.leaves:
        felled(state, tree)
    return commands


def felled(state: State, tree: Tree) -> None:
    """Nothing is left of a tree; its definitions are at hand no longer for its sake."""
    del state.trees[tree.id]
    for task in tree.tasks.values():
        state.task_users[task] -= 1
        if state.task_users[task] <= 0 and state.tasks[task].is_hidden:
            del state.tasks[task], state.task_users[task]


def moved(state: State, run: TaskRun) -> None:
    """A run goes elsewhere, and lives through its attempt again there."""
    seat = state.seats.get(run.id)
    if seat is not None:
        tree, number = seat
        tree.asking.pop(number, None)
        tree.starting.pop(number, None)
        tree.apply_for(number, Restart())
        state.written[tree.id] = tree


def cancelled(state: State, runs: Iterable[RunId]) -> None:
    """These runs are cancelled together: what they wait for is told to nobody any more."""
    for run in runs if state.seats else ():
        if run in state.seats:
            state.seats[run].tree.is_felled = True


def swept(state: State) -> list[Command]:
    """Look for circles among those who wait, in each tree where somebody began to since the last look."""
    found: list[Command] = []
    for tree in state.trees.values():
        if tree.is_stirred:
            tree.is_stirred = False
            if tree.has_circle or tree.fault:
                found += follow(state, tree, tree.apply_as_root(Sweep()))
    return found


def written(state: State) -> list[Command]:
    """What the journals have grown by in this turn."""
    found: list[Command] = []
    for tree in state.written.values():
        if tree.fresh:  # of one that is at fault what was done before, for the next manager to come as far
            first = tree.ledger.book.length - len(tree.fresh) + 1
            found.append(SaveLines(Lines(tree.id, first, tuple(map(ops.written, tree.fresh)))))
            tree.fresh.clear()
    wrecked = {tree.id: tree for tree in state.written.values() if tree.fault and not tree.is_felled}
    state.written.clear()
    state.written.update(wrecked)  # to be ended in the next turn
    return found


def regrown(state: State, snapshot: Snapshot) -> None:
    """Take up the trees where a former process left them; before their runs, which wait, start or go on as they say."""
    living = {run.id: run for run in snapshot.runs}
    for grown in snapshot.trees:
        tree = Tree.regrown(grown, living.keys())
        if not tree.leaves:
            continue
        state.trees[tree.id] = tree
        if tree.fault:
            state.written[tree.id] = tree
        for task in tree.tasks.values():
            state.task_users[task] = state.task_users.get(task, 0) + 1
        for number, leaf in tree.leaves.items():
            state.seats[leaf.run_id] = Seat(tree, number)
            if not tree.fault and number in tree.ledger.book.suspended:
                state.parked.setdefault(living[leaf.run_id].worker_id, set()).add(leaf.run_id)


def shown(state: State, runs: Iterable[TaskRun]) -> list[TaskRun]:
    """Runs as people see them: who is held, and who is parked, is not said to be queued or at work."""
    return [_shown(state, run) for run in runs] if state.seats else list(runs)


def _shown(state: State, run: TaskRun) -> TaskRun:
    seat = state.seats.get(run.id)
    is_known = seat is not None and not seat.tree.fault
    known = _SHOWN.get(seat.tree.ledger.book.tasks[seat.number].state) if seat is not None and is_known else None
    return replace(run, state=known) if known is not None and run.state in SHOWN_FOR[known] else run


_SHOWN = {TaskState.HELD: RunState.HELD, TaskState.SUSPENDED: RunState.PARKED}


def is_held(state: State, run: RunId) -> bool:
    """Whether a run waits until somebody wants it."""
    seat = state.seats.get(run)
    return seat is not None and not seat.tree.fault and seat.tree.ledger.book.tasks[seat.number].state is TaskState.HELD
