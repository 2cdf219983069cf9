"""The inside of a worker, with real children and without a bus: assignments in, reports out."""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import cast

import psutil
from blake3 import blake3
from prometheus_client import CollectorRegistry

from plotter2.api.v1 import common_pb2, manager_pb2
from plotter2.clock import SystemClock
from plotter2.ids import RunId, TaskId, WorkerId
from plotter2.layout import Layout
from plotter2.model.task import Limits, Task, TaskKind
from plotter2.mqtt.payloads import AssignBatch, Assignment, Cancellation, Report
from worker.bulk import BulkLine
from worker.cache import Cache
from worker.forkserver import COMMAND
from worker.library import Library
from worker.machine import Machine
from worker.metrics import Metrics
from worker.operating import Operating
from worker.outbox import Outbox
from worker.paper import Press, Printer
from worker.pool import Pool
from worker.runner import Helpers, Runner
from worker.sending import Sender
from worker.state import Policy

PLAIN_ENGINE = (sys.executable, "-I", str(Path(__file__).with_name("plain_engine.py")))
REAL_ENGINE = COMMAND
WAIT_S = 30.0
REQUEST = "req-" + "0" * 32


class Manager:
    """What the worker asks of its manager, answered from memory; content lies in the shared blobs."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.bundles: dict[str, dict[str, str]] = {}
        self.sealed: dict[str, dict[str, bytes]] = {}
        """Files of bundles whose content lies in the blobs already, by digest."""
        self.asked_for: list[tuple[str, str]] = []
        """Bundles, and for which request."""
        self.is_settled = False

    def hear(self, address: str) -> None:
        del address

    async def is_shared(self) -> bool:
        return True

    async def fetch(self, digest: bytes, take: Callable[[int, bytes], None]) -> None:
        raise AssertionError(digest, take)

    async def bundle(
        self, path: str, version: int, *, task: tuple[str, int] | None = None, request: str = ""
    ) -> manager_pb2.GetBundleResponse:
        del task
        self.asked_for.append((path, request))
        entries = []
        for name, sealed in self.sealed.get(path, {}).items():
            size = self.layout.blob(sealed).stat().st_size
            entries.append(common_pb2.FileEntry(path=name, size_bytes=size, digest=sealed))
        for name, text in self.bundles.get(path, {}).items():
            digest = blake3(text.encode()).digest()
            blob = self.layout.blob(digest)
            blob.parent.mkdir(parents=True, exist_ok=True)
            blob.write_text(text)
            entries.append(common_pb2.FileEntry(path=name, size_bytes=len(text), digest=digest))
        described = common_pb2.Bundle(path=path, version=version or 1)
        return manager_pb2.GetBundleResponse(bundle=described, files=entries, is_settled=self.is_settled)


class Reported:
    """Stands where the outbox stands."""

    def __init__(self) -> None:
        self.reports: list[Report] = []
        self._changed = asyncio.Event()

    def put(self, report: Report) -> None:
        self.reports.append(report)
        self._changed.set()

    async def until(self, is_enough: Callable[[list[Report]], bool], limit_s: float = WAIT_S) -> list[Report]:
        async with asyncio.timeout(limit_s):
            while not is_enough(self.reports):
                self._changed.clear()
                await self._changed.wait()
        return self.reports


class Rig:
    """A worker without a bus."""

    def __init__(self, machine: Machine, runner: Runner, pool: Pool, reported: Reported, manager: Manager) -> None:
        self.machine = machine
        self.runner = runner
        self.pool = pool
        self.reported = reported
        self.manager = manager
        self._numbers = itertools.count(1)

    def assign(
        self,
        source: str,
        *,
        limits: Limits | None = None,
        times: int = 1,
        bundle: str = "",
        parameters_json: str = "{}",
        kind: TaskKind = TaskKind.SCRIPT,
    ) -> list[RunId]:
        digest = blake3(source.encode()).digest()
        task = Task(TaskId(digest.hex()[:16]), "tiny", kind, source, digest, "tiny.py")
        task = replace(task, limits=limits or Limits())
        ids = [RunId(f"{REQUEST}.{next(self._numbers)}") for _ in range(times)]
        given = tuple(Assignment(run_id, 1, task.id, bundle, 1 if bundle else 0, parameters_json) for run_id in ids)
        self.runner.hear_batch(AssignBatch(given, (task,)))
        return ids

    def cancel(self, run_id: RunId) -> None:
        self.runner.hear_batch(AssignBatch(cancellations=(Cancellation(run_id, 1),)))

    async def ends(self, ids: list[RunId], limit_s: float = WAIT_S) -> list[Report]:
        """How these runs ended, in the order asked."""

        def ended(reports: list[Report]) -> dict[RunId, Report]:
            return {one.run_id: one for one in reports if one.state not in {"running", "queued"}}

        found = ended(await self.reported.until(lambda reports: ended(reports).keys() >= set(ids), limit_s))
        return [found[run_id] for run_id in ids]

    async def run(self, source: str, **options: object) -> Report:
        """One run from assignment to end."""
        [report] = await self.ends(self.assign(source, **options))
        return report

    async def children(self, count: int = 1) -> list[int]:
        """Process ids of the children, when so many are there."""
        async with asyncio.timeout(WAIT_S):
            while len(self.pool.pids()) < count or not self.machine.is_ready:
                await asyncio.sleep(0.01)
        return self.pool.pids()


@asynccontextmanager
async def rig(
    home: Path,
    policy: Policy | None = None,
    command: tuple[str, ...] = PLAIN_ENGINE,
    line: BulkLine | None = None,
    press: Press | None = None,
) -> AsyncIterator[Rig]:
    """A worker's inside for the length of a block. Without a line, the manager is one that shares its files."""
    layout = Layout.at(home)
    layout.create()
    layout.runs.mkdir(parents=True, exist_ok=True)
    clock = SystemClock()
    manager = Manager(layout)
    line = line or cast("BulkLine", manager)
    machine = Machine(policy or Policy(children=1, window_runs=64), clock.now() - clock.monotonic())
    cache = Cache(layout.temp / "cache", 1 << 20, line.fetch)
    cache.load()
    sender = Sender(layout, line, Printer(press or Press(), layout.runs, "worker-1"))
    library = Library(layout, line, cache)
    helpers = Helpers(library, line, sender, Operating(WorkerId("worker-1"), line, library))
    runner = Runner(machine, clock, helpers)
    pool = Pool(layout, "worker-1", runner.hear, command=command)
    reported = Reported()
    async with asyncio.TaskGroup() as group:
        loops = [
            group.create_task(pool.run()),
            group.create_task(runner.run(pool, cast("Outbox", reported), Metrics(CollectorRegistry()))),
        ]
        try:
            yield Rig(machine, runner, pool, reported, manager)
        finally:
            for loop in loops:
                loop.cancel()


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that is dead and not yet buried does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
