"""A whole plotter2 as a person starts it, and what can be asked of it from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

START_S_MAX = 90.0
BACK_S_MAX = 30.0


def until(condition: Callable[[], Any], limit_s: float = BACK_S_MAX) -> Any:
    """Poll until it gives something, then that; fail after the limit."""
    end = time.monotonic() + limit_s  # noqa: TID251 -- a test's own limit
    while not (found := condition()):
        assert time.monotonic() < end, "it did not come true in time"  # noqa: TID251 -- a test's own limit
        time.sleep(0.02)
    return found


def is_gone(pid: int) -> bool:
    """Whether the process has ended."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


class Installation:
    """`plotter2 up` on a home."""

    def __init__(self, home: Path, workers: int = 1) -> None:
        self.home = home
        self.workers = workers
        self.process: subprocess.Popen[bytes] | None = None

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "plotter2", *words, "--home", str(self.home)]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.command(*words), capture_output=True, text=True, check=False, timeout=60)

    def start(self) -> None:
        out = self.home.with_suffix(".out").open("ab")
        with out:
            self.process = subprocess.Popen(
                self.command("up", "--workers", str(self.workers), "--ports", "auto"), stdout=out, stderr=out
            )
        until(self._is_up_or_over, START_S_MAX)
        assert self.process.poll() is None, self.said()

    def _is_up_or_over(self) -> bool:
        assert self.process is not None
        roles = {"manager", "stager", "servicer", "worker", "broker", "database", "watchdog"}
        return self.process.poll() is not None or (roles <= set(self.roles()) and self.is_well())

    def said(self) -> str:
        return self.home.with_suffix(".out").read_text()

    def processes(self) -> dict[str, dict[str, Any]]:
        """endpoints.json, by name."""
        try:
            document = json.loads((self.home / "log" / "endpoints.json").read_bytes())
        except OSError:
            return {}
        return {one["name"]: one for one in document["processes"]}

    def roles(self) -> list[str]:
        return [one["role"] for one in self.processes().values()]

    def is_well(self, *names: str) -> bool:
        """Whether everybody (or those named) lives, and is ready where it can be asked."""
        found = self.processes()
        asked = names or tuple(found)
        return bool(asked) and all(name in found and is_ready(found[name]) for name in asked)

    def kill(self, name: str) -> int:
        """kill -9; the pid that was killed."""
        pid = self.processes()[name]["pid"]
        os.kill(pid, signal.SIGKILL)
        return int(pid)

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Ctrl-C; the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(20)

    def end(self) -> None:
        """Whatever a test left."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
        for pid in self.pids():
            psutil.Process(pid).kill()

    def pids(self) -> list[int]:
        """Every process that has to do with this home, whoever its parent is."""
        found = []
        for process in psutil.process_iter():
            try:
                mine = str(self.home) in " ".join(process.cmdline()) or (
                    process.environ().get("PLOTTER2_HOME") == str(self.home)
                )
                if mine and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process.pid)
            except psutil.Error:
                continue
        return found


def is_ready(one: dict[str, Any]) -> bool:
    """Whether a process lives and takes work."""
    if one["state"] != "running" or is_gone(one["pid"]):
        return False
    probe = one["addresses"].get("http") or one["addresses"].get("probe")
    return not probe or fetch(f"http://{probe}/ready")[0] == 200


def fetch(url: str) -> tuple[int, bytes]:
    """Status and body; 0 when nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status, answer.read()
    except OSError:
        return 0, b""
