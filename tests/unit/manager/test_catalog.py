"""The catalog: order below a bundle, what changed since, and what many bundles have in common kept once."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manager.catalog import CHANGES_KEPT, SHARED_CHARS_MAX, SHARED_MAX, Catalog, Node
from plotter2.clock import Instant
from plotter2.model.bundle import BundleVersion
from plotter2.model.paths import BundlePath

NAMES = st.sampled_from(["a", "b", "a/1", "a/2", "a/1/x", "a/group/y", "b/2", "c/deep/down"])


def put(catalog: Catalog, path: str, text: str = "", **declared: object) -> Node:
    text = text or (json.dumps(declared) if declared else "")
    return catalog.put(BundleVersion(BundlePath(path), 1, b"", 1, 1, Instant(0.0), package_json=text))


@pytest.mark.req("r029")
@given(st.lists(NAMES | st.tuples(NAMES, st.permutations(["1", "2", "group"]))))
def test_each_stands_before_its_children_in_the_order_of_the_newest_declarations(
    pushes: list[str | tuple[str, list[str]]],
) -> None:
    catalog = Catalog()
    orders: dict[str, list[str]] = {}
    for one in pushes:
        path, children = (one, []) if isinstance(one, str) else one
        put(catalog, path, children=children)
        orders[path] = children
        list(catalog.below("a"))  # what is kept of the order must not grow old

    def rank(path: str) -> list[tuple[int, str]]:
        parts = path.split("/")
        places = [orders.get("/".join(parts[:n]), []) for n in range(len(parts))]
        return [
            (some.index(part) if part in some else len(some), part) for part, some in zip(parts, places, strict=True)
        ]

    for top in ("a", "c"):
        below = [path for path in orders if path.startswith(f"{top}/")]
        assert list(catalog.below(top)) == sorted(below, key=rank)


def test_what_changed_is_known_by_name_for_a_while() -> None:
    catalog = Catalog()
    put(catalog, "a")
    seen = catalog.changes
    assert catalog.changed(seen) == set()
    put(catalog, "b")
    put(catalog, "b")
    assert catalog.changed(seen) == {"b"}
    for _ in range(CHANGES_KEPT):
        put(catalog, "c")
    assert catalog.changed(seen) is None
    assert catalog.changed(catalog.changes - 1) == {"c"}


def test_a_declaration_that_many_bundles_have_is_kept_once() -> None:
    catalog = Catalog()
    texts = [json.dumps({"description": "same"}) for _ in range(2)]
    first, second = (put(catalog, path, text) for path, text in zip(("a", "b"), texts, strict=True))
    assert first.package is second.package
    assert first.version.package_json is second.version.package_json
    assert put(catalog, "c").package is put(catalog, "d").package
    long = json.dumps({"description": "x" * SHARED_CHARS_MAX})
    assert put(catalog, "e", long).package is not put(catalog, "f", long).package
    for number in range(SHARED_MAX):
        put(catalog, "g", tags={"n": number})
    assert put(catalog, "a", texts[0]).package == first.package
