"""Local files made ready to be sent: found, hashed, cut into pieces (blocking; used in threads).

One reader of files for everybody who sends: the client, and the stager's drop box. It follows no links, sends only
regular files, and notices when somebody writes to a file that it reads.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from plotter2 import files
from plotter2.errors import AlteredError, RefusedError, UsageError
from plotter2.model import paths
from plotter2.model.bundle import FileEntry
from plotter2.model.delivery import FILES_MAX, check_names

BATCH_BYTES = 1 << 20
"""One message carries about so much; measured: half and twice as much are slower."""
_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_PERMISSIONS = 0o777

Piece = tuple[int, int, bytes]
"""File index, offset, data."""


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file to send, and how it looked when it was found: size, modification time, inode."""

    entry: FileEntry
    path: Path
    stamp: tuple[int, int, int]


def collect(root: Path) -> list[LocalFile]:
    """All files of a directory, sorted by path, or the one file.

    Raises:
        UsageError: nothing is there, or nothing to send is in it.
        RefusedError: something that is neither a regular file nor a directory, or cannot be read.
        PathRefusedError: a name that may not be.
        RefusedError: more files or directories than one delivery may have.
    """
    try:
        if not root.is_symlink() and root.is_dir():
            found = [_local(Path(one.path), name, one.stat(follow_symlinks=False)) for name, one in _below(root)]
        else:
            found = [_local(root, root.name, root.lstat())]
    except FileNotFoundError as wrong:
        raise UsageError(f"There is no file or directory {wrong.filename or root}.") from None
    except PermissionError as wrong:
        raise RefusedError(f"{wrong.filename} cannot be read: {wrong.strerror}.") from None
    if not found:
        raise UsageError(f"The directory {root} is empty: there is nothing to send.")
    found.sort(key=lambda local: local.entry.path)
    check_names([local.entry.path for local in found])
    return found


def source(root: Path) -> Path:
    """The directory, absolute, that the paths of `collect(root)` are relative to."""
    return (root if root.is_dir() else root.parent).absolute()


def _below(root: Path) -> list[tuple[str, os.DirEntry[str]]]:
    """Everything that is no directory, by name. Only names are read, so that too many are refused at once."""
    found: list[tuple[str, os.DirEntry[str]]] = []
    waiting = [(str(root), "")]
    directories = 0
    while waiting:
        directory, above = waiting.pop()
        with os.scandir(directory) as entries:
            for entry in entries:
                name = above + entry.name
                if entry.is_dir(follow_symlinks=False):
                    directories += 1
                    waiting.append((entry.path, paths.file_path(name) + "/"))
                else:
                    found.append((name, entry))
                if max(len(found), directories) > FILES_MAX:
                    what = "files" if len(found) > FILES_MAX else "directories"
                    raise RefusedError(f"{root} has more than the {FILES_MAX} {what} that one delivery may have.")
    return found


def _local(path: Path, name: str, status: os.stat_result) -> LocalFile:
    if not stat.S_ISREG(status.st_mode):
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), "not a regular file")
        raise RefusedError(f"{path} is {kind}; only regular files can be sent.")
    entry = FileEntry(paths.file_path(name), status.st_size, mode=status.st_mode & _PERMISSIONS)
    return LocalFile(entry, path, _stamp(status))


def _stamp(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ino


def hashed(found: Sequence[LocalFile]) -> list[LocalFile]:
    """The same files with their digests.

    Raises:
        AlteredError: somebody writes to one of them.
        RefusedError: one cannot be read.
    """
    return [_hashed(local) for local in found]


def _hashed(local: LocalFile) -> LocalFile:
    with _reading(local):
        size_bytes, digest = files.unchanged_digest(local.path)
        if size_bytes != local.entry.size_bytes:
            raise _altered(local)
    return replace(local, entry=replace(local.entry, digest=digest))


def batches(
    found: Sequence[LocalFile], offsets: Sequence[int], batch_bytes: int = BATCH_BYTES
) -> Iterator[list[Piece]]:
    """What the other side lacks, in pieces; each list together has about `batch_bytes`.

    Raises:
        AlteredError: a file is not any more what it was when it was found.
        RefusedError: a file cannot be read.
    """
    batch: list[Piece] = []
    room = batch_bytes
    for index, local in enumerate(found):
        if offsets[index] >= local.entry.size_bytes:
            continue
        for offset, data in _contents(local, offsets[index], room, batch_bytes):
            batch.append((index, offset, data))
            room -= len(data)
            if room <= 0:
                yield batch
                batch, room = [], batch_bytes
    if batch:
        yield batch


def _contents(local: LocalFile, offset: int, first_bytes: int, step_bytes: int) -> Iterator[tuple[int, bytes]]:
    """The file from `offset` on: first what still fits into the batch that is open, then whole batches."""
    size_bytes = local.entry.size_bytes
    with _reading(local):
        handle = os.open(local.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            if _stamp(os.fstat(handle)) != local.stamp:
                raise _altered(local)
            step = first_bytes
            while offset < size_bytes:
                data = os.pread(handle, min(step, size_bytes - offset), offset)
                if not data:
                    raise _altered(local)
                yield offset, data
                offset += len(data)
                step = step_bytes
            if _stamp(os.fstat(handle)) != local.stamp:
                raise _altered(local)
        finally:
            os.close(handle)


class _reading:  # noqa: N801 -- used as a statement
    """Turns what the system says of a file into our words."""

    def __init__(self, local: LocalFile) -> None:
        self._local = local

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: type[BaseException] | None, wrong: BaseException | None, trace: object) -> None:
        if isinstance(wrong, FileNotFoundError):
            raise _altered(self._local) from None
        if isinstance(wrong, OSError):
            raise RefusedError(f"{self._local.path} cannot be read: {wrong.strerror}.") from None


def _altered(local: LocalFile) -> AlteredError:
    return AlteredError(f"{local.path} changed while it was read; send it again when nobody writes to it.")


# --- the wire -----------------------------------------------------------------------------------------------------

_SEVEN_BITS = 0x7F
_CHUNK, _PIECE, _FILE, _OFFSET, _DATA = b"\x12", b"\x0a", b"\x08", b"\x10", b"\x1a"


def frame(batch: Sequence[Piece]) -> bytes:
    """An UploadRequest with this chunk, as bytes.

    The same bytes that protobuf would make, with one copy of the data instead of three: this is where a fast upload
    spends its time.
    """
    parts: list[bytes] = []
    length = 0
    for index, offset, data in batch:
        head = _FILE + _varint(index) + _OFFSET + _varint(offset) + _DATA + _varint(len(data))
        size = _PIECE + _varint(len(head) + len(data))
        parts += [size + head, data]
        length += len(size) + len(head) + len(data)
    return b"".join([_CHUNK, _varint(length), *parts])


def _varint(value: int) -> bytes:
    made = bytearray()
    while value > _SEVEN_BITS:
        made.append(value & _SEVEN_BITS | 0x80)
        value >>= 7
    made.append(value)
    return bytes(made)
