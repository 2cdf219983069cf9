"""Linked trees of instances over workers: the sample's story, and what goes wrong in it."""

from __future__ import annotations

import pytest

from manager import authority
from manager.commands import AssignRuns, NotifyLines, SaveLines, Tell
from manager.events import OpAsked, OpsAsked, RequestCancelled, RunReport, RunsReported, Ticked, WorkerLeft
from plotter2.datter.ledger.ops import (
    Collect,
    End,
    Expose,
    Exposed,
    Gather,
    Handin,
    Islinked,
    Link,
    Question,
    Register,
    Start,
)
from plotter2.errors import DeadlockError, OwnershipError, UsageError
from plotter2.ids import RunId, WorkerId
from plotter2.model.request import RequestState
from plotter2.model.task import SHOWN_FOR, RunState
from tests.effort import counted
from tests.unit.manager.kit import only
from tests.unit.manager.treekit import META, TASK1, Asks, Fleet, Script, lean, matrix, meta, sprout

REFS = [f"json:{number}" for number in (1, 2, 3)]


def planted(slots: int = 2, workers: int = 1, **scripts: Script) -> Fleet:
    fleet = Fleet(**scripts)
    fleet.story.push("lab", "")
    for number in range(workers):
        fleet.story.worker(f"w{number + 1}", slots=slots)
    return fleet


def is_clean(fleet: Fleet) -> bool:
    state = fleet.story.machine.state
    left = (state.trees, state.seats, state.tasks, state.task_users, state.runs)
    return not any(left) and not any(state.parked.values()) and not any(state.load.values())


@pytest.mark.req("r184", "r187", "r189", "r190", "r191", "r192", "r085")
def test_the_sample_runs_over_workers_with_fewer_slots_than_instances() -> None:
    fleet = planted()
    request = fleet.plant(sprout(TASK1, 3), sprout(META))
    assert [run.task_name for run in fleet.story.machine.state.runs.values() if run.worker_id] == [META]
    fleet.go()
    assert fleet.state_of(request) is RequestState.DONE
    assert fleet.states(request) == ["done"] * 4
    assert [fleet.results[RunId(f"{request}.{index}")] for index in range(4)] == [REFS] * 4
    assert is_clean(fleet)


def whole() -> int:
    fleet = planted()
    fleet.plant(sprout(TASK1, 3), sprout(META))
    fleet.go()
    return len(only(fleet.story.said, SaveLines))


@pytest.mark.req("r110")
@pytest.mark.parametrize("what", ["manager", "children", "worker"])
async def test_whatever_dies_at_any_moment_the_outcome_is_the_same(what: str) -> None:
    for moment in range(1, whole()):
        fleet = planted(workers=2)
        request = fleet.plant(sprout(TASK1, 3), sprout(META))
        fleet.go(moment)
        if what == "manager":
            await fleet.restart()
        elif what == "children":
            fleet.again()
        else:
            fleet.forget("w1")
            fleet.hear(fleet.story.turn(WorkerLeft(WorkerId("w1"))))
        fleet.go()
        assert fleet.states(request) == ["done"] * 4, moment
        assert [fleet.results[RunId(f"{request}.{index}")] for index in range(4)] == [REFS] * 4
        assert fleet.state_of(request) is RequestState.DONE
        assert is_clean(fleet)


@pytest.mark.req("r187", "r202")
@pytest.mark.parametrize("is_restarted", [False, True])
async def test_lines_that_people_were_shown_are_not_shown_again_when_the_worker_is_lost(is_restarted: bool) -> None:
    fleet = planted(workers=2)
    request = fleet.plant(sprout(TASK1, 1), sprout(META))
    fleet.go(4)
    state = fleet.story.machine.state
    run = next(one for one in state.runs.values() if one.task_name == TASK1)
    for first, lines in ((0, ("a", "b")), (2, ("c",))):
        said = RunReport(run.id, run.epoch, RunState.RUNNING, lines=lines, lines_from=first)
        (shown,) = only(fleet.story.turn(RunsReported(run.worker_id, "one", (said,))), NotifyLines)
        assert shown.lines == lines
    if is_restarted:
        await fleet.restart()
    fleet.forget(run.worker_id)
    fleet.hear(fleet.story.turn(WorkerLeft(run.worker_id)))
    fleet.go()
    assert fleet.instances[run.id].said == 3
    assert fleet.state_of(request) is RequestState.DONE


