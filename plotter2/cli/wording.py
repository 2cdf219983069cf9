"""What is shown to people, in words: for what is printed and for what is drawn on a terminal."""

from __future__ import annotations


def progress(run: str, done: float, total: float) -> str:
    """How far a run is: `run 3: 40 of 100`."""
    of = f" of {total:,g}" if total else ""
    return f"run {run.rpartition('.')[2]}: {done:,g}{of}"
