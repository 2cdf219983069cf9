"""A run that turns out to be a tree: its definitions made known, its instances begun, those it is linked to held (R2).

Pure. The run that was asked for becomes the first instance of its own definition; the others get runs of their own, in
the same request. All of it is written in one transaction, so after a restart it is there as a whole or planned again.
"""

from __future__ import annotations

from dataclasses import replace

from manager import runs
from manager.authority.following import check_room, sprout
from manager.authority.living import felled
from manager.commands import Command, SaveTask, SaveTree
from manager.events import TreePlanned
from manager.journal import note
from manager.ledgers import Tree
from manager.state import State
from manager.store.growing import TreeRow
from plotter2.clock import Instant
from plotter2.datter.ledger.ops import Begin, Entry
from plotter2.errors import LimitError
from plotter2.model.task import RunState


def planted(state: State, event: TreePlanned, now: Instant) -> list[Command]:
    """The tree of a run is planned."""
    run = state.runs.get(event.run_id)
    if run is None or run.id not in state.planning:
        return []
    try:
        check_room(state, event.sprouts)
    except LimitError as wrong:
        final = replace(run, state=RunState.FAILED, error=wrong.message, error_code=wrong.code, finished_at=now)
        return runs.end(state, final, now)
    state.planning.discard(run.id)
    tree = Tree(
        TreeRow(
            run.id, run.request_id, run.bundle, run.version, event.secret,
            tuple(task.id for task, _ in event.definitions), now,
        ),
        {define.name: task.id for task, define in event.definitions},
    )  # fmt: skip
    state.trees[tree.id] = tree
    commands: list[Command] = [SaveTree(tree.row)]
    for task, define in event.definitions:
        runs.adopt_task(state, task)
        state.task_users[task.id] = state.task_users.get(task.id, 0) + 1
        commands.append(SaveTask(state.tasks[task.id]))
        tree.apply_as_root(define)
    for one in event.sprouts:
        is_last = one is event.sprouts[-1]
        begin = Begin(one.definition, one.instances, is_held=not is_last)
        commands += sprout(state, tree, one, Entry(tree.next_root, begin), now, run if is_last else None)
    commands.append(note("run.tree", run.id, now, instances=len(tree.leaves), definitions=len(tree.tasks)))
    if not event.sprouts[-1].instances:
        commands += runs.end(state, replace(run, state=RunState.DONE, finished_at=now), now)
    if not tree.leaves:
        felled(state, tree)
    return commands
