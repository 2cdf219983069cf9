"""What requests see below their bundles, on every store."""

from __future__ import annotations

from dataclasses import replace

import pytest

from manager.store import Batch, Store
from plotter2.model.bundle import Contents
from plotter2.model.pins import Look
from plotter2.model.request import RequestState
from tests.contract.conftest import World
from tests.contract.samples import put, request, version

LIST, OTHER = bytes([3]) * 32, bytes([4]) * 32


def newer(contents: Contents, **more: object) -> Contents:
    return replace(contents, bundle=replace(contents.bundle, **more))


@pytest.mark.req("r016")
async def test_what_a_request_sees_is_there_after_a_restart_and_stays(world: World) -> None:
    await world.store.commit(Batch(turn="one", pins={LIST: '[["digits/a",1]]', OTHER: "[]"}))
    await put(world.store, request(1, pins=LIST))
    store = await world.open()
    snapshot = await store.load()
    assert [one.pins for one in snapshot.requests] == [LIST]
    await put(store, request(1, pins=LIST, state=RequestState.DONE))
    found = await store.get_request(request(1).id)
    assert found is not None
    assert found.pins == LIST
    await store.commit(Batch(turn="two", pins={OTHER: "[1]"}))
    assert [await store.get_pins(one) for one in (LIST, OTHER, b"")] == ['[["digits/a",1]]', "[]", ""]


@pytest.mark.req("r016", "r041")
async def test_what_a_request_saw_first_is_there_after_a_restart_until_it_has_ended(world: World) -> None:
    first, other = request(1), request(2)
    look = Look(first.id, "load data/ü", "3")
    links, none = Look(first.id, "links a@1 b@2", "ab" * 32), Look(other.id, "load x", "0")
    await put(world.store, first, other, look, links, none)
    await put(world.store, replace(look, seen="4"))
    store = await world.open()
    assert (await store.load()).looks == (links, look, none)
    await put(store, replace(first, state=RequestState.DONE))
    assert (await store.load()).looks == (none,)


async def test_versions_are_found_by_their_numbers_also_old_and_archived_ones(store: Store) -> None:
    first = version("digits/a")
    await put(store, first)
    await put(store, version("digits/a", 2), newer(version("digits/b"), archived=True))
    wanted = [("digits/a", 1), ("digits/b", 1), ("digits/b", 2), ("digits/c", 1)]
    found = {(one.path, one.version): one for one in await store.versions_of(wanted)}
    assert set(found) == set(wanted[:2])
    assert found["digits/a", 1].digest == first.bundle.digest
    assert found["digits/b", 1].archived
    assert await store.versions_of([]) == ()
