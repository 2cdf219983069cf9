from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from blake3 import blake3

from plotter2.errors import CorruptionError
from worker.cache import Cache


class Manager:
    def __init__(self) -> None:
        self.calls = 0
        self.content: dict[bytes, bytes] = {}

    def add(self, data: bytes) -> bytes:
        digest = blake3(data).digest()
        self.content[digest] = data
        return digest

    async def fetch(self, digest: bytes, take: Callable[[int, bytes], None]) -> None:
        self.calls += 1
        data = self.content[digest]
        for start in range(0, len(data), 4):
            await asyncio.sleep(0)
            take(start, data[start : start + 4])


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def leave(path: Path) -> None:
    path.write_bytes(b"half")


def made(tmp_path: Path, manager: Manager, bytes_max: int = 1 << 20) -> Cache:
    cache = Cache(tmp_path, bytes_max, manager.fetch)
    cache.load()
    return cache


async def test_the_same_content_is_fetched_once(tmp_path: Path) -> None:
    manager = Manager()
    digest = manager.add(b"hello world")
    cache = made(tmp_path, manager)
    paths = await asyncio.gather(*(cache.hold(digest) for _ in range(5)))
    assert {path.read_bytes() for path in paths} == {b"hello world"}
    assert manager.calls == 1


async def test_content_that_is_not_what_was_asked_for_is_refused(tmp_path: Path) -> None:
    manager = Manager()
    digest = manager.add(b"hello world")
    manager.content[digest] = b"goodbye"
    cache = made(tmp_path, manager)
    with pytest.raises(CorruptionError):
        await cache.hold(digest)
    assert names(tmp_path) == []


async def test_what_is_held_stays_and_the_rest_makes_room(tmp_path: Path) -> None:
    manager = Manager()
    one, two, three = (manager.add(bytes([number]) * 100) for number in range(3))
    cache = made(tmp_path, manager, bytes_max=150)
    held = await cache.hold(one)
    gone = await cache.hold(two)
    cache.release([two])
    assert held.exists()
    assert not gone.exists()
    cache.release([one])
    await cache.hold(three)
    assert not held.exists()


async def test_what_a_former_process_fetched_is_used_again(tmp_path: Path) -> None:
    manager = Manager()
    digest = manager.add(b"hello world")
    await made(tmp_path, manager).hold(digest)
    leave(tmp_path / "left.12.part")
    again = made(tmp_path, manager)
    await again.hold(digest)
    assert manager.calls == 1
    assert names(tmp_path) == [digest.hex()]


async def test_a_line_that_broke_begins_anew(tmp_path: Path) -> None:
    data = b"hello world"
    digest = blake3(data).digest()

    async def fetch(_: bytes, take: Callable[[int, bytes], None]) -> None:
        take(0, b"hello wo")
        take(0, data)

    cache = Cache(tmp_path, 1 << 20, fetch)
    cache.load()
    assert (await cache.hold(digest)).read_bytes() == data


async def test_what_was_made_here_is_taken_in_once_and_never_fetched(tmp_path: Path) -> None:
    manager = Manager()
    cache = made(tmp_path / "cache", manager)
    digest = manager.add(b"made here")
    for name in ("one", "two"):
        file = tmp_path / name
        file.write_bytes(b"made here")
        await cache.take(digest, file)
        assert not file.exists()
    assert (await cache.hold(digest)).read_bytes() == b"made here"
    assert (manager.calls, cache.size_bytes) == (0, 9)
