"""The small language of conditions: what it says, and that nothing else is in it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2.clock import Instant
from plotter2.errors import ManifestError
from plotter2.model import manifest
from plotter2.model.conditions import Condition, Wish, conditions

pytestmark = pytest.mark.req("r063")


def paper(meta: dict[str, Any], *parts: dict[str, Any]) -> manifest.Manifest:
    contains = {"submanifests": list(parts)} if parts else {}
    return manifest.parse(manifest.write("ann", Instant(1_700_000_000), contains, meta))


def read(*given_: object) -> tuple[Condition, ...]:
    return conditions(paper({"conditions": list(given_)}))


def test_each_word_of_the_language() -> None:
    assert read(
        {"bundle": "a"}, {"bundle": "a", "exists": False}, {"bundle": "a", "version": 3}, {"bundle": "a", "newest": 3},
        {"bundle": "a", "digest": "AB" * 32}, {"bundle": "a", "link": "accuracy"},
    ) == (
        Condition("a"), Condition("a", wanted=False), Condition("a", Wish.VERSION, 3), Condition("a", Wish.NEWEST, 3),
        Condition("a", Wish.DIGEST, word="ab" * 32), Condition("a", Wish.LINK, word="accuracy"),
    )  # fmt: skip


def test_dependencies_and_submanifests_set_conditions_too_each_once() -> None:
    found = conditions(paper({"depends": ["a@2", "b"]}, {"meta": {"conditions": [{"bundle": "c"}], "depends": ["b"]}}))
    assert found == (Condition("a", Wish.VERSION, 2), Condition("b"), Condition("c"))
    assert conditions(paper({})) == ()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("data/x", "must be an object with 'bundle'"),
        ({"version": 1}, "must be an object with 'bundle'"),
        ({"bundle": 3}, "must be an object with 'bundle'"),
        ({"bundle": "../x"}, "is no bundle"),
        ({"bundle": "a", "branch": "main"}, "exists, version, newest, digest, link; it says 'branch'"),
        ({"bundle": "a", "version": 1, "digest": "0" * 64}, "may say one thing"),
        ({"bundle": "a", "exists": 1}, "exists' must be true or false"),
        ({"bundle": "a", "version": 0}, "number of a version"),
        ({"bundle": "a", "version": True}, "number of a version"),
        ({"bundle": "a", "newest": "3"}, "number of a version"),
        ({"bundle": "a", "digest": "xyz"}, "64 hexadecimal digits"),
        ({"bundle": "a", "link": ""}, "name of a link"),
    ],
)
def test_what_is_no_condition_is_refused_with_its_place_and_what_would_be_right(wrong: object, said: str) -> None:
    with pytest.raises(ManifestError) as told:
        read({"bundle": "a"}, wrong)
    assert "'meta.conditions[1]" in told.value.message
    assert said in told.value.message


def test_conditions_that_are_no_list_are_refused() -> None:
    with pytest.raises(ManifestError, match=r"'meta\.conditions' must be a list"):
        conditions(paper({"conditions": {"bundle": "a"}}))
    with pytest.raises(ManifestError, match="at most 1000"):
        read(*[{"bundle": "a"}] * 1001)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*Wish, "bundle", "x"]), inner),
    max_leaves=10,
)


@given(JSON)
def test_any_json_is_read_or_refused_with_a_sentence(value: object) -> None:
    try:
        found = conditions(paper({"conditions": value, "depends": []}))
    except ManifestError as wrong:
        said = wrong.message
    else:
        said = "" if all(isinstance(one, Condition) for one in found) else repr(found)
    assert not said or said.startswith("manifest.json: 'meta.conditions")
