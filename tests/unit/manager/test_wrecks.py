"""A ledger that goes wrong as nobody foresaw ends its own request, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from manager import wrecks
from manager.commands import Append, AssignRuns, SaveLines, SaveRun
from manager.events import Ticked
from manager.machine import Machine
from manager.scheduler import RoundRobin
from plotter2.datter.ledger import Ledger, ops
from plotter2.datter.ledger.ops import Collect, Exposed, OpId, Turn
from plotter2.model.request import RequestState
from plotter2.model.task import RunState
from tests.unit.manager.kit import only
from tests.unit.manager.treekit import META, TASK1, Fleet, sprout


def broken(monkeypatch: pytest.MonkeyPatch, at: type) -> None:
    """From now on a ledger goes wrong in the middle of such an op."""
    real = Ledger.apply

    def apply(self: Ledger, asked: OpId, what: Any) -> Turn:
        is_hit = type(what) is at
        if is_hit:
            self._note(asked, what)
            raise KeyError("a hole in the ledger")
        return real(self, asked, what)

    monkeypatch.setattr(Ledger, "apply", apply)


def fleet(workers: int = 1) -> Fleet:
    made = Fleet()
    made.story.push("lab", "")
    for number in range(workers):
        made.story.worker(f"w{number}", 8)
    return made


@pytest.mark.req("r198")
@pytest.mark.parametrize("at", [Collect, Exposed])
def test_all_runs_of_the_tree_end_with_the_reason_and_others_go_on(monkeypatch: pytest.MonkeyPatch, at: type) -> None:
    ours = fleet()
    first = ours.plant(sprout(TASK1, 2), sprout(META))
    with monkeypatch.context() as patch:
        broken(patch, at)
        ours.go()
    assert set(ours.states(first)) == {"failed"}
    assert ours.state_of(first) is RequestState.FAILED
    ended = [one.run for one in only(ours.story.said, SaveRun) if one.run.state is RunState.FAILED]
    assert {one.error for one in ended} == {wrecks.REASON}
    assert len({one.id for one in ended}) == len(ended) == 3
    (said,) = [one for one in only(ours.story.said, Append) if one.record.kind == "tree.broken"]
    assert "a hole in the ledger" in said.record.payload_json
    dropped = {run for one in only(ours.story.said, AssignRuns) for run, _ in one.cancelled}
    assert dropped <= {one.id for one in ended}
    assert dropped
    state = ours.story.machine.state
    assert not any((state.trees, state.seats, state.tasks, state.task_users, state.runs))
    second = ours.plant(sprout(TASK1, 2), sprout(META))
    ours.go()
    assert ours.state_of(second) is RequestState.DONE


@pytest.mark.req("r198")
async def test_what_broke_a_ledger_is_not_in_its_journal_and_what_came_before_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours = fleet()
    ours.plant(sprout(TASK1, 2), sprout(META))
    with monkeypatch.context() as patch:
        broken(patch, Collect)
        ours.go()
    lines = only(ours.story.said, SaveLines)
    numbers = [one.lines.first + place for one in lines for place in range(len(one.lines.entries))]
    assert numbers == list(range(1, len(numbers) + 1))
    kinds = {type(ops.read(entry).what) for one in lines for entry in one.lines.entries}
    assert Collect not in kinds
    assert len(kinds) > 2
    machine = Machine(RoundRobin())
    machine.load(await (await ours.written()).load(), {}, {}, ours.story.now)
    assert not machine.state.trees
    assert not machine.state.runs


@pytest.mark.req("r198")
async def test_a_journal_that_leads_to_a_fault_ends_its_request_and_not_the_next_manager(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours = fleet()
    request = ours.plant(sprout(TASK1, 3), sprout(META))
    ours.go(2)
    snapshot = await (await ours.written()).load()
    assert snapshot.runs
    machine = Machine(RoundRobin())
    with monkeypatch.context() as patch:
        broken(patch, ops.Begin)
        machine.load(snapshot, {}, {}, ours.story.now)
    said = [*machine.handle(Ticked(), ours.story.now), *machine.settle(ours.story.now)]
    ended = [one.run for one in only(said, SaveRun)]
    assert {one.id for one in ended} == {one.id for one in snapshot.runs}
    assert {(one.state, one.error) for one in ended} == {(RunState.FAILED, wrecks.REASON)}
    assert request not in machine.state.requests
    assert not machine.state.trees


def test_a_tree_that_goes_wrong_while_it_is_planted_ends_the_run_that_was_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours = fleet()
    with monkeypatch.context() as patch:
        broken(patch, ops.Begin)
        request = ours.plant(sprout(TASK1, 2), sprout(META))
        ours.go()
    assert ours.state_of(request) is RequestState.FAILED
    assert not ours.story.machine.state.trees
    assert not ours.story.machine.state.runs
