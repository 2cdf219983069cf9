"""Lines of runs, whatever becomes of the reports that carry them: each once, in order, none missing."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manager import loading
from manager.commands import Command, NotifyLines, SaveRun
from manager.events import RunReport, RunsReported, WorkerLeft
from manager.machine import Machine
from manager.scheduler import RoundRobin
from plotter2.ids import RunId, WorkerId
from plotter2.model.task import RunState
from plotter2.testing.clock import ManualClock
from tests.unit.manager.kit import only
from tests.unit.manager.test_reload import Kept

LINES = tuple("abcdefgh")


class Printing(Kept):
    """One run that prints, by the reports that arrive."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = [*self.worker("w1")]
        asked, said = self.run("loud", source="def task(): print(1)")
        self.begun += said
        self.name = RunId(f"{asked}.0")
        self.shown: list[str] = []

    def hear(
        self, first: int, stop: int, state: RunState = RunState.RUNNING, worker: str = "w1", epoch: int = 1
    ) -> list[Command]:
        report = RunReport(self.name, epoch, state, lines=LINES[first:stop], lines_from=first)
        said = self.turn(RunsReported(WorkerId(worker), "one", (report,)))
        self.shown += [line for one in only(said, NotifyLines) for line in one.lines]
        return said

    async def restart(self) -> None:
        """Another manager takes up what the first has written."""
        self.machine = Machine(RoundRobin())
        await loading.load(self.machine, self.store, ManualClock())


@pytest.mark.req("r130")
def test_what_a_report_that_was_lost_carried_comes_with_the_end() -> None:
    run = Printing()
    run.hear(0, 2)
    run.hear(4, 5)
    assert run.shown == ["a", "b"], "nothing over a gap"
    run.hear(0, 8, RunState.DONE)
    assert run.shown == list(LINES)


@pytest.mark.req("r130")
def test_what_comes_twice_is_taken_once_and_not_written_again() -> None:
    run = Printing()
    run.hear(0, 3)
    again = run.hear(0, 3)
    assert not only(again, SaveRun)
    run.hear(1, 5)
    run.hear(0, 5, RunState.DONE)
    run.hear(0, 5, RunState.DONE)
    assert run.shown == list("abcde")


@pytest.mark.req("r130")
def test_reports_out_of_order_are_taken_in_order() -> None:
    run = Printing()
    for first, stop in ((2, 3), (0, 2), (2, 3), (5, 6), (3, 6)):
        run.hear(first, stop)
    assert run.shown == list("abcdef")


@pytest.mark.req("r130", "r077")
async def test_a_manager_that_starts_anew_goes_on_where_the_last_one_was() -> None:
    run = Printing()
    await run.keep(run.begun)
    await run.keep(run.hear(0, 3))
    await run.restart()
    run.hear(5, 6)
    run.hear(0, 6)
    run.hear(0, 8, RunState.DONE)
    assert run.shown == list(LINES)


@pytest.mark.req("r130")
def test_another_attempt_of_a_run_that_is_no_instance_is_heard_from_its_beginning() -> None:
    run = Printing()
    run.hear(0, 3)
    run.worker("w2")
    run.turn(WorkerLeft(WorkerId("w1")))
    assert run.machine.state.runs[run.name].said == 0
    run.hear(0, 2, RunState.DONE, worker="w2", epoch=2)
    assert run.shown == list("abcab")


@pytest.mark.req("r130")
@given(
    reports=st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=8),
    restarts=st.sets(st.integers(0, 8)),
)
def test_whatever_is_lost_twice_or_late_each_line_is_shown_once_and_in_order(
    reports: list[tuple[int, int]], restarts: set[int]
) -> None:
    async def story() -> list[str]:
        run = Printing()
        await run.keep(run.begun)
        for place, (one, other) in enumerate([*reports]):
            await run.keep(run.hear(min(one, other), max(one, other)))
            assert run.shown == list(LINES[: len(run.shown)])
            if place in restarts:
                await run.restart()
        run.hear(0, 8, RunState.DONE)
        return run.shown

    assert asyncio.run(story()) == list(LINES)
