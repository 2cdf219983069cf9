"""Shims as processes: start one, find one again, end one, wait for its record of the end.

A shim is known by its command line, which ends in its run's directory; what it wrote to disk outlives it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from plotter2 import config, files
from servicer import command, shim
from servicer.folder import Folder

LOOK_S = 0.1
LOOKS_AFTER_DEATH = 5
STOPPED = "stopped"
"""The reason that a shim records when it was asked to end its program."""


def start(folder: Folder, order: dict[str, Any]) -> None:
    """Start a shim in a session of its own; blocks until it is started, not until the program is."""
    files.write_durably(folder.root / "start.json", json.dumps(order).encode())
    words = [sys.executable, "-I", "-S", shim.__file__, str(folder.root)]
    with (folder.root / "shim.txt").open("ab") as log, Path(os.devnull).open("rb") as nothing:
        streams = [(os.POSIX_SPAWN_DUP2, file.fileno(), to) for to, file in enumerate((nothing, log, log))]
        pid = os.posix_spawn(
            sys.executable,
            words,
            config.environment(),
            file_actions=streams,
            setsid=True,
            setsigmask=[signal.SIGTERM],  # the shim lets it through when it can record a stop
        )
    files.write_durably(folder.root / "parent.json", json.dumps({"pid": pid}).encode())


def find(root: Path) -> psutil.Process | None:
    """The living shim of a run, if there is one."""
    for name, key in (("parent.json", "pid"), ("shim.json", "shim_pid")):
        with suppress(OSError, ValueError, KeyError, psutil.Error):
            process = psutil.Process(int(json.loads((root / name).read_bytes())[key]))
            if _is_shim(process, root):
                return process
    return None


def has_begun(folder: Folder) -> bool:
    """Whether a shim was ever started for this run, even by a servicer that died before it could write that down."""
    if any((folder.root / name).exists() for name in ("shim.json", "exit.json")):
        return True
    return any(_is_shim(process, folder.root) for process in psutil.process_iter())


def _is_shim(process: psutil.Process, root: Path) -> bool:
    """Pids are used again; command lines with this directory at the end are not."""
    with suppress(psutil.Error):
        words = process.cmdline()
        return words[-2:] == [shim.__file__, str(root)] and process.status() != psutil.STATUS_ZOMBIE
    return False


async def record(folder: Folder, name: str) -> dict[str, Any]:
    """Wait for a record of the shim (`shim.json`, `exit.json`); empty when the shim is gone and has left none."""
    looks = 0
    while True:
        found = await asyncio.to_thread(folder.read, name)
        if found:
            return found
        if name != "exit.json" and _has_ended(folder):
            return {}
        if find(folder.root) is None:
            looks += 1
            if looks > LOOKS_AFTER_DEATH:
                return {}
        await asyncio.sleep(LOOK_S)


def _has_ended(folder: Folder) -> bool:
    return (folder.root / "exit.json").exists()


def end(root: Path) -> None:
    """Ask the shim to end its program."""
    process = find(root)
    if process is not None:
        with suppress(psutil.NoSuchProcess):
            process.terminate()


def forbid(root: Path, grace_s: float = 0.0) -> None:
    """Have a shim that has not begun its program never begin it, also one that is yet to be started. Blocks.

    One that has begun it, and is asked to end it, gives it so many seconds; 0: the shim's own measure.
    """
    if root.is_dir():
        files.write_durably(root / "stop.json", json.dumps({"grace_s": grace_s} if grace_s else {}).encode())


def end_orphan(folder: Folder) -> None:
    """End a program whose shim was killed, and all that it started: their environment names this run's output."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(command.OUTPUT) == str(folder.output):
                process.kill()


async def gone(folder: Folder) -> None:
    """Wait until the shim, whose last act is its record, is gone; then collect it."""
    looks = 0
    while find(folder.root) is not None and looks < LOOKS_AFTER_DEATH:
        looks += 1
        await asyncio.sleep(LOOK_S / 10)
    reap(folder.root)


def reap(root: Path) -> None:
    """Collect the shim of a run, if it was started by this process and has ended."""
    with suppress(OSError, ValueError, KeyError):
        os.waitpid(int(json.loads((root / "parent.json").read_bytes())["pid"]), os.WNOHANG)
