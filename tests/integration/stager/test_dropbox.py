"""The watched directory (requirement 015): what is put there arrives at a small manager that installs for real."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
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
    drop,
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
    await drop(tree(tmp_path / "dropped", CONTENTS), layout.dropbox / "dropped")
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
    await drop(tree(tmp_path / "dropped", CONTENTS), layout.dropbox / "dropped")
    refused = layout.dropbox / ".refused"
    await until(lambda: bool(list(refused.glob("*/dropped/a.txt"))))
    assert next(refused.glob("*/reason.txt")).read_text() == "package.json: 'tasks' is wrong.\n"


async def aside(layout: Layout) -> str:
    """The reason why the one thing in the drop box was put aside."""
    refused = layout.dropbox / ".refused"
    await until(lambda: any(path.read_text() for path in refused.glob("*/reason.txt")))
    return next(refused.glob("*/reason.txt")).read_text()


@pytest.mark.req("r015")
async def test_a_file_of_a_terabyte_that_is_not_there_is_refused_unread(layout: Layout, manager: FakeManager) -> None:
    (layout.dropbox / ".refused").mkdir(parents=True)
    async with serving(manager) as there, stager_inside(layout, there, quota_bytes=1 << 30):
        tree(layout.dropbox / "here", {"hole": b""})
        with (layout.dropbox / "here" / "hole").open("r+b") as file:
            file.truncate(1 << 40)
        (layout.dropbox / "here.ready").touch()
        paper = json.loads(PAPER)
        paper["contains"]["files"] = [{"path": "hole", "size": 1 << 40, "sha256": "0" * 64}]
        (layout.dropbox / "here" / "manifest.json").write_text(json.dumps(paper))
        assert "the stager's quota is 1073741824 bytes" in await aside(layout)
    assert not manager.calls


@pytest.mark.req("r015")
async def test_a_fault_of_ours_puts_the_drop_aside_and_the_stager_lives(
    address: str, manager: FakeManager, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    del address

    def faulty(*_: object) -> None:
        raise RecursionError

    with monkeypatch.context() as patch:
        patch.setattr("stager.dropbox.packing.collect", faulty)
        tree(layout.dropbox / "first", {"a": b"a", "manifest.json": PAPER.encode()})
        (layout.dropbox / "first.ready").touch()
        assert await aside(layout) == "It cannot be read: RecursionError.\n"
    listed = {"path": "a", "size": 1, "sha256": hashlib.sha256(b"a").hexdigest()}
    paper = json.loads(PAPER)
    paper["contains"]["files"] = [listed]
    tree(layout.dropbox / "second", {"a": b"a", "manifest.json": json.dumps(paper).encode()})
    (layout.dropbox / "second.ready").touch()
    await until(lambda: bool(manager.installed))
    assert manager.contents("second")["a"] == b"a"


@pytest.mark.req("r015")
async def test_a_drop_with_the_name_of_the_reason_is_kept_beside_it(
    address: str, manager: FakeManager, layout: Layout
) -> None:
    del address
    manager.refusal = PackageError("No.")
    dropped = layout.dropbox / "reason.txt"
    dropped.write_bytes(b"mine")
    listed = layout.dropbox / ".refused"
    (layout.dropbox / "reason.txt.ready").touch()
    await until(lambda: bool(list(listed.glob("*/reason.plotter2.txt")) or list(listed.glob("*/reason.txt"))))
    assert next(listed.glob("*/reason.txt")).read_bytes() == b"mine"
    await until(lambda: bool(list(listed.glob("*/reason.plotter2.txt"))))


@pytest.mark.req("r015")
async def test_a_name_that_is_no_text_is_put_aside_too(address: str, manager: FakeManager, layout: Layout) -> None:
    del address
    name = os.fsdecode(b"bad\xff")
    tree(layout.dropbox / name, {"a": b"a"})
    (layout.dropbox / (name + ".ready")).touch()
    assert "must list every file" in await aside(layout)
    assert not manager.calls
