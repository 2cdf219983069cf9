"""What instances cost: waiting, beside a bare greenlet and one that never waits; drawing, beside one process alone."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
from greenlet import getcurrent, greenlet

import plotter2
from bench.report import Measure, note
from plotter2.datter.hub import Definition, Local
from plotter2.datter.scope import RunInput, Scope
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
DRAWING = f"""{WAITING}
    window = frame()
    plotme(frame(window), data)
    plotme(frame(window), access(exposed()))
    plotme(window)
"""
GIVING = """
def task():
    tasks = gather_tasks("drawing")
    link(me, tasks)
    collect(tasks)
    handin(access("matrix"), tasks)
"""
TREE = (
    {"name": "drawing", "task_src": "drawing.py"},
    {"name": "giving", "task_src": "giving.py", "linked": ["drawing"]},
)
WARM_UP = 16
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


def linked(home: Path, work: Path, count: int) -> Iterator[Measure]:
    """So many instances hand in their matrices, get all of them back, and draw their own beside the total of all."""
    note(f"{count} linked instances that draw, over the fleet and then in this process")
    with plotter2.connect(home=home) as p2:
        for size in (WARM_UP, count):
            folder = _bundle(work / f"linked{size}", size)
            p2.push(folder, f"bench/linked{size}")
            start = time.perf_counter()
            p2.run("giving", on=f"bench/linked{size}").check()
            ours = time.perf_counter() - start
    files = {f"m/{one.name}": one for one in (folder / "m").iterdir()}
    scope = Scope("bench", 1, files, package.parse(DECLARED))
    ground = RunInput("bench", "", "script", "", "", {}, 1, scope, work / "drawn", "../")
    giving = Definition("giving", GIVING, "giving.py", linked=("drawing",))
    tree = Local([Definition("drawing", DRAWING, "drawing.py"), giving], ground, lambda _: None)
    start = time.perf_counter()
    tree.run("giving")
    bare = time.perf_counter() - start
    yield Measure("instances_linked", count / ours, "figures/s", "the same figures in one process", count / bare)


def _bundle(folder: Path, count: int) -> Path:
    for name, path in _matrices(folder / "made", count).items():
        (folder / name).parent.mkdir(exist_ok=True)
        path.rename(folder / name)
    (folder / "made").rmdir()
    for name, source in (("drawing", DRAWING), ("giving", GIVING)):
        (folder / f"{name}.py").write_text(source)
    declared = {**json.loads(DECLARED), "tasks": TREE}
    (folder / "package.json").write_text(json.dumps(declared))
    return folder


def _matrices(folder: Path, count: int) -> dict[str, Path]:
    folder.mkdir(parents=True)
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
