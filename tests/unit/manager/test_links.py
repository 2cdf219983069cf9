"""Stories of links: asked, declared, found; what belongs to what, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from blake3 import blake3

from manager.bonds import Bonds
from manager.commands import Answer, Command, SaveBundle, SaveLink, SaveRequest
from manager.events import LinkAsked
from manager.machine import Machine
from manager.scheduler import RoundRobin
from manager.store import Snapshot
from plotter2.errors import PackageError, RefusedError
from plotter2.ids import RequestId
from plotter2.model.ask import LinkAsk, UnlinkAsk
from plotter2.model.bundle import FileEntry
from plotter2.model.link import Origin, SaidLink
from plotter2.model.membership import Standing, intersection, union
from plotter2.model.request import RequestKind, RequestState
from plotter2.model.types import Mode
from tests.unit.manager.kit import Story, only, request

X, A, B = "x", "x/a", "x/b"
VECTOR, MATRIX = "vector[float64, 3]", "matrix[float64, *, *]"


def heads(links: list[dict[str, Any]] | None = None, parents: list[str] | None = None, **given: Any) -> str:
    """A package.json; a head is `function: returns`, or the whole declaration."""
    declared = {
        name: one if isinstance(one, dict) else {"function": f"m.py:{name}", "returns": one}
        for name, one in given.items()
    }
    return json.dumps({"heads": declared, "links": links or [], "parents": parents or []})


def push(story: Story, path: str, package_json: str = "") -> list[Command]:
    """A push with content of its own, so that it always makes a version."""
    entry = FileEntry("package.json", 1, blake3(f"{path}{package_json}".encode()).digest())
    return story.push(path, package_json, files=(entry,))


@pytest.fixture
def story() -> Story:
    found = Story()
    push(found, X, heads(p=VECTOR, q="scalar"))
    return found


def bonds(story: Story) -> Bonds:
    return story.machine.state.bonds


def ask(story: Story, asked: LinkAsk | UnlinkAsk, key: str = "") -> list[Command]:
    return story.turn(LinkAsked(5, request(next(story.numbers)), "ann", asked, key))


def refusal(said: list[Command]) -> str:
    error = only(said, Answer)[0].error
    assert isinstance(error, RefusedError)
    return error.message


def standing(story: Story, path: str) -> tuple[str, float, tuple[str, ...]]:
    verdict = bonds(story).verdicts(story.machine.state.catalog.need(path))[0]
    return verdict.standing, verdict.score, verdict.missing


@pytest.mark.req("r041", "r048", "r049")
def test_what_a_child_does_under_the_same_name_and_shape_is_found_by_itself(story: Story) -> None:
    push(story, A, heads(p=VECTOR, q="scalar"))
    push(story, B, heads(p=VECTOR, q="image"))
    assert standing(story, A) == (Standing.MEMBER, 1, ())
    assert standing(story, B) == (Standing.PARTIAL, 0.5, ("q",))
    assert bonds(story).between(X, A)["p"].origin is Origin.FOUND


@pytest.mark.req("r049", "r055")
def test_who_links_nothing_is_an_imposter_and_keeps_its_place(story: Story) -> None:
    push(story, A, heads(other="scalar"))
    assert standing(story, A) == (Standing.IMPOSTER, 0, ("p", "q"))
    assert list(story.machine.state.catalog.below(X)) == [A]


@pytest.mark.req("r028", "r032")
def test_data_that_does_nothing_of_its_own_shares_what_its_parent_does(story: Story) -> None:
    push(story, A)
    assert standing(story, A) == (Standing.MEMBER, 1, ())
    assert {link.origin for link in bonds(story).between(X, A).values()} == {Origin.SHARED}
    push(story, "box/inner", heads(p=VECTOR))
    push(story, "box")
    assert standing(story, "box/inner") == (Standing.MEMBER, 1, ())


@pytest.mark.req("r036", "r037", "r040")
def test_a_link_that_is_asked_for_holds_and_is_remembered(story: Story) -> None:
    push(story, A, heads(mine=VECTOR))
    said = ask(story, LinkAsk(X, A, "p", "mine"))
    word = only(said, SaveLink)[0].word
    saved = only(said, SaveRequest)[0].request
    assert (saved.kind, saved.state, saved.bundle, word.request_id) == (RequestKind.LINK, "done", A, saved.id)
    assert (word.src, word.dst, word.operation, word.out_head) == (X, A, "p", "mine")
    assert standing(story, A) == (Standing.PARTIAL, 0.5, ("q",))


@pytest.mark.req("r047")
def test_what_does_not_fit_is_refused_with_both_types_and_the_way_out(story: Story) -> None:
    push(story, A, heads(mine="vector[int64, 3]"))
    said = ask(story, LinkAsk(X, A, "p", "mine"))
    message = refusal(said)
    assert VECTOR in message
    assert "vector[int64, 3]" in message
    assert "--backward" in message
    assert only(said, SaveRequest)[0].request.state is RequestState.REFUSED
    assert not only(said, SaveLink)


@pytest.mark.req("r046")
def test_a_mutable_link_takes_another_size(story: Story) -> None:
    push(story, A, heads(mine="vector[float64, 9]"))
    assert "shape" in refusal(ask(story, LinkAsk(X, A, "p", "mine")))
    assert only(ask(story, LinkAsk(X, A, "p", "mine", Mode.MUTABLE)), SaveLink)


@pytest.mark.req("r039")
def test_a_translation_of_either_bundle_makes_it_fit(story: Story) -> None:
    flat = {"function": "m.py:flat", "params": {"m": MATRIX}, "returns": VECTOR}
    push(story, A, heads(mine=MATRIX, flat=flat))
    assert "matrix" in refusal(ask(story, LinkAsk(X, A, "p", "mine")))
    assert only(ask(story, LinkAsk(X, A, "p", "mine", backward="flat")), SaveLink)
    assert [step.name for step in bonds(story).between(X, A)["p"].epsilon.backward] == ["flat"]


@pytest.mark.req("r016")
@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (LinkAsk(X, A, "pp"), "no operation 'pp'; did you mean 'p'?"),
        (LinkAsk(X, A, "p", "nine"), "no head 'nine'; did you mean 'mine'?"),
        (LinkAsk(X, A, "p", "mine", backward="zzz"), "no function head 'zzz'; it has"),
        (LinkAsk(X, "x/c", "p"), "no bundle 'x/c'"),
        (UnlinkAsk(X, A, "p"), "does not link 'p'"),
        (UnlinkAsk(X, A), "does not link anything"),
        (UnlinkAsk(X, X, "p"), "linked to itself fully"),
    ],
)
def test_a_refusal_says_what_would_be_right(story: Story, asked: LinkAsk | UnlinkAsk, said: str) -> None:
    push(story, A, heads(mine="scalar"))
    assert said in refusal(ask(story, asked))


@pytest.mark.req("r052", "r006")
def test_unlinking_is_a_newer_word_and_linking_again_another(story: Story) -> None:
    push(story, A, heads(p=VECTOR, q="scalar"))
    said = ask(story, UnlinkAsk(X, A, "p"))
    assert only(said, SaveLink)[0].word.is_unlinked
    assert standing(story, A)[2] == ("p",)
    push(story, A, heads(p=VECTOR, q="scalar", r="scalar"))
    assert standing(story, A)[2] == ("p",)
    ask(story, LinkAsk(X, A, "p"))
    assert standing(story, A)[0] is Standing.MEMBER
    assert len(only(ask(story, UnlinkAsk(X, A)), SaveLink)) == 2
    assert standing(story, A)[1] == 0


@pytest.mark.req("r053")
def test_a_forced_link_is_flagged_and_left_out_of_what_all_can_do(story: Story) -> None:
    push(story, A, heads(p="image", q="scalar"))
    said = ask(story, LinkAsk(X, A, "p", force=True))
    assert only(said, SaveLink)[0].word.is_forced
    verdict = bonds(story).verdicts(story.machine.state.catalog.need(A))[0]
    assert (verdict.standing, verdict.forced, verdict.missing) == (Standing.PARTIAL, ("p",), ())
    siblings = bonds(story).siblings(X).values()
    assert intersection(["p", "q"], siblings) == ["q"]
    assert intersection(["p", "q"], siblings, with_forced=True) == ["p", "q"]
    assert not only(ask(story, LinkAsk(X, A, "q", force=True)), SaveLink)[0].word.is_forced


@pytest.mark.req("r050", "r051")
def test_what_all_and_what_some_of_the_bundles_below_can_do(story: Story) -> None:
    push(story, A, heads(p=VECTOR))
    push(story, B, heads(p=VECTOR, q="scalar"))
    siblings = bonds(story).siblings(X).values()
    assert (intersection(["p", "q"], siblings), union(["p", "q"], siblings)) == (["p"], ["p", "q"])


@pytest.mark.req("r033", "r039")
def test_a_grandchild_does_by_way_of_its_parent_what_the_grandparent_asks(story: Story) -> None:
    push(story, A, heads(mine=VECTOR, links=[{"name": "p", "in": "p", "out": "mine"}]))
    push(story, "x/a/deep", heads(mine=VECTOR))
    link = bonds(story).below(X)["x/a/deep"]["p"]
    assert (link.given.bundle, link.given.name) == ("x/a/deep", "mine")
    assert bonds(story).between(X, "x/a/deep")["p"] == link
    ask(story, UnlinkAsk(X, A, "p"))
    assert "p" not in bonds(story).below(X)["x/a/deep"]


@pytest.mark.req("r035", "r049")
def test_a_bundle_is_measured_by_the_parents_it_names_too(story: Story) -> None:
    push(story, "rev3", heads(p=VECTOR, q="scalar", parents=[X]))
    assert standing(story, "rev3") == (Standing.MEMBER, 1, ())


@pytest.mark.req("r043", "r066")
def test_a_link_can_be_declared_from_either_side(story: Story) -> None:
    push(story, A, heads(mine=VECTOR, links=[{"name": "p", "in": "p", "out": "mine"}]))
    assert bonds(story).between(X, A)["p"].origin is Origin.DECLARED
    push(story, B, heads(other="scalar"))
    push(story, X, heads(p=VECTOR, q="scalar", links=[{"name": "q", "from": ".", "to": B, "in": "q", "out": "other"}]))
    assert bonds(story).between(X, B)["q"].origin is Origin.DECLARED


@pytest.mark.req("r047", "r066")
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"mine": "image"}, [VECTOR, "image", "line 1", "links[0]"]),
        ({"mine": VECTOR, "in": "zz"}, ["'in' names 'zz', which 'x' does not have"]),
        ({"mine": VECTOR, "out": "zz"}, []),
    ],
)
def test_a_declared_link_is_checked_when_it_comes(story: Story, given: dict[str, str], said: list[str]) -> None:
    link = {"name": "p", "in": given.pop("in", "p"), "out": "mine"}
    if given.pop("out", ""):
        link |= {"from": "not/here/yet"}
    commands = push(story, A, heads(links=[link], **given))
    if not said:
        assert only(commands, SaveBundle)
        return
    error = only(commands, Answer)[0].error
    assert isinstance(error, PackageError)
    assert all(one in error.message for one in said)


@pytest.mark.req("r054")
def test_a_bundle_that_is_not_linked_to_itself_fully_is_refused(story: Story) -> None:
    itself = {"name": "p", "from": ".", "to": ".", "in": "p", "out": "q"}
    said = push(story, "y", heads(p=VECTOR, q="scalar", links=[itself]))
    error = only(said, Answer)[0].error
    assert isinstance(error, PackageError)
    assert "linked to itself fully" in error.message
    assert VECTOR in error.message
    assert story.machine.state.catalog.get("y") is None
    assert set(bonds(story).itself(X)) == {"p", "q"}


@pytest.mark.req("r041", "r047")
def test_a_link_whose_ends_do_not_fit_any_more_links_nothing(story: Story) -> None:
    push(story, A, heads(mine=VECTOR))
    ask(story, LinkAsk(X, A, "p", "mine"))
    push(story, A, heads(mine="image"))
    assert "p" not in bonds(story).between(X, A)
    assert "p" not in bonds(story).below(X)[A]


@pytest.mark.req("r016")
def test_the_same_key_links_once(story: Story) -> None:
    push(story, A, heads(mine=VECTOR))
    first = only(ask(story, LinkAsk(X, A, "p", "mine"), "k"), Answer)[0].value
    again = ask(story, LinkAsk(X, A, "p", "mine"), "k")
    assert only(again, Answer)[0].value == first
    assert not only(again, SaveLink)


@pytest.mark.req("r002", "r048")
def test_links_are_the_same_after_a_restart(story: Story) -> None:
    push(story, A, heads(mine=VECTOR, q="scalar"))
    said = [*ask(story, LinkAsk(X, A, "p", "mine")), *ask(story, UnlinkAsk(X, A, "q"))]
    words = tuple(one.word for one in only(said, SaveLink))
    catalog = story.machine.state.catalog
    versions = tuple(replace(catalog.need(path).version, inherited=b"") for path in (X, A))
    later = Machine(RoundRobin())
    later.load(Snapshot((), (), (), versions, (), (), links=words), {}, {}, story.now)
    assert later.state.bonds.between(X, A) == bonds(story).between(X, A)
    assert set(later.state.bonds.between(X, A)) == {"p"}


def test_a_new_word_about_a_link_is_heard_by_what_was_resolved_before(story: Story) -> None:
    push(story, A, heads(p=VECTOR))
    assert "p" in bonds(story).below(X)[A]
    bonds(story).say(SaidLink(RequestId("req-1"), X, A, "p", is_unlinked=True))
    assert "p" not in bonds(story).below(X)[A]
