"""What a request loads, and where its links lead, is what the first who looked for it saw; whoever looks later."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from manager.loading import load
from manager.store.memory import MemoryStore
from plotter2.api.v1 import manager_pb2 as pb
from plotter2.errors import NotFoundError
from plotter2.ids import RequestId
from plotter2.model.bundle import FileEntry
from plotter2.wire.bundles import put_together
from tests.unit.manager.rpc.kit import Small, small

NO_CONTEXT: Any = None
LENDS = {"heads": {"weights": {"data": "w.csv", "returns": "vector"}}}
LINKED = {
    "heads": {"weights": {"returns": "vector", "data": "own.csv"}},
    "links": [{"name": "far", "from": ".", "in": "weights", "to": "lib", "out": "weights"}],
}


def files(mark: int) -> Sequence[FileEntry]:
    return [FileEntry(name, 1, bytes([mark]) * 32) for name in ("own.csv", "w.csv")]


@pytest.fixture
async def manager(tmp_path: Path) -> AsyncIterator[Small]:
    async with small(tmp_path) as made:
        await made.push("lib", json.dumps(LENDS), files(1))
        await made.push("lib/low", "", files(1))
        await made.push("app", json.dumps(LINKED), files(1))
        yield made


async def asked(manager: Small, bundle: str = "app") -> str:
    made = await manager.submit(run=pb.RunAsk(task="t", bundle=bundle, source="def task(): pass"))
    return str(made.id)


async def read(manager: Small, bundle: str, **more: Any) -> pb.GetBundleResponse:
    request = pb.ReadBundleRequest(bundle=pb.GetBundleRequest(bundle=bundle, with_files=True, **more))
    return put_together([one.part async for one in manager.rpc.ReadBundle(request, NO_CONTEXT)])


async def number(manager: Small, bundle: str, **more: Any) -> int:
    return (await read(manager, bundle, **more)).bundle.version


async def lenders(manager: Small, request: str, version: int = 1) -> list[tuple[str, int]]:
    found = await read(manager, "app", version=version, pinned_by=request, with_ways=True)
    assert [one.name for one in found.ways].count("far") == bool(found.lenders)
    return [(one.bundle.path, one.bundle.version) for one in found.lenders]


@pytest.mark.req("r175", "r016")
async def test_a_bundle_that_is_loaded_without_a_version_stays_the_one_that_was_seen_first(manager: Small) -> None:
    first = await asked(manager)
    assert await number(manager, "lib", pinned_by=first) == 1
    await manager.push("lib", json.dumps(LENDS), files(2))
    assert await number(manager, "lib", pinned_by=first) == 1
    assert await number(manager, "lib") == 2
    assert await number(manager, "lib", pinned_by=await asked(manager)) == 2
    assert await number(manager, "lib", pinned_by=first, version=2) == 2


@pytest.mark.req("r175", "r016")
async def test_what_is_loaded_from_below_its_own_bundle_is_what_lay_there_when_it_was_asked(manager: Small) -> None:
    first = await asked(manager, "lib")
    await manager.push("lib/low", "", files(2))
    assert await number(manager, "lib/low", pinned_by=first) == 1


@pytest.mark.req("r175")
async def test_a_bundle_that_was_not_there_at_the_first_look_is_not_there_later(manager: Small) -> None:
    first = await asked(manager)
    with pytest.raises(NotFoundError):
        await read(manager, "later", pinned_by=first)
    await manager.push("later", "", files(1))
    with pytest.raises(NotFoundError, match="'later' was not there when request"):
        await read(manager, "later", pinned_by=first)
    assert await number(manager, "later", pinned_by=await asked(manager)) == 1


@pytest.mark.req("r041", "r016")
async def test_who_lends_what_links_lead_to_stays_at_its_version(manager: Small) -> None:
    first = await asked(manager)
    assert await lenders(manager, first) == [("lib", 1)]
    await manager.push("lib", json.dumps(LENDS), files(2))
    assert await lenders(manager, first) == [("lib", 1)]
    assert await lenders(manager, await asked(manager)) == [("lib", 2)]


@pytest.mark.req("r041", "r016")
async def test_a_link_that_goes_or_comes_while_a_request_goes_on_changes_nothing_for_it(manager: Small) -> None:
    await manager.push("app", json.dumps({"heads": LINKED["heads"]}), files(2))
    bare = await asked(manager)
    assert await lenders(manager, bare, 2) == []
    ask = pb.LinkAsk(src="app", dst="lib", operation="weights")
    assert (await manager.submit(link=ask)).state
    linked = await asked(manager)
    seen = await read(manager, "app", version=2, pinned_by=linked, with_ways=True)
    assert [one.bundle.path for one in seen.lenders] == ["lib"]
    assert await lenders(manager, bare, 2) == []
    await manager.submit(unlink=pb.UnlinkAsk(src="app", dst="lib", operation="weights"))
    again = await read(manager, "app", version=2, pinned_by=linked, with_ways=True)
    assert again == seen


@pytest.mark.req("r041", "r175")
async def test_what_was_seen_first_is_seen_after_the_manager_has_started_again(tmp_path: Path) -> None:
    store = MemoryStore()
    async with small(tmp_path, store) as before:
        await before.push("lib", json.dumps(LENDS), files(1))
        await before.push("app", json.dumps(LINKED), files(1))
        first = await asked(before)
        assert (await number(before, "lib", pinned_by=first), await lenders(before, first)) == (1, [("lib", 1)])
        await before.push("lib", json.dumps(LENDS), files(2))
    async with small(tmp_path, store) as after:
        await load(after.machine, store, after.clock)
        assert (await number(after, "lib", pinned_by=first), await lenders(after, first)) == (1, [("lib", 1)])


@pytest.mark.req("r041")
async def test_a_bundle_with_nothing_to_link_is_said_to_be_settled_and_nothing_is_written(manager: Small) -> None:
    await manager.push("data", "", files(1))
    asked_by = await asked(manager, "data")
    assert (await read(manager, "data", version=1, pinned_by=asked_by, with_ways=True)).is_settled
    assert manager.machine.state.requests[RequestId(asked_by)].looks == {}
    assert not (await read(manager, "app", version=1, pinned_by=await asked(manager), with_ways=True)).is_settled
