"""From a directory through SDK, stager, manager and store back into one: the same bytes, names and permissions."""

from __future__ import annotations

import os
import random
import stat
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from plotter2.client import packing
from plotter2.errors import PathRefusedError
from plotter2.layout import Layout
from tests.managerkit import Manager, managing
from tests.stagerkit import send, stager_inside

REPUSHED = 2_000
NFC, NFD = "\u00fc", "u\u0308"

Tree = Mapping[bytes, tuple[bytes, int]]
"""Content and permissions by name; names in bytes, because they are compared byte for byte."""

FIRST: Tree = {
    b"forbidden": (b"no permissions at all", 0o000),
    b"readable": (b"r", 0o400),
    b"writable by all": (b"w", 0o222),
    b"program": (b"#!/bin/sh\n", 0o755),
    b"everything": (b"e", 0o777),
    b"empty": (b"", 0o600),
    f"composed {NFC}".encode(): (b"NFC", 0o644),
    f"decomposed o\u0308/{NFD}.txt".encode(): (b"NFD", 0o644),
    "\u212b ngstr\u00f6m".encode(): (b"a sign that normal forms replace", 0o644),
    "emoji \U0001f9ea.bin".encode(): (bytes(range(256)) * 5_000, 0o640),
    b" spaces at the ends ": (b"s", 0o644),
    b"-rf": (b"d", 0o644),
    b"*?[a].{b}~%00$(c)`d`'\"": (b"q", 0o644),
    b".hidden/.also": (b"h", 0o644),
    b"trailing.dot.": (b".", 0o644),
    b"CON": (b"a name that other systems keep", 0o644),
    b"/".join([b"deep"] * 31): (b"deep", 0o644),
    b"x" * 255: (b"long", 0o644),
}
SECOND: Tree = {**FIRST, b"program": (b"#!/bin/sh\n", 0o700), b"empty": (b"not any more", 0o600)}


def put(root: Path, tree: Tree) -> Path:
    for name, (data, mode) in tree.items():
        path = os.path.join(os.fsencode(root), name)  # noqa: PTH118 -- bytes
        os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120 -- names are bytes here
        with open(path, "wb") as file:  # noqa: PTH123 -- names are bytes here
            file.write(data)
        os.chmod(path, mode)  # noqa: PTH101 -- names are bytes here
    return root


def found(root: Path) -> Tree:
    top = os.fsencode(root)
    there = {}
    for folder, _, names in os.walk(top):
        for name in names:
            path = os.path.join(folder, name)  # noqa: PTH118 -- names are bytes here
            mode = stat.S_IMODE(os.stat(path).st_mode)  # noqa: PTH116 -- names are bytes here
            os.chmod(path, 0o600)  # noqa: PTH101 -- what nobody may read, we read
            with open(path, "rb") as file:  # noqa: PTH123 -- names are bytes here
                there[os.path.relpath(path, top)] = (file.read(), mode)
    return there


@pytest.fixture(params=["here", "far"])
def place(request: pytest.FixtureRequest) -> str:
    """Files are fetched from the disk, or sent."""
    if request.param == "far":
        request.getfixturevalue("far")
    return str(request.param)


@pytest.fixture
async def manager(tmp_path: Path) -> AsyncIterator[Manager]:
    async with managing(tmp_path / "home") as running:
        yield running


@pytest.fixture
async def through(manager: Manager) -> AsyncIterator[str]:
    """A stager in front of it, on the same disk."""
    async with stager_inside(Layout.at(manager.layout.home), manager.address) as address:
        yield address


@pytest.mark.req("r006", "r014")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root sends what nobody may read")
async def test_every_version_comes_back_byte_for_byte_with_names_and_permissions(
    tmp_path: Path, manager: Manager, through: str, place: str
) -> None:
    del place
    for number, tree in ((1, FIRST), (2, SECOND), (3, FIRST)):
        pushed = await send(put(tmp_path / f"pushed {number}", tree), "data/x", through)
        assert (pushed.version, pushed.is_new) == (number, True)
    for number, tree in ((2, SECOND), (1, FIRST), (3, FIRST)):
        await manager.client.pull(f"data/x@{number}", tmp_path / f"pulled {number}")
        assert found(tmp_path / f"pulled {number}") == tree


@pytest.mark.req("r006", "r014")
async def test_names_that_nobody_would_think_of_come_back(tmp_path: Path, manager: Manager, through: str) -> None:
    """Random names: each is refused with a reason before anything is sent, or comes back as it was."""
    chance = random.Random(5)  # noqa: S311 -- names, not secrets
    tree: dict[bytes, tuple[bytes, int]] = {}
    for number in range(300):
        parts = []
        for _ in range(chance.randint(1, 3)):
            characters = [chr(chance.choice([chance.randint(33, 0x2FF), chance.randint(0x300, 0x36F), 0x1F600]))]
            characters += [chr(chance.randint(33, 0x1FFF)) for _ in range(chance.randint(0, 8))]
            parts.append("".join(characters).replace("/", "").replace("\\", "") + str(number))
        name = "/".join(parts)
        try:
            packing.paths.file_path(name)
        except PathRefusedError:
            continue
        tree[name.encode()] = (str(number).encode(), 0o644)
    assert len(tree) > 100
    await send(put(tmp_path / "pushed", tree), "data/names", through)
    await manager.client.pull("data/names", tmp_path / "pulled")
    assert found(tmp_path / "pulled") == tree


@pytest.mark.req("r006")
async def test_a_decomposed_name_and_its_composed_twin_are_versions_and_not_one_file(
    tmp_path: Path, manager: Manager, through: str
) -> None:
    for number, name in ((1, NFD), (2, NFC)):
        pushed = await send(put(tmp_path / str(number), {name.encode(): (b"same", 0o644)}), "data/form", through)
        assert pushed.version == number
    for number, name in ((1, NFD), (2, NFC)):
        await manager.client.pull(f"data/form@{number}", tmp_path / f"pulled {number}")
        assert [path.name for path in (tmp_path / f"pulled {number}").iterdir()] == [name]


@pytest.mark.req("r014")
async def test_a_re_push_of_two_thousand_unchanged_files_sends_nothing(
    tmp_path: Path, through: str, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    for number in range(REPUSHED):
        path = data / f"{number % 20}" / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"%d" % number)
    first = await send(data, "data/many", through)
    frames: list[object] = []
    written: list[object] = []
    frame = packing.frame
    monkeypatch.setattr(packing, "frame", lambda batch: frames.append(batch) or frame(batch))
    monkeypatch.setattr("stager.receiver._write_all", lambda *given: written.append(given))
    again = await send(data, "data/many", through)
    assert (first.version, first.is_new, first.files) == (1, True, REPUSHED)
    assert (again.version, again.is_new, again.files) == (1, False, REPUSHED)
    assert frames == []
    assert written == []
    del place
