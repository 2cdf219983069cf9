"""A run that asked to be done again: requests of their own, caused by it, with an end."""

from __future__ import annotations

import json

import pytest

from manager.commands import SaveRequest
from manager.events import RunReport, RunsReported
from plotter2.ids import RequestId, RunId, WorkerId
from plotter2.model import ask
from plotter2.model.request import Request, RequestKind, RequestState
from plotter2.model.rounds import ROUNDS_MAX, Again, encode
from plotter2.model.task import RunState
from tests.unit.manager.kit import Story, only

SOURCE = "def task(): pass"


@pytest.fixture
def story() -> Story:
    made = Story()
    made.push("lab", "")
    made.worker("w1", slots=8)
    return made


def ended(story: Story, request: str, again: Again, state: RunState = RunState.DONE, number: int = 0) -> list[Request]:
    """A run ends and asks; the requests that this makes, as they were saved last."""
    said = RunReport(RunId(f"{request}.{number}"), 1, state, again_json=encode(again), error_code="task_failed")
    made: dict[RequestId, Request] = {}
    for one in only(story.turn(RunsReported(WorkerId("w1"), "one", (said,))), SaveRequest):
        if one.request.id != request:
            made[one.request.id] = one.request
    return list(made.values())


def parameters(request: Request) -> object:
    return json.loads(bytes(ask.run_ask(request.ask_json).parameters))


@pytest.mark.req("r174")
def test_it_is_done_once_for_each_value_and_those_do_not_do_so_again(story: Story) -> None:
    asked, _ = story.run("fit", "lab", source=SOURCE)
    over = Again(('{"lr": 0.10}', '{"lr": 0.2}'))
    made = ended(story, asked, over)
    assert [(one.kind, one.cause, one.user, one.bundle) for one in made] == [(RequestKind.RUN, asked, "ann", "lab")] * 2
    assert [parameters(one) for one in made] == [{"lr": 0.1}, {"lr": 0.2}]
    assert '"lr":0.10' in made[0].ask_json.replace(" ", "")
    assert ended(story, made[0].id, over) == []


@pytest.mark.req("r174")
def test_it_is_done_so_often_in_all_each_caused_by_the_one_before(story: Story) -> None:
    asked, _ = story.run("fit", "lab", source=SOURCE)
    seen = [asked]
    for _ in range(2):
        (made,) = ended(story, seen[-1], Again(times=3))
        assert made.cause == seen[-1]
        seen.append(made.id)
    assert ended(story, seen[-1], Again(times=3)) == []


@pytest.mark.req("r174")
def test_a_run_whose_end_never_comes_is_stopped_and_told_why(story: Story) -> None:
    last, _ = story.run("fit", "lab", source=SOURCE)
    for _ in range(ROUNDS_MAX):
        (made,) = ended(story, last, Again())
        assert made.state is RequestState.RUNNING
        last = made.id
    (refused,) = ended(story, last, Again())
    assert refused.state is RequestState.REFUSED
    assert refused.reason == f"Stopped: 'fit' repeated itself {ROUNDS_MAX} times, and its end had not come."


@pytest.mark.req("r174")
def test_a_run_that_failed_or_was_a_call_is_not_done_again(story: Story) -> None:
    asked, _ = story.run("fit", "lab", source=SOURCE)
    assert ended(story, asked, Again(times=2), RunState.FAILED) == []
    calls = story.calls(1)
    assert ended(story, calls, Again(times=2)) == []
    assert not story.machine.state.again


@pytest.mark.req("r174")
def test_a_task_of_the_bundle_is_asked_for_by_its_name_on_what_is_newest_then(story: Story) -> None:
    story.push("lab", '{"tasks": [{"name": "fit", "task_src": "tasks/compare.py"}]}')
    asked, _ = story.run("fit", "lab")
    story.push("lab", '{"tasks": [{"name": "fit", "task_src": "tasks/compare.py"}], "data": {}}')
    (made,) = ended(story, asked, Again(times=2))
    told = ask.run_ask(made.ask_json)
    assert (told.task, told.source, told.version, told.round) == ("fit", "", 0, 1)
    assert [run.version for run in story.machine.state.runs.values() if run.request_id == made.id] == [3]
