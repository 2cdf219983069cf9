"""What every store says of automatic users: why they asked, when, and whether they may."""

from __future__ import annotations

import pytest

from manager.store import Store
from plotter2.model.automatic import ASKS_HOURLY_MAX
from plotter2.model.request import RequestKind, RequestState
from tests.contract.conftest import World
from tests.contract.samples import at, put, request

DONE = RequestState.DONE


@pytest.mark.req("r020")
async def test_why_and_within_what_a_request_was_asked_is_kept(world: World) -> None:
    asked = request(1, user="ai:rules", because="Somebody wished: é", scope="lab/a")
    await put(world.store, asked)
    assert await (await world.open()).get_request(asked.id) == asked


@pytest.mark.req("r020")
async def test_what_was_asked_last_about_the_switch_holds(store: Store) -> None:
    assert (await store.load()).switch is None
    switch = {"kind": RequestKind.PLANNER, "state": DONE}
    await put(store, request(1, ask_json='{"on":true}', **switch), request(2, ask_json='{"on":false}', **switch))
    await put(store, request(3, kind=RequestKind.PLANNER, state=RequestState.REFUSED), request(4))
    found = (await store.load()).switch
    assert found is not None
    assert found.id == request(2).id


@pytest.mark.req("r020")
async def test_when_automatic_users_asked_is_told_newest_first(store: Store) -> None:
    refused = {"state": RequestState.REFUSED}
    await put(
        store, request(1, user="ai:a"), request(2, user="ann"),
        request(3, user="ai:b", reason_code="conflict", **refused),
        request(4, user="ai:a", reason_code="limit", **refused), request(5, user="ai:rules", kind=RequestKind.WISH),
        request(6, user="Ai:a"),
    )  # fmt: skip
    assert (await store.load()).automatic == (at(3), at(1))


async def test_so_many_of_them_are_told_and_no_more(store: Store) -> None:
    await put(store, *(request(number, user="ai:a") for number in range(ASKS_HOURLY_MAX + 3)))
    found = (await store.load()).automatic
    assert (len(found), found[-1]) == (ASKS_HOURLY_MAX, at(3))