def without(*kinds: type[Question], then: Script = lambda _: iter(())) -> Script:
    """The sample's second script up to the first of some questions; what it does then."""

    def script(me: int) -> Asks:
        asks, answer = meta(me), None
        while True:
            question = asks.send(answer)
            if isinstance(question, kinds):
                return (yield from then(me))
            answer = yield question

    return script


def crashing(_: int) -> Asks:
    raise UsageError("crashed")
    yield


@pytest.mark.req("r110", "r132", "r193", "r195")
@pytest.mark.parametrize(
    ("script", "state"),
    [
        (without(Exposed, then=crashing), "failed"),
        (without(Handin), "done"),
        (without(Link), "done"),
        (without(Collect), "done"),
    ],
    ids=["crashes after collecting", "never returns the data", "never links", "never collects"],
)
def test_whatever_becomes_of_the_meta_every_other_ends_by_itself(script: Script, state: str) -> None:
    fleet = planted(**{META: script})
    request = fleet.plant(sprout(TASK1, 3), sprout(META))
    fleet.go()
    assert fleet.states(request) == [*["gaveup"] * 3, state]
    assert is_clean(fleet)


@pytest.mark.req("r167", "r195")
def test_one_that_fails_is_named_to_the_meta_and_the_others_fall_back() -> None:
    def broken(me: int) -> Asks:
        if me == 2:
            yield Islinked(me)
            raise UsageError("odd")
        return (yield from matrix(me))

    fleet = planted(**{TASK1: broken})
    request = fleet.plant(sprout(TASK1, 3), sprout(META))
    fleet.go()
    assert fleet.states(request) == ["gaveup", "failed", "gaveup", "failed"]
    said = str(fleet.results[RunId(f"{request}.0")])
    assert "1 of 3 tasks that were waited for failed: plot_matrix[step_1]" in said
    assert "odd" in said


@pytest.mark.req("r128", "r165", "r187", "r193")
def test_two_metas_that_are_started_share_what_both_are_linked_to() -> None:
    def boss(_: int) -> Asks:
        started = []
        for name in (META, "other"):
            started += yield Start(name, '{"of": 1}')
        yield Collect(tuple(started))
        return started

    fleet = planted(boss=boss, other=meta)
    fleet.sprouts = {META: (sprout(TASK1, 3), sprout(META)), "other": (sprout("other"),)}
    fleet.linked = {META: (TASK1,), "other": (TASK1,)}
    request = fleet.plant(sprout("boss"), linked=(), name="boss")
    fleet.go()
    assert fleet.results[RunId(f"{request}.0")] == [5, 6]
    assert fleet.states(request) == ["done"] * 6
    assert is_clean(fleet)


@pytest.mark.req("r128", "r202")
def test_what_cannot_be_started_is_said_to_who_asked_and_again_the_same() -> None:
    def boss(_: int) -> Asks:
        said = []
        for question in (Start("metta"), Start("wide"), End("done")):
            try:
                yield question
            except (UsageError, OwnershipError) as wrong:
                said.append(wrong.message)
        yield Islinked(1)
        return said

    fleet = planted(boss=boss, wide=meta)
    fleet.refused = {"wide": "There is no key of 'm' 'm_9'."}
    request = fleet.plant(sprout("boss"), linked=(), name="boss")
    fleet.go(3)
    fleet.again()
    fleet.go()
    unknown, refused, not_yours = fleet.results[RunId(f"{request}.0")]
    assert unknown.startswith("There is no task 'metta' in this run; the nearest ")
    assert refused == "There is no key of 'm' 'm_9'."
    assert not_yours == "No instance can ask for 'end': the manager knows it."


def pair(me: int) -> Asks:
    yield Collect((3 - me,))


@pytest.mark.req("r109")
def test_a_circle_is_broken_at_once_when_nothing_else_can_go_on() -> None:
    fleet = planted(pair=pair)
    request = fleet.plant(sprout("pair", 2), linked=(), name="pair")
    fleet.go()
    assert sorted(fleet.states(request)) == ["failed", "failed"]
    (lost,) = [one for one in fleet.results.values() if isinstance(one, DeadlockError)]
    assert lost.message == "These tasks wait for each other: pair #2 (collect) -> pair #1 (collect) -> pair #2."


@pytest.mark.req("r109")
def test_a_circle_beside_one_that_goes_on_is_found_at_the_next_tick_and_journaled_only_then() -> None:
    def three(me: int) -> Asks:
        if me < 3:
            yield Collect((3 - me,))
        while True:
            yield Islinked(me)

    fleet = planted(slots=3, three=three)
    fleet.plant(sprout("three", 3), linked=(), name="three")
    fleet.go(3)
    said = fleet.story.turn(Ticked())
    (told,) = only(said, Tell)
    assert told.answer.code == DeadlockError.code
    assert only(said, SaveLines)
    assert not only(fleet.story.turn(Ticked()), SaveLines)


