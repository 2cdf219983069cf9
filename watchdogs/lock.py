"""The lock of a home: held by watchdog main for as long as it lives, gone with the process whatever kills it.

The file is taken away at a clean end; so whoever has locked it looks whether it still is the one that others find.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from plotter2.clock import Instant, rfc3339
from plotter2.discovery import LOCK_NAME
from plotter2.errors import ConflictError
from plotter2.layout import Layout

HOLDER_BYTES_MAX = 4096


@contextmanager
def hold(layout: Layout, now: Instant, guardian: int = 0) -> Iterator[None]:
    """Hold the home for the length of a block; `guardian` is the pid of who starts us again, 0 for nobody we know.

    Raises:
        ConflictError: somebody else does; the message says who.
    """
    path = layout.log / LOCK_NAME
    handle = _locked(path, layout)
    try:
        document = {"pid": os.getpid(), "since": rfc3339(now), "guardian": guardian}
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(document).encode(), 0)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
    finally:
        os.close(handle)


def _locked(path: Path, layout: Layout) -> int:
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = _held(os.pread(handle, HOLDER_BYTES_MAX, 0), layout)
            os.close(handle)
            raise ConflictError(message) from None
        if _is_same(handle, path):
            return handle
        os.close(handle)


def _is_same(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _held(raw: bytes, layout: Layout) -> str:
    try:
        document = json.loads(raw)
        who = f"process {document['pid']} since {document['since']}"
    except (ValueError, KeyError, TypeError):
        who = "another process"
    return f"plotter2 is running for {layout.home} already, held by {who}; end it by `plotter2 down`."
