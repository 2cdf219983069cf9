"""The sample's tree, planned from its bundle and asked over a worker's stream, with the manager dying on the way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from manager.commands import AssignRuns
from manager.events import RunReport, RunsReported, WorkerAnnounced
from manager.store.memory import MemoryStore
from plotter2 import rpc
from plotter2.api.v1 import device_pb2 as pb
from plotter2.api.v1 import manager_pb2
from plotter2.datter.ledger import ops
from plotter2.errors import UsageError
from plotter2.ids import RequestId, RunId, WorkerId
from plotter2.model.request import RequestState
from plotter2.model.task import RunState
from tests.managerkit import Manager, managing
from tests.unit.datter.sample import MATRIX_PLOT, META_SUM_MATRIX
from tests.unit.manager.treekit import Asks, matrix, meta

WORKER, RUNS = WorkerId("w1"), 4
TASK1, META = "plot_matrix", "meta"
PACKAGE = json.dumps(
    {
        "data": {"matrix": {"path": "m/*.npy"}},
        "tasks": [
            {"name": TASK1, "task_src": "matrix_plot.py", "parameters": {"threshold": 2}},
            {"name": META, "task_src": "meta.py", "linked": [TASK1], "parameters": {"quick": False}},
        ],
    }
)
FILES = {
    "package.json": PACKAGE.encode(),
    "matrix_plot.py": MATRIX_PLOT.encode(),
    "meta.py": META_SUM_MATRIX.encode(),
    **{f"m/step_{step}.npy": bytes([step]) for step in range(3)},
}


class Hands:
    """A worker whose instances are scripts of ops; it survives the managers that it asks."""

    def __init__(self) -> None:
        self.results: dict[str, Any] = {}
        self.given: dict[str, dict[str, Any]] = {}
        self.labels: dict[str, tuple[str, float]] = {}
        self.asked = 0
        self._running: dict[str, tuple[Asks, int]] = {}
        self._open: dict[str, pb.Ask] = {}
        self._counts: dict[str, tuple[int, int]] = {}
        self._outgoing: asyncio.Queue[pb.Ask] = asyncio.Queue()

    async def serve(self, manager: Manager, until: int) -> None:
        """Run what is assigned until all have ended, or so many things were asked."""
        await manager.put(WorkerAnnounced(WORKER, "w1", is_ours=True, incarnation="one", slots=2, beat_s=60.0))
        self._outgoing = asyncio.Queue()
        for ask in self._open.values():
            self._outgoing.put_nowait(ask)
        incoming: asyncio.Queue[pb.OperateResponse] = asyncio.Queue()
        seen = 0
        async with asyncio.TaskGroup() as group:
            listening = group.create_task(self._listen(manager, incoming))
            while self.asked < until and len(self.results) < RUNS:
                for effect in manager.silence.heard[seen:]:
                    seen += 1
                    if isinstance(effect, AssignRuns):
                        await self._begin(manager, effect)
                try:
                    await self._hear(manager, await asyncio.wait_for(incoming.get(), 0.02))
                except TimeoutError:
                    continue
            listening.cancel()

    async def _messages(self) -> AsyncIterator[pb.OperateRequest]:
        yield pb.OperateRequest(worker_id=WORKER)
        while True:
            yield pb.OperateRequest(worker_id=WORKER, asks=[await self._outgoing.get()])

    async def _listen(self, manager: Manager, incoming: asyncio.Queue[pb.OperateResponse]) -> None:
        async for one in manager.stub.Operate(self._messages()):
            await incoming.put(one)

    async def _begin(self, manager: Manager, effect: AssignRuns) -> None:
        for run in effect.runs:
            if run.id not in self._counts:
                instance = effect.instances[run.id]
                self.given[run.id] = {"task": run.task_name, **json.loads(run.parameters_json)}
                self.labels[run.id] = instance.label, instance.place
                script = matrix if run.task_name == TASK1 else meta
                self._running[run.id] = script(instance.number), run.epoch
                self._counts[run.id] = 0, 0
                await self._go_on(manager, run.id, None)

    async def _hear(self, manager: Manager, response: pb.OperateResponse) -> None:
        for told in response.told:
            asked = self._open.pop(told.run_id, None)
            assert asked is None or (asked.ask, told.code) == (told.ask, ""), told
            if asked is not None:
                await self._go_on(manager, told.run_id, msgspec.msgpack.decode(told.value))

    async def _go_on(self, manager: Manager, run: str, value: Any) -> None:
        asks, epoch = self._running[run]
        try:
            question = asks.send(value)
        except StopIteration as ended:
            self.results[run] = ended.value
            said = RunReport(RunId(run), epoch, RunState.DONE)
            await manager.put(RunsReported(WORKER, "one", (said,)))
            return
        ask, seq = self._counts[run]
        is_read = isinstance(question, ops.Read)
        self._counts[run] = ask + 1, seq + (not is_read)
        self.asked += 1
        self._open[run] = pb.Ask(
            run_id=run, epoch=epoch, ask=ask + 1, seq=0 if is_read else seq + 1, op=ops.packed(question)
        )
        self._outgoing.put_nowait(self._open[run])


@pytest.mark.req("r068", "r110", "r184", "r187", "r192")
@pytest.mark.parametrize("deaths", [(), (6, 14, 19)])
async def test_a_linked_task_is_a_tree_over_workers_whenever_the_manager_dies(
    tmp_path: Path, deaths: tuple[int, ...]
) -> None:
    store, hands, request = MemoryStore(), Hands(), RequestId("")
    for until in (*deaths, 1_000_000):
        async with managing(tmp_path, store) as manager:
            if not request:
                await manager.push("lab", FILES)
                ask = manager_pb2.RunAsk(task=META, bundle="lab", parameters_json='{"quick": true}')
                said = await manager.stub.Submit(manager_pb2.SubmitRequest(user="ann", run=ask))
                request = RequestId(said.request.id)
            await hands.serve(manager, until)
            async with asyncio.timeout(10):
                while until == 1_000_000 and manager.machine.state.requests:
                    await asyncio.sleep(0.01)
    assert sorted(hands.labels.values()) == [("", 0.0), ("step_0", 0.0), ("step_1", 1.0), ("step_2", 2.0)]
    assert hands.given.pop(f"{request}.0") == {"task": META, "quick": True}
    assert [one for _, one in sorted(hands.given.items())] == [
        {"task": TASK1, "quick": True, "threshold": 2, "matrix_step_key": f"step_{step}"} for step in range(3)
    ]
    assert sorted(hands.results[f"{request}.0"]) == ["json:1", "json:2", "json:3"]
    assert {tuple(refs) for refs in hands.results.values()} == {("json:1", "json:2", "json:3")}
    ended = await store.get_request(request)
    assert ended
    assert (ended.state, ended.total) == (RequestState.DONE, RUNS)


async def test_a_stream_that_names_no_worker_and_what_is_no_question_are_refused(tmp_path: Path) -> None:
    async with managing(tmp_path) as manager:

        async def said(*messages: pb.OperateRequest) -> AsyncIterator[pb.OperateRequest]:
            for message in messages:
                yield message
            await asyncio.sleep(60)

        with pytest.raises(UsageError, match="names the worker"), rpc.errors():
            await anext(aiter(manager.stub.Operate(said(pb.OperateRequest()))))
        ask = pb.Ask(run_id="req-1.0", epoch=1, ask=7, seq=1, op=b"\xc1")
        late = pb.Ask(run_id="req-1.0", epoch=1, ask=8, seq=1, op=ops.packed(ops.Release()))
        answers = manager.stub.Operate(said(pb.OperateRequest(worker_id="w1", asks=[ask, late])))
        told = []
        async for response in answers:
            told += [(one.ask, one.code) for one in response.told]
            if len(told) == 2:
                break
        assert sorted(told) == [(7, "refused"), (8, "conflict")]


@pytest.mark.req("r098")
async def test_what_is_not_linked_and_speaks_of_no_others_is_no_tree(tmp_path: Path) -> None:
    async with managing(tmp_path) as manager:
        await manager.push("lab", FILES)
        await manager.put(WorkerAnnounced(WORKER, "w1", is_ours=True, incarnation="one", slots=9, beat_s=60.0))
        asked = manager_pb2.SubmitRequest(user="ann", run=manager_pb2.RunAsk(task=TASK1, bundle="lab"))
        await manager.stub.Submit(asked)
        async with asyncio.timeout(10):
            while not (given := [one for one in manager.silence.heard if isinstance(one, AssignRuns) and one.runs]):
                await asyncio.sleep(0.01)
        assert sum(len(one.runs) for one in given) == 3
        assert not any(one.instances for one in given)


@pytest.mark.req("r068", "r187")
async def test_what_a_task_is_linked_to_is_said_before_it_is_run(tmp_path: Path) -> None:
    async with managing(tmp_path / "home") as manager:
        await manager.push("lab", FILES)
        assert [(one.task, one.total) for one in (await manager.client.plan_run(META, "lab")).linked] == [(TASK1, 3)]
        script = tmp_path / "meta.py"
        script.write_text(META_SUM_MATRIX)
        code, out, _ = await manager.line("check", str(script), "--on", "lab")
        assert (code, f"with {TASK1}" in out, "3 instances" in out) == (0, True, True)
        empty = {key: data for key, data in FILES.items() if not key.startswith("m/")}
        await manager.push("bare", empty)
        code, out, _ = await manager.line("check", str(script), "--on", "bare", "--json")
        (linked,) = json.loads(out)["on"]["linked"]
        assert (code, linked["instances"]) == (0, 0)
        assert linked["warning"].startswith("There is no data called 'matrix' here")
        assert (await manager.client.plan_run(TASK1, "lab")).linked == ()


@pytest.mark.req("r098", "r187")
async def test_what_a_linked_task_imposes_and_is_not_given_fails_the_run_before_any_instance(tmp_path: Path) -> None:
    strict = "impose(lr as float)\n" + MATRIX_PLOT
    async with managing(tmp_path) as manager:
        await manager.push("lab", {**FILES, "matrix_plot.py": strict.encode()})
        asked = await manager.client.run(META, "lab")
        assert (asked.ok, len(asked.runs)) == (False, 1)
        assert "imposes the parameter 'lr', which was not given" in asked.runs[0].error