@pytest.mark.req("r199")
def test_who_waits_holds_no_slot() -> None:
    fleet = planted(slots=1)
    fleet.plant(sprout(TASK1, 5), sprout(META))
    fleet.go(25)
    state = fleet.story.machine.state
    assert sum(map(len, state.parked.values())) > 2
    assert sum(map(len, state.load.values())) <= sum(map(len, state.parked.values())) + 1


def test_what_an_instance_waits_for_is_said() -> None:
    fleet = planted()
    fleet.plant(sprout(TASK1, 3), sprout(META))
    tree = fleet.tree
    assert [tree.waits(number) for number in (1, 4)] == ["held until somebody waits for it", ""]
    fleet.go(4)
    assert tree.waits(4) == "waits in collect for plot_matrix[step_0] and 2 more"


@pytest.mark.req("r199", "r202")
def test_who_is_held_and_who_is_parked_is_shown_as_that_and_goes_on_under_its_own_state() -> None:
    fleet = planted(slots=1)
    fleet.plant(sprout(TASK1, 2), sprout(META))
    state = fleet.story.machine.state

    def seen() -> dict[RunState, set[RunState]]:
        """What runs are shown as, and what they are."""
        found: dict[RunState, set[RunState]] = {}
        for run, one in zip(state.runs.values(), authority.shown(state, state.runs.values()), strict=True):
            found.setdefault(one.state, set()).add(run.state)
        return found

    assert seen().keys() >= {RunState.HELD} > seen().keys() & SHOWN_FOR.keys() - {RunState.HELD}
    fleet.go(4)
    assert RunState.PARKED in seen()
    assert all(seen()[one] <= SHOWN_FOR[one] for one in SHOWN_FOR if one in seen())
    fleet.go(100)
    assert not state.runs


@pytest.mark.req("r110")
def test_a_cancelled_tree_ends_whole_and_nobody_is_told_anything_more() -> None:
    fleet = planted()
    request = fleet.plant(sprout(TASK1, 3), sprout(META))
    fleet.go(4)
    said = fleet.story.turn(RequestCancelled(9, request))
    assert not only(said, Tell)
    assert sum(len(one.cancelled) for one in only(said, AssignRuns)) == 3
    assert set(fleet.states(request)) == {"cancelled"}
    assert fleet.state_of(request) is RequestState.CANCELLED
    assert is_clean(fleet)


@pytest.mark.req("r110", "r202")
def test_an_attempt_that_is_over_can_ask_nothing() -> None:
    fleet = planted(workers=2)
    request = fleet.plant(sprout(TASK1, 3), sprout(META))
    fleet.go(3)
    run = RunId(f"{request}.0")
    late = OpsAsked(WorkerId("w1"), (OpAsked(run, 1, 9, 9, Gather(TASK1)),))
    fleet.forget("w1")
    fleet.hear(fleet.story.turn(WorkerLeft(WorkerId("w1"))))
    for _ in range(2):
        (told,) = only(fleet.story.turn(late), Tell)
        assert (told.answer.code, told.ask) == ("conflict", 9)
        fleet.go()


@pytest.mark.req("r110")
def test_who_does_something_else_the_second_time_is_failed_with_both() -> None:
    seen: list[int] = []

    def fickle(me: int) -> Asks:
        seen.append(me)
        yield Expose("x", (yield Register(f"x{len(seen)}", "json:1")))
        yield Collect((1,))

    fleet = planted(fickle=fickle, other=matrix)
    request = fleet.plant(sprout("other"), sprout("fickle"), linked=("other",), name="fickle")
    fleet.go(2)
    fleet.again()
    fleet.go()
    said = str(fleet.results[RunId(f"{request}.0")])
    assert '"name":"x1"' in said
    assert '"name":"x2"' in said
    assert fleet.states(request)[-1] == str(RunState.FAILED)


@pytest.mark.req("r199")
def test_a_tree_costs_in_step_with_its_size() -> None:
    def effort(count: int) -> int:
        fleet = planted(slots=4, **{TASK1: lean})
        request = fleet.plant(sprout(TASK1, count), sprout(META))
        with counted() as found:
            fleet.go()
        assert fleet.state_of(request) is RequestState.DONE
        return found.calls

    assert effort(200) < 5 * effort(50)
