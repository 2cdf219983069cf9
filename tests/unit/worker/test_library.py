"""What a worker asks its manager for when it makes programs ready, and what it knows already."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from plotter2.ids import RequestId, TaskId
from plotter2.layout import Layout
from plotter2.model.task import Task, TaskKind
from tests.integration.worker_kit import Manager
from worker.bulk import BulkLine
from worker.cache import Cache
from worker.commands import ProgramKey
from worker.library import Library

TASK = Task(TaskId("t"), "t", TaskKind.SCRIPT, "def task(): pass", b"", "t.py")


@pytest.fixture
def manager(tmp_path: Path) -> Manager:
    made = Manager(Layout(tmp_path))
    made.bundles["mine"] = {"a.csv": "x\n1\n"}
    return made


@pytest.fixture
def library(manager: Manager, tmp_path: Path) -> Library:
    line = cast("BulkLine", manager)
    return Library(manager.layout, line, Cache(tmp_path / "cache", 1 << 20, line.fetch))


async def prepared(library: Library, request: str, **more: Any) -> dict[str, str]:
    key = ProgramKey(TASK.id, b"", "mine", 1, RequestId(request), **more)
    return (await library.prepare(1, key, TASK)).program.ground.files


@pytest.mark.req("r016")
async def test_a_settled_bundle_is_asked_for_once_for_all_requests_that_see_the_same(
    manager: Manager, library: Library
) -> None:
    manager.is_settled = True
    first = await prepared(library, "one", pins=b"p")
    assert list(first) == ["a.csv"]
    assert await prepared(library, "two", pins=b"p") == first
    assert manager.asked_for == [("mine", "one")]
    await prepared(library, "three", pins=b"q")
    await prepared(library, "four")
    assert manager.asked_for == [("mine", "one"), ("mine", "three"), ("mine", "four")]


@pytest.mark.req("r016", "r041")
async def test_a_bundle_with_links_is_asked_for_by_each_request(manager: Manager, library: Library) -> None:
    await prepared(library, "one", pins=b"p")
    await prepared(library, "two", pins=b"p")
    assert manager.asked_for == [("mine", "one"), ("mine", "two")]
