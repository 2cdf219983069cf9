"""The loop: one transaction for all that waits, effects only after it, the same batch again when the store is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from prometheus_client import CollectorRegistry

from manager.commands import Answer, Effect
from manager.events import ArchiveAsked, RunAsked
from manager.loop import Loop
from manager.machine import Machine
from manager.scheduler import RoundRobin
from manager.store import Batch
from plotter2.clock import SystemClock
from plotter2.errors import UnreachableError
from tests.unit.manager.kit import request


class Gate:
    """A store whose commits wait until they are let through, and may fail first."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.let = asyncio.Event()
        self.entered = asyncio.Event()
        self.failures = 0

    async def commit(self, batch: Batch) -> None:
        self.entered.set()
        await self.let.wait()
        self.batches.append(batch)
        if self.failures:
            self.failures -= 1
            raise UnreachableError("the database is away")


def asked(number: int) -> RunAsked:
    return RunAsked(number, request(number), "ann", "add", source="x")


@asynccontextmanager
async def running(gate: Gate, effects: list[Effect]) -> AsyncIterator[Loop]:
    loop = Loop(Machine(RoundRobin()), gate, SystemClock(), "boot", CollectorRegistry())
    async with asyncio.TaskGroup() as group:
        task = group.create_task(loop.run(effects.append))
        yield loop
        task.cancel()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0)


@pytest.mark.req("r016", "r083", "r198")
async def test_nothing_is_answered_before_its_transaction_is_committed() -> None:
    gate, effects = Gate(), []
    async with running(gate, effects) as loop:
        await loop.put(asked(1))
        await gate.entered.wait()
        assert effects == []
        gate.let.set()
        await until(lambda: any(isinstance(one, Answer) for one in effects))


@pytest.mark.req("r083")
async def test_what_gathers_during_a_commit_goes_into_one_transaction() -> None:
    gate, effects = Gate(), []
    async with running(gate, effects) as loop:
        await loop.put(asked(1))
        await gate.entered.wait()
        for number in range(2, 101):
            await loop.put(asked(number))
        gate.let.set()
        await until(lambda: sum(isinstance(one, Answer) for one in effects) == 100)
    assert [len(batch.requests) for batch in gate.batches] == [1, 99]


@pytest.mark.req("r083", "r198")
async def test_a_batch_that_could_not_be_written_is_written_again_under_the_same_turn() -> None:
    gate, effects = Gate(), []
    gate.failures = 2
    gate.let.set()
    async with running(gate, effects) as loop:
        await loop.put(ArchiveAsked(1, request(1), "ann", "nothing", archived=True))
        await until(lambda: bool(effects))
    assert len({batch.turn for batch in gate.batches}) == 1
    assert len(gate.batches) == 3


@pytest.mark.req("r083", "r091")
async def test_who_has_more_to_say_than_there_is_room_for_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("manager.loop.INBOX_EVENTS_MAX", 3)
    gate, effects = Gate(), []
    async with running(gate, effects) as loop:
        await loop.put(asked(1))
        await gate.entered.wait()
        for number in (2, 3, 4):
            await loop.put(asked(number))
        waiting = asyncio.ensure_future(loop.put(asked(5)))
        for _ in range(10):
            await asyncio.sleep(0)
        assert (waiting.done(), loop.backlog) == (False, 3)
        gate.let.set()
        await waiting
        await until(lambda: sum(isinstance(one, Answer) for one in effects) == 5)
