"""A pipeline on data that it was run on before is answered with what it came to then; the manager is a real one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from manager.commands import AssignRuns
from manager.events import RunReport, RunsReported, WorkerAnnounced
from manager.store.memory import MemoryStore
from plotter2.client.views import Request
from plotter2.ids import WorkerId
from plotter2.model.task import Output, RunState
from tests.managerkit import Files, Manager, managing

STEPS = ["access", {"pca": {"k": 2}}, "plotme"]
LAB: Files = {"x.csv": b"a,b\n1,2\n3,4\n"}
WORKER = WorkerId("w1")


@pytest.fixture
async def manager(tmp_path: Path) -> AsyncIterator[Manager]:
    async with managing(tmp_path / "home") as found:
        await found.push("lab", LAB)
        await hired(found)
        yield found


async def hired(manager: Manager) -> None:
    await manager.put(WorkerAnnounced(WORKER, "w1", is_ours=True, incarnation="one", slots=4, beat_s=1.0))


def assigned(manager: Manager) -> int:
    """How many runs a worker was given so far."""
    return sum(len(one.runs) for one in manager.silence.heard if isinstance(one, AssignRuns))


async def worked(manager: Manager, before: int, count: int = 1) -> None:
    """The worker does what it is given: a page and a number that says which run it was."""
    async with asyncio.timeout(20):
        while assigned(manager) < before + count:
            await asyncio.sleep(0.005)
    given = [run for one in manager.silence.heard if isinstance(one, AssignRuns) for run in one.runs][before:]
    for run in given:
        folder = manager.layout.runs / f"{run.id}.{run.epoch}"
        folder.mkdir(parents=True)
        (folder / "page.html").write_text(f"<p>{run.id}</p>")
        made = (Output("page.html", "figure", "Page"),)
        report = RunReport(run.id, run.epoch, RunState.DONE, results_json=f'"{run.id}"', made=made)
        await manager.put(RunsReported(WORKER, "one", (report,)))


async def ran(manager: Manager, steps: Any = STEPS, **more: Any) -> Request:
    """Ask, have a worker do it, and wait."""
    before = assigned(manager)
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(manager.client.run(steps, "lab", **more))
        await worked(manager, before)
    return asking.result()


async def known(manager: Manager, steps: Any = STEPS, **more: Any) -> Request:
    """Ask for what no worker is needed for."""
    before = assigned(manager)
    found = await manager.client.run(steps, "lab", **more)
    assert (assigned(manager), found.ok) == (before, True)
    return found


@pytest.mark.req("r022")
async def test_the_same_on_the_same_data_is_given_again_with_its_outputs_and_where_they_are_from(
    manager: Manager,
) -> None:
    first = await ran(manager)
    again = await known(manager, [["access"], {"pca": {"k": 2}}, {"plotme": {}}])
    assert (again.runs[0].reused_of, first.runs[0].reused_of) == (first.runs[0].id, "")
    assert (again.results, again.outputs) == (first.results, first.outputs)
    assert [one.request for one in await manager.client.outputs(request=again.id)] == [first.id]
    assert (await ran(manager, ["access", {"pca": {"k": 3}}])).runs[0].reused_of == ""
    assert (await ran(manager, parameters={"shared_threshold": 9})).runs[0].reused_of == ""
    assert (await known(manager, parameters={"shared_threshold": 9})).runs[0].reused_of


@pytest.mark.req("r022")
async def test_what_would_be_known_is_said_before_anybody_asks(manager: Manager, tmp_path: Path) -> None:
    before = await manager.client.plan_run(STEPS, "lab")
    assert (before.known, before.known_total) == (("",), 0)
    first = await ran(manager)
    plan = await manager.client.plan_run(STEPS, "lab")
    assert (plan.known, plan.known_total) == ((first.runs[0].id,), 1)
    assert (await manager.client.plan_run(STEPS, "lab", parameters={"lr": 1})).known == ("",)
    (tmp_path / "script.py").write_text("def task(): pass")
    assert (await manager.client.plan_run(tmp_path / "script.py", "lab")).known == ()
    (tmp_path / "pipeline.json").write_text(json.dumps(STEPS))
    code, said, _ = await manager.line("check", str(tmp_path / "pipeline.json"), "--on", "lab")
    assert code == 0
    assert "its results are those of run req-" in said
    await manager.push("lab", {"x.csv": b"a,b\n1,2\n3,6\n"})
    assert (await manager.client.plan_run(STEPS, "lab")).known_total == 0


@pytest.mark.req("r022")
async def test_new_data_here_or_below_and_a_wish_for_it_run_it_anew(manager: Manager) -> None:
    first = await ran(manager)
    forced = await ran(manager, force=True)
    assert (forced.results == first.results, forced.runs[0].reused_of) == (False, "")
    assert (await known(manager)).results == forced.results
    replayed = await asyncio.wait_for(manager.client.replay(first.id), 20)
    assert replayed.runs[0].reused_of == forced.runs[0].id
    await manager.push("elsewhere", LAB)
    await known(manager)
    await manager.push("lab/below", LAB)
    await ran(manager)
    await manager.push("lab", {"x.csv": b"a,b\n1,2\n3,5\n"})
    await ran(manager)


@pytest.mark.req("r022")
async def test_what_is_known_survives_a_restart(tmp_path: Path) -> None:
    store = MemoryStore()
    async with managing(tmp_path / "home", store) as manager:
        await manager.push("lab", LAB)
        await hired(manager)
        first = await ran(manager)
    async with managing(tmp_path / "home", store) as manager:
        assert (await known(manager)).results == first.results
        await manager.tree.catch_up()
        await place(manager, first)


async def place(manager: Manager, request: Request) -> Path:
    found = manager.layout.source / "lab/shared/tasks" / request.runs[0].id / "result.json"
    async with asyncio.timeout(20):
        while manager.tree.is_expected("lab") or not found.exists():
            await asyncio.sleep(0.01)
    return found


@pytest.mark.req("r003", "r022")
async def test_known_results_lie_under_shared_and_are_verified_like_everything_else(manager: Manager) -> None:
    first = await ran(manager)
    about = json.loads((await place(manager, first)).read_text())
    assert (about["request"], about["results"]) == (first.id, first.results[0])
    assert [one["path"] for one in about["outputs"]] == [one.path for one in first.outputs]
    assert (await manager.client.verify()).findings == ()
    (await place(manager, first)).unlink()
    (found,) = (await manager.client.verify(contents=False)).findings
    assert (found.fault, (await place(manager, first)).exists()) == ("hidden", True)


@pytest.mark.req("r022")
async def test_data_that_comes_while_it_runs_leaves_nothing_that_is_given_again(manager: Manager) -> None:
    before = assigned(manager)
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(manager.client.run(STEPS, "lab"))
        while assigned(manager) == before:
            await asyncio.sleep(0.005)
        await manager.push("lab/below", LAB)
        await worked(manager, before)
    assert asking.result().ok
    await ran(manager)
    await known(manager)


@pytest.mark.req("r022", "r098")
async def test_each_key_is_known_by_itself(manager: Manager) -> None:
    package = {"package.json": b'{"data": {"m": {"path": "m/*.csv"}}}'}
    await manager.push("lab", {**package, **{f"m/m_{place}.csv": LAB["x.csv"] for place in range(3)}})
    steps = [{"impose": {"k": {"keytype": "m"}}}, ["access", "k"]]
    before = assigned(manager)
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(manager.client.run(steps, "lab"))
        await worked(manager, before, 3)
    again = await known(manager, steps)
    assert [run.reused_of for run in again.runs] == [run.id for run in asking.result().runs]
    one = await known(manager, steps, parameters={"k": "m_1"})
    assert [run.reused_of for run in one.runs] == [asking.result().runs[1].id]


@pytest.mark.req("r022")
async def test_a_step_that_may_come_out_differently_is_run_each_time(manager: Manager) -> None:
    script = b"import time\ndef task(data):\n    return time.time()\n"
    await manager.push("lab", {**LAB, "tasks/now.py": script, "tasks/same.py": b"def task(data):\n    return 1\n"})
    await ran(manager, ["access", ["script", "tasks/now.py"]])
    await ran(manager, ["access", ["script", "tasks/now.py"]])
    await ran(manager, ["access", ["script", "tasks/same.py"]])
    await known(manager, ["access", ["script", "tasks/same.py"]])
