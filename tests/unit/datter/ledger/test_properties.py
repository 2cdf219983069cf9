"""Whatever tasks do, in whatever order: never two owners, never a lost loan, never all stuck; replay is the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from typing_extensions import override

from plotter2.datter.ledger import TaskState
from plotter2.datter.ledger.ops import (
    ROOT,
    Access,
    Claim,
    Collect,
    Deregister,
    End,
    Expose,
    Exposed,
    Handin,
    Link,
    Op,
    OpId,
    Register,
    Release,
    Restart,
    Share,
    Sweep,
    Unlock,
)  # fmt: skip
from plotter2.datter.ledger.state import RUNNABLE
from tests.unit.datter.ledger.kit import Run, check

QUESTIONS = [
    Release(), Exposed(), Sweep(), Unlock("1.1.00"), Access("x"), Access("x", is_here=True), Access("own_b"),
    Access("?"),
]  # fmt: skip
COUNTS = {"a": 3, "b": 2, "c": 2}


class Tasks(RuleBasedStateMachine):
    """Two definitions that are linked in a chain, and one that stands alone; every op, by anybody who can act."""

    def __init__(self) -> None:
        super().__init__()
        self.run = Run(a="", b="a", c="")
        self.run.begin("a", COUNTS["a"], is_held=True)
        self.run.begin("b", COUNTS["b"])
        self.run.begin("c", COUNTS["c"])
        self.lent = 0

    def _acting(self) -> list[int]:
        return [one.number for one in self.run.book.tasks.values() if one.state in RUNNABLE]

    def _some(self, data: st.DataObject, among: list[int]) -> tuple[int, ...]:
        return tuple(data.draw(st.lists(st.sampled_from(among), max_size=3, unique=True)) if among else ())

    def _do(self, data: st.DataObject, op: Op) -> None:
        self.run.do(data.draw(st.sampled_from(self._acting())), op)

    @precondition(lambda self: self._acting())
    @rule(data=st.data(), name=st.sampled_from(["x", "own_a", "own_b"]))
    def make_and_show(self, data: st.DataObject, name: str) -> None:
        task = data.draw(st.sampled_from(self._acting()))
        self.run.do(task, Register(name))
        if data.draw(st.booleans()):
            self.run.do(task, Expose(name, len(self.run.book.data)))

    @precondition(lambda self: self._acting() and self.run.book.data)
    @rule(data=st.data(), kind=st.sampled_from([Handin, Handin, Share]), is_mine=st.booleans())
    def give(self, data: st.DataObject, kind: Any, is_mine: bool) -> None:
        task = data.draw(st.sampled_from(self._acting()))
        mine = list(self.run.book.tasks[task].owned) if is_mine else list(self.run.book.data)
        self.run.do(task, kind(self._some(data, mine), self._some(data, list(self.run.book.tasks))))

    @precondition(lambda self: self._acting() and self.run.book.data)
    @rule(data=st.data(), kind=st.sampled_from([Claim, Deregister]))
    def pool(self, data: st.DataObject, kind: Any) -> None:
        self._do(data, kind(data.draw(st.sampled_from(list(self.run.book.data)))))

    @precondition(lambda self: self._acting())
    @rule(data=st.data())
    def link(self, data: st.DataObject) -> None:
        tasks = list(self.run.book.tasks)
        self._do(data, Link(self._some(data, tasks), self._some(data, tasks)))

    @precondition(lambda self: self._acting())
    @rule(data=st.data(), op=st.sampled_from(QUESTIONS))
    def ask(self, data: st.DataObject, op: Op) -> None:
        self._do(data, op)

    @precondition(lambda self: self._acting())
    @rule(data=st.data(), is_strict=st.booleans())
    def collect(self, data: st.DataObject, is_strict: bool) -> None:
        self._do(data, Collect(self._some(data, list(self.run.book.tasks)), is_strict))

    @rule(data=st.data(), state=st.sampled_from(["done", "gaveup", "failed", "lost", "cancelled", "odd"]))
    def end(self, data: st.DataObject, state: str) -> None:
        left = [one.number for one in self.run.book.tasks.values() if not one.has_ended]
        if left:
            self.run.do(data.draw(st.sampled_from(left)), End(state))

    @rule(data=st.data())
    def restart(self, data: st.DataObject) -> None:
        """An attempt is lived through again, up to where it was: every op gets the answer that it got before."""
        states = {TaskState.RUNNING, TaskState.SUSPENDED}
        tasks = [one.number for one in self.run.book.tasks.values() if one.state in states]
        if not tasks:
            return
        task = self.run.book.tasks[data.draw(st.sampled_from(tasks))]
        before = {seq: asked.answer for seq, asked in task.asked.items()}
        self.run.do(task.number, Restart())
        for seq, answer in before.items():
            asked = OpId(task.number, task.epoch, seq)
            self.run.apply(asked, task.asked[seq].what)
            if answer is not None:
                assert self.run.answers[asked] == answer
        if None in before.values():
            last = OpId(task.number, task.epoch, max(before))
            assert last in self.run.answers or task.state is TaskState.SUSPENDED

    @invariant()
    def everything_that_must_hold_does(self) -> None:
        check(self.run.book)

    @override
    def teardown(self) -> None:
        assert self.run.replayed() == self.run.book
        for number, task in list(self.run.book.tasks.items()):
            if not task.has_ended:
                self.run.do(number, End("done"))
            check(self.run.book)
        assert self.run.ledger.is_over
        assert all(not one.loans and not one.owner for one in self.run.book.data.values())
        assert self.run.replayed() == self.run.book
        assert ROOT not in self.run.book.tasks


Tasks.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


@pytest.mark.req("r106", "r107", "r110", "r162", "r165", "r166", "r167", "r202")
class TestTasks(Tasks.TestCase):
    """Whatever tasks do in whatever order: no datum has two owners, every loan comes back, the journal tells it all."""
