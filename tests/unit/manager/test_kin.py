"""Who belongs to the tree of a run: own tasks, inherited ones, tasks of other bundles over links (requirement 068)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from blake3 import blake3

from manager import kin
from plotter2.clock import Instant
from plotter2.errors import NotFoundError
from plotter2.model.bundle import FileEntry
from tests.unit.manager.kit import Story

NOW = Instant(0.0)


def push(story: Story, path: str, more: dict[str, Any] | None = None, **linked: Any) -> None:
    tasks = [{"name": name, "task_src": f"{name}.py", "linked": some} for name, some in linked.items()]
    text = json.dumps({"tasks": tasks, **(more or {})})
    names = ["package.json", *(f"{name}.py" for name in linked)]
    story.push(path, text, files=[FileEntry(name, 1, blake3(name.encode()).digest()) for name in names])


def found(story: Story, task: str, bundle: str) -> dict[str, kin.Kin]:
    catalog = story.machine.state.catalog
    return kin.gathered(catalog, catalog.task(task, bundle, NOW), bundle, NOW)


@pytest.mark.req("r068")
def test_every_task_of_the_bundle_can_be_started_and_what_is_linked_comes_before() -> None:
    story = Story()
    push(story, "x", plot=[], curve="plot", alone=[])
    push(story, "x/a", own=[], meta=["curve", "own"])
    kinds = found(story, "meta", "x/a")
    assert list(kinds) == ["meta", "own", "plot", "curve", "alone"]
    assert (kinds["meta"].linked, kinds["curve"].linked) == (("curve", "own"), ("plot",))
    assert (kinds["plot"].task.bundle, kinds["plot"].aliases) == ("x", ("plot.py",))
    assert [one.name for one in kin.in_order(kinds, "meta")] == ["plot", "curve", "own", "meta"]


@pytest.mark.req("r068", "r036")
def test_a_link_leads_to_a_task_elsewhere_under_its_own_name() -> None:
    story = Story()
    push(story, "lib", draw=[])
    out = {"name": "far", "from": ".", "to": "lib", "in": "mine", "out": "draw"}
    push(story, "b", {"links": [out]}, mine=[], meta="far")
    kinds = found(story, "meta", "b")
    assert (kinds["far"].task.name, kinds["far"].task.bundle) == ("draw", "lib")
    assert [one.name for one in kin.in_order(kinds, "meta")] == ["far", "meta"]
    assert kinds["far"].aliases == ("draw.py", "draw")


@pytest.mark.req("r068", "r202")
def test_what_was_linked_and_is_gone_is_named() -> None:
    story = Story()
    push(story, "lib", draw=[])
    out = {"name": "far", "from": ".", "to": "lib", "in": "mine", "out": "draw"}
    push(story, "b", {"links": [out]}, mine=[], meta="far")
    push(story, "lib", other=[])
    with pytest.raises(NotFoundError, match="'meta' is linked to 'far', which is no task of 'b'"):
        found(story, "meta", "b")
