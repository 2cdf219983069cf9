"""Stories of runs whose results are held against what their operation promises."""

from __future__ import annotations

import json

import pytest

from manager.commands import AssignRuns, SaveRun
from manager.events import RunAsked
from plotter2.model.request import Over
from plotter2.model.task import RunState, TaskRun
from tests.unit.manager.kit import Story, only, request

FITS, WRONG = "[1.5, 2, 3]", "[1.5, 2]"


def package(mode: str = "constant") -> str:
    return json.dumps(
        {
            "tasks": [{"name": "curve", "pipeline": ["load"]}],
            "heads": {"curve": {"pipeline": "curve", "returns": "vector[float64, 3]"}},
            "links": [{"name": "curve", "from": "..", "in": "curve", "out": "curve", "mode": mode}],
        }
    )


def results(story: Story, over: Over = Over.SELF, on: str = "x", *given: str) -> list[TaskRun]:
    """Ask, and let each run end with the next of the given results."""
    said = story.turn(RunAsked(7, request(next(story.numbers)), "ann", "curve", on, over=over))
    started = [run for message in only(said, AssignRuns) for run in message.runs]
    ended = [story.report(run.id, results_json=text) for run, text in zip(started, given, strict=True)]
    return [one.run for said in ended for one in only(said, SaveRun)]


@pytest.fixture
def story() -> Story:
    found = Story()
    found.worker("w1")
    found.push("x", package())
    return found


@pytest.mark.req("r047")
def test_a_result_that_is_not_what_is_promised_fails_the_run_and_is_kept(story: Story) -> None:
    (fine,) = results(story, Over.SELF, "x", FITS)
    assert fine.state is RunState.DONE
    (wrong,) = results(story, Over.SELF, "x", WRONG)
    assert (wrong.state, wrong.results_json) == (RunState.FAILED, WRONG)
    assert wrong.error == ("'curve' of 'x' returns vector[float64, 3], and this is vector[float64, 2]: another shape.")


@pytest.mark.req("r047")
@pytest.mark.parametrize("text", ["[" * 100_000 + "]" * 100_000, "1" * 10_000])
def test_a_result_that_nobody_can_read_fails_the_run_and_nothing_else(story: Story, text: str) -> None:
    (wrong,) = results(story, Over.SELF, "x", text)
    assert wrong.error.endswith("and this is nothing that can be read.")


@pytest.mark.req("r031", "r046", "r047")
def test_a_member_is_held_to_what_the_one_above_promises_as_its_link_says(story: Story) -> None:
    story.push("x/fixed", package())
    story.push("x/loose", package("mutable"))
    found = results(story, Over.MEMBERS, "x", FITS, WRONG, WRONG)
    assert [(one.bundle, one.state) for one in found] == [
        ("x", RunState.DONE), ("x/fixed", RunState.FAILED), ("x/loose", RunState.DONE),
    ]  # fmt: skip


def test_what_promises_nothing_gives_what_it_likes(story: Story) -> None:
    story.push("y", '{"tasks": [{"name": "curve", "pipeline": ["load"]}]}')
    assert results(story, Over.SELF, "y", '"text"')[0].state is RunState.DONE
