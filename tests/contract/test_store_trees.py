"""What every store says of linked trees of instances."""

from __future__ import annotations

from dataclasses import replace

import pytest

from manager.store.growing import Grown, Leaf, Lines, TreeRow
from plotter2.ids import RunId, TaskId
from plotter2.model.request import Request, RequestState
from tests.contract.conftest import World
from tests.contract.samples import at, put, request, run, task


def tree(of: Request, *tasks: str) -> TreeRow:
    return TreeRow(f"{of.id}.0", of.id, "lab", 2, bytes(32), tuple(map(TaskId, tasks)), at(1))


def leaf(of: TreeRow, number: int) -> Leaf:
    return Leaf(of.id, number, RunId(f"{of.request_id}.{number % 3}"), number / 4)


@pytest.mark.req("r110")
async def test_a_tree_comes_back_as_a_whole_as_long_as_its_request_has_not_ended(world: World) -> None:
    one, other = request(1), request(2)
    first, second = tree(one, "t-meta", "t-plot"), tree(other)
    await put(world.store, one, other, first, second, leaf(first, 1), leaf(first, 2), Lines(first.id, 1, (b"a", b"b")))
    await put(world.store, Lines(second.id, 1, (b"x",)), Lines(first.id, 3, (b"\0c",)), leaf(first, 3))
    store = await world.open()
    assert (await store.load()).trees == (
        Grown(first, tuple(leaf(first, number) for number in (1, 2, 3)), (b"a", b"b", b"\0c")),
        Grown(second, (), (b"x",)),
    )
    await put(store, replace(one, state=RequestState.DONE), Lines(second.id, 2, (b"y",) * 1_000))
    assert (await store.load()).trees == (Grown(second, (), (b"x", *(b"y",) * 1_000)),)


@pytest.mark.parametrize("count", [1, 1_000])
async def test_how_many_of_its_lines_people_were_shown_is_kept_of_each_run(world: World, count: int) -> None:
    asked = request(1)
    runs = [run(asked, place) for place in range(count)]
    await put(world.store, asked, *runs)
    said = [replace(one, said=place + 1) for place, one in enumerate(runs)]
    await put(world.store, *said)
    assert {one.id: one.said for one in (await (await world.open()).load()).runs} == {one.id: one.said for one in said}


@pytest.mark.req("r110")
async def test_definitions_that_can_be_started_in_a_live_tree_are_at_hand(world: World) -> None:
    asked = request(1)
    hidden = [replace(task(name, number), is_hidden=True) for number, name in enumerate(("plot", "never"), start=1)]
    await put(world.store, asked, *hidden, tree(asked, hidden[0].task.id))
    store = await world.open()
    assert (await store.load()).tasks == (hidden[0],)
    await put(store, replace(asked, state=RequestState.FAILED))
    assert (await store.load()).tasks == ()
