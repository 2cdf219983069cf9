"""Stories of inheritance: what a version has from its parents, and that nothing changes it afterwards."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from manager.asks import PLAN_AGAIN
from manager.commands import Answer, Command, Materialise, SaveBundle, SaveRequest, SaveTask
from manager.events import ArchiveAsked, InheritAsked
from manager.machine import Machine
from manager.scheduler import RoundRobin
from manager.store import Snapshot
from plotter2.errors import NotFoundError, PackageError
from plotter2.model import inheritance
from plotter2.model.bundle import BundleVersion, Contents, FileEntry
from plotter2.model.request import RequestState
from plotter2.model.task import Task
from tests.unit.manager.kit import DIGITS, FILES, Story, only, request


@pytest.fixture
def story() -> Story:
    return Story()


def source(mark: int) -> FileEntry:
    return FileEntry("tasks/curve.py", 3, bytes([mark]) * 32)


CURVE = [{"name": "curve", "task_src": "tasks/curve.py"}]


def push(story: Story, bundle: str, mark: int = 1, **declared: Any) -> list[Command]:
    """A version that differs by its mark; what it declares may name `tasks/curve.py`."""
    return story.push(bundle, json.dumps(declared), files=(source(mark),))


def made(said: list[Command]) -> BundleVersion:
    return only(said, SaveBundle)[0].contents.bundle


def error(said: list[Command]) -> Any:
    return only(said, Answer)[0].error


def curve_of(story: Story, bundle: str) -> Task:
    _, said = story.run("curve", bundle=bundle)
    assert error(said) is None, error(said)
    return only(said, SaveTask)[0].row.task


@pytest.mark.req("r033")
def test_a_chain_hands_tasks_down_with_their_own_source_and_version(story: Story) -> None:
    push(story, "experiments/base", 5, tasks=CURVE)
    push(story, "experiments/a", parents=["experiments/base"])
    push(story, "experiments/a_revision2", parents=["experiments/a"])
    task = curve_of(story, "experiments/a_revision2")
    assert (task.bundle, task.version, task.source_digest) == ("experiments/base", 1, bytes([5]) * 32)
    assert task.id == curve_of(story, "experiments/base").id


@pytest.mark.req("r034")
def test_a_new_version_of_a_parent_changes_no_child(story: Story) -> None:
    push(story, "lib", 1, tasks=CURVE)
    push(story, "x", 9, parents=["lib"])
    before = curve_of(story, "x")
    push(story, "lib", 2, tasks=CURVE)
    assert curve_of(story, "x").source_digest == before.source_digest == bytes([1]) * 32
    assert curve_of(story, "lib").source_digest == bytes([2]) * 32
    push(story, "lib", 3)
    assert curve_of(story, "x").id == before.id
    push(story, "x", 10, parents=["lib"])
    _, said = story.run("curve", bundle="x")
    assert isinstance(error(said), NotFoundError), "what is pushed anew takes its parents as they are now"


@pytest.mark.req("r034")
def test_archiving_an_ancestor_breaks_no_descendant(story: Story) -> None:
    push(story, "lib/base", 1, tasks=CURVE)
    push(story, "lib/mid", parents=["lib/base"])
    push(story, "x", parents=["lib/mid"])
    for name in ("lib/base", "lib/mid"):
        story.turn(ArchiveAsked(1, request(next(story.numbers)), "ann", name, archived=True))
    assert curve_of(story, "x").bundle == "lib/base"
    push(story, "y", parents=["lib/mid"])
    assert curve_of(story, "y").bundle == "lib/base", "archived means not listed: it can be inherited from all the same"


@pytest.mark.req("r028", "r033")
def test_what_lies_below_has_what_its_holder_declares_and_its_own_words_go_first(story: Story) -> None:
    push(story, "lab", 1, tasks=CURVE)
    push(story, "lab/group/x", 2)
    push(story, "lab/group/x/bundles/y", 3, tasks=CURVE)
    push(story, "lab/group/x/bundles/y/bundles/z", 4)
    assert [curve_of(story, name).source_digest[0] for name in (
        "lab/group/x", "lab/group/x/bundles/y", "lab/group/x/bundles/y/bundles/z",
    )] == [1, 3, 3]  # fmt: skip


@pytest.mark.req("r034")
def test_what_a_service_leaves_inherits_from_the_version_that_was_run(story: Story) -> None:
    story.push("experiments/digits", DIGITS)
    asked, _ = story.redo("experiments/digits", ["0.1", "0.2"])
    other = json.loads(DIGITS) | {"data": {"other": {"path": "other.csv"}}}
    story.push("experiments/digits", json.dumps(other), files=(*FILES, source(1)))
    ran = made(story.push("experiments/digits/bundles/lr=0.1", files=FILES[:1], service_id=f"{asked}.s0"))
    node = story.machine.state.catalog.need(ran.path)
    assert list(node.inherited.of("data")) == ["metrics"]
    assert [(one.bundle, one.version) for one in node.inherited.line] == [("experiments/digits", 1)]
    assert ran.package_json == "", "its own words stay its own"


@pytest.mark.req("r035")
def test_a_conflict_refuses_the_push_names_both_sides_and_leaves_everything_as_it_was(story: Story) -> None:
    push(story, "lib/a", 1, tasks=CURVE)
    push(story, "lib/b", 2, tasks=CURVE)
    said = push(story, "x", 3, parents=["lib/a", "lib/b"])
    assert isinstance(error(said), PackageError)
    assert "'lib/a@1' and 'lib/b@1'" in error(said).message
    assert story.machine.state.catalog.get("x") is None
    assert made(push(story, "x", 3, parents=["lib/a", "lib/b"], prefer={"tasks.curve": "lib/b"})).version == 1
    assert curve_of(story, "x").bundle == "lib/b"
    push(story, "y", 4, parents=["lib/a", "lib/b"], tasks=CURVE)
    assert curve_of(story, "y").bundle == "y"


def test_a_parent_that_is_not_there_is_refused_and_the_nearest_is_named(story: Story) -> None:
    push(story, "lib/common")
    said = push(story, "x", parents=["lab/common"])
    assert error(said).message == (
        "package.json: 'parents[0]' of 'x' names 'lab/common', and there is no such bundle; did you mean 'lib/common'?"
    )


@pytest.mark.req("r034")
def test_a_task_that_came_to_the_holder_later_is_not_there_and_the_refusal_says_where_it_is(story: Story) -> None:
    push(story, "lab", 1)
    push(story, "lab/x", 2)
    push(story, "lab", 3, tasks=CURVE)
    _, said = story.run("curve", bundle="lab/x")
    assert "'lab' above has had it since: `plotter2 inherit lab/x` takes it" in error(said).message


@pytest.mark.req("r029")
def test_what_lies_below_comes_in_declared_order_then_by_name_each_before_its_children(story: Story) -> None:
    for name in ("lab/b", "lab/a", "lab/c/bundles/y", "lab/c/bundles/x", "lab/group/deep", "lab/bundles/d"):
        push(story, name)
    push(story, "lab/c")
    push(story, "lab", children=["group", "c", "nothing"])
    below = list(story.machine.state.catalog.below("lab"))
    assert below == [
        "lab/group/deep", "lab/c", "lab/c/bundles/x", "lab/c/bundles/y", "lab/a", "lab/b", "lab/bundles/d",
    ]  # fmt: skip
    assert not list(story.machine.state.catalog.below("lab/a"))


@pytest.mark.req("r034")
def test_children_of_one_bundle_share_one_snapshot(story: Story) -> None:
    push(story, "lab", 1, tasks=CURVE, config={"a": 1})
    versions = [made(push(story, f"lab/bundles/{number}", number)) for number in range(3, 6)]
    assert len({one.inherited for one in versions}) == 1
    nodes = [story.machine.state.catalog.need(one.path) for one in versions]
    assert nodes[0].inherited is nodes[2].inherited


@pytest.mark.req("r034")
def test_after_a_restart_everybody_inherits_the_same(story: Story) -> None:
    push(story, "lib", 1, tasks=CURVE, config={"a": 1})
    push(story, "x", 2, parents=["lib"])
    push(story, "lib", 3)
    before = story.machine.state.catalog.need("x")
    saved = {one.contents.bundle.inherited: one.inherited_json for one in only(story.said, SaveBundle)}
    bundles = tuple(story.machine.state.catalog.need(name).version for name in ("lib", "x"))
    again = Machine(RoundRobin())
    again.load(Snapshot((), (), (), bundles, (), (), saved), {}, {}, story.now)
    assert again.state.catalog.need("x").inherited == before.inherited
    assert inheritance.digest_of(saved[before.version.inherited]) == before.version.inherited
    story.machine = again
    assert curve_of(story, "x").source_digest == bytes([1]) * 32


@pytest.mark.req("r028")
def test_a_bundle_that_gives_to_its_holder_can_be_pushed_again(story: Story) -> None:
    push(story, "lab/x", 1)
    push(story, "lab", 2, parents=["lab/x"])
    push(story, "lab/y", 3)
    assert made(push(story, "lab/x", 4)).inherited == b""
    assert made(push(story, "lab/y", 5)).inherited != b""


def inherit(story: Story, bundle: str, version: int = 0, key: str = "") -> list[Command]:
    known = story.machine.state.catalog.need(bundle).version
    contents = Contents(replace(known, version=version or known.version), (source(2),))
    return story.turn(InheritAsked(1, request(next(story.numbers)), "ann", contents, key))


@pytest.mark.req("r033", "r034")
def test_asking_to_inherit_anew_makes_a_version_of_the_same_files_with_what_the_parents_give_now(story: Story) -> None:
    push(story, "lab", 1)
    push(story, "lab/x", 2, standing=[{"name": "s", "on": "version", "run": ["own"]}],
         tasks=[{"name": "own", "pipeline": []}])  # fmt: skip
    push(story, "lab", 3, tasks=CURVE)
    said = inherit(story, "lab/x")
    version = made(said)
    assert (version.version, only(said, SaveBundle)[0].contents.files) == (2, (source(2),))
    assert version.request_id == only(said, SaveRequest)[0].request.id == only(said, Answer)[0].value
    assert only(said, Materialise)[0].version == 2
    assert len(only(said, SaveRequest)) == 1, "no data has come, so no order fires"
    assert curve_of(story, "lab/x").source_digest == bytes([3]) * 32
    said = inherit(story, "lab/x")
    assert not only(said, SaveBundle)
    assert only(said, SaveRequest)[0].request.state is RequestState.DONE


def test_inheriting_anew_is_planned_again_when_a_version_came_and_asked_once_under_a_key(
    story: Story,
) -> None:
    push(story, "lab", 1, config={"a": 1})
    push(story, "x", 2)
    assert only(inherit(story, "x", version=7), Answer)[0].value == PLAN_AGAIN
    first = only(inherit(story, "x", key="mine"), Answer)[0].value
    assert only(inherit(story, "x", key="mine"), Answer)[0].value == first


@pytest.mark.req("r035")
def test_what_cannot_be_inherited_anew_is_a_refused_request_and_the_old_snapshot_stays(story: Story) -> None:
    for name in ("a", "b"):
        push(story, name)
    push(story, "x", parents=["a", "b"])
    for mark, name in ((1, "a"), (2, "b")):
        push(story, name, mark + 5, tasks=CURVE)
    before = story.machine.state.catalog.need("x").version
    said = inherit(story, "x")
    assert "not related" in error(said).message
    assert only(said, SaveRequest)[0].request.state is RequestState.REFUSED
    assert story.machine.state.catalog.need("x").version is before
