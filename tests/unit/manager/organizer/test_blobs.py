"""Content by digest: believed only when hashed, stored once, never changed."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from plotter2.errors import AlteredError, CorruptionError, LimitError, NotFoundError, PathRefusedError
from tests.unit.manager.organizer.conftest import Home, digest, entry


@pytest.mark.req("r004")
def test_a_delivery_becomes_read_only_blobs_by_hard_link(home: Home) -> None:
    spool = home.spool(b"one", b"two")
    home.organizer.install(spool, [entry("a.csv", b"one"), entry("../b", b"two")])
    blob = home.layout.blob(digest(b"one"))
    assert blob.read_bytes() == b"one"
    assert blob.stat().st_mode & 0o777 == 0o444
    assert blob.samefile(spool / "0")
    assert home.organizer.have([digest(b"two"), digest(b"three")]) == [True, False]


def test_doing_it_again_changes_nothing_even_without_the_spool(home: Home) -> None:
    entries = home.install({"a": b"one", "b": b"one", "c": b""})
    home.organizer.install(home.layout.spool / "gone", entries)
    with home.organizer.open_blob(digest(b"")) as empty:
        assert empty.read() == b""


@pytest.mark.parametrize("found", [b"0ne", b"one and more"])
def test_content_that_was_altered_is_refused_by_name(home: Home, found: bytes) -> None:
    spool = home.spool(b"fine", found)
    with pytest.raises(AlteredError, match=r"'data/x\.csv'"):
        home.organizer.install(spool, [entry("ok", b"fine"), entry("data/x.csv", b"one")])
    assert home.organizer.have([digest(b"one"), digest(found), digest(b"fine")]) == [False, False, False]


def test_content_that_is_missing_is_refused_by_name(home: Home) -> None:
    with pytest.raises(AlteredError, match="'b' is missing"):
        home.organizer.install(home.spool(b"one"), [entry("a", b"one"), entry("b", b"two")])


def test_a_link_in_the_spool_is_not_followed(home: Home, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    spool = home.spool()
    (spool / "0").symlink_to(secret)
    with pytest.raises(AlteredError):
        home.organizer.install(spool, [entry("a", b"secret")])
    assert secret.stat().st_nlink == 1


@pytest.mark.parametrize("place", ["", "..", "../../source", "out"])
def test_a_spool_that_is_elsewhere_is_refused(home: Home, tmp_path: Path, place: str) -> None:
    home.spool()
    (tmp_path / "outside").mkdir()
    (home.layout.spool / "out").symlink_to(tmp_path / "outside")
    with pytest.raises(PathRefusedError, match="no place for a spool"):
        home.organizer.install(home.layout.spool / place, [entry("a", b"x")])


def test_without_a_spool_everything_must_have_been_put_before(home: Home) -> None:
    assert home.organizer.put(digest(b"one"), [b"o", b"ne"], 3) is True
    home.organizer.install(None, [entry("a", b"one")])
    with pytest.raises(AlteredError, match="'b' was not sent"):
        home.organizer.install(None, [entry("a", b"one"), entry("b", b"two")])


def test_a_blob_of_another_size_than_its_content_is_not_believed(home: Home) -> None:
    home.install({"a": b"one"})
    blob = home.layout.blob(digest(b"one"))
    blob.chmod(0o644)
    blob.write_bytes(b"o")
    with pytest.raises(CorruptionError, match="has 1 bytes"):
        home.organizer.install(home.spool(b"one"), [entry("a", b"one")])


def test_across_file_systems_content_is_copied(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    link = os.link

    def far(source: Path, target: Path, **given: Any) -> None:
        if str(source).startswith(str(home.layout.spool)):
            raise OSError(errno.EXDEV, "another file system")
        link(source, target, **given)

    monkeypatch.setattr(os, "link", far)
    home.install({"a": b"one"})
    blob = home.layout.blob(digest(b"one"))
    assert (blob.read_bytes(), blob.stat().st_nlink, blob.stat().st_mode & 0o777) == (b"one", 1, 0o444)


def test_a_full_disk_can_be_tried_again(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "link", full)
        with pytest.raises(LimitError, match="disk is full") as caught:
            home.install({"a": b"one"})
    assert caught.value.retry
    home.install({"a": b"one"})


def test_the_same_content_from_two_sides_at_once_is_harmless(home: Home) -> None:
    contents = [bytes([number]) * 1000 for number in range(50)]
    entries = [entry(str(number), data) for number, data in enumerate(contents)]
    wrong: list[BaseException] = []

    def install(spool: Path) -> None:
        try:
            home.organizer.install(spool, entries)
        except BaseException as error:  # noqa: BLE001 -- a thread's error would be lost otherwise
            wrong.append(error)

    threads = [threading.Thread(target=install, args=(home.spool(*contents),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert all(home.organizer.have([one.digest for one in entries]))


@pytest.mark.parametrize(("chunks", "size"), [([b"on"], 3), ([b"one", b"!"], 3), ([b"0ne"], None)])
def test_chunks_that_are_not_what_was_announced_leave_nothing(
    home: Home, chunks: list[bytes], size: int | None
) -> None:
    with pytest.raises(AlteredError):
        home.organizer.put(digest(b"one"), chunks, size)
    assert home.organizer.have([digest(b"one")]) == [False]
    assert [path for path in home.layout.blobs.rglob("*") if path.is_file()] == []


async def test_a_stream_is_taken_in_and_a_repeat_is_read_to_its_end(home: Home) -> None:
    sent = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal sent
        for chunk in (b"o", b"ne"):
            sent += 1
            yield chunk

    assert await home.organizer.put_stream(digest(b"one"), 3, chunks()) is True
    assert await home.organizer.put_stream(digest(b"one"), 3, chunks()) is False
    assert sent == 4


def test_what_a_former_process_left_half_written_is_cleared(home: Home) -> None:
    left = home.layout.blobs / ".new" / "0"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    assert home.organizer.put(digest(b"one"), [b"one"]) is True
    assert not left.exists()


def test_content_that_is_not_here_is_not_found(home: Home) -> None:
    with pytest.raises(NotFoundError):
        home.organizer.open_blob(digest(b"nowhere"))
