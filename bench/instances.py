"""What an instance costs that waits: memory beside a bare greenlet's, time beside that of one that never waits."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
from greenlet import getcurrent, greenlet

from bench.report import Measure, note
from plotter2.datter.runs import RunInput
from plotter2.datter.scope import Scope
from plotter2.datter.trees.hub import Definition, Local
from plotter2.model import package

WAITING = """
expose(matrix)
impose(key as datter.keytype(matrix))
def task():
    data = access(key)
    expose(matrix as data)
    for owner in islinked(me) or []:
        handin(data, owner)
        release()
"""
COLLECTING = """
def task():
    tasks = gather_tasks("waiting")
    link(me, tasks)
    collect(tasks)
    loggy("all wait")
    handin(access("matrix"), tasks)
"""
DECLARED = '{"data": {"matrix": {"path": "m/*.npy"}}}'


def parked(work: Path, count: int) -> Iterator[Measure]:
    """So many instances hand their data in to one task and wait for it, all in this process."""
    files = _matrices(work / "matrices", count)
    ground = RunInput("bench", "", "script", "", "", {}, 1, Scope("bench", 1, files, package.parse(DECLARED)), work)
    bare = _bare(count) / count / 1024
    note(f"{count} instances that never wait, then as many that do")
    alone, _ = _ran(ground, "waiting")
    together, grown = _ran(ground, "collecting")
    yield Measure("instances_parked_memory", grown / count / 1024, "KiB", "a bare greenlet", bare)
    yield Measure("instances_parked_time", together / count * 1000, "ms", "never waiting", alone / count * 1000)


def _matrices(folder: Path, count: int) -> dict[str, Path]:
    folder.mkdir()
    files = {f"m/step_{step}.npy": folder / f"{step}.npy" for step in range(count)}
    for step, path in enumerate(files.values()):
        np.save(path, np.full((4, 4), float(step)))
    return files


def _ran(ground: RunInput, name: str) -> tuple[float, float]:
    """How long a tree took, and by how much memory had grown when all of its instances waited."""
    before = _resident()
    grown: list[int] = []
    linked = Definition("collecting", COLLECTING, "c.py", linked=("waiting",))
    tree = Local([Definition("waiting", WAITING, "waiting.py"), linked], ground, lambda _: grown.append(_resident()))
    start = time.perf_counter()
    tree.run(name)
    return time.perf_counter() - start, (grown[0] if grown else before) - before


def _bare(count: int) -> int:
    main = getcurrent()
    before = _resident()
    waiting = [greenlet(main.switch) for _ in range(count)]
    for one in waiting:
        one.switch()
    grown = _resident() - before
    for one in waiting:
        one.switch()
    return grown


def _resident() -> int:
    found: int = psutil.Process().memory_info().rss
    return found
