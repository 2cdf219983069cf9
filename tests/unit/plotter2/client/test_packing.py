import os
from pathlib import Path

import pytest

from plotter2.client import packing
from plotter2.errors import AlteredError, PathRefusedError, RefusedError, UsageError


def tree(root: Path, **contents: bytes) -> Path:
    for name, data in contents.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def test_files_are_found_sorted_with_size_and_permissions(tmp_path: Path) -> None:
    tree(tmp_path, b=b"b", a__z=b"zz", a__y=b"")
    (tmp_path / "b").chmod(0o750)
    found = packing.collect(tmp_path)
    assert [(one.entry.path, one.entry.size_bytes) for one in found] == [("a/y", 0), ("a/z", 2), ("b", 1)]
    assert found[2].entry.mode == 0o750


def test_small_files_share_a_batch_and_large_ones_are_cut(tmp_path: Path) -> None:
    found = packing.collect(tree(tmp_path, a=b"a" * 3, b=b"b" * 3, c=b"c" * 11, d=b"", e=b"e"))
    cut = list(packing.batches(found, [0, 0, 0, 0, 0], 5))
    assert [[(index, offset, len(data)) for index, offset, data in batch] for batch in cut] == [
        [(0, 0, 3), (1, 0, 2)],
        [(1, 2, 1), (2, 0, 4)],
        [(2, 4, 5)],
        [(2, 9, 2), (4, 0, 1)],
    ]


def test_only_what_is_lacking_is_read(tmp_path: Path) -> None:
    found = packing.collect(tree(tmp_path, a=b"aaa", b=b"bbb"))
    assert list(packing.batches(found, [3, 1])) == [[(1, 1, b"bb")]]


@pytest.mark.parametrize("change", ["longer", "shorter", "other", "gone"])
def test_a_file_that_changes_between_looking_and_reading_is_named(tmp_path: Path, change: str) -> None:
    path = tree(tmp_path, a=b"abc") / "a"
    found = packing.collect(tmp_path)
    if change == "gone":
        path.unlink()
    else:
        path.write_bytes({"longer": b"abcd", "shorter": b"ab", "other": b"xyz"}[change])
        os.utime(path, ns=(1, 1))
    with pytest.raises(AlteredError, match="a changed while it was read"):
        list(packing.batches(found, [0]))


def test_a_link_that_replaces_a_file_is_not_followed(tmp_path: Path) -> None:
    tree(tmp_path, a=b"abc", b=b"abc")
    found = packing.collect(tmp_path)
    (tmp_path / "a").unlink()
    (tmp_path / "a").symlink_to("b")
    with pytest.raises(RefusedError):
        list(packing.batches(found, [0, 0]))


def test_what_cannot_be_sent_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no file or directory"):
        packing.collect(tmp_path / "nothing")
    (tmp_path / "empty" / "below").mkdir(parents=True)
    with pytest.raises(UsageError, match="is empty"):
        packing.collect(tmp_path / "empty")
    (tmp_path / "loop").symlink_to(tmp_path)
    with pytest.raises(RefusedError, match="loop is a symbolic link"):
        packing.collect(tmp_path)
    with pytest.raises(RefusedError, match="null is a device"):
        packing.collect(Path("/dev/null"))


def test_names_that_may_not_be_are_refused(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"bad\xff")).write_bytes(b"")
    with pytest.raises(PathRefusedError, match="not valid Unicode"):
        packing.collect(tmp_path)


def test_too_many_files_are_refused_while_looking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "FILES_MAX", 2)
    with pytest.raises(RefusedError, match="more than the 2 files"):
        packing.collect(tree(tmp_path, a=b"", b=b"", c=b""))
    for name in ("x", "x/y", "x/z"):
        (tmp_path / "many" / name).mkdir(parents=True)
    with pytest.raises(RefusedError, match="more than the 2 directories"):
        packing.collect(tmp_path / "many")
