"""Verify, through manager and client: strays go into quarantine, folders are put right, damage is named."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from blake3 import blake3

from manager.organizer import Organizer
from manager.store.memory import MemoryStore
from plotter2.model.quarantine import ItemKind, ItemState
from plotter2.model.record import JOURNAL
from plotter2.model.verification import Fault
from tests.managerkit import Files, Manager, managing

pytestmark = pytest.mark.req("r003")
FILES: Files = {"a": b"1", "deep/er/b": b"2", "code_sources/run.py": b"print()"}


@pytest.fixture
async def manager(tmp_path: Path) -> AsyncIterator[Manager]:
    async with managing(tmp_path / "home") as found:
        await found.push("lab/x", FILES)
        await found.push("lab/x/bundles/child", FILES)
        await found.push("other", FILES)
        await shown(found, "lab/x", "lab/x/bundles/child", "other")
        yield found


async def shown(manager: Manager, *bundles: str) -> None:
    """Folders follow the commit: wait for them."""
    async with asyncio.timeout(20):
        while not all((manager.layout.source / one / "shared/tbd").is_dir() for one in bundles) or is_busy(manager):
            await asyncio.sleep(0.01)


def is_busy(manager: Manager) -> bool:
    return any(manager.tree.is_expected(one) for one in manager.machine.state.catalog.paths())


async def journal(manager: Manager, kind: str) -> list[dict[str, object]]:
    records = await manager.store.read(JOURNAL, 0, 0, 1000)
    return [{"key": one.key, **json.loads(one.payload_json)} for one in records if one.kind == kind]


async def test_a_home_as_plotter2_left_it_is_in_order(manager: Manager) -> None:
    await manager.push("other", {"a": b"new", "c": b"3"})
    for contents in (True, False):
        found = await manager.client.verify(contents=contents)
        assert (found.findings, found.ok) == ((), True)
        assert (found.counts.bundles, found.counts.files) == (3, 8)
        assert found.counts.blobs >= 5 if contents else found.counts.blobs == 0
    assert [one["strays"] for one in await journal(manager, "verify.ended")] == [0, 0]


async def test_what_was_put_there_by_hand_is_moved_told_and_written_down(manager: Manager) -> None:
    source = manager.layout.source
    places = {
        "top", "lab/loose", "lab/x/mine", "lab/x/deep/mine", "lab/x/bundles/mine", "lab/x/bundles/child/mine",
        "lab/x/meta/history/mine", "lab/x/.hidden", ".trees/mine", ".blobs/mine", ".blobs/00/mine",
    }  # fmt: skip
    for place in places:
        (source / place).parent.mkdir(exist_ok=True)
        (source / place).write_bytes(b"by hand")
    (source / "folder" / "bundles").mkdir(parents=True)
    (source / "folder" / "bundles" / "package.json").write_bytes(b"{}")
    found = await manager.client.verify()
    assert {one.path for one in found.findings} == {f"source/{one}" for one in (*places, "folder")}
    assert all(one.fault is Fault.STRAY and one.item and one.remedy for one in found.findings)
    assert found.ok
    held = await manager.client.quarantine()
    assert {one.place for one in held} == {f"source/{one}" for one in (*places, "folder")}
    assert all((one.kind, one.state) == (ItemKind.STRAY, ItemState.HELD) and one.since for one in held)
    assert {one["key"] for one in await journal(manager, "stray.quarantined")} == {one.id for one in held}
    kept = {one.place: manager.layout.home / one.kept for one in held}
    assert (kept["source/lab/x/mine"] / "mine").read_bytes() == b"by hand"
    assert (kept["source/folder"] / "folder" / "bundles" / "package.json").read_bytes() == b"{}"
    assert (await manager.client.verify()).findings == ()
    assert (await manager.client.quarantine()).total == len(places) + 1
    assert [one.bundle for one in await manager.client.ls()] == ["lab/x", "lab/x/bundles/child", "other"]


async def test_a_folder_that_shows_something_else_is_put_right(manager: Manager) -> None:
    root = manager.layout.source / "lab/x"
    (root / "a").unlink()
    (root / "deep/er/b").unlink()
    (root / "deep/er/b").write_bytes(b"by hand")
    found = await manager.client.verify(contents=False)
    faults = {(one.path, one.fault) for one in found.findings}
    assert faults == {
        ("source/lab/x/a", Fault.HIDDEN), ("source/lab/x/deep/er/b", Fault.HIDDEN),
        ("source/lab/x/deep/er/b", Fault.STRAY),
    }  # fmt: skip
    assert ((root / "a").read_bytes(), (root / "deep/er/b").read_bytes()) == (b"1", b"2")
    (held,) = await manager.client.quarantine()
    assert (manager.layout.home / held.kept / "b").read_bytes() == b"by hand"
    assert (await manager.client.verify()).findings == ()


async def test_lost_and_altered_content_is_named_and_left_as_it_is(manager: Manager) -> None:
    altered, lost = (manager.layout.blob(blake3(data).digest()) for data in (b"1", b"2"))
    altered.chmod(0o644)
    altered.write_bytes(b"!")
    lost.unlink()
    found = await manager.client.verify()
    assert not found.ok
    damaged = {one.path for one in found.findings if one.fault is Fault.DAMAGED}
    assert altered.relative_to(manager.layout.home).as_posix() in damaged
    assert {f"source/{one}/deep/er/b" for one in ("lab/x", "lab/x/bundles/child", "other")} <= damaged
    assert altered.read_bytes() == b"!"


async def test_a_stray_whose_row_was_lost_in_a_crash_is_written_down_by_the_next_walk(tmp_path: Path) -> None:
    store = MemoryStore()
    async with managing(tmp_path / "home", store) as manager:
        await manager.push("lab/x", FILES)
        await shown(manager, "lab/x")
        (manager.layout.source / "lab/x/mine").write_bytes(b"by hand")
        # The process dies between the move and the commit.
        Organizer(manager.layout).set_aside(["lab/x/mine"], ["lab/x"], "is explained by no version")
        assert (await manager.client.quarantine()).total == 0
    async with managing(tmp_path / "home", store) as manager:
        found = await manager.client.verify(contents=False)
        assert [(one.path, one.problem) for one in found.findings] == [
            ("source/lab/x/mine", "is explained by no version")
        ]
        assert [one.place for one in await manager.client.quarantine()] == ["source/lab/x/mine"]


async def test_what_stands_in_the_way_of_a_new_version_is_written_down_too(manager: Manager) -> None:
    (manager.layout.source / "other" / "c").write_bytes(b"by hand")
    await manager.push("other", {"c": b"3"})
    async with asyncio.timeout(20):
        while not (held := await manager.client.quarantine()):
            await asyncio.sleep(0.01)
    assert [(one.place, one.reason) for one in held] == [
        ("source/other/c", "stood where bundle 'other' shows its own files")
    ]


async def test_the_command_line_tells_what_was_found_and_ends_with_1_only_for_what_is_left(
    manager: Manager,
) -> None:
    code, out, err = await manager.line("verify")
    assert (code, out) == (0, "")
    assert "Everything is in order" in err
    (manager.layout.source / "other" / "mine").write_bytes(b"by hand")
    code, out, _ = await manager.line("verify", "--quick", "--json")
    found = json.loads(out)
    assert (code, found["ok"], found["strays"], found["blobs"]) == (0, True, 1, 0)
    assert found["findings"][0]["path"] == "source/other/mine"
    code, out, _ = await manager.line("quarantine", "--json")
    (item,) = json.loads(out)["items"]
    assert (code, item["id"], item["state"]) == (0, found["findings"][0]["item"], "held")
    assert "source/other/mine" in (await manager.line("quarantine"))[1]
    manager.layout.blob(blake3(b"1").digest()).unlink()
    code, out, _ = await manager.line("verify")
    assert code == 1
    assert "has lost its content" in out
