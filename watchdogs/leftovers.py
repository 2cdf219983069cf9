"""Processes that a watchdog before us has left behind: found by their records, ended before new ones are started.

A record names a pid and a start; the process is ours only if both fit, because pids are used again.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import suppress

import psutil

from plotter2.clock import from_rfc3339
from plotter2.layout import Layout
from watchdogs.database import Postgres

START_S_OFF_MAX = 30.0
END_S = 5.0


def clear(layout: Layout, postgres: Postgres | None) -> list[int]:
    """End what is left of a former life of this home; services stay. Returns the pids that were ended. Blocks."""
    left = list(_recorded(layout))
    if postgres is not None:
        left += _postmaster(postgres)
    for process in left:
        with suppress(psutil.NoSuchProcess, ProcessLookupError, PermissionError):
            if "postgres" in process.name():
                process.send_signal(signal.SIGINT)  # its fast shutdown; its own children know what to do
            elif os.getpgid(process.pid) == process.pid:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
    _, stubborn = psutil.wait_procs(left, timeout=END_S)
    for process in stubborn:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(stubborn, timeout=END_S)
    return [process.pid for process in left]


def _recorded(layout: Layout) -> Iterator[psutil.Process]:
    for document in _documents(layout):
        try:
            process = psutil.Process(int(document["pid"]))
            began = from_rfc3339(document["started_at"])
            if abs(process.create_time() - began) <= START_S_OFF_MAX and process.status() != psutil.STATUS_ZOMBIE:
                yield process
        except (psutil.NoSuchProcess, KeyError, ValueError, TypeError):
            continue


def _documents(layout: Layout) -> Iterator[dict[str, str]]:
    for path in sorted(layout.processes.glob("*.json")):
        with suppress(OSError, ValueError):
            yield json.loads(path.read_bytes())
    with suppress(OSError, ValueError, KeyError):
        yield from json.loads(layout.endpoints.read_bytes())["processes"]


def _postmaster(postgres: Postgres) -> list[psutil.Process]:
    """The postmaster that holds our data folder, by the first line of its own pid file."""
    try:
        process = psutil.Process(int((postgres.data / "postmaster.pid").read_text().split()[0]))
        return [process] if "postgres" in process.name() else []
    except (OSError, ValueError, IndexError, psutil.NoSuchProcess):
        return []
