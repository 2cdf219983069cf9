"""Takes files from where they lie, when the sender is on this machine (blocking; used in threads).

A copy inside the kernel instead of a stream: nothing is packed, sent and unpacked, and memory stays where it is. Nobody
is trusted for it: a file counts only when it has the digest that its sender declared, so the sender must have read it
before; what cannot be read here, or is another file by now, the sender is asked for as ever.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from blake3 import blake3

from plotter2.model.bundle import FileEntry
from plotter2.model.delivery import Order
from stager.receiver import FLUSH_BYTES, Receiver

SMALL_BYTES_MAX = 256 << 10
"""Up to here a file is read, checked and written at once; larger ones are copied, then checked."""
STEP_FILES = 64
"""So many small files are in memory at once."""
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Fetcher:
    """Fetches what a delivery lacks from one directory."""

    def __init__(self, receiver: Receiver, token: int, order: Order, source: Path) -> None:
        self._receiver = receiver
        self._token = token
        self._order = order
        self._source = source

    def steps(self) -> Iterator[int]:
        """Fetch all that can be; after each step its bytes.

        Raises:
            ConflictError: another stream has taken this delivery over.
            LimitError: the disk is full.
        """
        small: list[int] = []
        for index, offset in enumerate(self._receiver.offsets(self._token)):
            entry = self._order.files[index]
            if not entry.digest or offset >= entry.size_bytes:
                continue
            if entry.size_bytes > SMALL_BYTES_MAX:
                yield from self._large(index, entry.size_bytes - offset)
                continue
            small.append(index)
            if len(small) == STEP_FILES:
                yield self._small(small)
                small = []
        yield self._small(small)

    def _small(self, indexes: list[int]) -> int:
        """Read, look whether it is what was declared, write."""
        contents = {}
        for index in indexes:
            entry = self._order.files[index]
            with self._opened(entry) as handle:
                data = os.read(handle, entry.size_bytes) if handle >= 0 else b""
            if blake3(data).digest() == entry.digest:
                contents[index] = data
        self._receiver.put(self._token, contents)
        return sum(len(data) for data in contents.values())

    def _large(self, index: int, left_bytes: int) -> Iterator[int]:
        """Copy, then look whether it is what was declared."""
        with self._opened(self._order.files[index]) as handle:
            while handle >= 0 and left_bytes > 0:
                copied = self._receiver.copy(self._token, index, handle, FLUSH_BYTES)
                if not copied:
                    return
                left_bytes -= copied
                yield copied

    @contextmanager
    def _opened(self, entry: FileEntry) -> Iterator[int]:
        """The file, or -1 when it is not here, not for us, or cannot be the one that was declared."""
        try:
            handle = os.open(f"{self._source}/{entry.path}", _FLAGS)
        except OSError:
            yield -1
            return
        try:
            status = os.fstat(handle)
            is_it = stat.S_ISREG(status.st_mode) and status.st_size == entry.size_bytes
            yield handle if is_it else -1
        finally:
            os.close(handle)
