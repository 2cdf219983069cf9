"""Stands above watchdog main where no operating system does: `plotter2 up` on a terminal.

Starts it, and starts it again when something has killed it. A clean end, or a refusal, is passed on. As small as it can
be, because nobody watches it.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence
from types import FrameType

from plotter2 import launch
from plotter2.clock import SystemClock

QUICK_S = 5.0
QUICK_DEATHS_MAX = 10


def guard(arguments: Sequence[str]) -> int:
    """Keep `watchdogs main --alone ...` alive; returns its exit code."""
    clock, quick = SystemClock(), 0
    child: subprocess.Popen[bytes] | None = None
    is_stopping = False

    def pass_on(number: int, frame: FrameType | None) -> None:
        nonlocal is_stopping
        del frame
        is_stopping = True
        if child is not None and child.poll() is None:
            child.send_signal(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, pass_on)
    while True:
        began = clock.monotonic()
        child = subprocess.Popen([*launch.command("watchdogs", "main", "--alone"), *arguments], start_new_session=True)
        code = child.wait()
        if code >= 0 or is_stopping:
            return max(code, 0)
        quick = quick + 1 if clock.monotonic() - began < QUICK_S else 0
        if quick >= QUICK_DEATHS_MAX:
            print(f"plotter2: watchdog main was killed {quick} times in a row; giving up.", file=sys.stderr)  # noqa: T201
            return 1
