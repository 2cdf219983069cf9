"""Versions through the whole manager and the client: pull, diff, history, archive."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from plotter2.errors import NotFoundError
from tests.managerkit import Files, Manager, managing

FIRST: Files = {
    "run.sh": (b"#!/bin/sh\n", 0o755),
    "secret": (b"s", 0o600),
    "deep/er/Größe 1.bin": bytes(range(256)) * 5000,
    "read only": (b"r", 0o444),
    "empty": b"",
}
SECOND: Files = {"run.sh": (b"#!/bin/sh\nexit 1\n", 0o755), "secret": (b"s", 0o640), "new": b"n", "empty": b""}


@pytest.fixture
async def manager(tmp_path: Path) -> AsyncIterator[Manager]:
    async with managing(tmp_path / "home") as found:
        yield found


def tree(root: Path) -> Files:
    return {
        path.relative_to(root).as_posix(): (path.read_bytes(), path.stat().st_mode & 0o7777)
        for path in root.rglob("*")
        if path.is_file()
    }


def whole(files: Files) -> Files:
    return {path: given if isinstance(given, tuple) else (given, 0o644) for path, given in files.items()}


@pytest.mark.req("r006", "r014")
async def test_any_version_comes_back_byte_for_byte_with_names_and_permissions(
    manager: Manager, tmp_path: Path
) -> None:
    for files in (FIRST, SECOND, {"other": b"x"}):
        await manager.push("data/x", files)
    for number, files in ((1, FIRST), (2, SECOND)):
        await manager.client.pull(f"data/x@{number}", tmp_path / str(number))
        assert tree(tmp_path / str(number)) == whole(files)
    again = await manager.push("data/y", tree(tmp_path / "1"))
    first = await manager.client.bundle("data/x@1")
    assert again.bundle.digest.hex() == first.bundle.digest


@pytest.mark.req("r006")
async def test_diff_tells_files_and_parameters_and_how_much_is_the_same(manager: Manager) -> None:
    for default, files in ((0.1, FIRST), (0.2, SECOND)):
        package = json.dumps({"parameters": {"lr": {"type": "float", "default": default}}})
        await manager.push("data/x", {**files, "package.json": package.encode()})
    found = await manager.client.diff("data/x@1", "data/x@2")
    assert {one.path: str(one.change) for one in found.files} == {
        "deep/er/Größe 1.bin": "gone", "new": "added", "package.json": "changed", "read only": "gone",
        "run.sh": "changed", "secret": "changed",
    }  # fmt: skip
    assert [(one.name, one.before_json, one.after_json) for one in found.parameters] == [("lr", "0.1", "0.2")]
    assert found.unchanged == 1
    assert (await manager.client.diff("data/x", "data/x@2")).is_empty
    with pytest.raises(NotFoundError, match="has no version 9; its versions are 1 to 2"):
        await manager.client.diff("data/x@1", "data/x@9")


@pytest.mark.req("r006")
async def test_a_difference_of_many_files_comes_in_several_messages(manager: Manager) -> None:
    await manager.push("data/many", {f"{number:05}": b"same" for number in range(2500)})
    await manager.push("data/many", {f"{number:05}": b"same" for number in range(2499, 5000)})
    found = await manager.client.diff("data/many@1", "data/many@2")
    assert [one.path for one in found.files] == [f"{number:05}" for number in range(5000) if number != 2499]
    assert found.unchanged == 1


@pytest.mark.req("r006", "r016")
async def test_history_says_who_asked_what_and_what_each_push_came_to(manager: Manager) -> None:
    await manager.push("data/x", FIRST)
    same = await manager.push("data/x", FIRST)
    await manager.push("data/x", SECOND)
    await manager.client.archive("data/x")
    await manager.push("data/x/bundles/below", FIRST)
    await manager.client.unarchive("data/x")
    found = await manager.client.history("data/x")
    assert [one.outcome for one in found] == [
        "made @1", "unchanged @1", "made @2", "archived", "made @1", "unarchived",
    ]  # fmt: skip
    assert found[1].request.id == same.request_id
    assert found[4].request.bundle == "data/x/bundles/below"
    with pytest.raises(NotFoundError):
        await manager.client.history("data/nothing")


@pytest.mark.req("r006")
async def test_what_is_archived_is_not_listed_and_loses_nothing(manager: Manager, tmp_path: Path) -> None:
    await manager.push("data/x", FIRST)
    await manager.client.archive("data/x")
    await manager.push("data/x", SECOND)
    assert not (await manager.client.ls()).items
    assert [one.version for one in await manager.client.ls(archived=True)] == [2]
    await manager.client.pull("data/x@1", tmp_path / "old")
    assert tree(tmp_path / "old") == whole(FIRST)
    await manager.client.unarchive("data/x")
    assert [(one.bundle, one.version) for one in await manager.client.ls()] == [("data/x", 2)]


async def test_a_version_that_never_was_says_which_there_are(manager: Manager) -> None:
    await manager.push("data/x", FIRST)
    with pytest.raises(NotFoundError, match="'data/x' has no version 3; its versions are 1 to 1"):
        await manager.client.show("data/x@3")


@pytest.mark.req("r017")
async def test_lists_about_what_is_not_there_name_the_nearest(manager: Manager) -> None:
    await manager.push("lab/mine", {"a.csv": b"x"})
    ask = manager.client
    lists = ask.ls, ask.tasks, ask.orders, ask.requests, ask.outputs, ask.history
    for listed in lists:
        with pytest.raises(NotFoundError, match=r"There is no bundle 'lab/minee'; did you mean 'lab/mine'\?"):
            await listed("lab/minee")
    assert [one.bundle for one in await ask.ls("lab")] == ["lab/mine"], "a group is no bundle, and has some"
    for none in (ask.orders("lab"), ask.outputs("lab/mine"), ask.tasks("lab/mine")):
        assert list(await none) == []
    await ask.archive("lab/mine")
    assert list(await ask.ls("lab/mine")) == [], "it is there, and put aside"
