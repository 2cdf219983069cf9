"""What follows from what a ledger did: instances that can start are queued, answers go to those who asked (pure)."""

from __future__ import annotations

from manager.commands import Command, SaveLeaves, SaveRun, Tell
from manager.events import Sprout
from manager.ledgers import Seat, Tree
from manager.state import QUEUE_RUNS_MAX, State
from manager.store.growing import Leaf
from plotter2 import ids
from plotter2.clock import Instant
from plotter2.datter.ledger.ops import ROOT, Entry, Turn
from plotter2.errors import LimitError
from plotter2.ids import RunId
from plotter2.model.task import TaskRun


def follow(state: State, tree: Tree, turn: Turn) -> list[Command]:
    """Queue what can start, and tell what was answered; the journal is written at the end of the turn."""
    state.written[tree.id] = tree
    if tree.is_felled:
        return []
    state.queue.extend(tree.leaves[number].run_id for number in turn.ready)
    found: list[Command] = []
    for told in turn.told:
        leaf = tree.leaves.get(told.op.task) if told.op.task != ROOT else None
        run = state.runs.get(leaf.run_id) if leaf is not None else None
        if run is None:
            continue
        state.parked.get(run.worker_id, set()).discard(run.id)
        asking = tree.asking.get(told.op.task)
        # Else nobody has asked since the manager started, or the run is elsewhere now: who asks again is told.
        if asking is not None and (asking.epoch, asking.seq) == (told.op.epoch, told.op.seq):
            del tree.asking[told.op.task]
            found.append(Tell(run.worker_id, run.id, asking.epoch, asking.ask, told.answer))
    return found


def check_room(state: State, sprouts: tuple[Sprout, ...]) -> None:
    """Refuse more instances than there is room for.

    Raises:
        LimitError: they are.
    """
    count = sum(len(one.instances) for one in sprouts)
    room = QUEUE_RUNS_MAX - len(state.runs)
    if count > room:
        raise LimitError(
            f"{sprouts[-1].definition!r} has {count:,} instances with those that it is linked to, and there is room "
            f"for {max(0, room):,} more; ask again when fewer runs wait."
        )


def sprout(
    state: State, tree: Tree, one: Sprout, begin: Entry, now: Instant, first: TaskRun | None = None
) -> list[Command]:
    """Have the ledger begin the instances of a definition, as `begin` says, and give each a run.

    `first` is the run of the first of them, where that is there already.
    """
    live = state.requests[tree.request_id]
    turn = tree.apply(begin.op, begin.what)
    if tree.fault:
        return follow(state, tree, turn)
    numbers: list[int] = next(told.answer.value for told in turn.told if told.op == begin.op)
    if one.warning:
        live.leave_out(tree.row.bundle, one.warning)
    task = state.tasks[tree.tasks[one.definition]].task
    runs: list[TaskRun] = []
    for place, parameters_json in enumerate(one.parameters):
        run_id = ids.run_id(live.request.id, live.total)
        created_at = now
        if place == 0 and first is not None:
            run_id, created_at = first.id, first.created_at
        else:
            live.total += 1
        runs.append(
            TaskRun(
                RunId(run_id), live.request.id, task.id, task.name, tree.row.bundle, tree.row.version,
                parameters_json, created_at=created_at, config=one.config,
            )
        )  # fmt: skip
    leaves = tuple(
        Leaf(tree.id, number, run.id, where) for number, run, where in zip(numbers, runs, one.places, strict=True)
    )
    for leaf, run in zip(leaves, runs, strict=True):
        tree.leaves[leaf.number] = leaf
        state.seats[run.id] = Seat(tree, leaf.number)
        state.runs[run.id] = run
    live.runs.update(run.id for run in runs)
    state.task_users[task.id] = state.task_users.get(task.id, 0) + len(runs) - (first is not None and bool(runs))
    state.touch(live)
    return [*map(SaveRun, runs), SaveLeaves(leaves), *follow(state, tree, turn)]
