"""When held instances start (R2, R3)."""

from __future__ import annotations

import pytest

from plotter2.datter.ledger.ops import Collect, End, Islinked, Link
from tests.unit.datter.ledger.kit import Run


@pytest.mark.req("r187")
def test_held_instances_start_when_the_last_that_could_link_them_has_ended() -> None:
    run = Run(task1="", meta="task1")
    tasks = run.begin("task1", 2, is_held=True)
    one, other = run.begin("meta", 2)
    run.ask(one, End("failed"))
    assert run.states(*tasks) == ["held"] * 2
    run.ask(other, End("done"))
    assert run.states(*tasks) == ["ready"] * 2
    empty = Run(task1="", meta="task1")
    tasks = empty.begin("task1", 1, is_held=True)
    empty.begin("meta", 0)
    assert empty.states(*tasks) == ["ready"]


@pytest.mark.req("r187", "r193")
def test_two_that_link_the_same_tasks_can_be_collected_one_after_the_other() -> None:
    run = Run(task1="", meta="task1", other="task1", both="meta other")
    tasks = run.begin("task1", 2, is_held=True)
    (meta,), (other,) = run.begin("meta", 1, is_held=True), run.begin("other", 1, is_held=True)
    (both,) = run.begin("both")
    waits = run.do(both, Collect((meta,)))
    assert run.states(meta, other) == ["ready", "held"]
    run.ask(meta, Link((meta,), tuple(tasks)))
    run.do(meta, Collect(tuple(tasks)))
    assert run.states(*tasks, other) == ["held", "held", "ready"], "nothing could go on without what it links"
    run.ask(other, Link((other,), tuple(tasks)))
    run.do(other, Collect(tuple(tasks)))
    assert [run.ask(task, Islinked(task)) for task in tasks] == [[meta, other]] * 2
    for one in (*tasks, meta):
        run.ask(one, End("done"))
    assert run.answers[waits].code == ""
    assert run.replayed() == run.book
