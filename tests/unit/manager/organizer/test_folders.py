"""The folders that people browse: just the version, whatever was there before."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from plotter2 import files as durable
from plotter2.errors import CorruptionError, FailedError, PathRefusedError
from tests.unit.manager.organizer.conftest import Home, digest, entry


@pytest.mark.req("r022")
def test_a_bundle_has_the_folders_of_an_experiment(home: Home) -> None:
    home.show("lab/digits", {"code_sources/train.py": b"x = 1"})
    root = home.layout.source / "lab" / "digits"
    found = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_dir()}
    assert found == {
        "code_sources", "bundles", "meta", "meta/history", "meta/reports", "shared", "shared/bundles", "shared/tasks",
        "shared/tbd",
    }  # fmt: skip


@pytest.mark.req("r007")
def test_files_are_read_only_links_to_their_content(home: Home) -> None:
    home.show("digits", {"data/a.csv": b"1,2", "empty": b""})
    shown = home.layout.source / "digits" / "data" / "a.csv"
    assert shown.samefile(home.layout.blob(digest(b"1,2")))
    assert shown.stat().st_mode & 0o222 == 0


@pytest.mark.req("r006")
def test_a_new_version_takes_the_place_of_the_old_one(home: Home) -> None:
    home.show("digits", {"a": b"old", "b/c": b"gone", "d": b"file", "e/f": b"folder", "meta/note": b"n"})
    home.show("digits", {"a": b"new", "d/x": b"folder", "e": b"file"})
    assert home.folder("digits") == {"a": b"new", "d/x": b"folder", "e": b"file"}
    assert not (home.layout.source / "digits" / "b").exists()
    assert home.organizer.have([digest(b"old"), digest(b"gone")]) == [True, True]


@pytest.mark.req("r025")
def test_bundles_in_bundles_are_left_alone(home: Home) -> None:
    home.show("lab", {"readme": b"1", "digits/old": b"2"})
    home.show("lab/digits", {"x": b"3"})
    home.show("lab/digits/bundles/lr=0.1", {"out": b"4"})
    home.show("lab", {"readme": b"5"})
    home.show("lab/digits", {"y": b"6"})
    assert home.folder("lab") == {"readme": b"5", "digits/y": b"6", "digits/bundles/lr=0.1/out": b"4"}


def test_doing_it_again_changes_nothing(home: Home) -> None:
    entries = home.show("digits", {"a": b"1", "b/c": b"2"})
    before = {path: path.lstat() for path in home.layout.source.rglob("*")}
    home.organizer.materialise("digits", entries)
    after = {path: path.lstat() for path in home.layout.source.rglob("*")}
    assert [(path, one.st_ino, one.st_mtime_ns) for path, one in before.items()] == [
        (path, one.st_ino, one.st_mtime_ns) for path, one in after.items()
    ]


@pytest.mark.req("r198")
@pytest.mark.parametrize("step", range(14))
def test_a_crash_at_any_step_is_made_good_by_doing_it_again(
    home: Home, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    home.show("digits", {"a": b"1", "old/b": b"2", "c": b"3"})
    entries = home.install({"a": b"new", "c/d": b"4", "e": b"5"})
    left = step
    unlink, link, sync, replace = Path.unlink, durable.link_or_copy, durable.sync_tree, Path.replace

    def count() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(errno.EIO, "the machine went dark")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", lambda path, **given: (count(), unlink(path, **given)))
        patch.setattr(durable, "link_or_copy", lambda one, other: (count(), link(one, other)))
        patch.setattr(durable, "sync_tree", lambda *given: (count(), sync(*given)))
        patch.setattr(Path, "replace", lambda path, target: (count(), replace(path, target)))
        try:
            home.organizer.materialise("digits", entries)
        except FailedError as wrong:
            assert "went dark" in wrong.message  # noqa: PT017 -- late steps do not come to it
    home.organizer.materialise("digits", entries)
    assert home.folder("digits") == {"a": b"new", "c/d": b"4", "e": b"5"}
    assert not (home.layout.source / "digits" / "old").exists()
    assert home.organizer.check_folder("digits", entries) == []


@pytest.mark.req("r003")
def test_what_somebody_put_in_the_way_is_kept_elsewhere(home: Home, tmp_path: Path) -> None:
    home.show("digits", {"a": b"1"})
    root = home.layout.source / "digits"
    (root / "b").write_bytes(b"by hand")
    (root / "c").symlink_to(tmp_path)
    (root / "stray").write_bytes(b"left alone")
    strays = home.organizer.materialise("digits", home.install({"b": b"2", "c/d": b"3"}))
    assert home.folder("digits") == {"b": b"2", "c/d": b"3", "stray": b"left alone"}
    assert [one.place for one in strays] == ["source/digits/b", "source/digits/c"]
    assert (home.layout.home / strays[0].kept / "b").read_bytes() == b"by hand"
    assert (home.layout.home / strays[1].kept / "c").is_symlink()
    assert {one.id: one.reason for one in strays} == {one.id: one.reason for one in home.organizer.quarantined()}
    assert list(tmp_path.glob("d")) == []


def test_a_link_in_place_of_a_bundle_is_not_followed(home: Home, tmp_path: Path) -> None:
    (home.layout.source / "digits").symlink_to(tmp_path)
    home.show("digits", {"a": b"1"})
    assert not (tmp_path / "a").exists()
    assert home.folder("digits") == {"a": b"1"}


def test_where_links_are_impossible_files_are_copied(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = home.install({"a": b"1", "b": b"2"}), home.install({"b": b"3"})

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EMLINK, "too many links")

    monkeypatch.setattr(os, "link", refuse)
    for entries in (first, first, second):
        home.organizer.materialise("digits", entries)
    assert home.folder("digits") == {"b": b"3"}
    assert not (home.layout.source / ".quarantine").exists()
    assert home.organizer.check_folder("digits", second) == []


@pytest.mark.parametrize(
    ("bundle", "path"), [("../x", "a"), ("x", "../a"), ("x", "/a"), (".blobs", "a"), ("x", "a//b")]
)
def test_names_that_lead_elsewhere_are_refused(home: Home, bundle: str, path: str) -> None:
    home.install({"a": b"1"})
    with pytest.raises(PathRefusedError):
        home.organizer.materialise(bundle, [entry(path, b"1")])


def test_a_version_whose_content_is_missing_is_not_shown(home: Home) -> None:
    with pytest.raises(CorruptionError, match="'a' in bundle 'digits' is missing"):
        home.organizer.materialise("digits", [entry("a", b"nowhere")])
