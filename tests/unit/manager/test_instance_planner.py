"""Which instances a run has, from the names in the store (R1)."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from blake3 import blake3

from manager.instance_planner import InstancePlanner
from manager.organizer import Organizer
from plotter2.api.v1 import manager_pb2
from plotter2.errors import LimitError, NotFoundError, ScriptError, UsageError
from plotter2.ids import TaskId
from plotter2.layout import Layout
from plotter2.model.task import Task, TaskKind
from tests.managerkit import managing

SCRIPT = "impose(k as datter.keytype(m))\ndef task():\n    return 1"
PIPELINE = json.dumps([{"impose": {"k": {"keytype": "m"}}}, {"access": "k"}, "mean"])
FLAT = b'{"data": {"m": {"path": "m_*.csv"}}}'
PACKAGE = json.dumps({"data": {"m": {"path": "m/*.csv"}}})


def task(source: str, kind: TaskKind = TaskKind.SCRIPT) -> Task:
    return Task(TaskId("t"), "plot", kind, source, blake3(source.encode()).digest(), "plot.py")


@pytest.mark.req("r098", "r129")
async def test_keys_are_those_of_the_bundle_and_of_what_lies_below_it(tmp_path: Path) -> None:
    async with managing(tmp_path) as manager:
        files = {f"m/step_{place}.csv": f"x\n{place}\n".encode() for place in (2, 10)}
        await manager.push("lab", {**files, "package.json": PACKAGE.encode()})
        await manager.push("lab/bundles/low", {"m/step_3.csv": b"x\n3\n", "package.json": PACKAGE.encode()})
        instance_planner = InstancePlanner(manager.store, Organizer(manager.layout), manager.machine.state.catalog)
        for given in (task(SCRIPT), task(PIPELINE, TaskKind.PIPELINE)):
            found = await instance_planner.plan(given, ("lab", 1), "{}")
            assert found.parameters == ({"k": "step_2"}, {"k": "step_10"}, {"k": "low"})
        assert (await instance_planner.plan(task(SCRIPT), ("lab", 1), '{"k": "anything"}')).parameters == ({},)
        empty = await instance_planner.plan(task(SCRIPT.replace("(m)", "(mm)")), ("lab", 1), "{}")
        assert (empty.parameters, empty.plan.warning) == (
            (), "There is no data called 'mm' here, so no instance is started; the nearest is 'm'.",
        )  # fmt: skip
        with pytest.raises(NotFoundError, match="There is no version 7 of 'lab'"):
            await instance_planner.plan(task(SCRIPT), ("lab", 7), "{}")


@pytest.mark.req("r177")
async def test_what_is_imposed_besides_keys_is_looked_at_once_and_not_by_each_instance(tmp_path: Path) -> None:
    source = "impose(k as datter.keytype(m), lr as float, depth as int)\ndef task():\n    return 1"
    async with managing(tmp_path) as manager:
        declared = json.dumps({**json.loads(PACKAGE), "config": {"depth": 3}})
        await manager.push("lab", {"m/step_1.csv": b"x\n1\n", "package.json": declared.encode()})
        planner = InstancePlanner(manager.store, Organizer(manager.layout), manager.machine.state.catalog)
        for given, says in (
            ("{}", "imposes the parameter 'lr', which was not given"),
            ('{"lr": "x"}', "imposes float"),
        ):
            with pytest.raises(UsageError, match=says):
                await planner.plan(task(source), ("lab", 1), given, is_asked=True)
            assert len((await planner.plan(task(source), ("lab", 1), given)).parameters) == 1, "to look is no ask"
        assert len((await planner.plan(task(source), ("lab", 1), '{"lr": 1}', is_asked=True)).parameters) == 1


@pytest.mark.req("r129")
async def test_a_declared_source_is_read_by_its_digest_once(tmp_path: Path) -> None:
    layout = Layout.at(tmp_path)
    layout.create()
    organizer = Organizer(layout)
    raw = SCRIPT.encode()
    organizer.put(blake3(raw).digest(), [raw])
    instance_planner = InstancePlanner(None, organizer, None)
    given = Task(TaskId("t"), "plot", TaskKind.SCRIPT, "", blake3(raw).digest(), "plot.py")
    (axis,) = (await instance_planner.outline_of(given)).axes
    layout.blob(given.source_digest).unlink()
    assert (axis.name, axis.base) == ("k", "m")
    assert (await instance_planner.outline_of(given)).axes == (axis,)
    with pytest.raises(ScriptError, match="there is no `def task"):
        await instance_planner.outline_of(task("x = 1"))


@pytest.mark.req("r129")
async def test_a_key_that_is_not_there_and_too_many_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = "impose(k as datter.keytype(m), j as datter.keytype(n))\ndef task(): pass"
    async with managing(tmp_path) as manager:
        files = {f"{name}_{place}.csv": b"x\n1\n" for name in "mn" for place in range(3)}
        declared = {"data": {name: {"path": f"{name}_*.csv"} for name in "mn"}}
        await manager.push("lab", {**files, "package.json": json.dumps(declared).encode()})
        instance_planner = InstancePlanner(manager.store, Organizer(manager.layout), manager.machine.state.catalog)
        assert len((await instance_planner.plan(task(both), ("lab", 1), "{}")).parameters) == 9
        assert len((await instance_planner.plan(task(both), ("lab", 1), '{"k": "m_1"}')).parameters) == 3
        with pytest.raises(UsageError, match="'m' has no key 'm_7'; the nearest are"):
            await instance_planner.plan(task(both), ("lab", 1), '{"k": "m_7"}')
        monkeypatch.setattr("plotter2.datter.scripting.axes.planned.__defaults__", (None, 8))
        with pytest.raises(LimitError, match="3 keys of 'm' x 3 keys of 'n' are 9 instances, more than the 8"):
            await instance_planner.plan(task(both), ("lab", 1), "{}")


@pytest.mark.req("r098")
async def test_runs_that_do_not_fit_into_one_message_come_in_several(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("manager.rpc.requests.RUNS_BYTES_MAX", 700)
    async with managing(tmp_path) as manager:
        files = {f"m_{place}.csv": f"x\n{place}\n".encode() for place in range(7)}
        await manager.push("lab", {**files, "package.json": FLAT})
        asked = await manager.client.run("plot", "lab", source=SCRIPT, wait=False)
        while (found := await manager.client.request(asked.id)).total != 7:
            await asyncio.sleep(0.01)
        assert [run.parameters["k"] for run in found.runs] == [f"m_{place}" for place in range(7)]
        answer = await manager.stub.GetRequest(manager_pb2.GetRequestRequest(request_id=asked.id, first_run=5))
        assert [run.id for run in answer.request.runs] == [f"{asked.id}.5", f"{asked.id}.6"]


@pytest.mark.req("r098", "r129")
async def test_a_request_is_one_run_a_key_from_ask_to_store(tmp_path: Path) -> None:
    async with managing(tmp_path) as manager:
        await manager.push("lab", {"m_1.csv": b"x\n1\n", "m_2.csv": b"x\n2\n", "package.json": FLAT})
        asked = await manager.client.run("plot", "lab", source=SCRIPT, wait=False)
        while (found := await manager.client.request(asked.id)).total != 2:
            await asyncio.sleep(0.01)
        assert [run.parameters for run in found.runs] == [{"k": "m_1"}, {"k": "m_2"}]
        script = tmp_path / "plot.py"
        script.write_text(SCRIPT)
        plan = await manager.client.plan_run(str(script), "lab")
        assert [(one.name, one.keys_of, one.keys) for one in plan.axes] == [("k", "m", 2)]
        assert (plan.total, plan.first, plan.warning) == (2, ({"k": "m_1"}, {"k": "m_2"}), "")
        code, out, _ = await manager.line("check", str(script), "--on", "lab", "--json")
        assert (code, json.loads(out)["on"]["instances"]) == (0, 2)
        code, out, _ = await manager.line("check", str(script), "--on", "lab")
        assert "2: k = m_1; k = m_2" in out
        empty = await manager.client.run("plot", "lab", source=SCRIPT.replace("(m)", "(mm)"))
        assert (empty.ok, len(empty.runs), [one.reason for one in empty.skipped]) == (
            True, 1, ["there is no data called 'mm' here, so no instance is started; the nearest is 'm'"],
        )  # fmt: skip
