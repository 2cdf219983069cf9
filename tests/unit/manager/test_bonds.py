"""What is known of links below a bundle, kept up to date: the same as found out from nothing, at a part of the work."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manager.bonds import Bonds
from manager.catalog import CHANGES_KEPT, Catalog
from plotter2.clock import Instant
from plotter2.ids import RequestId
from plotter2.model.bundle import BundleVersion
from plotter2.model.link import SaidLink
from plotter2.model.paths import BundlePath
from tests.effort import counted

KINDS = st.sampled_from(["", "a", "b", "ab", "ab!", "tools"])
PATHS = st.sampled_from(["x", "x/1", "x/1/2", "x/1/2/3", "x/1-2", "x/4/5", "x/4/5/6", "y", "y/1"])
PUSHES = st.tuples(st.just("push"), PATHS, KINDS)
WORDS = st.tuples(st.just("say"), PATHS, PATHS, st.sampled_from("ab"), st.booleans())
LOOKS = st.tuples(st.just("look"), PATHS)


def put(catalog: Catalog, path: str, kind: str) -> None:
    """A bundle that does what `kind` spells; with `!` by a link that it declares, too."""
    heads = {name: {"function": f"m.py:{name}"} for name in kind if name in "ab"}
    links = [{"name": "a", "in": "b", "out": "a"}] if "!" in kind else []
    children = {"children": ["4", "1"]} if kind == "tools" else {}
    text = json.dumps({"heads": heads, "links": links, **children})
    catalog.put(BundleVersion(BundlePath(path), 1, b"", 1, 1, Instant(0.0), package_json=text))


@pytest.mark.req("r048")
@settings(max_examples=150)
@given(st.lists(PUSHES | WORDS | LOOKS, max_size=25))
def test_what_was_known_before_is_renewed_to_what_is_found_from_nothing(
    steps: list[tuple[str, str, str] | tuple[str, str, str, str, bool] | tuple[str, str]],
) -> None:
    catalog = Catalog()
    kept, words = Bonds(catalog), list[SaidLink]()
    for number, step in enumerate(steps):
        match step:
            case ("push", path, kind):
                put(catalog, path, kind)
            case ("say", src, dst, name, is_unlinked):
                words.append(SaidLink(RequestId(f"req-{number}"), src, dst, name, name, is_unlinked=is_unlinked))
                kept.say(words[-1])
            case (_, path):
                kept.below(path)
    anew = Bonds(catalog)
    for word in words:
        anew.say(word)
    for path in ("x", "x/1", "y"):
        now = kept.below(path)
        assert list(now) == list(catalog.below(path)) == list(anew.below(path))
        assert {one: dict(found) for one, found in now.items()} == {
            one: dict(found) for one, found in anew.below(path).items()
        }


def test_a_push_costs_what_lies_below_it_and_not_the_whole_tree() -> None:
    catalog = Catalog()
    bonds = Bonds(catalog)
    put(catalog, "x", "ab")
    for number in range(1_000):
        put(catalog, f"x/g{number // 100}/b{number}", "ab")
    bonds.below("x")
    for path, calls_max in (("x/g3/b301", 200), ("elsewhere", 50)):
        put(catalog, path, "a")
        with counted() as effort:
            found = bonds.below("x")
        assert effort.calls < calls_max
        assert len(found) == 1_000
    assert set(bonds.below("x")["x/g3/b301"]) == {"a"}
    for _ in range(CHANGES_KEPT + 1):
        put(catalog, "x/g3/b301", "b")
    assert set(bonds.below("x")["x/g3/b301"]) == {"b"}
