"""Manifests through the whole manager: kept with what became of them, shown, and never consulted again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from manager.eventlog import EventLog
from manager.store.memory import MemoryStore
from manager.tree import GROUP
from plotter2.clock import Instant
from plotter2.errors import ManifestError, RefusedError
from plotter2.model import manifest
from plotter2.model.record import JOURNAL
from tests.managerkit import Files, Manager, managing

FILES: Files = {"a.csv": b"1", "code_sources/run.py": b"print()"}
PAPER = manifest.write("ann", Instant(1_700_000_000), {}, {"depends": ["data/y@2"], "note": "0.10"})
NEWER = manifest.write("bob", Instant(1_700_000_001), {}, {})


@pytest.fixture
async def manager(tmp_path: Path) -> AsyncIterator[Manager]:
    async with managing(tmp_path / "home") as found:
        await ground(found)
        yield found


async def ground(manager: Manager) -> None:
    """What PAPER depends on."""
    for number in (1, 2):
        await manager.push("data/y", {"a.csv": f"{number}".encode()})


async def records(manager: Manager, bundle: str, count: int) -> list[Path]:
    root = manager.layout.source / bundle / "meta" / "history"
    async with asyncio.timeout(20):
        while manager.tree.is_expected(bundle) or len(list(root.glob("*"))) < count:
            await asyncio.sleep(0.01)
    return sorted(root.iterdir())


@pytest.mark.req("r005", "r059", "r062")
async def test_each_delivery_leaves_its_record_and_its_version_shows_the_manifest(manager: Manager) -> None:
    made = await manager.push("lab/x", FILES, manifest_json=PAPER)
    same = await manager.push("lab/x", FILES, manifest_json=NEWER)
    assert not same.is_new
    first, second = await records(manager, "lab/x", 2)
    assert (first / "manifest.json").read_text() == PAPER
    assert (first / "output_data" / "a.csv").read_bytes() == b"1"
    assert (first / "source_data" / "run.py").read_bytes() == b"print()"
    assert (second / "manifest.json").read_text() == NEWER
    assert json.loads((second / "delivery.json").read_text())["request"] == same.request_id
    found = await manager.client.show("lab/x@1")
    assert found.manifest_json == PAPER
    assert found.depends == ("data/y@2",)
    assert (await manager.client.bundle("lab/x")).manifest == {}
    history = await manager.client.history("lab/x")
    assert [(one.request.id, one.outcome) for one in history] == [
        (made.request_id, "made @1"), (same.request_id, "unchanged @1"),
    ]  # fmt: skip
    assert {one.delivery for one in history} == {path.name.partition("-")[2] for path in (first, second)}
    assert [one.path for one in (await manager.client.bundle("lab/x")).files] == ["a.csv", "code_sources/run.py"]


@pytest.mark.req("r003", "r062")
async def test_records_are_verified_like_everything_else(manager: Manager) -> None:
    await manager.push("lab/x", FILES, manifest_json=PAPER)
    (record,) = await records(manager, "lab/x", 1)
    assert (await manager.client.verify()).findings == ()
    (record / "mine").write_bytes(b"by hand")
    (record / "manifest.json").unlink()
    (record.parent / f"20231114T221320Z-dlv-{9:032x}").mkdir()
    (record.parent / f"20231114T221320Z-dlv-{9:032x}" / "manifest.json").write_bytes(b"forged")
    found = await manager.client.verify(contents=False)
    assert {(one.path.rpartition("/")[2], one.fault) for one in found.findings} == {
        ("mine", "stray"), ("manifest.json", "hidden"), (f"20231114T221320Z-dlv-{9:032x}", "stray"),
    }  # fmt: skip
    assert (record / "manifest.json").read_text() == PAPER
    assert (await manager.client.verify()).findings == ()


@pytest.mark.req("r002", "r062")
async def test_a_record_that_a_crash_left_out_is_made_at_the_next_start(tmp_path: Path) -> None:
    store: EventLog = MemoryStore()
    async with managing(tmp_path / "home", store) as manager:
        await ground(manager)
        await manager.push("lab/x", FILES, manifest_json=PAPER)
        (record,) = await records(manager, "lab/x", 1)
        (record / "manifest.json").unlink()  # as if the process had died before
        assert await store.committed_offset(GROUP, JOURNAL, 0) == 0
        await manager.tree.catch_up()
        assert (record / "manifest.json").read_text() == PAPER


@pytest.mark.req("r059")
async def test_dependencies_that_are_none_are_refused(manager: Manager) -> None:
    wrong = manifest.write("ann", Instant(1_700_000_000), {}, {"depends": ["../x"]})
    with pytest.raises(ManifestError, match=r"meta.depends\[0\]"):
        await manager.push("lab/x", FILES, manifest_json=wrong)


@pytest.mark.req("r064")
async def test_a_manifests_claim_is_void_once_its_bundle_has_another_version(manager: Manager) -> None:
    await manager.push("lab/x", FILES, manifest_json=PAPER)
    await manager.push("lab/x", {"a.csv": b"2"}, manifest_json=NEWER)
    found = await manager.client.bundle("lab/x", manifest=True)
    assert (found.bundle.version, found.manifest["user"], found.depends) == (2, "bob", ())
    assert (await manager.client.bundle("lab/x@1", manifest=True)).manifest["user"] == "ann"


def asking(*tasks: dict[str, object], **more: object) -> str:
    return manifest.write("ann", Instant(1_700_000_000), {"tasks": list(tasks), **more})


@pytest.mark.req("r021", "r058", "r061", "r065")
async def test_one_delivery_gives_and_asks(manager: Manager) -> None:
    script = b"def task(n=1): return n"
    paper = asking(
        {"name": "look", "task_src": "code_sources/look.py", "parameters": {"n": 3}, "limits": {"wall_s": 7.0}},
        submanifests=[{"contains": {"tasks": [{"name": "mean", "pipeline": [{"access": "a.csv"}, "order"]}]}}],
    )
    made = await manager.push("lab/x", {"a.csv": b"x\n1\n", "code_sources/look.py": script}, manifest_json=paper)
    caused = await manager.client.requests(cause=made.request_id)
    assert sorted((one.kind, one.ask["task"], one.bundle) for one in caused) == [
        ("run", "look", "lab/x"), ("run", "mean", "lab/x"),
    ]  # fmt: skip
    for one in caused:
        again = await manager.client.replay(one.id, wait=False)
        assert (again.kind, again.ask.get("wall_s", 0)) == ("run", 7.0 if again.ask["task"] == "look" else 0)
    assert (await manager.client.bundle("lab/x")).bundle.package_json == ""


@pytest.mark.req("r058")
@pytest.mark.parametrize(
    ("task", "said"),
    [
        ({"name": "look", "task_src": "gone.py"}, "names 'gone.py', which did not come"),
        ({"name": "look", "task_src": "bad.py"}, "bad.py"),
        ({"name": "look", "task_src": "empty.py"}, "empty source"),
        ({"name": "look", "task_src": "binary.py"}, "is no text"),
    ],
)
async def test_a_task_that_cannot_run_refuses_the_delivery(
    manager: Manager, task: dict[str, object], said: str
) -> None:
    files: Files = {"bad.py": b"def task(:", "empty.py": b"", "binary.py": b"\xff\xfe"}
    with pytest.raises(RefusedError, match=said):
        await manager.push("lab/x", files, manifest_json=asking(task))
    assert [one.bundle for one in await manager.client.ls()] == ["data/y"]


def describing(*packages: dict[str, object]) -> str:
    return manifest.write("ann", Instant(1_700_000_000), {"packages": list(packages)})


@pytest.mark.req("r058", "r065", "r066")
async def test_a_package_that_a_manifest_describes_is_what_the_version_declares(manager: Manager) -> None:
    script: Files = {"code_sources/look.py": b"def task(): return 1"}
    task = {"name": "look", "task_src": "code_sources/look.py"}
    first = await manager.push("lab/x", script)
    linked = {"tasks": [task], "tags": {"kind": "viewer"}}
    made = await manager.push("lab/x", script, manifest_json=describing(linked))
    assert (first.bundle.version, made.bundle.version, made.is_new) == (1, 2, True)
    found = await manager.client.bundle("lab/x")
    assert json.loads(found.bundle.package_json) == linked
    assert [one.path for one in found.files] == ["code_sources/look.py"]
    assert (await manager.client.run("look", "lab/x", wait=False)).kind == "run"
    assert not (await manager.push("lab/x", script, manifest_json=describing(linked))).is_new
    assert not (await manager.push("lab/x", script)).is_new  # who describes none says nothing about it


@pytest.mark.req("r066")
async def test_a_described_package_is_checked_like_one_that_came(manager: Manager) -> None:
    task = {"name": "look", "task_src": "code_sources/look.py"}
    with pytest.raises(RefusedError, match=r"look\.py"):
        await manager.push("lab/x", {"a": b"1"}, manifest_json=describing({"tasks": [task]}))
    with pytest.raises(ManifestError, match="another package than the package"):
        await manager.push("lab/x", {"package.json": b"{}"}, manifest_json=describing({"tags": {"a": "b"}}))
    with pytest.raises(ManifestError, match="describes 2 packages"):
        await manager.push("lab/x", {"a": b"1"}, manifest_json=describing({}, {"tags": {"a": "b"}}))
    same = {"tags": {"a": "b"}}
    made = await manager.push("lab/x", {"package.json": json.dumps(same).encode()}, manifest_json=describing(same))
    assert made.bundle.version == 1
