"""The manager's hands: whatever a delivery brings, it is answered, and the manager lives."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from blake3 import blake3

from manager.commands import InstallDelivery, StartService
from manager.events import DeliveryInstalled, DeliveryRefused, Event, ServiceRefused
from manager.keeper import Keeper
from manager.organizer import Organizer
from manager.recall import Recall
from manager.runner import Runner
from manager.tree_planner import TreePlanner
from plotter2.clock import Instant
from plotter2.errors import CorruptionError
from plotter2.ids import DeliveryId, ServiceId
from plotter2.layout import Layout
from plotter2.model import manifest
from plotter2.model.bundle import FileEntry
from plotter2.model.service import ServiceSpec

DELIVERY = DeliveryId("dlv-1")
PAPER = manifest.write("ada", Instant(1.7e9), {})


class Hands:
    """A runner over a real organizer; keeps what it hears back."""

    def __init__(self, root: Path) -> None:
        self.layout = Layout.at(root)
        self.layout.create()
        self.heard: list[Event] = []
        self.work: list[Coroutine[Any, Any, None]] = []
        organizer = Organizer(self.layout)
        planner = TreePlanner(None, None, Recall(None, organizer, None, Keeper(self.layout, organizer, self)))
        self.runner = Runner(
            lambda work, _name: self.work.append(work), self.layout, organizer, None, self, planner
        )  # fmt: skip

    async def put(self, event: Event) -> None:
        self.heard.append(event)

    async def install(self, package_json: bytes, paper: str = PAPER) -> Event:
        spool = self.layout.spool / DELIVERY
        spool.mkdir(parents=True)
        (spool / "0").write_bytes(package_json)
        entry = FileEntry("package.json", len(package_json), blake3(package_json).digest())
        self.runner.perform(InstallDelivery(DELIVERY, "lab/a", (entry,), str(spool), paper))
        async with asyncio.TaskGroup() as group:
            for work in self.work:
                group.create_task(work)
        return self.heard[-1]


@pytest.mark.req("r069")
async def test_a_package_nested_beyond_all_measure_refuses_its_delivery_and_ends_nothing(tmp_path: Path) -> None:
    said = await Hands(tmp_path).install(b"[" * 2_000 + b"]" * 2_000)
    assert isinstance(said, DeliveryRefused)
    assert said.reason_code == "package"
    assert "is nested deeper than 64 levels" in said.reason


@pytest.mark.req("r071")
@pytest.mark.parametrize("fault", [RecursionError("too deep"), MemoryError(), ValueError("a fault of ours")])
async def test_whatever_inspection_raises_refuses_the_delivery(
    fault: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raising(*_: object) -> None:
        raise fault

    monkeypatch.setattr("manager.runner.inspect", raising)
    said = await Hands(tmp_path).install(b"{}")
    assert isinstance(said, DeliveryRefused)
    assert said.reason == f"What it declares cannot be read: {type(fault).__name__}."


async def test_what_can_be_read_is_installed(tmp_path: Path) -> None:
    said = await Hands(tmp_path).install(b'{"name": "a"}')
    assert said == DeliveryInstalled(DELIVERY, '{"name": "a"}')


@pytest.mark.req("r057")
async def test_content_that_is_not_what_the_manifest_lists_is_refused_by_name(tmp_path: Path) -> None:
    listed = {"path": "package.json", "sha256": "0" * 64, "size": 2}
    said = await Hands(tmp_path).install(b"{}", manifest.write("ada", Instant(1.7e9), {"files": [listed]}))
    assert isinstance(said, DeliveryRefused)
    assert said.reason_code == "altered"
    assert "altered: 'package.json'" in said.reason


class Trees:
    """Lays versions out when it is let; one of them cannot be."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []
        self.may_go_on = asyncio.Event()

    async def lay_out(self, bundle: str, version: int) -> None:
        self.asked.append((bundle, version))
        await self.may_go_on.wait()
        if bundle == "lost":
            raise CorruptionError("Its content is missing.")


class Starts:
    """Hears what is started, call by call."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def start(self, specs: Sequence[ServiceSpec]) -> None:
        self.calls.append([one.service_id for one in specs])


@pytest.mark.req("r018")
async def test_all_that_wait_for_the_tree_of_one_version_are_started_together_in_their_order(tmp_path: Path) -> None:
    layout, trees, starts, heard = Layout.at(tmp_path), Trees(), Starts(), list[Event]()
    async with asyncio.TaskGroup() as group:
        hands: Any = SimpleNamespace(put=lambda event: asyncio.sleep(0, heard.append(event)))
        runner: Any = Runner(
            lambda work, name: group.create_task(work, name=name), layout, Organizer(layout), trees, hands, None
        )
        runner.connect(None, None, None, starts, None, None)
        for name, bundle in (("a", "lab"), ("b", "lab"), ("c", "lost"), ("d", "lab")):
            runner.perform(StartService(ServiceSpec(ServiceId(name), bundle, 1, "", "", "", b"", b"")))
        await asyncio.sleep(0)
        runner.perform(StartService(ServiceSpec(ServiceId("e"), "lab", 1, "", "", "", b"", b"")))
        trees.may_go_on.set()
    assert trees.asked == [("lab", 1), ("lost", 1)]
    assert starts.calls == [["a", "b", "d", "e"]]
    assert heard == [ServiceRefused(ServiceId("c"), "Its content is missing.")]
