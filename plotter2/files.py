"""Files that must not be lost: digests, durable writes, links (the only room that calls fsync).

Durability order everywhere: content on disk, then its name on disk, then the journal, then the answer. All functions
block; call them in a thread from asyncio.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from blake3 import blake3

from plotter2.errors import AlteredError, UsageError

READ_ONLY = 0o444
MMAP_BYTES_MIN = 1 << 20
CROSS_LINK = frozenset({errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP})
COPY_BYTES = 4 << 20
_NOT_REGULAR = frozenset({errno.ELOOP, errno.ENXIO})
_NOT_IN_KERNEL = frozenset({errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM, errno.EBADF})


def digest(path: str | Path) -> bytes:
    """BLAKE3 of a file of ours, 32 bytes; large ones by memory map on all cores.

    Only for files that nobody shortens: the map of one that is kills the process.

    Raises:
        UsageError: not a regular file.
    """
    with _opened(path) as (handle, status):
        if status.st_size < MMAP_BYTES_MIN:
            return blake3(os.read(handle, MMAP_BYTES_MIN)).digest()
        with mmap.mmap(handle, 0, access=mmap.ACCESS_READ) as content:
            return blake3(content, max_threads=blake3.AUTO).digest()


def unchanged_digest(path: str | Path) -> tuple[int, bytes]:
    """Size and BLAKE3 of anybody's file, which nobody may write to meanwhile.

    Raises:
        UsageError: not a regular file.
        AlteredError: size or modification time changed while it was read.
    """
    with _opened(path) as (handle, before):
        if before.st_size < MMAP_BYTES_MIN:
            found = blake3(os.read(handle, MMAP_BYTES_MIN)).digest()
        else:
            found = _read_digest(handle)
        after = os.fstat(handle)
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise AlteredError(f"{path} changed while it was read; send it again when nobody writes to it.")
    return after.st_size, found


def _read_digest(handle: int) -> bytes:
    """One block is read while the one before is hashed."""
    hasher = blake3(max_threads=blake3.AUTO)
    free, filled = bytearray(COPY_BYTES), bytearray(COPY_BYTES)
    with ThreadPoolExecutor(1, "read-ahead") as reader:
        coming = reader.submit(os.readv, handle, [filled])
        while length := coming.result():
            coming = reader.submit(os.readv, handle, [free])
            hasher.update(memoryview(filled)[:length])
            free, filled = filled, free
    return hasher.digest()


@contextmanager
def _opened(path: str | Path) -> Iterator[tuple[int, os.stat_result]]:
    # Looked at through the one handle: with many small files, naming each of them again is what takes the time.
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as wrong:
        if wrong.errno not in _NOT_REGULAR:
            raise
        raise UsageError(f"{path} is not a regular file.") from None
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise UsageError(f"{path} is not a regular file.")
        yield handle, status
    finally:
        os.close(handle)


def text_digest(text: str) -> bytes:
    """BLAKE3 of a text's UTF-8 bytes, 32 bytes."""
    return blake3(text.encode()).digest()


def copy_range(source: int, target: int, offset: int, length: int) -> int:
    """Copy a part of one open file to the same place of another, inside the kernel where that can be.

    Returns:
        How many bytes were copied: fewer than asked when the source ends before.
    """
    done = 0
    in_kernel = hasattr(os, "copy_file_range")
    while done < length:
        if in_kernel:
            try:
                step = os.copy_file_range(source, target, length - done, offset + done, offset + done)
            except OSError as wrong:
                if wrong.errno not in _NOT_IN_KERNEL:
                    raise
                in_kernel = False
                continue
        else:
            data = os.pread(source, min(COPY_BYTES, length - done), offset + done)
            step = os.pwrite(target, data, offset + done) if data else 0
        if not step:
            break
        done += step
    return done


def sync_directory(path: Path) -> None:
    """Make the entries of one directory durable."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(root: Path, files: Iterable[Path]) -> None:
    """Make a batch of new files below `root`, and the directories that hold them, durable with one sync.

    Linux: one `syncfs` of the file system. Elsewhere: each file, then each directory.
    """
    if _SYNCFS is not None:
        handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            if _SYNCFS(handle) == 0:
                return
        finally:
            os.close(handle)
    directories = {root}
    for path in files:
        with path.open("rb") as file:
            os.fsync(file.fileno())
        directories.update(parent for parent in path.parents if parent.is_relative_to(root))
    for directory in directories:
        sync_directory(directory)


def _find_syncfs() -> Callable[[int], int] | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        function = ctypes.CDLL(None, use_errno=True).syncfs
    except AttributeError:
        return None
    return lambda handle: int(function(handle))


_SYNCFS = _find_syncfs()


def write_durably(path: Path, data: bytes) -> None:
    """Replace a file's content so that after any crash it is the old or the new, never a mixture."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}.new")
    with scratch.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)
    sync_directory(path.parent)


def link_or_copy(source: Path, target: Path) -> None:
    """Give `source` a second name; where links are impossible, a copy. An existing target is replaced atomically."""
    scratch = target.with_name(f".{target.name}.{os.getpid()}.new")
    scratch.unlink(missing_ok=True)
    try:
        os.link(source, scratch)
    except OSError as wrong:
        if wrong.errno not in CROSS_LINK:
            raise
        shutil.copyfile(source, scratch)
        scratch.chmod(READ_ONLY)
    scratch.replace(target)
    scratch.unlink(missing_ok=True)  # a rename of two names of one file does nothing and leaves the scratch name
