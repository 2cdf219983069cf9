"""Reports through the whole manager: numbered, drawn again from old and new data, verified, there after a crash."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from manager.events import RunReport, RunsReported, WorkerAnnounced
from manager.organizer import Organizer, records
from manager.store.memory import MemoryStore
from manager.tree import GROUP
from plotter2.datter.pages import assets
from plotter2.ids import RunId, WorkerId
from plotter2.model.record import JOURNAL
from plotter2.model.request import RequestState
from plotter2.model.task import Output, RunState
from tests.managerkit import Files, Manager, managing

ORDERS = {
    "tasks": [{"name": "compare", "task_src": "tasks/compare.py"}],
    "standing": [
        {"name": "again", "on": "child", "run": []},
        {"name": "all", "on": "arrivals", "n": 1, "run": ["compare"]},
    ],
}
LAB: Files = {"package.json": json.dumps(ORDERS).encode(), "tasks/compare.py": b"def task(): pass"}
WORKER = WorkerId("w1")


@pytest.fixture
async def manager(tmp_path: Path) -> AsyncIterator[Manager]:
    async with managing(tmp_path / "home") as found:
        Organizer(found.layout).lay_assets()
        yield found


def page_of(run: str) -> str:
    return f'<script src="../../../{assets.FOLDER}/{assets.script_name()}"></script><p>{run}</p>'


async def end(manager: Manager, run: str, read: Sequence[dict[str, Any]] = (), sidecar: str = "") -> None:
    """The worker has made a page that says which run drew it."""
    folder = manager.layout.runs / f"{run}.1"
    folder.mkdir(parents=True)
    (folder / "compare.html").write_text(page_of(run))
    (folder / "compare.html.json").write_text(sidecar or json.dumps({"inputs": {"files": list(read)}, "seed": 1}))
    made = (Output("compare.html", "report", "All runs"),)
    await manager.put(RunsReported(WORKER, "one", (RunReport(RunId(run), 1, RunState.DONE, made=made),)))


async def folder(manager: Manager, number: int) -> Path:
    place = manager.layout.source / "lab/a/meta/reports" / f"report{number}"
    async with asyncio.timeout(20):
        while manager.tree.is_expected("lab/a") or not place.exists():
            await asyncio.sleep(0.01)
    return place


async def fired(manager: Manager, child: str) -> str:
    """The run of the order that the arrival of a child fires."""
    await manager.put(WorkerAnnounced(WORKER, "w1", is_ours=True, incarnation="one", slots=4, beat_s=1.0))
    pushed = await manager.push(f"lab/a/bundles/{child}", {"x.csv": child.encode()})
    found = await manager.client.requests(cause=pushed.request_id)
    run = next(RunId(f"{one.id}.0") for one in found if one.user == "standing:all")
    async with asyncio.timeout(20):
        while manager.machine.state.runs[run].state is not RunState.ASSIGNED:  # its instances are planned before
            await asyncio.sleep(0.01)
    return run


@pytest.mark.req("r024", "r026")
async def test_each_new_child_draws_the_next_report_and_the_old_ones_stay(manager: Manager) -> None:
    await manager.push("lab/a", LAB)
    read = [{"bundle": "lab/a/bundles/b1", "version": 1, "path": "x.csv", "digest": "ab" * 32}]
    runs = [await fired(manager, "b1")]
    await end(manager, runs[0], read)
    first = await folder(manager, 1)
    before = {path.relative_to(first): path.read_bytes() for path in first.rglob("*") if path.is_file()}
    runs.append(await fired(manager, "b2"))
    await end(manager, runs[1], read)
    second = await folder(manager, 2)
    assert {path.relative_to(first): path.read_bytes() for path in first.rglob("*") if path.is_file()} == before
    for number, (place, run) in enumerate(zip((first, second), runs, strict=True), start=1):
        about = json.loads((place / "report.json").read_text())
        assert (about["report"], about["run"], about["request"]) == (number, run, run.removesuffix(".0"))
        assert (about["bundle"], about["version"], about["inputs"]) == ("lab/a", 1, read)
        (page,) = about["files"]
        assert (place / page["path"]).read_text() == page_of(run)
        assert (manager.layout.output / page["path"]).read_text() == page_of(run)
        assert (place / assets.FOLDER / assets.script_name()).stat().st_nlink > 1
    assert (await manager.client.request(runs[1].removesuffix(".0"))).state is RequestState.DONE


@pytest.mark.req("r003", "r026")
async def test_a_cover_that_a_newer_plotter2_writes_otherwise_is_no_damage(
    manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    await manager.push("lab/a", LAB)
    await end(manager, await fired(manager, "b1"))
    place = await folder(manager, 1)
    monkeypatch.setattr(records, "cover", lambda _: b"<p>newer</p>")
    [found] = (await manager.client.verify()).findings
    assert (found.path, found.fault, found.remedy) == (
        "source/lab/a/meta/reports/report1/index.html", "hidden", "is shown again",
    )  # fmt: skip
    assert (place / "index.html").read_bytes() == b"<p>newer</p>"
    assert (await manager.client.verify()).findings == ()


@pytest.mark.req("r003", "r026")
async def test_reports_are_verified_like_everything_else(manager: Manager) -> None:
    await manager.push("lab/a", LAB)
    await end(manager, await fired(manager, "b1"))
    place = await folder(manager, 1)
    assert (await manager.client.verify()).findings == ()
    (place / "mine").write_bytes(b"by hand")
    (place / "report.json").unlink()
    (place.parent / "report7").mkdir()
    (place.parent / "report7" / "page.html").write_bytes(b"forged")
    found = await manager.client.verify(contents=False)
    assert {(one.path.rpartition("/")[2], one.fault) for one in found.findings} == {
        ("mine", "stray"), ("report.json", "hidden"), ("report7", "stray"),
    }  # fmt: skip
    assert json.loads((place / "report.json").read_text())["report"] == 1


@pytest.mark.req("r026")
async def test_a_sidecar_that_is_no_sidecar_costs_the_inputs_and_nothing_else(manager: Manager) -> None:
    await manager.push("lab/a", LAB)
    await end(manager, await fired(manager, "b1"), sidecar='{"inputs": ' * 3)
    assert json.loads((await folder(manager, 1) / "report.json").read_text())["inputs"] == []


@pytest.mark.req("r026")
async def test_numbers_go_on_after_a_restart_and_what_was_not_shown_is(tmp_path: Path) -> None:
    store = MemoryStore()
    async with managing(tmp_path / "home", store) as manager:
        Organizer(manager.layout).lay_assets()
        await manager.push("lab/a", LAB)
        await end(manager, await fired(manager, "b1"))
        shutil.rmtree(await folder(manager, 1))
    assert await store.committed_offset(GROUP, JOURNAL, 0) == 0
    async with managing(tmp_path / "home", store) as again:
        again.numbers = manager.numbers
        await again.tree.catch_up()
        assert (await folder(again, 1) / "report.json").exists()
        await end(again, await fired(again, "b2"))
        assert (await folder(again, 2) / "report.json").exists()
