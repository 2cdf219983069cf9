"""The trees of versions that programs run on."""

from __future__ import annotations

from pathlib import Path

import pytest
from blake3 import blake3

from manager.organizer import Organizer
from plotter2.errors import CorruptionError, PathRefusedError
from plotter2.layout import Layout
from plotter2.model.bundle import FileEntry


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout.at(tmp_path)
    made.create()
    return made


def entry(organizer: Organizer, path: str, data: bytes) -> FileEntry:
    digest = blake3(data).digest()
    organizer.put(digest, [data])
    return FileEntry(path, len(data), digest)


@pytest.mark.req("r003", "r018")
def test_a_version_keeps_its_tree_whatever_the_folders_for_people_show(layout: Layout) -> None:
    organizer = Organizer(layout)
    old = (entry(organizer, "data/a.csv", b"old"), entry(organizer, "gone.csv", b"x"))
    new = (entry(organizer, "data/a.csv", b"new"),)
    organizer.make_version("exp/digits", 1, old)
    organizer.materialise("exp/digits", new)
    (layout.source / "exp" / "digits" / "data" / "by-hand.csv").write_text("not ours")
    organizer.make_version("exp/digits", 2, new)
    tree = layout.version("exp/digits", 1)
    assert {path.relative_to(tree).as_posix(): path.read_bytes() for path in tree.rglob("*.csv")} == {
        "data/a.csv": b"old", "gone.csv": b"x",
    }  # fmt: skip
    second = layout.version("exp/digits", 2)
    assert [path.relative_to(second).as_posix() for path in second.rglob("*.csv")] == ["data/a.csv"]
    assert (tree.stat().st_mode & 0o777, (tree / "data").stat().st_mode & 0o777) == (0o555, 0o555)
    assert ((tree / "gone.csv").stat().st_mode & 0o222) == 0


def test_a_tree_is_made_once_and_is_whole_or_not_there(layout: Layout) -> None:
    organizer = Organizer(layout)
    good = entry(organizer, "a", b"a")
    with pytest.raises(CorruptionError, match="'b' is missing"):
        organizer.make_version("x", 1, (good, FileEntry("b", 1, bytes(32))))
    assert not layout.version("x", 1).exists()
    with pytest.raises(PathRefusedError):
        organizer.make_version("x", 1, (FileEntry("../b", 1, good.digest),))
    organizer.make_version("x", 1, (good,))
    before = layout.version("x", 1).stat().st_ino
    organizer.make_version("x", 1, (good,))
    assert layout.version("x", 1).stat().st_ino == before


def test_trees_that_nobody_runs_are_taken_away_and_content_stays(layout: Layout) -> None:
    organizer = Organizer(layout)
    one = entry(organizer, "deep/a", b"a")
    organizer.keep_versions([])
    organizer.make_version("x", 1, (one,))
    organizer.make_version("x", 2, (one,))
    organizer.make_version("x/y", 1, (one,))
    organizer.keep_versions([("x", 2)])
    assert [path.name for path in layout.versions.iterdir()] == [layout.version("x", 2).name]
    assert organizer.have([one.digest]) == [True]


def test_no_two_bundles_share_a_tree(layout: Layout) -> None:
    names = ["a/b", "b", "a~b", "c/b", "a/b@1"]
    assert len({layout.version(name, 1) for name in names}) == len(names)
