"""The manager with a large registry: how long it takes to start again, and how much memory it then has."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from time import sleep

import psutil

import plotter2
from bench.report import Measure, note
from bench.search import manager_dsn
from manager.store import Batch
from manager.store.postgres import PostgresStore
from plotter2.clock import Instant, SystemClock
from plotter2.errors import Plotter2Error
from plotter2.model.bundle import BundleVersion, Contents, FileEntry
from plotter2.model.paths import BundlePath

CLOCK = SystemClock()
CHILDREN = 999
"""Of each experiment."""
BATCH = 5_000
START_S = 300.0
POLL_S = 0.05
PACKAGE = {
    "parameters": {"lr": {"type": "float", "default": 0.1}, "seed": {"type": "int", "default": 0}},
    "service": {"command": ["{python}", "train.py", "--lr", "{lr}"], "metrics": [{"path": "out/metrics.csv"}]},
    "data": {"metrics": {"path": "out/metrics.csv", "type": "table{epoch: int64, loss: float64, *}"}},
    "tasks": [{"name": "curve", "task_src": "tasks/curve.py"}],
    "heads": {"loss": {"data": "metrics", "returns": "table"}},
}


def registry(home: Path, count: int) -> Iterator[Measure]:
    """Start and memory of a manager with `count` bundles, beside one with next to none.

    The manager is ended by SIGKILL, as after a power cut; its watchdog starts the next one.
    """
    with plotter2.connect(home=home) as p2:
        dsn = manager_dsn(p2.status())
    bare_s, bare_bytes = _restarted(home, "")
    note(f"writing {count} bundles")
    asyncio.run(_fill(dsn, count))
    start_s, bytes_ = _restarted(home, _bundle(count - 1).bundle.path)
    yield Measure(f"registry_{count}_start", start_s, "s", "the same manager with an empty registry", bare_s)
    yield Measure(
        f"registry_{count}_memory", bytes_ / 2**20, "MiB", "the same manager with an empty registry", bare_bytes / 2**20
    )
    yield Measure(f"registry_{count}_a_bundle", (bytes_ - bare_bytes) / count, "B", "nothing", 0.0)


def _restarted(home: Path, known: str) -> tuple[float, int]:
    """Seconds from the new process's begin until it answers, about a bundle that it knows, and its memory then."""
    before, _ = _manager(home)
    psutil.Process(before).kill()
    end = CLOCK.monotonic() + START_S
    while CLOCK.monotonic() < end:
        sleep(POLL_S)
        now, is_there = _manager(home, known)
        if is_there and now != before:
            process = psutil.Process(now)
            return CLOCK.now() - process.create_time(), process.memory_info().rss
    raise SystemExit(f"bench: the manager was not there again within {START_S:.0f} s")


def _manager(home: Path, known: str = "") -> tuple[int, bool]:
    """Its process, and whether it answers. Asked over a line of its own: one that has waited waits ever longer."""
    try:
        with plotter2.connect(home=home) as p2:
            found = p2.status()
            if found.version and known:
                p2.ops(known)
    except Plotter2Error:
        return 0, False
    return next((one.pid for one in found.processes if one.role == "manager"), 0), bool(found.version)


async def _fill(dsn: str, count: int) -> None:
    async with PostgresStore.open(dsn) as store:
        for start in range(0, count, BATCH):
            bundles = [_bundle(number) for number in range(start, min(start + BATCH, count))]
            await store.commit(Batch(turn=f"bench.registry.{start}", bundles=bundles))


def _bundle(number: int) -> Contents:
    """An experiment, or one of its children, with a package, parameters, metrics and files as a redo leaves them."""
    experiment, child = divmod(number, CHILDREN + 1)
    path = f"bench/registry/experiment{experiment:03}"
    digest = number.to_bytes(32, "big")
    files = tuple(FileEntry(name, 1_000, digest) for name in ("out/metrics.csv", "run.json"))
    if child == 0:
        version = BundleVersion(
            BundlePath(path), 1, digest, 3, 3_000, Instant(1.7e9 + number), package_json=json.dumps(PACKAGE)
        )
        return Contents(version, (*files, FileEntry("tasks/curve.py", 1_000, digest)))
    made = BundleVersion(
        BundlePath(f"{path}/bundles/lr={child / 1000}"), 1, digest, 2, 2_000, Instant(1.7e9 + number),
        parameters_json=json.dumps({"lr": child / 1000, "seed": number}), run_key=digest,
        metrics_json=json.dumps({"loss": 1 / child, "loss.min": 0.01, "loss.max": 2.5, "accuracy": 0.5}),
    )  # fmt: skip
    return Contents(made, files)
