"""What runs export becomes versions of bundles before the run has ended; the manager is a real one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from manager import runner
from manager.commands import AssignRuns
from manager.events import RunReport, RunsReported, WorkerAnnounced
from manager.exports import Exports
from manager.runner import Runner
from manager.store import Delivery
from manager.store.memory import MemoryStore
from plotter2.client.views import Request
from plotter2.errors import UnreachableError
from plotter2.ids import DeliveryId, WorkerId
from plotter2.model.request import RequestState
from plotter2.model.task import Output, RunState
from tests.managerkit import Manager, managing

WORKER = WorkerId("w1")
SCRIPT = "def task(): pass"


@pytest.fixture
async def manager(tmp_path: Path) -> AsyncIterator[Manager]:
    async with managing(tmp_path / "home") as found:
        await found.push("lab", {"x.csv": b"a\n1\n"})
        await found.put(WorkerAnnounced(WORKER, "w1", is_ours=True, incarnation="one", slots=4, beat_s=1.0))
        yield found


async def ran(manager: Manager, exports: dict[tuple[str, str], bytes]) -> Request:
    """A run that exports this, by bundle and name there."""
    asked, report = await begun(manager, exports)
    await manager.put(report)
    return await asyncio.wait_for(manager.client.wait(asked), 20)


async def begun(manager: Manager, exports: dict[tuple[str, str], bytes]) -> tuple[str, RunsReported]:
    """A request whose run has written what it exports, and what its worker will report."""
    before = len([one for one in manager.silence.heard if isinstance(one, AssignRuns)])
    asked = await manager.client.run("give", "lab", source=SCRIPT, wait=False)
    async with asyncio.timeout(20):
        while len(given := [one for one in manager.silence.heard if isinstance(one, AssignRuns)]) == before:
            await asyncio.sleep(0.005)
    (run,) = given[-1].runs
    made = []
    for (bundle, name), data in exports.items():
        path = f"exports/{bundle}/files/{name}"
        place = manager.layout.runs / f"{run.id}.{run.epoch}" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        made.append(Output(path, "export", bundle))
    return asked.id, RunsReported(WORKER, "one", (RunReport(run.id, run.epoch, RunState.DONE, made=tuple(made)),))


async def content(manager: Manager, bundle: str) -> dict[str, int]:
    found = await manager.client.show(bundle)
    return {one.path: one.size_bytes for one in found.files}


@pytest.mark.req("r176")
async def test_an_export_makes_a_bundle_or_a_version_that_has_the_rest_as_it_was(manager: Manager) -> None:
    first = await ran(manager, {("lab/low", "a.npy"): b"1", ("lab", "deep/b.txt"): b"22"})
    assert first.state is RequestState.DONE
    assert await content(manager, "lab/low") == {"a.npy": 1}
    assert await content(manager, "lab") == {"deep/b.txt": 2, "x.csv": 4}
    assert await content(manager, "lab@1") == {"x.csv": 4}
    await ran(manager, {("lab/low", "a.npy"): b"333", ("lab/low", "c.npy"): b"4"})
    assert await content(manager, "lab/low") == {"a.npy": 3, "c.npy": 1}
    assert await content(manager, "lab/low@1") == {"a.npy": 1}
    assert (await manager.client.verify()).findings == ()


@pytest.mark.req("r176")
async def test_what_was_exported_knows_the_request_and_the_version_it_came_of(manager: Manager) -> None:
    asked = await ran(manager, {("lab/low", "a.npy"): b"1"})
    (push,) = await manager.client.requests(cause=asked.id)
    assert (push.kind, push.bundle, push.state) == ("push", "lab/low", RequestState.DONE)
    found = await manager.client.why("lab/low")
    assert "lab@1" in {one.id for one in found.origins}


@pytest.mark.req("r176")
async def test_an_export_that_may_not_be_fails_its_run_with_the_reason(manager: Manager) -> None:
    failed = await ran(manager, {("lab/low", "package.json"): b"{"})
    assert failed.state is RequestState.FAILED
    assert "package.json" in failed.reason
    assert manager.machine.state.catalog.get("lab/low") is None


EXPORTED = {("lab/low", "a.npy"): b"1", ("lab/low", "b.npy"): b"22", ("lab", "deep/c.txt"): b"333"}
STAGES = {
    "nothing is done": (Exports, "take_in", False),
    "content is kept": (Exports, "_deliver", False),
    "content is installed, no version is made": (Runner, "_heard_of", False),
    "one bundle has its version": (Exports, "_deliver", True),
    "all have theirs, the run has not ended": (Exports, "take_in", True),
}
"""Where the manager dies: the work at whose beginning or end (True) it does."""


@pytest.mark.req("r176", "r015")
@pytest.mark.parametrize("stage", STAGES)
async def test_a_manager_that_dies_in_the_middle_of_an_export_ends_it_once_and_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    store, died = MemoryStore(), asyncio.Event()
    owner, name, is_late = STAGES[stage]
    work = getattr(owner, name)

    async def dies(*given: object) -> object:
        if is_late:
            await work(*given)
        died.set()
        return await asyncio.Event().wait()

    async with managing(tmp_path / "home", store) as first:
        await first.push("lab", {"x.csv": b"a\n1\n"})
        await first.put(WorkerAnnounced(WORKER, "w1", is_ours=True, incarnation="one", slots=4, beat_s=1.0))
        asked, report = await begun(first, EXPORTED)
        monkeypatch.setattr(owner, name, dies)
        await first.put(report)
        await asyncio.wait_for(died.wait(), 20)
    monkeypatch.setattr(owner, name, work)
    async with managing(tmp_path / "home", store) as again:
        await again.tree.catch_up()  # as a manager does when it starts
        assert (await again.client.request(asked)).state is RequestState.RUNNING
        await again.put(report)
        assert (await asyncio.wait_for(again.client.wait(asked), 20)).state is RequestState.DONE
        await again.put(report)  # said once more: nothing follows
        assert await content(again, "lab/low") == {"a.npy": 1, "b.npy": 2}
        assert await content(again, "lab") == {"deep/c.txt": 3, "x.csv": 4}
        versions = {one: len(await again.client.ls(one, versions=True)) for one in ("lab/low", "lab")}
        assert versions == {"lab/low": 1, "lab": 2}
        assert len(await again.client.requests(cause=asked)) == 2
        assert (await again.client.verify()).findings == ()


@pytest.mark.req("r176", "r015")
async def test_a_store_that_is_away_for_a_while_is_no_fault_of_a_run_that_exports(
    manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, away = manager.store.get_delivery, iter([True, True])

    async def get_delivery(delivery: DeliveryId) -> Delivery | None:
        if next(away, False):
            raise UnreachableError("The database is away.")
        return await real(delivery)

    monkeypatch.setattr(runner, "RETRY_S", 0.0)
    monkeypatch.setattr(manager.store, "get_delivery", get_delivery)
    done = await ran(manager, EXPORTED)
    assert done.state is RequestState.DONE
    assert await content(manager, "lab/low") == {"a.npy": 1, "b.npy": 2}
