"""Files that must not be lost: digests, durable writes, links (the only room that calls fsync).

Durability order everywhere: content on disk, then its name on disk, then the journal, then the answer. All functions
block; call them in a thread from asyncio.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from blake3 import blake3

from plotter2.errors import AlteredError, UsageError

READ_ONLY = 0o444
MMAP_BYTES_MIN = 1 << 20
CROSS_LINK = frozenset({errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP})


def digest(path: Path) -> bytes:
    """BLAKE3 of a regular file's content, 32 bytes; large files by memory map on all cores.

    Raises:
        UsageError: not a regular file.
    """
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode):
        raise UsageError(f"{path} is not a regular file.")
    if status.st_size < MMAP_BYTES_MIN:
        return blake3(path.read_bytes()).digest()
    return blake3(max_threads=blake3.AUTO).update_mmap(path).digest()


def text_digest(text: str) -> bytes:
    """BLAKE3 of a text's UTF-8 bytes, 32 bytes."""
    return blake3(text.encode()).digest()


def unchanged_digest(path: Path) -> tuple[int, bytes]:
    """Size and digest of a file that nobody writes to meanwhile.

    Raises:
        AlteredError: size or modification time changed while it was read.
    """
    before = path.stat()
    found = digest(path)
    after = path.stat()
    if (before.st_size, before.st_mtime_ns, before.st_ino) != (after.st_size, after.st_mtime_ns, after.st_ino):
        raise AlteredError(f"{path} changed while it was read; send it again when nobody writes to it.")
    return after.st_size, found


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
