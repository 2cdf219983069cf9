"""A carrier of ops for one instance by itself: its ledger comes into being with its first op.

A run that asks nothing costs nothing, and what it asks never leaves its process. Nobody else is there to wait for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from blake3 import blake3

from plotter2.datter.context import Context
from plotter2.datter.ledger import Ledger
from plotter2.datter.ledger.ops import ROOT, Begin, Define, Described, Instance, Op, OpId
from plotter2.datter.runs import RunInput
from plotter2.datter.trees.asking import Shelf, refused
from plotter2.errors import UsageError


class Alone:
    """One instance by itself, with a ledger of its own: nobody else is there to wait for."""

    number = 1
    label = ""
    place = 0.0

    def __init__(self, run: RunInput) -> None:
        """Make its ledger."""
        self._ledger = Ledger(blake3(run.run_id.encode()).digest())
        self._seq = 0
        self.mine: dict[int, None] = {}
        self.shelf = Shelf(self._ledger)
        self._ledger.apply(OpId(ROOT, 1, 1), Define(run.task_name or "task", (run.filename,)))
        self._ledger.apply(OpId(ROOT, 1, 2), Begin(run.task_name or "task", (Instance(),)))

    def ask(self, op: Op) -> Any:
        """The value of the answer, which comes at once: whoever is alone never waits.

        Raises:
            Plotter2Error: what the answer says went wrong.
        """
        self._seq += 1
        (told,) = self._ledger.apply(OpId(self.number, 1, self._seq), op).told
        if told.answer.code:
            raise refused(told.answer.code, told.answer.message)
        return told.answer.value

    def start(self, name: str, _: dict[str, Any]) -> list[int]:
        """Refuse: there is nothing else that could be started.

        Raises:
            UsageError: always.
        """
        raise UsageError(f"task: {name!r} cannot be started from here; this run has no other definitions.")

    def described(self, tasks: Sequence[int]) -> list[Described]:
        """Definition, label and keys of tasks."""
        return self._ledger.described(tasks)

    def laid(self, _: Context, __: Any) -> str:
        """Nowhere: whoever may read it is in this process."""
        return ""
