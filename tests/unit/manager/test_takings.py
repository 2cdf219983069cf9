"""What runs made is taken over together where it is small, and told of when it is durable."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

import pytest

from manager.commands import TakeOutputs
from manager.events import Event, OutputsRefused, OutputsTaken
from manager.organizer import Organizer
from manager.reaching import until_reached
from manager.takings import SMALL_BYTES_MAX, Takings
from plotter2 import files as durable
from plotter2.errors import UnreachableError
from plotter2.ids import RunId
from plotter2.layout import Layout
from plotter2.model.output import EXPORT
from plotter2.model.task import Output


class World:
    """Takings over a real organizer; keeps what is said and done, in order."""

    def __init__(self, root: Path) -> None:
        self.layout = Layout.at(root)
        self.layout.create()
        self.said: list[str] = []
        self.heard: list[Event] = []
        self.calls: list[int] = []
        self.work: list[Coroutine[Any, Any, None]] = []
        self.organizer = Organizer(self.layout)
        self.takings = Takings(lambda work, _: self.work.append(work), self.layout, self, self, self)
        self.takings.connect(self)

    def take_all(self, runs: Sequence[Any]) -> Any:
        self.calls.append(len(runs))
        return self.organizer.take_all(runs)

    async def take_in(self, effect: TakeOutputs, _: Sequence[Output]) -> None:
        self.said.append(f"export {effect.run_id}")

    async def believed(self, said: Sequence[Any]) -> list[Any]:
        return [([], {}) for _ in said]

    async def put(self, event: Event) -> None:
        self.said.append("told")
        self.heard.append(event)

    async def take(self, count: int, kind: str = "figure", size_bytes: int = 1) -> None:
        for number in range(count):
            run = RunId(f"req-1.{number}")
            folder = self.layout.runs / f"{run}.1"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "x.html").write_text("x")
            made = (Output("x.html", kind, size_bytes=size_bytes),)
            self.takings.take(TakeOutputs(run, 1, made, f"lab/t/{number}"))
        while self.work:
            work, self.work = self.work, []
            await asyncio.gather(*work)


@pytest.mark.req("r198")
async def test_runs_that_end_together_are_taken_together_and_told_of_when_all_is_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path / "home")
    sync_tree = durable.sync_tree
    monkeypatch.setattr(durable, "sync_tree", lambda *given: (world.said.append("sync"), sync_tree(*given)))
    await world.take(50)
    assert (world.calls, world.said) == ([50], ["sync", "sync", *["told"] * 50])
    assert all(isinstance(one, OutputsTaken) for one in world.heard)


@pytest.mark.parametrize(("kind", "size_bytes"), [("figure", SMALL_BYTES_MAX + 1), (EXPORT, 1)])
async def test_what_takes_long_keeps_nobody_waiting(tmp_path: Path, kind: str, size_bytes: int) -> None:
    world = World(tmp_path / "home")
    await world.take(3, kind, size_bytes)
    assert world.calls == [1, 1, 1]
    assert len([one for one in world.said if one.startswith("export")]) == 3


async def test_where_the_disk_refuses_many_each_tries_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError(errno.EIO, "bad sector", "x")

    world = World(tmp_path / "home")
    monkeypatch.setattr(durable, "sync_tree", broken)
    await world.take(20)
    assert world.calls == [20, *[1] * 20]
    assert all(isinstance(one, OutputsTaken) for one in world.heard)


async def test_what_a_run_did_not_leave_refuses_that_run_alone(tmp_path: Path) -> None:
    world = World(tmp_path / "home")
    world.takings.take(TakeOutputs(RunId("req-1.9"), 1, (Output("y.html", "figure"),), "lab/t/9"))
    await world.take(2)
    assert [type(one) for one in world.heard] == [OutputsRefused, OutputsTaken, OutputsTaken]


async def test_work_goes_on_when_the_store_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("manager.reaching.RETRY_S", 0.0)
    tries: list[int] = []

    async def work() -> str:
        tries.append(1)
        if len(tries) < 3:
            raise UnreachableError("The store is away.")
        return "done"

    assert (await until_reached("req-1.0", work), len(tries)) == ("done", 3)
