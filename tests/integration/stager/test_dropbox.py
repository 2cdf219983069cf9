"""The watched directory (requirement 015): what is put there arrives at a small manager that installs for real."""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path

import pytest

from plotter2.errors import (
    PackageError,
)
from plotter2.layout import Layout
from tests.stagerkit import (
    CONTENTS,
    IDS,
    PAPER,
    FakeManager,
    serving,
    stager_inside,
    tree,
    until,
)


@pytest.mark.req("r015")
async def test_a_rename_into_the_drop_box_is_taken(
    tmp_path: Path, address: str, manager: FakeManager, layout: Layout
) -> None:
    del address
    tree(tmp_path / "dropped", CONTENTS).rename(layout.dropbox / "dropped")
    await until(lambda: "dropped" in [call.bundle for call in manager.installed.values()])
    assert manager.contents("dropped") == CONTENTS
    await until(lambda: not list((layout.dropbox / ".claimed").iterdir()))


@pytest.mark.req("r015")
async def test_what_is_written_in_place_waits_for_its_marker(
    address: str, manager: FakeManager, layout: Layout
) -> None:
    del address
    paper = json.loads(PAPER)
    paper["meta"]["bundle"] = "group/marked"
    lines = {"a.txt": b"hello"}
    paper["contains"]["files"] = [
        {"path": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in lines.items()
    ]
    tree(layout.dropbox / "here", {**lines, "manifest.json": json.dumps(paper).encode()})
    await asyncio.sleep(1.0)
    assert (layout.dropbox / "here").exists()
    (layout.dropbox / "here.ready").touch()
    await until(lambda: bool(manager.installed))
    assert manager.contents("group/marked")["a.txt"] == b"hello"


@pytest.mark.req("r015")
async def test_a_drop_with_a_wrong_list_is_put_aside_with_the_reason(
    address: str, manager: FakeManager, layout: Layout
) -> None:
    del address
    paper = json.loads(PAPER)
    paper["contains"]["files"] = [{"path": "a.txt", "size": 5, "sha256": "0" * 64}]
    tree(layout.dropbox / "here", {"a.txt": b"hello", "manifest.json": json.dumps(paper).encode()})
    (layout.dropbox / "here.ready").touch()
    refused = layout.dropbox / ".refused"
    await until(lambda: bool(list(refused.glob("*/reason.txt"))))
    assert "SHA-256" in next(refused.glob("*/reason.txt")).read_text()
    assert next(refused.glob("*/here/a.txt")).read_bytes() == b"hello"
    assert not manager.calls


@pytest.mark.req("r015", "r198")
async def test_what_was_claimed_before_a_kill_is_taken_after_it(layout: Layout, manager: FakeManager) -> None:
    delivery = IDS.delivery()
    tree(layout.dropbox / ".claimed" / delivery / "dropped", CONTENTS)
    async with serving(manager) as manager_address, stager_inside(layout, manager_address):
        await until(lambda: delivery in manager.installed)
        await until(lambda: not list((layout.dropbox / ".claimed").iterdir()))
    assert manager.contents("dropped") == CONTENTS


@pytest.mark.req("r015")
async def test_a_drop_that_the_manager_does_not_want_is_put_aside(
    tmp_path: Path, address: str, manager: FakeManager, layout: Layout
) -> None:
    del address
    manager.refusal = PackageError("package.json: 'tasks' is wrong.")
    tree(tmp_path / "dropped", CONTENTS).rename(layout.dropbox / "dropped")
    refused = layout.dropbox / ".refused"
    await until(lambda: bool(list(refused.glob("*/dropped/a.txt"))))
    assert next(refused.glob("*/reason.txt")).read_text() == "package.json: 'tasks' is wrong.\n"
