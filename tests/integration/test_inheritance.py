"""Inheritance through the whole manager and the client, on each store's way back too."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from manager.store.memory import MemoryStore
from plotter2.cli.main import run
from plotter2.errors import NotFoundError, PackageError
from plotter2.ids import RequestId
from plotter2.model import package
from tests.managerkit import Manager, managing
from worker.bulk import BulkLine
from worker.cache import Cache
from worker.commands import ProgramKey
from worker.library import Library


def files(**declared: Any) -> dict[str, bytes]:
    return {"package.json": json.dumps(declared).encode()}


CURVE = {"tasks": [{"name": "curve", "task_src": "curve.py"}]}


async def lab(manager: Manager) -> None:
    await manager.push(
        "lib/base", {**files(**CURVE, config={"bins": 10, "title": "base"}), "curve.py": b"def task(): pass"}
    )
    await manager.push("lib/left", files(parents=["lib/base"], config={"title": "left"}))
    await manager.push("lib/right", files(parents=["lib/base"], data={"d": {"path": "*.csv"}}))
    await manager.push("x", {**files(parents=["lib/left", "lib/right"], children=["b", "a"]), "own.csv": b"a\n1\n"})
    await manager.push("x/bundles/a", {"a.csv": b"a\n1\n"})
    await manager.push("x/bundles/b", {"b.csv": b"a\n1\n"})
    await manager.push("x/bundles/b/bundles/c", {"c.csv": b"a\n1\n"})


@pytest.mark.req("r027", "r028", "r029", "r030", "r033")
async def test_a_bundle_is_itself_first_and_then_its_children_in_declared_order(tmp_path: Path) -> None:
    async with managing(tmp_path) as manager:
        await lab(manager)
        found = await manager.client.bundle("x", below=True)
        assert [one.bundle.bundle for one in found] == ["x", "x/bundles/b", "x/bundles/b/bundles/c", "x/bundles/a"]
        assert [file.path for file in found.files] == ["own.csv", "package.json"]
        assert found.inherited.line == ("lib/left@1", "lib/right@1", "lib/base@1")
        assert {(one.section, one.name, one.origin) for one in found.inherited.traits} == {
            ("tasks", "curve", "lib/base@1"), ("config", "bins", "lib/base@1"), ("config", "title", "lib/left@1"),
            ("data", "d", "lib/right@1"),
        }  # fmt: skip
        assert [(one.name, one.origin) for one in await manager.client.tasks("x")] == [("curve", "lib/base@1")]
        last = list(found)[-1]
        assert last.inherited.line == ("x@1", *found.inherited.line)


@pytest.mark.req("r068")
async def test_tasks_that_tasks_are_linked_to_are_shown_with_where_they_come_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with managing(tmp_path) as manager:
        await lab(manager)
        meta = {"name": "meta", "pipeline": ["access"], "linked": ["curve", "own"]}
        own = {"name": "own", "pipeline": ["access"]}
        await manager.push("y", files(parents=["lib/base"], tasks=[meta, own]))
        places = {"curve": "lib/base@1", "own": "y@1"}
        assert (await manager.client.bundle("y")).linked == {"meta": places}
        assert {one.name: one.linked for one in await manager.client.tasks("y")} == {
            "meta": ("curve", "own"), "own": (), "curve": (),
        }  # fmt: skip
        for words in (["show", "y"], ["tasks", "y"]):
            assert await asyncio.to_thread(run, [*words, "--address", manager.address]) == 0
            said = capsys.readouterr().out
            assert "linked to" in said
            assert "own" in said
        with pytest.raises(PackageError, match=r"names 'crve', which is no task of 'z'.*did you mean 'curve'"):
            await manager.push("z", files(parents=["lib/base"], tasks=[{**meta, "linked": "crve"}]))


@pytest.mark.req("r032")
async def test_a_bundle_that_declares_neither_task_nor_head_is_blank_whatever_it_inherits(tmp_path: Path) -> None:
    async with managing(tmp_path) as manager:
        await manager.push("plain", {"a.csv": b"a\n"})
        await manager.push("plain/bundles/b", {"a.csv": b"a\n"})
        await lab(manager)
        blank = [(await manager.client.bundle(name)).is_blank for name in ("plain", "plain/bundles/b", "lib/base", "x")]
        assert blank == [True, True, False, True]


@pytest.mark.req("r034")
async def test_old_versions_keep_what_they_inherited_through_pushes_archives_and_a_restart(tmp_path: Path) -> None:
    store = MemoryStore()
    async with managing(tmp_path, store) as manager:
        await lab(manager)
        before = (await manager.client.bundle("x")).inherited
        await manager.push("lib/base", files(config={"bins": 99}))
        await manager.client.archive("lib/base")
        await manager.client.archive("lib/left")
    async with managing(tmp_path, store) as manager:
        assert (await manager.client.bundle("x")).inherited == before
        await manager.push("x", {**files(parents=["lib/left", "lib/right"]), "own.csv": b"a\n2\n"})
        assert (await manager.client.bundle("x@1")).inherited == before
        assert (await manager.client.bundle("x")).inherited == before, "its parents have not changed themselves"


@pytest.mark.req("r035")
async def test_a_conflict_is_refused_over_the_wire_and_remembered(tmp_path: Path) -> None:
    async with managing(tmp_path) as manager:
        await manager.push("a", files(config={"lr": 1}))
        await manager.push("b", files(config={"lr": 2}))
        with pytest.raises(PackageError, match="the setting 'lr' comes from 'a@1' and 'b@1'"):
            await manager.push("x", files(parents=["a", "b"]))
        (refused,) = [one for one in await manager.client.requests("x") if one.state == "refused"]
        assert "not related" in refused.reason


@pytest.mark.req("r034")
async def test_a_worker_sees_inherited_keys_settings_and_modules_as_they_were(
    tmp_path: Path,
) -> None:
    async with managing(tmp_path / "home") as manager:
        await manager.push("lib", {
            **files(**CURVE, config={"bins": 10}, data={"d": {"path": "*.csv"}}),
            "curve.py": b"import helper\ndef task(bins): pass", "helper.py": b"old = 1",
        })  # fmt: skip
        await manager.push("x", {**files(parents=["lib"]), "own.csv": b"a\n1\n"})
        await manager.push("lib", {"helper.py": b"new = 2"})
        catalog = manager.machine.state.catalog
        task = catalog.task("curve", "x", catalog.need("x").version.created_at)
        async with BulkLine.open(tmp_path / "home", manager.address, lambda: "elsewhere") as line:
            cache = Cache(tmp_path / "cache", 1 << 20, line.fetch)
            await asyncio.to_thread(cache.load)
            library = Library(manager.layout, line, cache)
            prepared = await library.prepare(1, ProgramKey(task.id, task.source_digest, "x", 1, RequestId("")), task)
            declared = package.read(prepared.program.ground.package_json)
            helper = await asyncio.to_thread(Path(prepared.program.modules["helper.py"]).read_bytes)
        assert (declared.config, list(declared.data), helper) == ({"bins": 10}, ["d"], b"old = 1")


@pytest.mark.req("r016", "r034")
async def test_inheriting_anew_is_a_request_with_a_version_and_can_be_replayed(tmp_path: Path) -> None:
    async with managing(tmp_path) as manager:
        await lab(manager)
        first = await manager.client.inherit("x")
        await manager.push("lib/left", files(parents=["lib/base"], config={"title": "new"}))
        second = await manager.client.inherit("x")
        assert [one.ask.get("made_version") for one in (first, second)] == [None, 2]
        found = await manager.client.bundle("x")
        assert found.inherited.line[0] == "lib/left@2"
        assert found.files == (await manager.client.bundle("x@1")).files
        again = await manager.client.replay(second.id)
        assert again.ok
        assert [one.outcome for one in await manager.client.history("x") if one.request.bundle == "x"] == [
            "made @1", "unchanged", "made @2", "unchanged",
        ]  # fmt: skip
        with pytest.raises(NotFoundError):
            await manager.client.inherit("nothing")
