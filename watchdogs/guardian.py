"""Stands above watchdog main where no operating system does: `plotter2 up` on a terminal.

Starts it, and starts it again when something has killed it, or when it has failed after it had worked for a while. A
clean end, and a refusal to start, are passed on. As small as it can be, because nobody watches it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from types import FrameType

from plotter2 import config, launch
from plotter2.clock import Clock, SystemClock

REFUSAL_S_MAX = 30.0
QUICK_S = 5.0
QUICK_DEATHS_MAX = 10
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Start = Callable[[], "subprocess.Popen[bytes]"]


def guard(arguments: Sequence[str]) -> int:
    """Keep `watchdogs main` alive; returns its exit code."""
    command = launch.command("watchdogs", "main", "--alone", "--guardian", str(os.getpid()), *arguments)

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, start_new_session=True, env=config.daemons_environment())

    return Guardian(start, SystemClock()).run()


class Guardian:
    """Keeps one process; signals that ask us to end are passed on to it."""

    def __init__(self, start: Start, clock: Clock) -> None:
        self._start = start
        self._clock = clock
        self._child: subprocess.Popen[bytes] | None = None
        self._is_stopping = False

    def run(self) -> int:
        """Until it has ended for good; its exit code."""
        for number in STOP_SIGNALS:
            signal.signal(number, self._pass_on)
        quick = 0
        while True:
            began = self._clock.monotonic()
            self._child = self._start()
            if self._is_stopping:  # asked to end before there was anybody to pass it on to
                self._child.terminate()
            code = self._child.wait()
            lived_s = self._clock.monotonic() - began
            if self._is_over(code, lived_s):
                return max(code, 0)
            quick = quick + 1 if lived_s < QUICK_S else 0
            if quick >= QUICK_DEATHS_MAX:
                print(f"plotter2: watchdog main was killed {quick} times in a row; giving up.", file=sys.stderr)  # noqa: T201 -- its reader is a person
                return 1

    def _is_over(self, code: int, lived_s: float) -> bool:
        is_refusal = code > 0 and lived_s < REFUSAL_S_MAX
        return self._is_stopping or code == 0 or is_refusal

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._is_stopping = True
        if self._child is not None and self._child.poll() is None:
            self._child.terminate()
