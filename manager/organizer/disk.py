"""Small steps on disk that all parts of the organizer share, and what their failures mean."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from plotter2 import files as durable
from plotter2.errors import FailedError, LimitError, PathRefusedError

SYNCED_ALONE_MAX = 16
"""Up to this many files each is synced alone, which does not wait for what others write; above it, one sync for all."""
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


@contextmanager
def trouble(doing: str) -> Iterator[None]:
    """What an OSError means: a full disk can be tried again, anything else is one clear sentence.

    Raises:
        LimitError: the disk is full.
        FailedError: something else.
    """
    try:
        yield
    except OSError as wrong:
        where = wrong.filename or "the disk"
        if wrong.errno in FULL:
            raise LimitError(f"The disk is full while {doing} ({where}); make room and it goes on.") from wrong
        raise FailedError(f"Something went wrong while {doing}: {wrong.strerror} ({where}).") from wrong


def status(path: Path) -> os.stat_result | None:
    """What is there, links not followed; None for nothing."""
    try:
        return path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None


def is_same(one: os.stat_result, other: os.stat_result) -> bool:
    """Whether two names mean one file."""
    return (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)


def is_file(found: os.stat_result) -> bool:
    """Whether it is a plain file."""
    return stat.S_ISREG(found.st_mode)


def plain_below(root: Path, relative: str) -> os.stat_result | None:
    """The plain file at a checked relative path, no link on the way; None if nothing is there.

    Raises:
        PathRefusedError: a link or something that is no plain file.
    """
    place = root
    *folders, name = relative.split("/")
    for part in folders:
        place = place / part
        found = status(place)
        if found is None:
            return None
        if not stat.S_ISDIR(found.st_mode):
            raise PathRefusedError(f"{relative!r} leads through {part!r}, which is no plain folder.")
    found = status(place / name)
    if found is not None and not is_file(found):
        raise PathRefusedError(f"{relative!r} is no plain file.")
    return found


def inside(path: Path, root: Path, what: str) -> Path:
    """The same path, if it lies really below `root`, links resolved.

    Raises:
        PathRefusedError: it does not.
    """
    real, base = Path(os.path.realpath(path)), Path(os.path.realpath(root))
    if real == base or not real.is_relative_to(base):
        raise PathRefusedError(f"{path} is no place for {what}: it must lie below {root}.")
    return real


def sync_contents(root: Path, files: Sequence[Path]) -> None:
    """Have the contents of these files below `root` on disk."""
    if len(files) > SYNCED_ALONE_MAX:
        durable.sync_tree(root, files)
        return
    for path in files:
        with path.open("rb") as file:
            os.fsync(file.fileno())


def sync_names(root: Path, files: Sequence[Path]) -> None:
    """Have the names of these files on disk, and of every folder between them and `root`."""
    if len(files) > SYNCED_ALONE_MAX:
        durable.sync_tree(root, files)
        return
    for folder in {parent for path in files for parent in path.parents if parent.is_relative_to(root)}:
        durable.sync_directory(folder)
