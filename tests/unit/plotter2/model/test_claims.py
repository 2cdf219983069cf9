from __future__ import annotations

from dataclasses import replace

import pytest

from plotter2.clock import Instant
from plotter2.errors import AlteredError, ManifestError
from plotter2.model import claims, manifest
from plotter2.model.bundle import FileEntry
from plotter2.model.manifest import Listed

HASH = "ab" * 32
BARE = manifest.parse(manifest.write("ada", Instant(1.7e9), {}))


def paper(**sizes: int) -> manifest.Manifest:
    return replace(BARE, files={name: Listed(name, HASH, size) for name, size in sizes.items()})


@pytest.mark.req("r057", "r067")
def test_a_manifest_without_a_list_claims_nothing() -> None:
    claims.check_names(BARE, [FileEntry("a", 1)])
    claims.check_contents(BARE, {"a": "00"})


@pytest.mark.req("r057")
def test_what_came_as_listed_is_right_and_the_manifest_itself_does_not_count() -> None:
    claims.check_names(paper(a=1, b=2), [FileEntry("manifest.json", 9), FileEntry("b", 2), FileEntry("a", 1)])
    claims.check_contents(paper(a=1), {"a": HASH})


@pytest.mark.req("r057")
def test_all_that_is_missing_extra_and_altered_is_named() -> None:
    came = [FileEntry("a", 1), FileEntry("b", 3), FileEntry("new1", 0), FileEntry("new2", 0)]
    with pytest.raises(ManifestError) as wrong:
        claims.check_names(paper(a=1, b=2, gone1=1, gone2=1), came)
    assert wrong.value.message == (
        "manifest.json lists other files than those that came: missing: 'gone1', 'gone2'; not listed: 'new1', 'new2'; "
        "altered: 'b' (3 bytes, 2 are listed)."
    )


@pytest.mark.req("r057")
def test_only_altered_files_are_an_alteration() -> None:
    with pytest.raises(AlteredError, match=r"altered: 'a' \(2 bytes, 1 are listed\)"):
        claims.check_names(paper(a=1), [FileEntry("a", 2)])
    with pytest.raises(AlteredError, match="altered: 'a', 'b'"):
        claims.check_contents(paper(a=1, b=1, c=1), {"a": "00", "b": "00", "c": HASH})


def test_a_long_list_is_cut_and_counted() -> None:
    with pytest.raises(ManifestError, match=r"not listed: '0000', .* and 750 more"):
        claims.check_names(paper(), [FileEntry(f"{number:04}", 0) for number in range(1000)])
