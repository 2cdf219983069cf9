"""A linked tree of instances as the manager holds it: its ledger, and which run is which instance (pure).

The ledger decides (`plotter2.datter.ledger`); a tree knows whom its answers go to. Everything in it follows from what
is written (the tree's row, its instances, its journal), but for who waits to be told: these ask again.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from manager.store.growing import Grown, Leaf, TreeRow
from plotter2.datter.ledger import Ledger, TaskState, ops
from plotter2.datter.ledger.ops import ROOT, Entry, Op, OpId, Turn
from plotter2.errors import Plotter2Error
from plotter2.ids import RequestId, RunId, TaskId

T = TypeVar("T")
FAULT_CHARS_MAX = 4_000


class Asking(NamedTuple):
    """The question that an instance waits for: it has one at a time.

    Attributes:
        ask: what the answer goes by.
    """

    epoch: int
    seq: int
    ask: int


@dataclass(slots=True)
class Tree:
    """A tree of instances.

    Attributes:
        row: what was written of it when it was planted.
        tasks: the definitions that can be started in it, by name; that of the run that was asked for first.
        leaves: instances that have not ended, by number.
        asking: whose question has no answer yet.
        starting: instances that wait for others to be planned.
        fresh: lines of the journal that are not written yet.
        is_stirred: somebody began to wait since circles were looked for.
        is_felled: its request is cancelled; nobody is told anything more.
        fault: what went wrong inside the ledger, with where; "" as long as nothing did. Such a ledger is asked nothing
            more, and the runs of its tree are ended (`wrecks`).
    """

    row: TreeRow
    tasks: dict[str, TaskId] = field(default_factory=dict)
    leaves: dict[int, Leaf] = field(default_factory=dict)
    asking: dict[int, Asking] = field(default_factory=dict)
    starting: dict[int, Asking] = field(default_factory=dict)
    fresh: list[Entry] = field(default_factory=list)
    ledger: Ledger = field(init=False)
    is_stirred: bool = False
    is_felled: bool = False
    fault: str = ""

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.row.secret, self.fresh.append)

    @classmethod
    def regrown(cls, grown: Grown, living: Container[RunId]) -> Tree:
        """The tree as it was written.

        Args:
            grown: all that was.
            living: runs that have not ended.
        """
        tree = cls(grown.row, is_stirred=True)
        for line in grown.lines:
            entry = ops.read(line)
            tree.apply(entry.op, entry.what)
        tree.fresh.clear()
        if not tree.fault:
            tree.tasks = dict(zip(tree.ledger.book.definitions, grown.row.tasks, strict=True))
        tree.leaves = {one.number: one for one in grown.leaves if one.run_id in living}
        return tree

    @property
    def id(self) -> str:
        """Its name: that of the run that was asked for."""
        return self.row.id

    @property
    def request_id(self) -> RequestId:
        """The request that started it."""
        return self.row.request_id

    def is_root(self, number: int) -> bool:
        """Whether an instance is one of the definition that was asked for."""
        return self.ledger.book.tasks[number].definition == next(iter(self.tasks))

    def waits(self, number: int) -> str:
        """What an instance waits for, for people; "" for one that does not."""
        if self.fault:
            return ""
        task = self.ledger.book.tasks[number]
        if task.state is TaskState.HELD:
            return "held until somebody waits for it"
        if task.wait is None:
            return ""
        left = task.wait.left
        first = self.ledger.book.tasks[next(iter(left))].called
        more = f" and {len(left) - 1:,} more" if len(left) > 1 else ""
        return f"waits in {task.wait.kind} for {first}{more}"

    @property
    def next_root(self) -> OpId:
        """What the next op goes by that no instance asks."""
        return OpId(ROOT, 1, len(self.ledger.book.roots) + 1)

    def guarded(self, ask: Callable[[], T], instead: T) -> T:
        """Ask the ledger; where that goes wrong as nobody foresaw, this tree is at fault, and not the whole manager.

        What the journal was given meanwhile is forgotten: it would lead the next manager to the same place.

        Raises:
            Plotter2Error: the ledger refuses.
        """
        if self.fault:
            return instead
        written, length = len(self.fresh), self.ledger.book.length
        try:
            return ask()
        except Plotter2Error:
            raise
        except Exception:  # noqa: BLE001 -- the boundary: one tree's fault must not end, again and again, all others
            self.fault = traceback.format_exc()[-FAULT_CHARS_MAX:]
            del self.fresh[written:]
            self.ledger.book.length = length
            return instead

    @property
    def has_circle(self) -> bool:
        """Whether some who wait, wait for each other."""
        return self.guarded(lambda: self.ledger.has_circle, instead=False)

    def apply(self, op: OpId, what: Op) -> Turn:
        """Have the ledger do it; nothing comes of what is asked of one that is at fault."""
        return self.guarded(lambda: self.ledger.apply(op, what), Turn())

    def apply_as_root(self, what: Op) -> Turn:
        """Have the ledger do what no instance asks."""
        return self.guarded(lambda: self.ledger.apply(self.next_root, what), Turn())

    def apply_for(self, number: int, what: Op) -> Turn:
        """Have the ledger do what the manager knows of an instance: its end, or that it begins again."""
        return self.guarded(
            lambda: self.ledger.apply(OpId(number, self.ledger.book.tasks[number].epoch, 0), what), Turn()
        )


class Seat(NamedTuple):
    """Where a run stands: which instance of which tree it is."""

    tree: Tree
    number: int
