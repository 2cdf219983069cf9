"""One delivery while it comes in: pieces go to their files and through the hash on the way (blocking; used in threads).

What is on disk counts, up to each file's size: after a broken stream or a killed process a file goes on where it
stands, and what was there before is hashed again. After a loss of power nothing unsealed counts, see `spool`.
Refuses pieces that leave gaps, go beyond the declared size, or belong to nobody.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from blake3 import blake3

from plotter2 import files
from plotter2.errors import AlteredError, ConflictError, LimitError, UsageError
from plotter2.model.bundle import DIGEST_BYTES, FileEntry
from plotter2.model.delivery import Order

Data = bytes | memoryview
Piece = tuple[int, int, Data]
"""File index, offset, data."""

CATCH_UP_BYTES = 4 << 20
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
FLUSH_BYTES = 64 << 20
"""A large file is written back to the disk in such steps while more arrives, so that the sync at the end is short."""


class Receiver:
    """Takes in one delivery. A later stream takes it over from an earlier one, whose pieces are then refused."""

    def __init__(self, directory: Path, order: Order, held: frozenset[int], flusher: ThreadPoolExecutor) -> None:
        self._directory = directory
        self._order = order
        self._held = held
        self._flusher = flusher
        self._lock = threading.Lock()
        self._owner = 0
        self._index = -1
        self._handle = -1
        self._at = 0
        self._flushed_at = 0
        self._hasher = blake3()
        self._digests: dict[int, bytes] = {}

    def take(self) -> tuple[int, list[int]]:
        """Become the one who writes; gives the token for it, and the offset that each file stands at."""
        with self._lock:
            self._close()
            self._owner += 1
            return self._owner, [self._offset(index) for index in range(len(self._order.files))]

    def _offset(self, index: int) -> int:
        size_bytes = self._order.files[index].size_bytes
        if index in self._held or index in self._digests:
            return size_bytes
        try:
            return min(os.stat(self._name(index)).st_size, size_bytes)  # noqa: PTH116 -- see _name
        except FileNotFoundError:
            return 0

    def write(self, token: int, pieces: Iterable[Piece]) -> int:
        """Append consecutive pieces; gives their bytes.

        Raises:
            ConflictError: another stream has taken this delivery over.
            UsageError: a piece that does not fit.
            LimitError: the disk is full.
        """
        written = 0
        with self._lock, room():
            self._check_owner(token)
            for index, offset, data in pieces:
                self._append(index, offset, data)
                written += len(data)
        return written

    def offsets(self, token: int) -> list[int]:
        """Where each file stands; its size when it is whole.

        Raises:
            ConflictError: another stream has taken this delivery over.
        """
        with self._lock:
            self._check_owner(token)
            return [self._offset(index) for index in range(len(self._order.files))]

    def put(self, token: int, contents: dict[int, bytes]) -> None:
        """Whole files, whose digests were found to be the declared ones.

        Raises:
            ConflictError: another stream has taken this delivery over.
            LimitError: the disk is full.
        """
        with self._lock, room():
            self._check_owner(token)
            for index, data in contents.items():
                handle = os.open(self._name(index), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
                try:
                    _write_all(handle, data)
                finally:
                    os.close(handle)
                self._digests[index] = self._order.files[index].digest

    def copy(self, token: int, index: int, source: int, length: int) -> int:
        """The next so many bytes of a file from an open one; gives how many there were.

        When the file is whole and has not the declared digest, it is forgotten: it must be sent.

        Raises:
            ConflictError: another stream has taken this delivery over.
            LimitError: the disk is full.
        """
        with self._lock, room():
            self._check_owner(token)
            entry, path = self._order.files[index], self._path(index)
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                at = os.fstat(handle).st_size
                copied = files.copy_range(source, handle, at, min(length, entry.size_bytes - at))
                self._flusher.submit(_write_back, os.dup(handle))
            finally:
                os.close(handle)
            if copied and at + copied == entry.size_bytes:
                self._settle(index)
            return copied

    def _settle(self, index: int) -> None:
        path, declared = self._path(index), self._order.files[index].digest
        if files.digest(path) == declared:
            self._digests[index] = declared
        else:
            path.unlink()

    def finish(self, token: int, late: Sequence[bytes]) -> Order:
        """All has come: the order with the digest of every file.

        Args:
            token: from `take`.
            late: digests that were not declared at the begin, in the order of the files; empty where they were.

        Raises:
            ConflictError: another stream has taken this delivery over.
            UsageError: something is missing, or a digest was never declared.
            AlteredError: what came is not what was declared.
        """
        with self._lock:
            self._check_owner(token)
            self._close()
            entries = tuple(self._finished(index, late) for index in range(len(self._order.files)))
        return replace(self._order, files=entries)

    def here(self) -> list[tuple[FileEntry, Path]]:
        """The files whose content lies here, complete or not; of the others the manager has it."""
        return [(entry, self._path(index)) for index, entry in enumerate(self._order.files) if index not in self._held]

    def close(self, token: int) -> None:
        """The stream ends; what came stays."""
        with self._lock:
            if token == self._owner:
                self._close()

    def _check_owner(self, token: int) -> None:
        if token != self._owner:
            raise ConflictError(f"Delivery {self._order.delivery_id} is being sent by another stream now.")

    def _finished(self, index: int, late: Sequence[bytes]) -> FileEntry:
        entry = self._order.files[index]
        declared = entry.digest or (late[index] if index < len(late) else b"")
        if len(declared) != DIGEST_BYTES:
            raise UsageError(f"The digest of {entry.path!r} is missing: it belongs into Begin or Seal.")
        if index not in self._held and self._received(index) != declared:
            raise AlteredError(f"{entry.path!r} changed while it was read: what arrived is not what was declared.")
        return replace(entry, digest=declared)

    def _received(self, index: int) -> bytes:
        known = self._digests.get(index)
        if known is not None:
            return known
        path, entry = self._path(index), self._order.files[index]
        if not entry.size_bytes:
            path.touch()
        there = path.stat().st_size if path.exists() else 0
        if there != entry.size_bytes:
            raise UsageError(f"Only {there} of the {entry.size_bytes} bytes of {entry.path!r} have arrived.")
        return files.digest(path)

    def _path(self, index: int) -> Path:
        return self._directory / str(index)

    def _name(self, index: int) -> str:
        # With thousands of small files a Path each is a tenth of the time.
        return f"{self._directory}/{index}"

    def _append(self, index: int, offset: int, data: Data) -> None:
        if index != self._index:
            self._open(index)
        entry = self._order.files[index]
        if offset != self._at:
            raise UsageError(f"A piece of {entry.path!r} begins at {offset}; the next one must begin at {self._at}.")
        if offset + len(data) > entry.size_bytes:
            raise UsageError(f"{entry.path!r} is longer than the {entry.size_bytes} bytes that were declared.")
        self._hasher.update(data)
        _write_all(self._handle, data)
        self._at += len(data)
        if self._at == entry.size_bytes:
            self._digests[index] = self._hasher.digest()
            self._close()
        elif self._at - self._flushed_at >= FLUSH_BYTES:
            self._flush()

    def _open(self, index: int) -> None:
        if not 0 <= index < len(self._order.files) or index in self._held or index in self._digests:
            raise UsageError(f"A piece of file number {index} is not expected.")
        self._close()
        self._handle = os.open(self._name(index), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._index = index
        self._hasher = blake3()
        self._at = self._flushed_at = 0
        size_bytes = self._order.files[index].size_bytes
        while data := os.read(self._handle, min(CATCH_UP_BYTES, size_bytes - self._at)):
            self._hasher.update(data)
            self._at += len(data)

    def _flush(self) -> None:
        self._flushed_at = self._at
        self._flusher.submit(_write_back, os.dup(self._handle))

    def _close(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
        self._index = self._handle = -1


def _write_all(handle: int, data: Data) -> None:
    done = os.write(handle, data)
    while done < len(data):
        done += os.write(handle, memoryview(data)[done:])


def _write_back(handle: int) -> None:
    # Only to have less left for the sync that counts; that one reports what goes wrong.
    with suppress(OSError):
        getattr(os, "fdatasync", os.fsync)(handle)
    os.close(handle)


@contextmanager
def room() -> Iterator[None]:
    """Say it plainly when the disk is full.

    Raises:
        LimitError: it is.
    """
    try:
        yield
    except OSError as wrong:
        if wrong.errno in _NO_ROOM:
            raise LimitError("The stager's disk is full; try again when there is room.") from wrong
        raise
