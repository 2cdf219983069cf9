"""What every store says of things in quarantine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from manager.store import Held, Store
from plotter2.ids import DeliveryId, RequestId, ServiceId
from plotter2.model.quarantine import ItemKind, ItemState, QuarantineItem
from plotter2.model.request import RequestKind, RequestState
from tests.contract.conftest import World
from tests.contract.samples import FILES, at, put, request

STRAY = QuarantineItem("str-1", ItemKind.STRAY, "source/a/b", "is explained by no version", at(2), kept="source/.q/1")
HELD = QuarantineItem(
    "dlv-1", ItemKind.DELIVERY, "data/x", "needs data/y", at(1), user="ann", request_id=RequestId("req-1")
)


@pytest.mark.req("r003", "r063")
async def test_what_is_in_quarantine_is_kept_and_listed_oldest_first(store: Store) -> None:
    await put(store, STRAY, HELD)
    page = await store.list_quarantine(0, 10)
    assert (page.items, page.total) == ((HELD, STRAY), 2)
    assert (await store.list_quarantine(1, 10)).items == (STRAY,)
    assert (await store.list_quarantine(5, 10)).total == 2
    assert await store.get_item("str-1") == STRAY
    assert await store.get_item("str-2") is None


@pytest.mark.req("r006", "r063")
async def test_what_was_decided_stays_known_and_is_listed_only_when_asked(store: Store) -> None:
    await put(store, STRAY, HELD)
    decided = replace(HELD, state=ItemState.REFUSED, decided_at=at(5), decision=RequestId("req-9"))
    await put(store, decided)
    assert (await store.list_quarantine(0, 10)).items == (STRAY,)
    assert (await store.list_quarantine(0, 10, decided=True)).items == (decided, STRAY)


async def test_names_that_no_database_can_hold_are_kept_as_near_as_can_be(store: Store) -> None:
    await put(store, replace(STRAY, place="source/a\0b"))
    found = await store.get_item("str-1")
    assert found is not None
    assert found.place == "source/a\ufffdb"


@pytest.mark.req("r063")
async def test_a_held_delivery_is_kept_whole_and_loaded_in_short_until_it_is_decided(world: World) -> None:
    store = world.store
    push = request(1, kind=RequestKind.PUSH, state=RequestState.QUEUED, bundle="data/x")
    held = Held(
        DeliveryId("dlv-1"), push.id, "data/x", "ann", "needs data/y", at(1), '{"user": "ann"}', '{"name": "x"}',
        '{"loss": 0.1}', ServiceId("req-9.s0"), FILES,
    )  # fmt: skip
    await put(store, push, HELD, STRAY, held)
    assert await store.get_held(held.id) == held
    assert await store.get_held(DeliveryId("dlv-2")) is None
    store = await world.open()
    loaded = await store.load()
    assert loaded.held == (held.short(),)
    assert loaded.held[0].files == ()
    assert [one.id for one in loaded.requests] == [push.id]
    await put(store, replace(HELD, state=ItemState.RELEASED), replace(held, reason="another"))
    assert (await store.load()).held == ()
    assert await store.get_held(held.id) == held
