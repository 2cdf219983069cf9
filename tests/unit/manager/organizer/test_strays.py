"""What nobody explains is moved away with its reason, whatever it is, and whenever the process dies."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from plotter2 import files as durable
from plotter2.errors import FailedError
from tests.unit.manager.organizer.conftest import Home

pytestmark = pytest.mark.req("r003")


def names(home: Home) -> list[str]:
    root = home.layout.source / ".quarantine"
    return sorted(path.relative_to(root).as_posix().partition("/")[2] for path in root.glob("str-*/*"))


def test_files_links_and_whole_folders_go_and_are_kept(home: Home, tmp_path: Path) -> None:
    home.show("digits", {"a": b"1"})
    root = home.layout.source / "digits"
    (root / "file").write_bytes(b"by hand")
    (root / "link").symlink_to(tmp_path)
    (root / "deep" / "er").mkdir(parents=True)
    (root / "deep" / "er" / "x").write_bytes(b"x")
    (root / "empty").mkdir()
    paths = [f"digits/{one}" for one in ("file", "link", "deep", "empty", "never there")]
    moved = home.organizer.set_aside(paths, ["digits"], "is explained by no version")
    assert [one.place for one in moved] == [f"source/digits/{one}" for one in ("file", "link", "deep")]
    assert {one.reason for one in moved} == {"is explained by no version"}
    assert names(home) == ["deep", "file", "link"]
    assert (home.layout.home / moved[2].kept / "deep" / "er" / "x").read_bytes() == b"x"
    assert not (root / "file").exists()
    assert (root / "empty").is_dir()
    assert home.organizer.quarantined() == sorted(moved, key=lambda one: one.id)


def test_what_we_showed_of_a_former_version_is_ours(home: Home) -> None:
    home.show("digits", {"a": b"1", "b/c": b"2"})
    paths = ["digits/a", "digits/b", "digits/b/c"]
    assert home.organizer.set_aside(paths, ["digits"], "is strange") == []
    (home.layout.source / "digits" / "a").unlink()
    (home.layout.source / "digits" / "a").write_bytes(b"by hand")
    assert [one.place for one in home.organizer.set_aside(paths, ["digits"], "is strange")] == ["source/digits/a"]


def test_names_that_are_no_text_and_names_of_our_own_kind_are_kept_too(home: Home) -> None:
    root = home.layout.source
    odd = os.fsdecode(b"odd\xff\nname")
    (root / odd).write_bytes(b"1")
    (root / "stray.json").write_bytes(b"2")
    moved = home.organizer.set_aside([odd, "stray.json"], [], "is strange")
    assert moved[0].place == "source/odd\ufffd\nname"
    assert (home.layout.home / moved[0].kept / odd).read_bytes() == b"1"
    assert [one.id for one in home.organizer.quarantined()] == sorted(one.id for one in moved)


def test_what_somebody_puts_into_the_quarantine_folder_is_taken_in(home: Home) -> None:
    (home.layout.source / ".quarantine" / ("str-" + "0" * 32)).mkdir(parents=True)
    (home.layout.source / ".quarantine" / "mine").write_bytes(b"1")
    (home.layout.source / ".quarantine" / f"str-{'1' * 32}.json").write_bytes(b"\xff no json")
    found = {one.place: one.reason for one in home.organizer.quarantined()}
    assert found == {
        "": "lies in the quarantine folder; nothing says why",
        "source/.quarantine/mine": "was put into the quarantine folder by hand",
    }
    assert len(home.organizer.quarantined()) == 2


@pytest.mark.parametrize("step", ["write_durably", "rename"])
def test_a_crash_leaves_the_thing_where_it_was_or_in_quarantine_with_its_reason(
    home: Home, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    strange = home.layout.source / "strange"
    strange.write_bytes(b"by hand")

    def dark(*_: object) -> None:
        raise OSError(5, "went dark")

    with monkeypatch.context() as patch:
        patch.setattr(durable if step == "write_durably" else Path, step, dark)
        with pytest.raises(FailedError, match="went dark"):
            home.organizer.set_aside(["strange"], [], "is strange")
    assert strange.read_bytes() == b"by hand"
    (moved,) = home.organizer.set_aside(["strange"], [], "is strange")
    assert [one.reason for one in home.organizer.quarantined() if one.id == moved.id] == ["is strange"]
    assert names(home) == ["strange"]
