"""Small tasks: how many durable ones a second, and how long one takes, beside a bare process pool."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from pathlib import Path

import plotter2
from bench.report import Measure, note, percentile
from plotter2.clock import SystemClock

CLOCK = SystemClock()
SQUARE = """
def task(n):
    return n * n
"""
WARM_UP = 200


def square(number: int) -> int:
    """The same task for the bare pool."""
    return number * number


def throughput(home: Path, workers: int, count: int) -> Iterator[Measure]:
    """Tasks/s through the SDK, every result committed, in order."""
    note(f"{count} tiny tasks")
    with plotter2.connect(home=home) as p2:
        list(p2.map(SQUARE, ({"n": number} for number in range(WARM_UP)), name="square"))
        started = CLOCK.monotonic()
        results = list(p2.map(SQUARE, ({"n": number} for number in range(count)), name="square"))
        passed = CLOCK.monotonic() - started
    if results != [number * number for number in range(count)]:
        raise SystemExit("bench: the tasks gave wrong results")
    with multiprocessing.get_context("forkserver").Pool(workers) as pool:
        list(pool.imap(square, range(WARM_UP)))
        started = CLOCK.monotonic()
        list(pool.imap(square, range(count)))
        bare = CLOCK.monotonic() - started
    yield Measure("durable_tasks", count / passed, "tasks/s", "bare multiprocessing pool", count / bare)


def latency(home: Path, workers: int, count: int) -> Iterator[Measure]:
    """Milliseconds of one task after another, from the call to its committed result."""
    note(f"{count} tasks, one after another")
    ours, bare = [], []
    with plotter2.connect(home=home) as p2:
        for number in range(WARM_UP + count):
            started = CLOCK.monotonic()
            p2.call(SQUARE, n=number)
            ours.append(CLOCK.monotonic() - started)
    with multiprocessing.get_context("forkserver").Pool(workers) as pool:
        for number in range(WARM_UP + count):
            started = CLOCK.monotonic()
            pool.apply(square, (number,))
            bare.append(CLOCK.monotonic() - started)
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        mine, limit = (percentile(values[WARM_UP:], share) * 1000 for values in (ours, bare))
        yield Measure(f"single_task_{name}", mine, "ms", f"bare multiprocessing pool {name}", limit)
