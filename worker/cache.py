"""Content by digest, as local files: the manager's own blobs where this host sees them, else fetched, bounded, checked.

What is fetched is only a copy: it may be removed at any time when nobody holds it, the one used longest ago first.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from blake3 import blake3

from plotter2 import telemetry
from plotter2.errors import CorruptionError

Fetch = Callable[[bytes, Callable[[int, bytes], None]], Awaitable[None]]
FETCHES_AT_ONCE = 4

_log = telemetry.logger("cache")


class Cache:
    """Fetched content below one directory, of at most so many bytes beside what is held."""

    def __init__(self, directory: Path, bytes_max: int, fetch: Fetch) -> None:
        self._directory = directory
        self._bytes_max = bytes_max
        self._fetch = fetch
        self._sizes: OrderedDict[bytes, int] = OrderedDict()
        self._holds: Counter[bytes] = Counter()
        self._locks: dict[bytes, asyncio.Lock] = {}
        self._room = asyncio.Semaphore(FETCHES_AT_ONCE)
        self.fetched_bytes = 0

    @property
    def size_bytes(self) -> int:
        """How much is there."""
        return sum(self._sizes.values())

    def load(self) -> None:
        """Take up what a former process has fetched. Blocks."""
        self._directory.mkdir(parents=True, exist_ok=True)
        found: list[tuple[float, bytes, int]] = []
        for path in self._directory.iterdir():
            status = path.stat()
            try:
                found.append((status.st_mtime, bytes.fromhex(path.name), status.st_size))
            except ValueError:  # a part of a file, left by a process that was killed
                path.unlink(missing_ok=True)
        for _, digest, size in sorted(found):
            self._sizes[digest] = size

    async def hold(self, digest: bytes) -> Path:
        """The content as a file that stays until `release`.

        Raises:
            NotFoundError: the manager has no such content.
            CorruptionError: what arrived is not what the digest says.
        """
        self._holds[digest] += 1
        try:
            lock = self._locks.setdefault(digest, asyncio.Lock())
            async with lock:
                path = self._directory / digest.hex()
                if digest not in self._sizes:
                    async with self._room:
                        self._sizes[digest] = await self._bring(digest, path)
                self._sizes.move_to_end(digest)
        except BaseException:
            self.release([digest])
            raise
        finally:
            if not self._holds[digest]:
                self._locks.pop(digest, None)
        self._make_room()
        return path

    async def take(self, digest: bytes, path: Path) -> None:
        """Have a file that was made here, whose content has this digest, for whoever holds it next; it moves."""
        if digest in self._sizes:
            await asyncio.to_thread(path.unlink)
        else:
            size = (await asyncio.to_thread(path.stat)).st_size
            await asyncio.to_thread(path.replace, self._directory / digest.hex())
            self._sizes[digest] = size
        self._make_room()

    def release(self, digests: Iterable[bytes]) -> None:
        """These are not needed any more, by one who held them."""
        for digest in digests:
            self._holds[digest] -= 1
            if self._holds[digest] <= 0:
                del self._holds[digest]
                self._locks.pop(digest, None)
        self._make_room()

    async def _bring(self, digest: bytes, path: Path) -> int:
        scratch = path.with_name(f"{path.name}.{os.getpid()}.part")
        hasher = blake3()
        with await asyncio.to_thread(scratch.open, "wb") as file:

            def take(offset: int, data: bytes) -> None:
                if not offset:
                    file.seek(0)
                    file.truncate()
                    hasher.reset()
                hasher.update(data)
                file.write(data)

            await self._fetch(digest, take)
            size = file.tell()
        if hasher.digest() != digest:
            scratch.unlink()
            raise CorruptionError(f"Content {digest.hex()} arrived with another digest than asked for.")
        scratch.replace(path)
        self.fetched_bytes += size
        return size

    def _make_room(self) -> None:
        surplus = self.size_bytes - self._bytes_max
        if surplus <= 0:
            return
        for digest in [digest for digest in self._sizes if digest not in self._holds]:
            (self._directory / digest.hex()).unlink(missing_ok=True)
            surplus -= self._sizes.pop(digest)
            if surplus <= 0:
                return
        _log.warning("cache.full", bytes_max=self._bytes_max, held_bytes=self.size_bytes)
