"""Sentences that a worker and its children must say alike (pure)."""

from __future__ import annotations

import signal

ERROR_BYTES_MAX = 16 << 10


def exceeded(task_name: str, what: str, amount: str) -> str:
    """A limit was broken."""
    return f"The task {task_name!r} exceeded its {what} limit of {amount}."


def mebibytes(size_bytes: int) -> str:
    """A size in the unit people set it in."""
    return f"{size_bytes / (1 << 20):g} MiB" if size_bytes % (1 << 20) == 0 else f"{size_bytes / (1 << 20):.1f} MiB"


def exit_sentence(task_name: str, status: int) -> str:
    """The interpreter ended under a task. `status`: exit code, or minus the signal's number."""
    if status >= 0:
        return f"The task {task_name!r} failed: the interpreter ended with exit code {status} while it ran."
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = "unknown"
    return f"The task {task_name!r} failed: the interpreter ended by signal {-status} ({name}) while it ran."


def bounded(text: str, bytes_max: int = ERROR_BYTES_MAX) -> str:
    """A text that is not longer than it may be: beginning and end are kept, for a traceback's last line says most."""
    raw = text.encode(errors="replace")
    if len(raw) <= bytes_max:
        return raw.decode()
    half = (bytes_max - 8) // 2
    return raw[:half].decode(errors="ignore") + "\n…\n" + raw[-half:].decode(errors="ignore")
