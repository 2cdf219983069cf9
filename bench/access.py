"""access of a large array inside a child: how long until a script holds it, beside a bare map of the same file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

import plotter2
from bench.report import Measure, note
from plotter2.clock import SystemClock

CLOCK = SystemClock()
BUNDLE = "bench/access"
COLUMNS = 1024
TIMES = 5
SCRIPT = """
import time
def task():
    started = time.perf_counter()
    access("big")
    return time.perf_counter() - started
"""


def access(home: Path, work: Path, size: int) -> Iterator[Measure]:
    """Milliseconds, the middle one of five runs that come after the first; `size` in bytes."""
    note(f"access of {size >> 20} MiB")
    folder = work / "access"
    folder.mkdir()
    rows = max(1, size // (8 * COLUMNS))
    big = np.lib.format.open_memmap(folder / "big.npy", "w+", float, (rows, COLUMNS))
    big[:] = np.arange(rows)[:, None]
    big.flush()
    del big
    with plotter2.connect(home=home) as p2:
        p2.push(folder, BUNDLE)
        ours = sorted(p2.submit(SCRIPT, BUNDLE).result() for _ in range(TIMES + 1))[(TIMES + 1) // 2]
    started = CLOCK.monotonic()
    np.load(folder / "big.npy", mmap_mode="r")
    bare = CLOCK.monotonic() - started
    yield Measure("access", ours * 1000, "ms", "numpy's map, ms", bare * 1000)
