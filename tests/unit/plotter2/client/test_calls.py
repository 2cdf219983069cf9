"""Many small runs over one stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from itertools import count, islice
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock

import grpc
import pytest

import plotter2
from plotter2 import aio
from plotter2.client import asks
from plotter2.errors import TaskFailedError, UsageError
from tests.unit.plotter2.client.kit import FakeManager, served

SCRIPT = "def task(n):\n    return n\n"


def test_results_of_a_map_come_in_the_order_of_the_parameters(p2: plotter2.Client, manager: FakeManager) -> None:
    results = list(p2.map(SCRIPT, ({"n": n} for n in range(5000)), name="echo"))
    assert results == [{"n": n} for n in range(5000)]
    assert len(manager.begins) == 1
    assert manager.begins[0].name == "echo"


def test_single_calls_of_one_definition_share_a_stream(p2: plotter2.Client, manager: FakeManager) -> None:
    assert [p2.call(SCRIPT, n=n) for n in range(20)] == [{"n": n} for n in range(20)]
    assert p2.call([["access", "x"]], n=1) == {"n": 1}
    assert [begin.name for begin in manager.begins] == ["script", "pipeline"]


def test_a_submitted_call_is_a_future(p2: plotter2.Client) -> None:
    futures = [p2.submit(SCRIPT, n=n) for n in range(3)]
    assert [future.result(timeout=10) for future in futures] == [{"n": 0}, {"n": 1}, {"n": 2}]


def test_a_failed_call_raises_what_the_users_code_said_and_leaves_the_others(p2: plotter2.Client) -> None:
    results = p2.map(SCRIPT, [{"n": 1}, {"fail": True}, {"n": 3}])
    assert next(results) == {"n": 1}
    with pytest.raises(TaskFailedError, match="ValueError: no"):
        next(results)
    assert p2.call(SCRIPT, n=3) == {"n": 3}


@pytest.mark.req("r198")
def test_a_broken_stream_is_taken_up_and_every_call_is_answered_once(p2: plotter2.Client, manager: FakeManager) -> None:
    assert p2.call(SCRIPT, n=0) == {"n": 0}
    manager.break_calls_after = 500
    results = list(p2.map(SCRIPT, ({"n": n} for n in range(3000))))
    assert results == [{"n": n} for n in range(3000)]
    assert len({begin.client_key for begin in manager.begins}) == len(manager.begins) == 2


class BrokenWhileWriting:
    """A call whose connection breaks while it is written to: grpc.aio calls that an internal error of its own."""

    def __init__(self) -> None:
        self._noted: list[Callable[[Any], None]] = []

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        self._noted.append(callback)

    async def write(self, _request: Any) -> None:
        await asyncio.sleep(0)

    def cancel(self) -> None:
        """It has ended already."""

    async def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.INTERNAL

    async def details(self) -> str:
        return "Internal error from Core"

    async def initial_metadata(self) -> grpc.aio.Metadata:
        return grpc.aio.Metadata()

    trailing_metadata = initial_metadata

    async def __aiter__(self) -> AsyncIterator[Any]:
        for callback in self._noted:
            callback(self)
        none = grpc.aio.Metadata()
        raise grpc.aio.AioRpcError(grpc.StatusCode.INTERNAL, none, none, "Internal error from Core")
        yield


@pytest.mark.req("r198")
async def test_a_connection_that_breaks_while_it_is_written_to_is_one_that_breaks(
    manager: FakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with served(manager) as address, aio.connect(address) as p2:
        true, calls = p2._link.stub, iter([BrokenWhileWriting()])
        opened = SimpleNamespace(Call=lambda: next(calls, None) or true.Call())
        monkeypatch.setattr(type(p2._link), "stub", property(lambda _: opened))
        monkeypatch.setattr(p2._link, "again", AsyncMock())
        assert await p2.call(SCRIPT, n=1) == {"n": 1}
        p2._link.again.assert_awaited_once()


def test_a_map_never_takes_more_than_its_window_from_the_iterable(p2: plotter2.Client) -> None:
    taken = []

    def endless() -> Any:
        for n in count():
            taken.append(n)
            yield {"n": n}

    assert list(islice(p2.map(SCRIPT, endless()), 10)) == [{"n": n} for n in range(10)]
    assert len(taken) <= 2048 + 256


def test_parameters_that_are_no_json_are_refused_before_anything_is_sent(
    p2: plotter2.Client, manager: FakeManager
) -> None:
    with pytest.raises(UsageError, match="JSON"):
        p2.call(SCRIPT, n=object())
    assert manager.begins == []


async def test_the_asyncio_client_maps_and_calls(manager: FakeManager) -> None:
    async with served(manager) as address, aio.connect(address) as p2:
        assert await p2.call(SCRIPT, n=1) == {"n": 1}
        assert [result async for result in p2.map(SCRIPT, ({"n": n} for n in range(700)))] == [
            {"n": n} for n in range(700)
        ]


def test_a_window_sends_in_chunks_and_gives_in_order() -> None:
    sent: list[int] = []

    def send(texts: list[str]) -> list[str]:
        sent.append(len(texts))
        return texts

    found = list(asks.windowed([{"n": n} for n in range(10)], send, window=6, chunk=3))
    assert found == [f'{{"n":{n}}}' for n in range(10)]
    assert sent == [3, 3, 3, 1]
