"""How far runs say they are, and what they printed, for those who watch and those who come late."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from manager.commands import NotifyLines, NotifyProgress, SaveRun
from manager.events import RunReport, RunsReported, WorkerAnnounced
from manager.hub import SAID_LINE_CHARS_MAX, SAID_LINES_MAX, SAID_REQUESTS_MAX, Hub
from manager.store.memory import MemoryStore
from plotter2.api.v1 import manager_pb2
from plotter2.ids import RequestId, RunId, WorkerId
from plotter2.model.request import Request
from plotter2.model.task import RunState
from tests.managerkit import managing
from tests.unit.manager.kit import Story, only

WORKER = WorkerId("w1")


def said(run: str, done: float, *lines: str, epoch: int = 1, lines_from: int = 0) -> RunsReported:
    going = RunState.RUNNING
    report = RunReport(RunId(run), epoch, going, lines=lines, progress=(done, 10), lines_from=lines_from)
    return RunsReported(WORKER, "one", (report,))


@pytest.mark.req("r130")
def test_progress_is_told_and_not_written_down_and_ends_with_the_run() -> None:
    story = Story()
    story.worker("w1")
    asked, _ = story.run("plain", source="def task(): pass")
    run = f"{asked}.0"
    story.turn(said(run, 1))
    told = story.turn(said(run, 3))
    assert only(told, NotifyProgress) == [NotifyProgress(asked, RunId(run), 3, 10)]
    assert not only(told, SaveRun)
    assert story.machine.state.progress == {run: (3, 10)}
    assert not only(story.turn(said(run, 9, epoch=7)), NotifyProgress)
    story.report(run)
    assert not story.machine.state.progress


@pytest.mark.req("r130")
def test_what_was_printed_is_kept_within_bounds() -> None:
    hub, request = Hub(), RequestId("req-0")
    hub.put(request, NotifyLines(request, RunId("req-0.0"), ("x" * 2 * SAID_LINE_CHARS_MAX,)))
    assert [len(line.text) for line in hub.said(request)] == [SAID_LINE_CHARS_MAX]
    hub.put(request, NotifyLines(request, RunId("req-0.0"), tuple(map(str, range(SAID_LINES_MAX + 5)))))
    assert [hub.said(request)[place].text for place in (0, -1)] == ["5", str(SAID_LINES_MAX + 4)]
    assert [hub.said(request)[at].place for at in (0, -1)] == [6, SAID_LINES_MAX + 5], "it knows which lines these are"
    for number in range(1, SAID_REQUESTS_MAX + 1):
        other = RequestId(f"req-{number}")
        hub.put(other, NotifyLines(other, RunId(f"{other}.0"), ("a",)))
    assert hub.said(request) == []


class Ending(MemoryStore):
    """A store in which a run ends while somebody reads its request for the `place`th time."""

    def __init__(self, place: int) -> None:
        super().__init__()
        self.reads = 0
        self.place = place
        self.end: Callable[[], Awaitable[None]] | None = None

    async def get_request(self, request_id: RequestId) -> Request | None:
        if self.end is not None:
            self.reads += 1
            if self.reads == self.place:
                await self.end()
                async with asyncio.timeout(10):
                    while not ((found := await super().get_request(request_id)) and found.has_ended):
                        await asyncio.sleep(0.01)
        return await super().get_request(request_id)


@pytest.mark.req("r130")
@pytest.mark.parametrize("place", [1, 2])
async def test_who_begins_to_watch_while_it_ends_is_told_its_last_lines(tmp_path: Path, place: int) -> None:
    store = Ending(place)
    async with managing(tmp_path, store) as manager:
        await manager.put(WorkerAnnounced(WORKER, "w1", is_ours=True, incarnation="one", slots=4, beat_s=1.0))
        asked = await manager.client.run("plain", source="def task(): pass", wait=False)
        report = RunReport(RunId(f"{asked.id}.0"), 1, RunState.DONE, lines=("first", "last"))
        store.end = lambda: manager.put(RunsReported(WORKER, "one", (report,)))
        heard: list[str] = []
        async for news in manager.stub.WatchRequest(manager_pb2.WatchRequestRequest(request_id=asked.id)):
            heard += [line.text for line in news.lines]
        assert store.reads >= place
        assert heard == ["first", "last"]


@pytest.mark.req("r130")
async def test_who_comes_late_is_told_what_was_printed_and_how_far_it_is(tmp_path: Path) -> None:
    async with managing(tmp_path) as manager:
        await manager.put(WorkerAnnounced(WORKER, "w1", is_ours=True, incarnation="one", slots=4, beat_s=1.0))
        asked = await manager.client.run("plain", source="def task(): pass", wait=False)
        run = f"{asked.id}.0"
        await manager.put(said(run, 4, "begun", "going"))
        while not manager.machine.state.progress:
            await asyncio.sleep(0.01)
        heard: list[tuple[list[str], object]] = []
        async with asyncio.TaskGroup() as group:
            watching = manager.client.wait(
                asked.id, on_change=lambda found, lines: heard.append((lines, dict(found.progress)))
            )
            waiting = group.create_task(watching)
            while not heard:
                await asyncio.sleep(0.01)
            assert heard[0] == (["begun", "going"], {run: (4.0, 10.0)})
            await manager.put(said(run, 5, "more", lines_from=2))
            while len(heard) < 2:
                await asyncio.sleep(0.01)
            assert heard[1] == (["more"], {run: (5.0, 10.0)})
            await manager.put(RunsReported(WORKER, "one", (RunReport(RunId(run), 1, RunState.DONE),)))
        assert waiting.result().ok
