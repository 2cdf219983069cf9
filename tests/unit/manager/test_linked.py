"""Stories of tasks that are linked to tasks: found in the bundle, by inheritance, over links; else refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from blake3 import blake3

from manager.commands import Answer, SaveBundle
from plotter2.errors import PackageError
from plotter2.model.bundle import FileEntry
from tests.unit.manager.kit import Story, only


@pytest.fixture
def story() -> Story:
    return Story()


def push(story: Story, path: str, more: dict[str, Any] | None = None, **linked: Any) -> str:
    """A bundle with these tasks; why it was refused, "" if it was not."""
    tasks = [{"name": name, "pipeline": ["access"], "linked": some} for name, some in linked.items()]
    text = json.dumps({"tasks": tasks, **(more or {})}, indent=1)
    said = story.push(path, text, files=(FileEntry("package.json", 1, blake3(text.encode()).digest()),))
    error = only(said, Answer)[0].error
    assert error is None or isinstance(error, PackageError)
    assert bool(only(said, SaveBundle)) == (error is None)
    return error.message if error is not None else ""


@pytest.mark.req("r068")
def test_a_task_is_linked_to_tasks_of_its_bundle_and_to_inherited_ones(story: Story) -> None:
    assert not push(story, "x", plot=[])
    assert not push(story, "x/a", own=[], meta=["plot", "own"])
    assert not push(story, "y", {"parents": ["x"]}, meta="plot")


@pytest.mark.req("r068")
def test_a_task_that_is_not_there_is_refused_with_line_and_what_there_is(story: Story) -> None:
    push(story, "x", plot=[])
    assert push(story, "x/a", meta="plt") == (
        "package.json, line 8, 'tasks[0].linked': names 'plt', which is no task of 'x/a', own or inherited; "
        "did you mean 'plot'?"
    )
    assert "own or inherited; there are 'meta'." in push(story, "alone", meta="zzz")
    assert story.machine.state.catalog.get("x/a") is None


@pytest.mark.req("r068")
def test_a_circle_by_way_of_an_inherited_task_is_refused(story: Story) -> None:
    assert not push(story, "x", plot="curve", curve=[])
    said = push(story, "x/a", curve="plot")
    assert "line 8, 'tasks[0].linked': goes round, by way of inherited tasks: " in said
    assert "'curve' -> 'plot'" in said


@pytest.mark.req("r068", "r036")
def test_a_link_that_leads_to_a_task_elsewhere_can_be_named(story: Story) -> None:
    assert not push(story, "lib", draw=[])
    out = {"from": ".", "to": "lib", "in": "mine", "out": "draw"}
    assert not push(story, "b", {"links": [{"name": "far", **out}], "heads": {"mine": {"pipeline": "mine"}}},
                    mine=[], meta="far")  # fmt: skip
    back = {"name": "near", "from": "lib", "to": ".", "in": "draw", "out": "mine"}
    assert "names 'near'" in push(story, "c", {"links": [back], "heads": {"mine": {"pipeline": "mine"}}},
                                  mine=[], meta="near")  # fmt: skip
