"""A bundle in parts: whatever its size, no message is large, and the parts together are the whole."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from manager.rpc import bundles
from manager.store import Batch
from plotter2.api.v1 import manager_pb2 as pb
from plotter2.clock import Instant
from plotter2.errors import LimitError, NotFoundError
from plotter2.model.bundle import BundleVersion, Contents, FileEntry
from plotter2.model.paths import BundlePath
from plotter2.wire.bundles import put_together
from tests.unit.manager.rpc.kit import Small, small

NO_CONTEXT: Any = None


@pytest.fixture
async def manager(tmp_path: Path) -> AsyncIterator[Small]:
    async with small(tmp_path) as made:
        yield made


async def put(manager: Small, path: str, count: int) -> list[str]:
    files = tuple(FileEntry(f"f{number:04}", 1, bytes(32)) for number in range(count))
    version = BundleVersion(BundlePath(path), 1, bytes(32), count, count, Instant(1.0))
    await manager.store.commit(Batch(turn=path, bundles=[Contents(version, files)]))
    manager.machine.state.catalog.put(version, {})
    return [one.path for one in files]


async def read(manager: Small, **asked: Any) -> list[pb.GetBundleResponse]:
    request = pb.ReadBundleRequest(bundle=pb.GetBundleRequest(bundle="big", with_files=True, **asked))
    return [one.part async for one in manager.rpc.ReadBundle(request, NO_CONTEXT)]


@pytest.mark.req("r198")
async def test_a_bundle_of_many_files_comes_in_parts_that_make_the_whole(
    manager: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundles, "FILES_A_PART", 10)
    names = await put(manager, "big", 25)
    parts = await read(manager)
    assert [len(part.files) for part in parts] == [0, 10, 10, 5]
    whole = put_together(parts)
    assert [one.path for one in whole.files] == names
    assert (whole.bundle.path, whole.bundle.files) == ("big", 25)
    answer = await manager.rpc.GetBundle(pb.GetBundleRequest(bundle="big", with_files=True), NO_CONTEXT)
    assert answer == whole


@pytest.mark.req("r198")
async def test_what_lies_below_is_cut_too_also_within_one_bundle(
    manager: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundles, "FILES_A_PART", 10)
    await put(manager, "big", 1)
    wanted = {path: await put(manager, path, count) for path, count in (("big/a", 3), ("big/b", 23), ("big/c", 0))}
    parts = await read(manager, with_descendants=True)
    assert max(sum(len(one.files) for one in part.descendants) for part in parts) <= 20
    whole = put_together(parts)
    assert {one.bundle.path: [file.path for file in one.files] for one in whole.descendants} == wanted
    assert len(whole.descendants) == 3


@pytest.mark.req("r027", "r198")
async def test_of_the_files_of_a_bundle_only_those_that_are_wanted_are_read(
    manager: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundles, "FILES_A_PART", 10)
    names = await put(manager, "big", 25)
    await put(manager, "big/a", 3)
    asked: list[int] = []
    files_after = manager.store.files_after

    async def counted(bundle: str, version: int, after: str, limit: int) -> tuple[FileEntry, ...]:
        asked.append(limit)
        return await files_after(bundle, version, after, limit)

    monkeypatch.setattr(manager.store, "files_after", counted)
    for count, portions in ((0, []), (4, [4]), (14, [10, 4]), ((1 << 32) - 1, [10, 10, 5])):
        asked.clear()
        whole = put_together(await read(manager, with_descendants=True, files_max=count))
        assert [one.path for one in whole.files] == names[:count]
        assert asked == portions
        assert [(one.bundle.path, len(one.files)) for one in whole.descendants] == [("big/a", 0)]
        assert whole.bundle.files == 25


@pytest.mark.req("r027", "r173")
async def test_files_are_gone_through_page_by_page_and_the_last_one_says_so(manager: Small) -> None:
    names = await put(manager, "big", 25)
    pages, after = list[list[str]](), ""
    while not pages or after:
        found = put_together(await read(manager, files_max=10, files_after=after))
        pages.append([one.path for one in found.files])
        after = found.files_next
    assert [len(one) for one in pages] == [10, 10, 5]
    assert [one for page in pages for one in page] == names
    assert put_together(await read(manager, files_max=25)).files_next == ""
    assert put_together(await read(manager)).files_next == ""


@pytest.mark.req("r016", "r129")
async def test_a_run_sees_below_its_bundle_what_was_there_when_it_was_asked(manager: Small) -> None:
    for path in ("big", "big/a", "big/b"):
        await put(manager, path, 2)
    asked = await manager.submit(run=pb.RunAsk(task="t", bundle="big", source="def task(): pass"))
    await put(manager, "big/c", 1)
    changed = BundleVersion(BundlePath("big/a"), 2, bytes(32), 0, 0, Instant(2.0))
    await manager.store.commit(Batch(turn="newer", bundles=[Contents(changed)]))
    manager.machine.state.catalog.put(changed, {})

    async def below(**more: Any) -> dict[str, tuple[int, int]]:
        whole = put_together(await read(manager, with_descendants=True, **more))
        return {one.bundle.path: (one.bundle.version, len(one.files)) for one in whole.descendants}

    assert await below() == {"big/a": (2, 0), "big/b": (1, 2), "big/c": (1, 1)}
    assert await below(pinned_by=asked.id) == {"big/a": (1, 2), "big/b": (1, 2)}
    with pytest.raises(NotFoundError, match="no request 'req-none'"):
        await below(pinned_by="req-none")
    former = replace(manager.machine.state.requests[asked.id].request, pins=bytes([9]) * 32)
    manager.machine.state.requests[asked.id].request = former
    with pytest.raises(NotFoundError, match="Nobody has written down what the request sees below 'big'"):
        await below(pinned_by=asked.id)


async def test_what_is_too_much_for_one_message_says_how_it_is_read(
    manager: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundles, "FILES_IN_ONE_MAX", 20)
    await put(manager, "big", 25)
    with pytest.raises(LimitError, match=r"more than 20 files .* ReadBundle gives the same in parts"):
        await manager.rpc.GetBundle(pb.GetBundleRequest(bundle="big", with_files=True), NO_CONTEXT)
