"""Membership: verdicts, and the laws that links of siblings keep."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2.model import link as links
from plotter2.model.link import Form, Head, Link
from plotter2.model.membership import Standing, gather, intersection, judge, resolve, through, union

OPERATIONS = tuple("pqrs")
names = st.sampled_from(OPERATIONS)
forced = st.booleans()


def to(bundle: str, operation: str, *, is_forced: bool = False, by: str = "") -> Link:
    """A link of an operation of X to a bundle."""
    return Link(Head("x", operation, Form.TASK), Head(bundle, by or operation, Form.TASK), is_forced=is_forced)


@st.composite
def linked(draw: st.DrawFn, bundle: str = "m") -> dict[str, Link]:
    """What one bundle does of X's operations."""
    chosen = draw(st.sets(names))
    return {name: to(bundle, name, is_forced=draw(forced)) for name in sorted(chosen)}


siblings = st.lists(linked(), max_size=4)


@pytest.mark.req("r050", "r051")
@given(siblings, forced)
def test_what_all_can_do_some_can_do(found: list[dict[str, Link]], with_forced: bool) -> None:
    everywhere = intersection(OPERATIONS, found, with_forced=with_forced)
    assert set(everywhere) <= set(union(OPERATIONS, found, with_forced=with_forced))


@pytest.mark.req("r052")
@given(linked(), linked(), linked(), siblings, st.dictionaries(names, st.none()))
def test_unlinking_never_adds_anything(
    said: dict[str, Link],
    declared: dict[str, Link],
    found: dict[str, Link],
    others: list[dict[str, Link]],
    unlinked: dict[str, None],
) -> None:
    before = gather(said, declared, found)
    after = gather({**said, **unlinked}, declared, found)
    assert after.keys() <= before.keys()
    assert not after.keys() & unlinked.keys()
    for law in (intersection, union):
        assert set(law(OPERATIONS, [after, *others])) <= set(law(OPERATIONS, [before, *others]))
    assert judge("m", "x", OPERATIONS, after).score <= judge("m", "x", OPERATIONS, before).score
    assert through(after, before).keys() <= through(before, before).keys()


@pytest.mark.req("r054")
@given(st.sets(names))
def test_a_bundle_linked_to_itself_does_all_that_it_does(operations: set[str]) -> None:
    itself = {name: links.identity(Head("x", name, Form.TASK)) for name in operations}
    verdict = judge("x", "x", operations, itself)
    assert (verdict.standing, verdict.score, verdict.missing) == (Standing.MEMBER, 1.0, ())
    assert set(intersection(operations, [itself])) == set(union(operations, [itself])) == operations
    assert through(itself, itself) == itself


@pytest.mark.req("r039", "r033")
@given(linked("b"), linked("c"), linked("d"))
def test_a_chain_of_bundles_does_the_same_however_it_is_put_together(
    b: dict[str, Link], c: dict[str, Link], d: dict[str, Link]
) -> None:
    assert through(through(b, c), d) == through(b, through(c, d))
    assert through(b, c).keys() <= b.keys()


@pytest.mark.req("r049", "r055")
@pytest.mark.parametrize(
    ("has", "standing", "score"),
    [("pqrs", Standing.MEMBER, 1), ("pq", Standing.PARTIAL, 0.5), ("p", Standing.IMPOSTER, 0.25), ("", "imposter", 0)],
)
def test_the_verdict_is_what_is_linked_of_what_the_parent_does(has: str, standing: Standing, score: float) -> None:
    verdict = judge("m", "x", OPERATIONS, {name: to("m", name) for name in has})
    assert (verdict.standing, verdict.score) == (standing, score)
    assert verdict.missing == tuple(name for name in OPERATIONS if name not in has)


@pytest.mark.req("r055")
def test_the_threshold_says_who_barely_links() -> None:
    linked_ = {"p": to("m", "p")}
    assert judge("m", "x", OPERATIONS, linked_, threshold=0.25).standing is Standing.PARTIAL


@pytest.mark.req("r032")
def test_below_a_blank_bundle_everything_is_a_member() -> None:
    assert judge("m", "x", (), {}).standing is Standing.MEMBER


@pytest.mark.req("r053")
def test_a_forced_link_is_flagged_and_counts_only_where_asked() -> None:
    one = {name: to("m", name, is_forced=name == "p") for name in OPERATIONS}
    verdict = judge("m", "x", OPERATIONS, one)
    assert (verdict.standing, verdict.forced, verdict.missing) == (Standing.PARTIAL, ("p",), ())
    assert intersection(OPERATIONS, [one]) == ["q", "r", "s"]
    assert intersection(OPERATIONS, [one], with_forced=True) == list(OPERATIONS)


@pytest.mark.req("r031")
def test_a_member_uses_its_own_link_and_the_parent_steps_in_for_the_rest() -> None:
    operation = Head("x", "p", Form.TASK, "p")
    assert resolve(operation, {"p": to("m", "p", by="mine")}).given.bundle == "m"
    assert resolve(operation, {}).given == operation
