"""The bus against brokers that do not behave."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from plotter2.mqtt import bus


@pytest.fixture
async def mute() -> AsyncIterator[tuple[str, list[asyncio.StreamWriter]]]:
    """A broker that takes connections and never says a word."""
    callers: list[asyncio.StreamWriter] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        callers.append(writer)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    async with server:
        yield f"mqtt://127.0.0.1:{server.sockets[0].getsockname()[1]}", callers


async def test_a_broker_that_never_answers_is_tried_again(
    mute: tuple[str, list[asyncio.StreamWriter]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus, "CONNECT_WAIT_S_MAX", 0.05)
    url, callers = mute
    async with asyncio.timeout(10), bus.connect(url, "patient") as patient:
        while len(callers) < 3:
            await asyncio.sleep(0.01)
        assert not patient.is_connected


async def test_leaving_while_the_connection_is_being_made_leaves_nothing_behind(
    mute: tuple[str, list[asyncio.StreamWriter]],
) -> None:
    url, callers = mute
    async with asyncio.timeout(5):
        async with bus.connect(url, "hasty"):
            while not callers:
                await asyncio.sleep(0.001)
        while not all(caller.is_closing() for caller in callers):
            await asyncio.sleep(0.001)
    gc.collect()  # an unclosed socket or a forgotten task would be a warning, and so an error
    assert len([task for task in asyncio.all_tasks() if "misc" in str(task)]) == 0


async def test_leaving_ends_the_bus_also_where_its_cancel_gets_lost(
    broker_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in `asyncio.wait_for` before Python 3.12, where the broker's answer comes at the same moment."""
    connecting, real = asyncio.Event(), bus._Client.__aenter__

    async def deaf(client: bus._Client) -> bus._Client:
        if not connecting.is_set():
            connecting.set()
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
        return await real(client)

    monkeypatch.setattr(bus._Client, "__aenter__", deaf)
    async with asyncio.timeout(10), bus.connect(broker_url, "deaf"):
        await connecting.wait()


async def test_a_broker_that_is_not_there_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus, "BACKOFF_S_MIN", 0.001)
    async with asyncio.timeout(5), bus.connect("mqtt://127.0.0.1:1", "seeker") as seeker:
        await asyncio.sleep(0.05)
        assert not seeker.is_connected
        assert seeker.connections == 0


async def test_the_bus_runs_on_uvloop(broker_url: str) -> None:
    uvloop = pytest.importorskip("uvloop")

    async def story() -> list[bytes]:
        found: list[bytes] = []
        async with bus.connect(broker_url, "fast", subscriptions=[bus.Subscription("uvloop/#")]) as one:
            async with asyncio.TaskGroup() as group:
                for number in range(100):
                    group.create_task(one.publish("uvloop/t", b"%d" % number))
            async for message in one.messages():
                found.append(message.payload)
                if len(found) == 100:
                    return found
        raise AssertionError

    def run() -> list[bytes]:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(story())

    assert len(set(await asyncio.to_thread(run))) == 100
