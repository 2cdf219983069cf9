"""Looking at what is at rest names whatever is not as it was put, and touches nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from plotter2.model.verification import Fault
from tests.unit.manager.organizer.conftest import Home, digest


def damage(path: Path, data: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(data)


def blobs(home: Home) -> dict[str, tuple[str, Fault]]:
    found = [one.finding for one in home.organizer.check_blobs() if one.finding]
    return {one.path: (one.problem, one.fault) for one in found}


def test_a_home_as_we_left_it_is_in_order(home: Home) -> None:
    home.show("digits", {"a": b"old"})
    entries = home.show("digits", {"a": b"1", "b/c": b""})
    assert home.organizer.check_folder("digits", entries) == []
    assert home.organizer.check_folder("flights", home.show("flights", {})) == []
    assert blobs(home) == {}
    assert sum(one.size_bytes for one in home.organizer.check_blobs()) == len(b"old" + b"1")


@pytest.mark.req("r003")
def test_each_thing_that_differs_is_named(home: Home) -> None:
    entries = home.show("digits", {"a": b"1", "b": b"2", "c": b"3", "d": b"4"})
    root = home.layout.source / "digits"
    damage(home.layout.blob(digest(b"1")), b"!")
    home.layout.blob(digest(b"2")).unlink()
    (root / "c").unlink()
    (root / "d").unlink()
    (root / "d").write_bytes(b"by hand")
    (home.layout.blobs / "strange").write_bytes(b"")
    (home.layout.blobs / "aa").symlink_to("/etc")
    hexed = digest(b"1").hex()
    assert blobs(home) == {
        f"source/.blobs/{hexed[:2]}/{hexed}": ("is damaged: its content does not have this digest", Fault.DAMAGED),
        "source/.blobs/strange": ("is no blob, but lies among them", Fault.STRAY),
        "source/.blobs/aa": ("is no blob, but lies among them", Fault.STRAY),
    }
    found = {one.path: (one.problem, one.fault) for one in home.organizer.check_folder("digits", entries)}
    assert found == {
        "source/digits/b": (f"has lost its content: blob {digest(b'2').hex()} is missing", Fault.DAMAGED),
        "source/digits/c": ("is missing in the folder; its content is safe", Fault.HIDDEN),
        "source/digits/d": ("is not what the version holds", Fault.HIDDEN),
    }
    assert home.organizer.check_folder("digits", entries) == home.organizer.check_folder("digits", entries)


def test_a_folder_is_looked_into_without_following_links(home: Home, tmp_path: Path) -> None:
    home.show("digits", {"a": b"1", "b/c": b""})
    (home.layout.source / "digits" / "away").symlink_to(tmp_path)
    names, below = home.organizer.scan("digits")
    assert names == ["a", "away"]
    assert below == ["b", "bundles", "code_sources", "meta", "shared"]
    assert home.organizer.scan("nothing") == ([], [])
