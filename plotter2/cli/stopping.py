"""How `down` ends an installation: the watchdog that holds the home is asked by SIGTERM, and ends the rest itself."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import psutil

from plotter2 import discovery
from plotter2.clock import SystemClock
from plotter2.errors import FailedError, UnreachableError

STOP_S = 20.0
PAUSE_S = 0.05


def stop(home: Path) -> bool:
    """Stop what runs for this home, and wait for its end.

    Raises:
        UnreachableError: nothing runs.
        FailedError: it did not end in time.
    """
    holder = discovery.holder(home)
    guard = _process(holder.pid) if holder is not None else None
    if guard is None:
        raise UnreachableError(f"plotter2 is not running for {home}; start it with `plotter2 up --home {home}`.")
    rest = [_process(one.pid) for one in _endpoints(home)]
    everybody = {process for process in (guard, _guardian(guard), *rest) if process is not None}
    guard.send_signal(signal.SIGTERM)
    clock = SystemClock()
    end = clock.monotonic() + STOP_S
    while (left := [process for process in everybody if _lives(process)]) and clock.monotonic() < end:
        time.sleep(PAUSE_S)
    if left:
        names = ", ".join(str(process.pid) for process in left)
        raise FailedError(f"These processes did not end within {STOP_S:.0f} s: {names}.")
    return True


def _endpoints(home: Path) -> list[discovery.Endpoint]:
    try:
        return discovery.read_endpoints(home)
    except UnreachableError:
        return []  # it is still starting


def _guardian(guard: psutil.Process) -> psutil.Process | None:
    """The process of `plotter2 up` itself, which starts the watchdog anew when something kills it."""
    parent = guard.parent()
    return parent if parent is not None and "watchdogs" in parent.cmdline() else None


def _process(pid: int) -> psutil.Process | None:
    try:
        found = psutil.Process(pid)
    except psutil.NoSuchProcess:
        return None
    return found if _lives(found) else None


def _lives(process: psutil.Process) -> bool:
    """Whether it runs; one that has ended and was not waited for by its parent does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
