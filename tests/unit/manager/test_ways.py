"""Stories of what a task can call where it runs: which link is meant by a name, and at which versions."""

from __future__ import annotations

import json
from typing import Any

import pytest
from blake3 import blake3

from manager import ways
from manager.events import LinkAsked
from manager.ways import Found, Pinned
from plotter2.model import package
from plotter2.model.ask import LinkAsk
from plotter2.model.bundle import FileEntry
from plotter2.model.link import Origin
from tests.unit.manager.kit import Story, request

X, A, LIB = "x", "x/a", "lib"
VECTOR, MATRIX = "vector[float64, 3]", "matrix[float64, *, *]"


def push(story: Story, path: str, *, links: list[dict[str, Any]] | None = None, more: dict[str, Any] | None = None,
         **heads: Any) -> None:  # fmt: skip
    declared = {
        name: one if isinstance(one, dict) else {"function": f"m.py:{name}", "returns": one}
        for name, one in heads.items()
    }
    text = json.dumps({"heads": declared, "links": links or [], **(more or {})})
    story.push(path, text, files=(FileEntry("package.json", 1, blake3(f"{path}{text}".encode()).digest()),))


def found(story: Story, target: str, origin: str = "") -> Found:
    def pinned(path: str) -> Pinned:
        node = story.machine.state.catalog.need(path)
        return Pinned(path, node.version.version, node.package, node.inherited)

    return ways.found(story.machine.state.bonds, pinned(target), pinned(origin or target))


def led(one: Found) -> dict[str, list[str]]:
    """Where each name leads, what is meant first."""
    return {name: [f"{link.given.bundle}:{link.given.name}" for link in some] for name, some in one.ways.items()}


@pytest.fixture
def story() -> Story:
    made = Story()
    push(made, X, p=VECTOR, q="scalar")
    return made


@pytest.mark.req("r040", "r048")
def test_a_task_of_one_bundle_calls_what_a_member_does_and_its_own_where_it_does_not(story: Story) -> None:
    push(story, A, p=VECTOR, extra="any")
    assert led(found(story, X)) == {"p": ["x:p"], "q": ["x:q"]}
    one = found(story, A, X)
    assert led(one) == {"p": ["x/a:p", "x:p"], "q": ["x:q"], "extra": ["x/a:extra"]}
    assert one.ways["q"][0].origin is Origin.SHARED
    assert one.lenders == {X: 1}
    assert led(found(story, A)) == {"extra": ["x/a:extra"], "p": ["x/a:p", "x:p"], "q": ["x:q"]}  # inherited


@pytest.mark.req("r036", "r039", "r041")
def test_a_link_that_a_bundle_declares_is_called_by_its_name(story: Story) -> None:
    push(story, LIB, load=MATRIX)
    flat = {"function": "m.py:flat", "params": {"m": MATRIX}, "returns": VECTOR}
    link = {"name": "w", "from": ".", "in": "weights", "to": LIB, "out": "load", "translate": {"backward": "flat"}}
    push(story, "app", weights=VECTOR, flat=flat, links=[link])
    one = found(story, "app")
    assert led(one) == {"w": ["lib:load"], "weights": ["app:weights", "lib:load"]}
    assert [step.name for step in one.ways["w"][0].epsilon.backward] == ["flat"]
    assert one.lenders == {LIB: 0}


def test_a_link_called_like_an_operation_stands_for_it_unless_it_leads_to_a_member(story: Story) -> None:
    push(story, LIB, p=VECTOR)
    push(story, A, mine=VECTOR)
    out = {"name": "p", "from": ".", "in": "p", "to": LIB, "out": "p"}
    push(story, X, p=VECTOR, links=[out])
    assert led(found(story, X)) == {"p": ["lib:p", "x:p"]}
    push(story, X, p=VECTOR, links=[{**out, "to": A, "out": "mine"}])
    assert led(found(story, X)) == {"p": ["x:p", "x/a:mine"]}


@pytest.mark.req("r036")
def test_a_link_that_was_asked_for_is_chosen_by_its_bundle(story: Story) -> None:
    push(story, LIB, mine=VECTOR)
    story.turn(LinkAsked(5, request(77), "ann", LinkAsk(X, LIB, "p", "mine"), ""))
    assert led(found(story, X)) == {"p": ["x:p", "lib:mine"], "q": ["x:q"]}


@pytest.mark.req("r034")
def test_heads_and_links_of_a_parent_are_called_at_the_version_that_was_inherited(story: Story) -> None:
    push(story, LIB, norm=VECTOR, far="scalar", links=[{"name": "l", "from": ".", "in": "far", "to": X, "out": "q"}])
    push(story, "app", own="any", more={"parents": [LIB]})
    push(story, LIB, norm=MATRIX)
    one = found(story, "app")
    assert led(one) == {"far": ["lib:far"], "l": ["x:q"], "norm": ["lib:norm"], "own": ["app:own"]}
    assert one.lenders == {LIB: 1, X: 0}
    assert str(one.ways["norm"][0].given.returns) == VECTOR


def test_an_older_version_calls_what_it_declares_itself(story: Story) -> None:
    push(story, A, p=VECTOR)
    old = Pinned(A, 1, package.parse(json.dumps({"heads": {"p": {"function": "old.py:p", "returns": VECTOR}}})))
    node = story.machine.state.catalog.need(X)
    one = ways.found(story.machine.state.bonds, old, Pinned(X, 1, node.package))
    assert one.ways["p"][0].given.bundle == X
    assert {link.given.place for link in one.ways["p"]} == {"m.py:p", "old.py:p"}
    alone = ways.found(story.machine.state.bonds, old, old)
    assert [link.given.place for link in alone.ways["p"]] == ["old.py:p"]


def test_tasks_run_by_themselves_and_cannot_be_called(story: Story) -> None:
    push(story, "t", more={"tasks": [{"name": "curve", "pipeline": ["access"]}]})
    assert found(story, "t") == Found({}, {})


@pytest.mark.req("r041")
def test_what_has_nothing_to_link_is_settled_whatever_others_do(story: Story) -> None:
    push(story, "data", more={"description": "rows"})
    push(story, "code", more={"tasks": [{"name": "curve", "pipeline": ["access"]}]})
    assert found(story, "data") == found(story, "data", "code") == Found({}, {}, is_settled=True)
    assert not found(story, "code").is_settled, "somebody may link its task"
    assert not found(story, "data", X).is_settled, "X steps in"
    push(story, "x/data")
    assert not found(story, "x/data").is_settled, "it has heads of its parent"
