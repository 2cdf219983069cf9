"""Shims as processes: start one, find one again, end one, wait for its record of the end.

Pids are used again, so a shim is known by pid and start time together; what it wrote to disk outlives it.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from plotter2 import files
from servicer import shim
from servicer.folder import Folder

LOOK_S = 0.1
LOOKS_AFTER_DEATH = 5


def start(folder: Folder, order: dict[str, Any]) -> None:
    """Start a shim in a session of its own; blocks until it is started, not until the program is."""
    files.write_durably(folder.root / "start.json", json.dumps(order).encode())
    with (folder.log / "shim.txt").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", shim.__file__, str(folder.root)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd="/",
        )
    began = psutil.Process(process.pid).create_time()
    files.write_durably(folder.root / "parent.json", json.dumps({"pid": process.pid, "began": began}).encode())


def find(root: Path) -> psutil.Process | None:
    """The living shim of a run, if there is one."""
    try:
        document = json.loads((root / "parent.json").read_bytes())
        process = psutil.Process(int(document["pid"]))
        is_it = process.create_time() == document["began"] and process.status() != psutil.STATUS_ZOMBIE
    except (OSError, ValueError, KeyError, psutil.NoSuchProcess):
        return None
    return process if is_it else None


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


def end_orphan(folder: Folder) -> None:
    """End a program whose shim was killed: nobody else would."""
    document = folder.read("shim.json")
    with suppress(psutil.NoSuchProcess, KeyError):
        process = psutil.Process(int(document["pid"]))
        if abs(process.create_time() - float(document["started_at"])) < 1.0:
            for one in [*process.children(recursive=True), process]:
                with suppress(psutil.NoSuchProcess):
                    one.kill()


def reap() -> None:
    """Collect shims that have ended and were started by this process."""
    with suppress(ChildProcessError):
        for child in psutil.Process().children():
            if child.status() == psutil.STATUS_ZOMBIE:
                with suppress(psutil.TimeoutExpired, psutil.NoSuchProcess):
                    child.wait(0)
