"""Verify names whatever is not as it was put, and touches nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.manager.organizer.conftest import Home, digest


def problems(home: Home, **versions: object) -> dict[str, str]:
    return {one.path: one.problem for one in home.organizer.verify(versions.items())}  # type: ignore[arg-type]  # given as entries


def damage(path: Path, data: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(data)


def test_a_home_as_we_left_it_is_in_order(home: Home) -> None:
    home.show("digits", {"a": b"old"})
    assert problems(home, digits=home.show("digits", {"a": b"1", "b/c": b""}), flights=home.show("flights", {})) == {}


@pytest.mark.req("r003")
def test_each_thing_that_differs_is_named(home: Home) -> None:
    entries = home.show("digits", {"a": b"1", "b": b"2", "c": b"3", "d": b"4"})
    root = home.layout.source / "digits"
    damage(home.layout.blob(digest(b"1")), b"!")
    home.layout.blob(digest(b"2")).unlink()
    (root / "c").unlink()
    (root / "d").unlink()
    (root / "d").write_bytes(b"by hand")
    (root / "e").write_bytes(b"by hand")
    (root / "f").symlink_to("/etc")
    (home.layout.blobs / "strange").write_bytes(b"")
    found = problems(home, digits=entries)
    hexed = digest(b"1").hex()
    assert found == {
        f"source/.blobs/{hexed[:2]}/{hexed}": "is damaged: its content does not have this digest",
        "source/.blobs/strange": "is no blob, but lies among them",
        "source/digits/b": f"has lost its content: blob {digest(b'2').hex()} is missing",
        "source/digits/c": "is missing in the folder; its content is safe",
        "source/digits/d": "is not what the version holds",
        "source/digits/e": "is explained by no version",
        "source/digits/f": "is explained by no version",
    }
    assert problems(home, digits=entries) == found


def test_what_is_in_quarantine_is_named(home: Home) -> None:
    home.show("digits", {"a": b"1"})
    (home.layout.source / "digits" / "b").write_bytes(b"by hand")
    entries = home.show("digits", {"b": b"2"})
    assert problems(home, digits=entries) == {"source/.quarantine/1-digits~b": "is in quarantine"}
