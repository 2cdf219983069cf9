"""Search: how long the best ten of many runs take through the SDK, beside the same question to one flat table."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil

import plotter2
from bench.report import Measure, note, percentile
from manager.store import Batch
from manager.store.postgres import PostgresStore
from plotter2.clock import Instant, SystemClock
from plotter2.model.bundle import BundleVersion, Contents
from plotter2.model.paths import BundlePath
from plotter2.pg import Database

CLOCK = SystemClock()
WHERE = 'param.lr < 0.1 and metric.accuracy > 0.9 and tag.model = "mlp"'
SORT = "-metric.accuracy"
BEST = 10
BATCH = 1_000
WARM_UP = 20
FLAT = """
select path, lr, accuracy, model from bench_flat
where lr < $1 and accuracy > $2 and model = $3 order by accuracy desc, path limit 10
"""


def search(home: Path, count: int, rounds: int) -> Iterator[Measure]:
    """Milliseconds of one question over `count` runs, answered `rounds` times."""
    note(f"{rounds} searches over {count} runs")
    with plotter2.connect(home=home) as p2:
        dsn = manager_dsn(p2.status())
        expected = asyncio.run(_fill(dsn, count))
        ours = []
        for _ in range(WARM_UP + rounds):
            started = CLOCK.monotonic()
            found = p2.search(WHERE, sort=SORT, limit=BEST)
            ours.append(CLOCK.monotonic() - started)
    if [one.bundle for one in found] != expected:
        raise SystemExit("bench: the search found other runs than the flat table")
    bare = asyncio.run(_bare(dsn, rounds))
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        mine, limit = (percentile(values[WARM_UP:], share) * 1000 for values in (ours, bare))
        yield Measure(f"search_{count}_{name}", mine, "ms", f"one flat table, plain SQL, {name}", limit)


def manager_dsn(status: plotter2.client.views.Status) -> str:
    """Where the manager's database is: the rows come in by the store, as training 10,000 times would take a day."""
    manager = next(process.pid for process in status.processes if process.role == "manager")
    return psutil.Process(manager).environ()["PLOTTER2_MANAGER_DSN"]


async def _fill(dsn: str, count: int) -> list[str]:
    """Runs with three parameters, two metrics and a tag each, and the same in a flat table; the ten that are best."""
    chance = np.random.default_rng(0)
    rates, accuracies = 10 ** chance.uniform(-4, 0, count), chance.uniform(0.5, 1, count)
    models = chance.choice(["mlp", "cnn"], count)
    rows = [
        (f"bench/search/bundles/run={number}", float(rates[number]), float(accuracies[number]), str(models[number]))
        for number in range(count)
    ]
    async with PostgresStore.open(dsn) as store:
        for start in range(0, count, BATCH):
            bundles = [_run(number, *rows[number]) for number in range(start, min(start + BATCH, count))]
            await store.commit(Batch(turn=f"bench.search.{start}", bundles=bundles))
    async with Database.open(dsn) as database, database.connection() as connection:
        await connection.execute(
            "create table bench_flat (path text primary key, lr float8, accuracy float8, model text)"
        )
        await connection.copy_records_to_table("bench_flat", records=rows, columns=("path", "lr", "accuracy", "model"))
        await connection.execute("vacuum analyze")  # what the database does by itself within a minute
        return [row["path"] for row in await connection.fetch(FLAT, 0.1, 0.9, "mlp")]


def _run(number: int, path: str, lr: float, accuracy: float, model: str) -> Contents:
    return Contents(
        BundleVersion(
            BundlePath(path), 1, number.to_bytes(32, "big"), 0, 0, Instant(1.7e9 + number),
            package_json=json.dumps({"tags": {"model": model}}),
            parameters_json=json.dumps({"lr": lr, "epochs": 30, "seed": number}),
            metrics_json=json.dumps({"accuracy": accuracy, "loss": 1 - accuracy, "loss.min": 0, "loss.max": 2}),
        )
    )  # fmt: skip


async def _bare(dsn: str, rounds: int) -> list[float]:
    times = []
    async with Database.open(dsn) as database, database.connection() as connection:
        for _ in range(WARM_UP + rounds):
            started = CLOCK.monotonic()
            await connection.fetch(FLAT, 0.1, 0.9, "mlp")
            times.append(CLOCK.monotonic() - started)
    return times
