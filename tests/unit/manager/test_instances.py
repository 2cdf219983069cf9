"""A run of a definition with axes becomes one run for each key (R1)."""

from __future__ import annotations

import json

import pytest

from manager.commands import PlanInstances, SaveRequest, SaveRun
from manager.events import InstancesPlanned, RequestCancelled
from manager.state import QUEUE_RUNS_MAX
from manager.store import Snapshot
from plotter2.ids import RequestId, RunId
from plotter2.model.request import RequestState, Skip
from plotter2.model.task import RunState, TaskRun
from tests.unit.manager.kit import Story, only

SOURCE = "impose(k as datter.keytype(m))\ndef task():\n    return 1"


@pytest.fixture
def story() -> Story:
    made = Story()
    made.is_plain = False
    made.push("lab", "")
    made.worker("w1", slots=8)
    return made


def asked(story: Story) -> tuple[RequestId, PlanInstances]:
    request, said = story.run("plot", "lab", source=SOURCE)
    (plan,) = only(said, PlanInstances)
    assert not story.machine.state.queue
    return request, plan


def keys(count: int) -> tuple[str, ...]:
    return tuple(json.dumps({"k": f"m_{place}"}) for place in range(count))


def state_of(story: Story, request: RequestId) -> RequestState:
    return [one.request.state for one in only(story.said, SaveRequest) if one.request.id == request][-1]


def assigned(story: Story) -> list[TaskRun]:
    return [run for run in story.machine.state.runs.values() if run.state is RunState.ASSIGNED]


@pytest.mark.req("r098", "r129")
def test_each_key_gets_a_run_with_the_key_bound_and_the_request_ends_with_the_last(story: Story) -> None:
    request, plan = asked(story)
    story.turn(InstancesPlanned(plan.run.id, keys(3), has_axes=True))
    runs = assigned(story)
    assert [run.id for run in runs] == [f"{request}.{place}" for place in range(3)]
    assert [json.loads(run.parameters_json) for run in runs] == [{"k": f"m_{place}"} for place in range(3)]
    for place in range(3):
        assert state_of(story, request) is RequestState.RUNNING
        story.report(f"{request}.{place}")
    assert state_of(story, request) is RequestState.DONE


@pytest.mark.req("r129")
def test_no_key_ends_well_with_the_reason_why_nothing_ran(story: Story) -> None:
    request, plan = asked(story)
    story.turn(InstancesPlanned(plan.run.id, (), has_axes=True, warning="There is no data called 'm' here."))
    assert state_of(story, request) is RequestState.DONE
    last = [one.request for one in only(story.said, SaveRequest)][-1]
    assert last.skipped == (Skip("lab", "there is no data called 'm' here"),)
    assert [one.run.state for one in only(story.said, SaveRun)] == [RunState.QUEUED, RunState.DONE]


@pytest.mark.req("r129", "r177")
def test_a_definition_that_could_not_be_planned_once_is_planned_when_it_is_asked_for_again(story: Story) -> None:
    """Nothing is known of its axes by that: taken for one that has none, it ran once, on all keys together."""
    _, plan = asked(story)
    story.turn(InstancesPlanned(plan.run.id, error="This script imposes the parameter 'lr', which was not given."))
    _, again = asked(story)
    story.turn(InstancesPlanned(again.run.id, keys(2), has_axes=True))
    assert len(assigned(story)) == 2


@pytest.mark.req("r129")
def test_what_cannot_be_planned_fails_with_the_reason(story: Story) -> None:
    request, plan = asked(story)
    said = story.turn(InstancesPlanned(plan.run.id, error="There is no key of 'm' 'm_9'.", error_code="usage"))
    assert [one.run.error for one in only(said, SaveRun)] == ["There is no key of 'm' 'm_9'."]
    assert state_of(story, request) is RequestState.FAILED


@pytest.mark.req("r129")
def test_more_instances_than_there_is_room_for_are_refused_with_both_numbers(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert QUEUE_RUNS_MAX >= 100_000
    monkeypatch.setattr("manager.instances.QUEUE_RUNS_MAX", 2)
    _, plan = asked(story)
    (said,) = [one.run for one in only(story.turn(InstancesPlanned(plan.run.id, keys(3), has_axes=True)), SaveRun)]
    assert said.error.startswith("'plot' has 3 instances, and there is room for 2 more;")


@pytest.mark.req("r098")
def test_a_definition_without_axes_is_asked_about_once(story: Story) -> None:
    _, plan = asked(story)
    story.turn(InstancesPlanned(plan.run.id))
    assert len(assigned(story)) == 1
    _, said = story.run("plot", "lab", source=SOURCE)
    assert not only(said, PlanInstances)
    _, said = story.run("plain", "lab", source="def task(): pass")
    assert not only(said, PlanInstances)


@pytest.mark.req("r129")
def test_an_answer_that_comes_twice_or_after_a_cancel_changes_nothing(story: Story) -> None:
    _, plan = asked(story)
    story.turn(InstancesPlanned(plan.run.id, keys(2), has_axes=True))
    assert not only(story.turn(InstancesPlanned(plan.run.id, keys(2), has_axes=True)), SaveRun)
    request, plan = asked(story)
    story.turn(RequestCancelled(9, request))
    assert not only(story.turn(InstancesPlanned(plan.run.id, keys(2), has_axes=True)), SaveRun)
    assert not story.machine.state.planning


@pytest.mark.req("r129")
def test_after_a_restart_what_waits_is_planned_again_and_bound_instances_stay_one_each(story: Story) -> None:
    _, plan = asked(story)
    runs = [one.run for one in only(story.turn(InstancesPlanned(plan.run.id, keys(9), has_axes=True)), SaveRun)]
    waiting = [run for run in story.machine.state.runs.values() if run.state is RunState.QUEUED]
    requests = [live.snapshot() for live in story.machine.state.requests.values()]
    tasks = list(story.machine.state.tasks.values())
    again = Story()
    again.is_plain = False
    again.machine.load(Snapshot(requests, waiting, tasks, [], [], []), {}, {}, again.now)
    (once,) = only(again.turn(), PlanInstances)
    assert (once.run, len(runs)) == (waiting[0], 9 + 8)
    said = again.turn(InstancesPlanned(RunId(once.run.id), ("{}",), has_axes=True))
    assert not only(said, SaveRun)
    assert list(again.machine.state.queue) == [once.run.id]
