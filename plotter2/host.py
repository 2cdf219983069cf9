"""The machine that this process runs on."""

from __future__ import annotations

from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def boot_id() -> str:
    """A name of this run of this machine, the same for all its processes; "" where there is none to know."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""
