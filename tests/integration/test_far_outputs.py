"""What runs make on a worker that does not see the manager's files: all of it is there, as if it did."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from manager import devices
from manager.commands import AssignRuns
from manager.events import WorkerAnnounced
from manager.organizer import Organizer
from plotter2.client.views import Request
from plotter2.ids import WorkerId
from plotter2.model import output
from plotter2.model.request import RequestState
from plotter2.mqtt.payloads import AssignBatch, Assignment, ReportBatch
from tests.integration.worker_kit import REAL_ENGINE, Rig, rig
from tests.managerkit import Manager, managing
from worker import sending
from worker.bulk import BulkLine

WORKER = WorkerId("w1")
SCRIPT = """
def task():
    import pathlib
    animateme([[0.0, 1.0, 4.0], [1.0, 2.0, 3.0], [2.0, 1.0, 0.0]])
    page = report("Far")
    page.add(access("x.csv"), title="A series")
    page.table({"n": [1, 2, 3]}, title="Rows")
    pathlib.Path("note.txt").write_text("by hand")
    export([1, 2], "lab/low", "low")
    return 1
"""


@pytest.fixture
async def manager(tmp_path: Path) -> AsyncIterator[Manager]:
    async with managing(tmp_path / "home") as found:
        Organizer(found.layout).lay_assets()
        await found.push("lab", {"x.csv": b"a,b\n1,2\n2,3\n3,5\n"})
        await found.put(WorkerAnnounced(WORKER, "w1", is_ours=True, incarnation="one", slots=4, beat_s=1.0))
        yield found


@asynccontextmanager
async def worker_at(home: Path, manager: Manager) -> AsyncIterator[Rig]:
    """A worker of this manager's whose files lie elsewhere."""
    async with (
        BulkLine.open(home, manager.address, str) as line,
        rig(home, line=line, command=REAL_ENGINE) as worker,
    ):
        yield worker


async def asked(manager: Manager, source: str = SCRIPT) -> tuple[Request, AssignRuns]:
    """A request, and what the worker is told because of it."""
    before = sum(isinstance(one, AssignRuns) for one in manager.silence.heard)
    request = await manager.client.run("draw", "lab", source=source, wait=False)
    async with asyncio.timeout(20):
        while len(given := [one for one in manager.silence.heard if isinstance(one, AssignRuns)]) == before:
            await asyncio.sleep(0.005)
    return request, given[-1]


async def carried(manager: Manager, worker: Rig, given: AssignRuns) -> None:
    """What the worker makes of it, told to the manager."""
    [run] = given.runs
    where = Assignment(run.id, run.epoch, run.task_id, run.bundle, run.version, run.parameters_json)
    worker.runner.hear_batch(AssignBatch((where,), given.tasks))
    [report] = await worker.ends([run.id], 60)
    await manager.put(devices.reported(ReportBatch(WORKER, "one", (report,)), WORKER))


def left(root: Path) -> dict[str, bytes]:
    """What lies there, by its path."""
    return {one.relative_to(root).as_posix(): one.read_bytes() for one in root.rglob("*") if one.is_file()}


@pytest.mark.req("r012", "r094", "r152", "r158")
async def test_all_that_a_run_leaves_arrives_byte_for_byte(
    manager: Manager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone: dict[Path, dict[str, bytes]] = {}
    monkeypatch.setattr(sending, "shutil", Kept(gone))
    async with worker_at(tmp_path / "far", manager) as worker:
        request, given = await asked(manager)
        await carried(manager, worker, given)
        done = await asyncio.wait_for(manager.client.wait(request.id), 20)
    assert done.state is RequestState.DONE, done.reason
    [(folder, made)] = gone.items()
    run = given.runs[0]
    assert folder.name == f"{run.id}.{run.epoch}"
    assert {name.partition(".")[2] for name in made} >= {"html", "html.json", "html.svg", "html.gif", "csv.json"}
    root = manager.layout.output / output.folder(run)
    assert left(root) == {name: data for name, data in made.items() if name != sending.LIST_FILE}
    assert {one.stat().st_mode & 0o777 for one in root.rglob("*") if one.is_file()} == {0o444}
    assert not (manager.layout.runs / folder.name).exists(), "what has arrived is not kept twice"
    assert [one.path for one in (await manager.client.show("lab/low")).files] == ["low.json"]
    [report] = await numbered(manager, 1)
    assert {one.name for one in report.rglob("*") if one.is_file()} >= {Path(name).name for name in made} - {".files"}
    assert (await manager.client.verify()).findings == ()


class Kept:
    """Removes folders as `shutil` does, and remembers what lay in them."""

    def __init__(self, gone: dict[Path, dict[str, bytes]]) -> None:
        self._gone = gone

    def rmtree(self, path: Path, *, ignore_errors: bool) -> None:
        self._gone[path] = left(path)
        shutil.rmtree(path, ignore_errors=ignore_errors)


async def numbered(manager: Manager, count: int) -> list[Path]:
    root = manager.layout.source / "lab/meta/reports"
    async with asyncio.timeout(20):
        while manager.tree.is_expected("lab") or len(list(root.glob("report*"))) < count:
            await asyncio.sleep(0.01)
    return sorted(root.iterdir())
