"""Doing things to processes: start, ask to end, kill. A protocol with two hands: plain processes, and systemd units.

A ward runs in a session of its own, so Ctrl-C on the terminal reaches the watchdog alone; it dies with its watchdog
(PR_SET_PDEATHSIG), so a killed watchdog leaves no orphan. Services are not wards: they outlive everybody.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from plotter2 import config
from plotter2.layout import Layout
from watchdogs.wards import Ward, log_of

OUT_BYTES_MAX = 8 << 20
PR_SET_PDEATHSIG = 1
SYSTEMCTL_S = 30.0
UNIT_LOOK_S = 1.0


class Running(Protocol):
    """A ward that was started."""

    @property
    def pid(self) -> int:
        """Its process id."""
        ...

    async def exited(self) -> int:
        """Wait for its end; the exit code, negative for a signal."""
        ...

    def ask(self) -> None:
        """Ask it to end."""
        ...

    def kill(self) -> None:
        """End it and whatever it started in its session."""
        ...


class Hands(Protocol):
    """How wards are started."""

    async def start(self, ward: Ward) -> Running:
        """Start it.

        Raises:
            OSError: the program cannot be started.
        """
        ...

    async def tidy(self, ward: Ward) -> None:
        """Keep what it has printed within its limit."""
        ...


class Child:
    """A ward as a child process."""

    def __init__(self, process: asyncio.subprocess.Process, ward: Ward) -> None:
        self._process = process
        self._ward = ward

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def exited(self) -> int:
        """Wait for its end."""
        return await self._process.wait()

    def ask(self) -> None:
        """Send its stop signal."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.Signals[self._ward.stop_signal])

    def kill(self) -> None:
        """SIGKILL to its whole group."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)


class Processes:
    """Plain child processes."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    async def start(self, ward: Ward) -> Child:
        """Start a ward in a session of its own, its words in `<home>/log/<name>.out`."""
        with log_of(ward, self._layout).open("ab") as out:
            process = await asyncio.create_subprocess_exec(
                *ward.command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=self._layout.home,
                env=_environment(ward, self._layout.home),
                start_new_session=True,
                preexec_fn=_die_with_parent(),
            )
        return Child(process, ward)

    async def tidy(self, ward: Ward) -> None:
        """Move what it has printed to `<name>.out.1` when it is too much; the ward goes on writing at the new start."""
        path = log_of(ward, self._layout)
        with suppress(OSError):  # a full disk: the next look tries again
            if path.stat().st_size > OUT_BYTES_MAX:
                await asyncio.to_thread(shutil.copyfile, path, path.with_suffix(".out.1"))
                os.truncate(path, 0)


class Systemd:
    """Wards as systemd units `plotter2-<name>.service`: the operating system starts them, we ask it to."""

    def __init__(self, program: str = "systemctl") -> None:
        self._program = program

    @staticmethod
    def is_here() -> bool:
        """Whether this machine was booted with systemd."""
        return Path("/run/systemd/system").is_dir() and shutil.which("systemctl") is not None

    async def start(self, ward: Ward) -> Unit:
        """Start the unit and find its main process."""
        unit = f"plotter2-{ward.name}.service"
        await self.call("restart", unit)
        shown = await self.call("show", "--property=MainPID", "--value", unit)
        return Unit(self, unit, int(shown or 0))

    async def tidy(self, ward: Ward) -> None:
        """Nothing to do: the journal keeps what units print, and has limits of its own."""

    async def call(self, *words: str) -> str:
        """Run systemctl.

        Raises:
            OSError: it refused; its words are in the message.
        """
        process = await asyncio.create_subprocess_exec(
            self._program, *words, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        async with asyncio.timeout(SYSTEMCTL_S):
            out, err = await process.communicate()
        if process.returncode != 0:
            raise OSError(f"systemctl {' '.join(words)}: {err.decode(errors='replace').strip()}")
        return out.decode().strip()


class Unit:
    """A ward as a systemd unit."""

    def __init__(self, systemd: Systemd, name: str, pid: int) -> None:
        self._systemd = systemd
        self._name = name
        self.pid = pid

    async def exited(self) -> int:
        """Wait until the unit is not active any more."""
        while True:
            state = await self._systemd.call("show", "--property=ActiveState", "--value", self._name)
            if state not in {"active", "activating", "reloading"}:
                status = await self._systemd.call("show", "--property=ExecMainStatus", "--value", self._name)
                return int(status or 0)
            await asyncio.sleep(UNIT_LOOK_S)

    def ask(self) -> None:
        """SIGTERM to its main process."""
        with suppress(ProcessLookupError, PermissionError):
            os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL to its main process; systemd ends the rest of its group."""
        with suppress(ProcessLookupError, PermissionError):
            os.kill(self.pid, signal.SIGKILL)


def _environment(ward: Ward, home: Path) -> dict[str, str]:
    given = config.daemons_environment()
    inherited = {key: value for key, value in given.items() if not key.startswith("PLOTTER2_WATCHDOG_")}
    return {**inherited, "PLOTTER2_HOME": str(home), **ward.environment}


def _die_with_parent() -> Callable[[], None] | None:
    """What the child does before it becomes the ward. Loaded here: after the fork nothing may be imported."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl

    def ask_for_signal() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)

    return ask_for_signal
