"""What a manifest says it builds on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from plotter2.clock import Instant
from plotter2.errors import ManifestError
from plotter2.model import manifest
from plotter2.model.depends import Dependency, depends, metas

pytestmark = pytest.mark.req("r059", "r060")


def paper(meta: dict[str, Any], *parts: dict[str, Any]) -> manifest.Manifest:
    contains = {"submanifests": list(parts)} if parts else {}
    return manifest.parse(manifest.write("ann", Instant(1_700_000_000), contains, meta))


def test_bundles_and_versions_are_read_each_once_in_their_order() -> None:
    found = depends(paper({"depends": ["data/x@3", "data/y", "data/x@3", "data/odd@name"]}))
    assert found == (Dependency("data/x", 3), Dependency("data/y"), Dependency("data/odd@name"))
    assert [str(one) for one in found] == ["data/x@3", "data/y", "data/odd@name"]
    assert depends(paper({})) == ()


def test_submanifests_have_dependencies_of_their_own() -> None:
    deep = {"contains": {"submanifests": [{"meta": {"depends": ["c"]}}]}, "meta": {"depends": ["b"]}}
    whole = paper({"depends": ["a"]}, {}, deep)
    assert [str(one) for one in depends(whole)] == ["a", "b", "c"]
    assert [place for place, _ in metas(whole)] == [
        "meta", "contains.submanifests[0].meta", "contains.submanifests[1].meta",
        "contains.submanifests[1].contains.submanifests[0].meta",
    ]  # fmt: skip


@pytest.mark.parametrize("listed", ["data/x", {"a": 1}, [1], [""], ["../x"], ["x/../y@3"], ["a"] * 1001])
def test_what_is_no_list_of_bundles_is_refused_with_its_place(listed: object) -> None:
    with pytest.raises(ManifestError, match=r"contains.submanifests\[0\].meta.depends"):
        depends(paper({}, {"meta": json.loads(json.dumps({"depends": listed}))}))
