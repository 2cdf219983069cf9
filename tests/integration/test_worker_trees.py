"""A worker with real children and a tree of instances: the sample of the design, also when children are killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

import msgspec
import numpy as np
import pytest
from blake3 import blake3
from typing_extensions import override

from plotter2.api.v1 import device_pb2, manager_pb2
from plotter2.datter.figures.figure import digest
from plotter2.datter.ledger.ops import End, Look, Open, OpId, Start, Turn, unpacked
from plotter2.datter.runs import RunInput
from plotter2.datter.trees.hub import Local
from plotter2.datter.trees.seeding import seed_of
from plotter2.ids import RequestId, RunId, TaskId
from plotter2.layout import Layout
from plotter2.model.output import PAGES
from plotter2.model.task import Task, TaskKind
from plotter2.mqtt.payloads import AssignBatch, Assignment, Instance, Report
from tests.integration.worker_kit import REAL_ENGINE, REQUEST, WAIT_S, Manager, Rig, rig
from tests.unit.datter.sample import META, defined, matrices, visuals
from worker.bulk import BulkLine
from worker.state import Policy

COUNT = 6
BUNDLE = "experiments/demo"


class Ledgers(Manager):
    """A manager with the ledger of one tree."""

    def __init__(self, layout: Layout, folder: Path) -> None:
        super().__init__(layout)
        scope = matrices(folder, COUNT)
        entries: dict[str, bytes] = {}
        for name, path in scope.files.items():
            entries[name] = self.put_here(path.read_bytes())
        self.sealed[BUNDLE] = entries
        self.definitions = defined()
        self.plan = Local(self.definitions, RunInput("r", "", "script", "", "", {}, 7, scope, folder), print)
        self.said: asyncio.Queue[device_pb2.OperateResponse] = asyncio.Queue()
        self.asked: dict[int, device_pb2.Ask] = {}
        self.before: Callable[[int, int], None] = lambda *_: None
        self.ready: Callable[[list[int]], None] = lambda _: None
        self.values = self.asks = 0

    @override
    async def bundle(
        self, path: str, version: int, *, task: tuple[str, int] | None = None, request: str = ""
    ) -> manager_pb2.GetBundleResponse:
        found = await super().bundle(path, version, task=task, request=request)
        found.bundle.package_json = json.dumps({"data": {"matrix": {"path": "m/*.npy"}}})
        return found

    def put_here(self, content: bytes) -> bytes:
        sealed = blake3(content).digest()
        blob = self.layout.blob(sealed)
        blob.parent.mkdir(parents=True, exist_ok=True)
        blob.write_bytes(content)
        return sealed

    async def put(self, sealed: bytes, path: Path) -> None:
        self.values += 1
        assert self.put_here(await asyncio.to_thread(path.read_bytes)) == sealed

    async def until_answered(self, ask: Callable[[Any], Awaitable[None]]) -> None:
        await ask(self)

    async def Operate(  # noqa: N802 -- the name that the service gives it
        self, requests: AsyncIterator[device_pb2.OperateRequest]
    ) -> AsyncIterator[device_pb2.OperateResponse]:
        reading = asyncio.ensure_future(self._read(requests))
        try:
            while True:
                yield await self.said.get()
        finally:
            reading.cancel()

    async def _read(self, requests: AsyncIterator[device_pb2.OperateRequest]) -> None:
        async for request in requests:
            for ask in request.asks:
                self._ask(ask)

    def _ask(self, ask: device_pb2.Ask) -> None:
        number = int(ask.run_id.rpartition(".")[2])
        what = unpacked(ask.op)
        ledger = self.plan.ledger
        if ask.seq:
            self.before(number, ask.seq)
            self.asked[number] = ask
            assert not isinstance(what, Start)
            self.told(ledger.apply(OpId(number, 1, ask.seq), what))  # type: ignore[arg-type] # it is journaled
            return
        if isinstance(what, Open):
            self._say(ask, msgspec.msgpack.encode(ledger.opened(what.set)))
        elif isinstance(what, Look):
            self._say(ask, msgspec.msgpack.encode(ledger.lying(what.data)))
        else:
            self._say(ask, msgspec.msgpack.encode(ledger.described(what.tasks)))  # type: ignore[union-attr] # the last

    def told(self, turn: Turn) -> None:
        self.ready(turn.ready)
        for told in turn.told:
            ask = self.asked.pop(told.op.task, None)
            if ask is not None:
                answer = told.answer
                self._say(ask, msgspec.msgpack.encode(answer.value), answer.code, answer.message)

    def _say(self, ask: device_pb2.Ask, value: bytes, code: str = "", message: str = "") -> None:
        told = device_pb2.Told(run_id=ask.run_id, epoch=ask.epoch, ask=ask.ask, code=code, message=message, value=value)
        self.said.put_nowait(device_pb2.OperateResponse(told=[told]))


def _are_more(seen: int, found: list[Report]) -> bool:
    return len(found) > seen


class Trees:
    """A tree on its way through a worker."""

    def __init__(self, worker: Rig, manager: Ledgers) -> None:
        self.worker, self.manager = worker, manager
        self.ended: dict[int, Report] = {}

    async def run(self, name: str) -> list[Report]:
        """Start a definition and see everything end."""
        self.manager.plan.start(name, {})
        self.manager.ready = self._assign
        self._assign([number for number, _ in self.manager.plan._queue])
        tasks = self.manager.plan.ledger.book.tasks
        reports = self.worker.reported
        async with asyncio.timeout(WAIT_S):
            while len(self.ended) < len(tasks):
                seen = len(reports.reports)
                for report in reports.reports:
                    self._end(report)
                if len(self.ended) < len(tasks):
                    await reports.until(partial(_are_more, seen))
        return [self.ended[number] for number in sorted(self.ended)]

    def _end(self, report: Report) -> None:
        number = int(report.run_id.rpartition(".")[2])
        if number in self.ended or report.state in {"running", "queued"}:
            return
        self.ended[number] = report
        turn = self.manager.plan.ledger.apply(OpId(number, 1, 0), End(str(report.state), report.error))
        self.manager.told(turn)

    def _assign(self, numbers: list[int]) -> None:
        tasks: dict[str, Task] = {}
        given: list[Assignment] = []
        for number in numbers:
            planned = self.manager.plan._planned.pop(number)
            one = planned.definition
            source = blake3(one.source.encode()).digest()
            task = Task(TaskId(source.hex()[:16]), one.name, TaskKind.SCRIPT, one.source, source, one.filename)
            tasks[task.id] = task
            seed = seed_of(7, one.name, planned.label)
            about = Instance(RequestId(REQUEST), number, planned.label, planned.place)
            run_id = RunId(f"{REQUEST}.{number}")
            parameters = json.dumps(planned.parameters)
            given.append(Assignment(run_id, 1, task.id, BUNDLE, 3, parameters, seed=seed, instance=about))
        self.worker.runner.hear_batch(AssignBatch(tuple(given), tuple(tasks.values())))


def sidecars(home: Path, report: Report) -> list[Any]:
    """What programs are told of the pages of one instance."""
    folder = home / "temp" / "runs" / f"{report.run_id}.{report.epoch}"
    return [json.loads((folder / f"{one.path}.json").read_text()) for one in report.made if one.kind in PAGES]


@pytest.mark.req("r092", "r093", "r184", "r187", "r193", "r196", "r197", "r199")
async def test_the_sample_runs_over_two_children_whoever_of_them_dies(tmp_path: Path) -> None:
    manager = Ledgers(Layout.at(tmp_path), tmp_path / "in")
    policy = Policy(children=2, window_runs=8)
    async with rig(tmp_path, policy, REAL_ENGINE, cast("BulkLine", manager)) as worker:
        children = await worker.children(2)
        left = [COUNT + 3, 3 * COUNT + 3]

        def before(number: int, seq: int) -> None:
            del number, seq
            manager.asks += 1
            if left and manager.asks >= left[0]:
                left.pop(0)
                os.kill(children.pop(), signal.SIGKILL)

        manager.before = before
        *tasks, meta = await Trees(worker, manager).run(META)
        assert [one.state for one in (*tasks, meta)] == ["done"] * (COUNT + 1), [one.error for one in (*tasks, meta)]
        assert left == []
        values = [np.load(tmp_path / "in" / "m" / f"step_{step}.npy") for step in range(COUNT)]
        for step, one in enumerate(tasks):
            (side,) = sidecars(tmp_path, one)
            assert visuals(side) == ["matrix", "series_total"]
            assert side["panels"][1]["total"]["sum"] == np.sum(values)
            assert side["panels"][1]["marker"] == [step]
        (side,) = sidecars(tmp_path, meta)
        assert side["panels"][0]["data"][0]["digest"] == digest(np.sum(values, axis=0))
        assert manager.values == 0, "what lies in a bundle's file is not written again"
