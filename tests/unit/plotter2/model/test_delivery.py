from dataclasses import replace

import pytest

from plotter2.clock import Instant
from plotter2.errors import ManifestError, PathRefusedError, RefusedError, UsageError
from plotter2.ids import DeliveryId
from plotter2.model import delivery, manifest
from plotter2.model.bundle import FileEntry
from plotter2.model.delivery import Order, check_names, checked
from plotter2.model.paths import BundlePath

GOOD = Order(
    DeliveryId("dlv-" + "0" * 32),
    BundlePath("group/data"),
    manifest.write("ada", Instant(1.7e9), {}),
    (FileEntry("a", 1), FileEntry("b/c", 2, b"\1" * 32, 0o755)),
)


def test_a_good_order_comes_back_with_the_bundle_in_normal_form_and_the_files_as_they_are() -> None:
    decomposed = (FileEntry("u\u0308", 1),)
    given = replace(GOOD, bundle=BundlePath("group/u\u0308/"), files=decomposed)
    assert checked(given) == replace(GOOD, bundle=BundlePath("group/\u00fc"), files=decomposed)
    assert GOOD.size_bytes == 3


@pytest.mark.req("r057")
def test_a_manifest_that_lists_other_files_is_refused() -> None:
    listed = [{"path": "a", "sha256": "0" * 64, "size": 1}]
    paper = manifest.write("ada", Instant(1.7e9), {"files": listed})
    with pytest.raises(ManifestError, match="not listed: 'b/c'"):
        checked(replace(GOOD, manifest_json=paper))


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"delivery_id": "dlv-1"}, UsageError, "not a dlv identifier"),
        ({"bundle": "../x"}, PathRefusedError, r"\.\."),
        ({"bundle": "/x"}, PathRefusedError, "must be relative"),
        ({"files": ()}, UsageError, "at least one file"),
        ({"files": (FileEntry("a", -1),)}, UsageError, "cannot have -1 bytes"),
        ({"files": (FileEntry("a", 1, b"short"),)}, UsageError, "BLAKE3 has 32"),
        ({"files": (FileEntry("a", 1, mode=0o4755),)}, UsageError, "permissions 4755"),
        ({"manifest_json": "{}"}, ManifestError, "'date'"),
        ({"manifest_json": "x" * (13 << 20)}, RefusedError, "Names and manifest"),
    ],
)
def test_what_is_wrong_is_said(change: dict[str, object], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        checked(replace(GOOD, **change))


def test_too_many_files_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "FILES_MAX", 1)
    with pytest.raises(RefusedError, match="2 files"):
        checked(GOOD)


@pytest.mark.parametrize(
    "names", [["a", "a"], ["A", "a"], ["x/A", "X/a"], ["u\u0308", "\u00dc"], ["a", "A/b"], ["a/b/c", "a"]]
)
def test_names_that_cannot_lie_beside_each_other_are_refused(names: list[str]) -> None:
    with pytest.raises(PathRefusedError):
        check_names(names)


def test_names_that_can_are_not() -> None:
    check_names(["a", "ab", "b/a", "b/ab", "b/c/a"])
