"""The lock of a home: held by watchdog main for as long as it lives, gone with the process whatever kills it."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager

from plotter2.clock import Instant, rfc3339
from plotter2.discovery import LOCK_NAME
from plotter2.errors import ConfigError
from plotter2.layout import Layout


@contextmanager
def hold(layout: Layout, now: Instant) -> Iterator[None]:
    """Hold the home for the length of a block.

    Raises:
        ConfigError: somebody else does; the message says who.
    """
    path = layout.log / LOCK_NAME
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(_held(os.pread(handle, 4096, 0), layout)) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps({"pid": os.getpid(), "since": rfc3339(now)}).encode(), 0)
        try:
            yield
        finally:
            os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def _held(raw: bytes, layout: Layout) -> str:
    try:
        document = json.loads(raw)
        who = f"process {document['pid']} since {document['since']}"
    except (ValueError, KeyError, TypeError):
        who = "another process"
    return f"plotter2 is running for {layout.home} already, held by {who}; end it by `plotter2 down`."
