"""What runs export becomes versions of bundles before the run has ended; the manager is a real one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from manager.commands import AssignRuns
from manager.events import RunReport, RunsReported, WorkerAnnounced
from plotter2.client.views import Request
from plotter2.ids import WorkerId
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
    await manager.put(RunsReported(WORKER, "one", (RunReport(run.id, run.epoch, RunState.DONE, made=tuple(made)),)))
    return await asyncio.wait_for(manager.client.wait(asked.id), 20)


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
