"""A sender on the stager's own machine: its files are taken from where they lie, and nothing is sent."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from plotter2.client import packing
from plotter2.errors import AlteredError
from plotter2.layout import Layout
from stager.fetcher import SMALL_BYTES_MAX
from tests.stagerkit import CONTENTS, FakeManager, send, tree, until

BIG = 200 << 20
"""More than one step."""


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The files, by index, that go over the line."""
    indexes: list[int] = []
    frame = packing.frame

    def spying(batch: Any) -> bytes:
        indexes.extend(index for index, _, _ in batch)
        return frame(batch)

    monkeypatch.setattr(packing, "frame", spying)
    return indexes


@pytest.mark.req("r014", "r075")
async def test_nothing_is_sent_when_everything_lies_here(
    tmp_path: Path, address: str, manager: FakeManager, layout: Layout, sent: list[int]
) -> None:
    manager.keeps_content = False
    contents = {**CONTENTS, "big": os.urandom(BIG)}
    told: list[int] = []
    path = tree(tmp_path / "data", contents)
    pushed = await send(path, "b", address, on_progress=lambda done, _total: told.append(done))
    assert not sent
    assert pushed.size_bytes == sum(len(data) for data in contents.values()) == told[-1]
    assert told == sorted(told)
    assert len([done for done in told if done < pushed.size_bytes]) > 1  # one hears how far it is
    await until(lambda: not [path for path in layout.spool.iterdir() if path.is_dir()])


async def test_a_single_file_is_fetched_too(
    tmp_path: Path, address: str, manager: FakeManager, sent: list[int]
) -> None:
    tree(tmp_path, {"table.csv": b"a,b\n1,2\n"})
    await send(tmp_path / "table.csv", "tables/one", address)
    assert manager.contents("tables/one") == {"table.csv": b"a,b\n1,2\n"}
    assert not sent


async def test_what_cannot_be_read_here_is_sent(
    tmp_path: Path, address: str, manager: FakeManager, sent: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As from a container with another file system: the machine is the same, the directory is not."""
    path = tree(tmp_path / "data", CONTENTS)
    other = tree(tmp_path / "other", {"a.txt": b"hellO", "deep/er/b.bin": os.urandom(3 << 20)})
    (other / "c.txt").symlink_to(path / "c.txt")
    monkeypatch.setattr(packing, "source", lambda _root: other)
    await send(path, "b", address)
    assert manager.contents("b") == CONTENTS
    assert sorted(set(sent)) == [0, 1, 2]


@pytest.mark.parametrize("size_bytes", [10, SMALL_BYTES_MAX + 1])
async def test_a_file_that_changes_before_it_is_fetched_is_named(
    tmp_path: Path, address: str, manager: FakeManager, size_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tree(tmp_path / "data", {"file": b"a" * size_bytes})
    hashed = packing.hashed

    def changing(found: Any) -> Any:
        ready = hashed(found)
        (path / "file").write_bytes(b"b" * size_bytes)
        return ready

    monkeypatch.setattr(packing, "hashed", changing)
    with pytest.raises(AlteredError, match="file changed while it was read"):
        await send(path, "b", address)
    assert not manager.calls


async def test_nobody_gets_a_file_by_naming_it(
    tmp_path: Path, address: str, manager: FakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has not read a file does not know its digest, and without it nothing is taken from the disk."""
    secret = tree(tmp_path / "secret", {"key": b"0123456789"})
    mine = tree(tmp_path / "mine", {"key": b"not known!"})
    monkeypatch.setattr(packing, "source", lambda _root: secret)
    await send(mine, "b", address)
    assert manager.contents("b") == {"key": b"not known!"}
