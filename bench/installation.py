"""A fresh installation for a benchmark: `plotter2 up` on a home of its own, stopped and removed afterwards."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGINT
from time import sleep
from typing import Any

from plotter2.clock import SystemClock

START_S = 120.0
STOP_S = 20.0


@contextmanager
def running(home: Path, workers: int) -> Iterator[Path]:
    """The home of an installation whose every process is ready."""
    words = ["up", "--home", str(home), "--workers", str(workers), "--ports", "auto"]
    with (home.parent / "up.out").open("wb") as out:
        server = subprocess.Popen([sys.executable, "-m", "plotter2", *words], stdout=out, stderr=subprocess.STDOUT)
    try:
        _await_ready(home, server, workers)
        yield home
    finally:
        server.send_signal(SIGINT)
        try:
            server.wait(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _await_ready(home: Path, server: subprocess.Popen[bytes], workers: int) -> None:
    clock = SystemClock()
    end = clock.monotonic() + START_S
    while not _is_ready(_status(home), workers):
        if server.poll() is not None or clock.monotonic() > end:
            said = (home.parent / "up.out").read_text(errors="replace")
            raise SystemExit(f"plotter2 did not start: {said[-1000:]}")
        sleep(0.25)


def _status(home: Path) -> dict[str, Any] | None:
    words = [sys.executable, "-m", "plotter2", "status", "--home", str(home), "--json"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return None
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _is_ready(status: dict[str, Any] | None, workers: int) -> bool:
    processes = status["processes"] if status else []
    count = sum(process["role"] == "worker" for process in processes)
    return count == workers and all(process["state"] in {"ready", "running"} for process in processes)
