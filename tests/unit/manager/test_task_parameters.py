"""A task may declare parameters: its runs have them, whoever asks, and what a run gives itself goes first."""

from __future__ import annotations

import json

import pytest

from manager.commands import SaveRun
from plotter2.model.task import TaskKind, TaskRun
from tests.unit.manager.kit import FILES, Story, request

PIPELINE = [{"access": "metrics"}]
TASK = {"name": "curve", "pipeline": PIPELINE, "parameters": {"k": 3, "title": "ä"}}
LAB = {
    "tasks": [TASK, {"name": "plain", "pipeline": PIPELINE}],
    "standing": [{"name": "each", "on": "child", "run": ["curve"]}],
}


@pytest.fixture
def story() -> Story:
    made = Story()
    made.push("lab", json.dumps(LAB))
    return made


def runs(said: object) -> list[TaskRun]:
    return [one.run for one in said if isinstance(one, SaveRun)]


def asked(story: Story, bundle: str, parameters_json: str, task: str = "curve", source: str = "") -> str:
    from manager.events import RunAsked  # noqa: PLC0415 -- as the kit does

    number = next(story.numbers)
    event = RunAsked(
        7, request(number), "ann", task, bundle, source=source, kind=TaskKind.SCRIPT, parameters_json=parameters_json
    )
    return runs(story.turn(event))[-1].parameters_json


@pytest.mark.req("r068")
def test_a_run_has_what_its_task_declares(story: Story) -> None:
    assert asked(story, "lab", "{}") == '{"k":3,"title":"ä"}'
    assert asked(story, "lab", "{}", task="plain") == "{}"


@pytest.mark.req("r068")
def test_what_a_run_gives_goes_first_in_its_own_spelling(story: Story) -> None:
    assert asked(story, "lab", '{"k": 0.10, "new": 1}') == '{"k":0.10,"title":"ä","new":1}'


@pytest.mark.req("r034", "r068")
def test_an_inherited_task_brings_the_parameters_of_the_version_that_was_inherited(story: Story) -> None:
    story.push("lab/bundles/child", "")
    story.push("lab", json.dumps({"tasks": [{**TASK, "parameters": {"k": 4}}]}), files=FILES[:1])
    assert asked(story, "lab/bundles/child", "{}") == '{"k":3,"title":"ä"}'
    assert asked(story, "lab", "{}") == '{"k":4}'


@pytest.mark.req("r023", "r068")
def test_a_standing_order_runs_with_them(story: Story) -> None:
    said = runs(story.push("lab/bundles/child", ""))
    assert [one.parameters_json for one in said] == ['{"k":3,"title":"ä"}']


def test_a_task_that_came_with_its_request_is_another_one_though_it_has_the_name(story: Story) -> None:
    assert asked(story, "lab", "{}", source="def task(): pass") == "{}"
