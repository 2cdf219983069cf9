"""What every store says of standing orders and of the firings that led to a request."""

from __future__ import annotations

from dataclasses import replace

import pytest

from manager.store import Store
from plotter2.ids import RequestId
from plotter2.model.order import Firing, Tally
from tests.contract.conftest import World
from tests.contract.samples import at, put, request

EACH = Tally("lab/a", "each", arrivals=2)
NIGHTLY = Tally("lab/a", "nightly", 0, "30 4 * * *", at(60), 3, at(1), RequestId("req-7"), at(2), "ann", 5)


@pytest.mark.req("r023")
async def test_counters_and_due_times_are_there_after_a_restart(world: World) -> None:
    await put(world.store, NIGHTLY, EACH)
    assert (await (await world.open()).load()).tallies == (EACH, NIGHTLY)
    later = replace(NIGHTLY, due_at=at(120), fired=4, fired_at=at(61), fired_as=RequestId("req-8"), paused_at=at(3))
    await put(world.store, later)
    assert (await (await world.open()).load()).tallies == (EACH, later)


@pytest.mark.req("r023")
async def test_a_request_keeps_the_firings_that_led_to_it(store: Store) -> None:
    led = request(1, chain=(Firing("lab/a", "each", "lab/a/bundles/é"), Firing("lab/b", "all", "lab/b")))
    await put(store, led, request(2))
    assert await store.get_request(led.id) == led
    assert [one.chain for one in (await store.load()).requests] == [led.chain, ()]
