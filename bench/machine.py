"""What was measured on: the machine in a few words."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

import psutil

from plotter2.clock import SystemClock, rfc3339


def describe(directory: Path) -> dict[str, Any]:
    """The machine, its load, and the file system that the data lie on."""
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "file_system": _file_system(directory),
        "load": round(psutil.getloadavg()[0], 2),
        "at": rfc3339(SystemClock().now()),
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _file_system(directory: Path) -> str:
    found = [part for part in psutil.disk_partitions(all=True) if directory.is_relative_to(part.mountpoint)]
    return max(found, key=lambda part: len(part.mountpoint)).fstype if found else "unknown"
