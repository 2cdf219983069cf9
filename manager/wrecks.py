"""Trees whose ledger went wrong as nobody foresaw: their runs are ended with that reason, and nothing else is (pure).

Such a fault is one of ours. Without this it would end the manager, and the next one too as soon as the same was asked
again, or read again in the journal.
"""

from __future__ import annotations

from dataclasses import replace

from manager import runs
from manager.commands import Command
from manager.journal import note
from manager.ledgers import Tree
from manager.state import State
from plotter2.clock import Instant
from plotter2.errors import FailedError
from plotter2.ids import RunId
from plotter2.model.task import RunState, TaskRun

REASON = (
    "plotter2 itself failed while it kept account of who owns and waits for what in this run, so the run was ended; "
    "nothing else is affected. The event log has what happened, as tree.broken: please report it."
)


def cleared(state: State, now: Instant) -> list[Command]:
    """End what is left of the trees that went wrong since the last look."""
    found: list[Command] = []
    for tree in [one for one in state.written.values() if one.fault and not one.is_felled]:
        found += _ended(state, tree, now)
    return found


def _ended(state: State, tree: Tree, now: Instant) -> list[Command]:
    def failed(run: TaskRun) -> TaskRun:
        return replace(run, state=RunState.FAILED, error=REASON, error_code=FailedError.code, finished_at=now)

    tree.is_felled = True
    members = {RunId(tree.id), *(leaf.run_id for leaf in tree.leaves.values())}
    found = [note("tree.broken", tree.id, now, request=tree.request_id, why=tree.fault)]
    return [*found, *runs.drop(state, members & state.runs.keys(), failed, now)]
