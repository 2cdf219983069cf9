"""What waits is done together, in order, one portion at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from plotter2.together import PORTION_MAX, Together


async def test_what_comes_while_a_portion_is_worked_on_is_the_next_portion() -> None:
    portions: list[list[int]] = []
    begun, may_go_on = asyncio.Event(), asyncio.Event()

    async def work(portion: Sequence[int]) -> None:
        portions.append([*portion])
        begun.set()
        await may_go_on.wait()

    async with asyncio.TaskGroup() as group:
        together = Together(lambda run, name: group.create_task(run, name=name), "work", work)
        together.put(0)
        await begun.wait()
        for number in range(1, PORTION_MAX + 2):
            together.put(number)
        may_go_on.set()
    assert portions == [[0], [*range(1, PORTION_MAX + 1)], [PORTION_MAX + 1]]


async def test_it_begins_again_after_it_has_been_idle() -> None:
    done: list[int] = []

    async def work(portion: Sequence[int]) -> None:
        done.extend(portion)

    runs: list[asyncio.Task[None]] = []
    together = Together(lambda run, _: runs.append(asyncio.ensure_future(run)), "work", work)
    for number in range(2):
        together.put(number)
        await runs[-1]
    assert done == [0, 1]
    assert len(runs) == 2
