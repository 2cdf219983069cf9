"""What children use: private memory and processor time, and the size of their log files, looked at now and then."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import psutil

LOG_BYTES_MAX = 4 << 20


@dataclass(frozen=True, slots=True)
class Usage:
    """What one process uses. Memory that it shares with others (mapped files) is not its own."""

    memory_bytes: int
    cpu_s: float


def usage(pid: int) -> Usage | None:
    """What a process uses now; None when it is gone."""
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            memory = process.memory_info()
            times = process.cpu_times()
    except psutil.Error:
        return None
    return Usage(memory.rss - getattr(memory, "shared", 0), times.user + times.system)


def bound_log(path: Path) -> None:
    """Begin a child's log file anew when it has grown too long (it is written in append mode)."""
    try:
        if path.stat().st_size > LOG_BYTES_MAX:
            os.truncate(path, 0)
    except FileNotFoundError:
        pass
