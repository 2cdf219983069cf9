"""The manager's hands: whatever a delivery brings, it is answered, and the manager lives."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3

from manager.commands import InstallDelivery
from manager.events import DeliveryInstalled, DeliveryRefused, Event
from manager.keeper import Keeper
from manager.organizer import Organizer
from manager.recall import Recall
from manager.runner import Runner
from manager.tree_planner import TreePlanner
from plotter2.clock import Instant
from plotter2.ids import DeliveryId
from plotter2.layout import Layout
from plotter2.model import manifest
from plotter2.model.bundle import FileEntry

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
