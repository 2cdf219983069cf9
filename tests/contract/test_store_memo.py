"""Results that are found again under their key, on every store."""

from __future__ import annotations

from dataclasses import replace

import pytest

from manager.store import Store
from plotter2.ids import RunId
from plotter2.model.task import Output, RunState
from tests.contract.conftest import World
from tests.contract.samples import at, put, request, run

KEY, OTHER = bytes([7]) * 32, bytes([8]) * 32
MADE = (Output("digits/a.html", "figure", "A", 10, bytes([3]) * 32), Output("digits/r.html", "report"))


@pytest.mark.req("r022")
async def test_a_result_is_found_by_its_key_after_a_restart_and_the_newest_counts(world: World) -> None:
    first, second = request(1), request(2)
    old = run(first, 0, state=RunState.DONE, results_json="1", finished_at=at(1), memo_key=KEY, outputs=MADE)
    new = run(second, 0, state=RunState.DONE, results_json="2", finished_at=at(2), memo_key=KEY)
    going = run(second, 1, memo_key=OTHER)
    await put(world.store, first, second, old, new, going)
    store = await world.open()
    assert await store.find_memos([KEY, OTHER, b""]) == {KEY: new}
    assert await store.find_memos([]) == {}
    await put(store, replace(new, memo_key=b""))
    assert await store.find_memos([KEY]) == {KEY: replace(old, outputs=())}


@pytest.mark.req("r022")
async def test_a_run_that_was_not_run_shows_the_outputs_of_the_run_it_reuses(store: Store) -> None:
    first, second = request(1), request(2)
    made = run(first, 0, state=RunState.DONE, finished_at=at(1), memo_key=KEY, outputs=MADE)
    taken = run(second, 0, state=RunState.DONE, finished_at=at(2), reused_of=made.id)
    await put(store, first, second, made, taken)
    (shown,) = await store.runs_of(second.id)
    assert shown == replace(taken, outputs=MADE) == await store.get_run(taken.id)
    assert await store.get_run(RunId("req-none.0")) is None
    of_both = [await store.list_outputs(0, 9, request=one.id) for one in (first, second)]
    assert of_both[0] == of_both[1]
    assert [row.run_id for row in of_both[1].items] == [made.id, made.id]
    assert (await store.list_outputs(0, 9, bundle="digits")).total == len(MADE)
