import asyncio

import pytest

from plotter2.mqtt.protocol import Message, Subscription
from plotter2.testing import Faults, MemoryBroker
from plotter2.testing.bus import MemoryBus

ALL = (Subscription("#"),)


async def up(*buses: MemoryBus) -> None:
    async with asyncio.timeout(5):
        while not all(bus.is_connected for bus in buses):
            await asyncio.sleep(0)


async def take(bus: MemoryBus, count: int) -> list[bytes]:
    found: list[bytes] = []
    async with asyncio.timeout(5):
        async for message in bus.messages():
            found.append(message.payload)
            if len(found) == count:
                break
    return found


async def test_what_is_held_back_comes_later_in_either_order() -> None:
    broker = MemoryBroker()
    async with broker.connect("", "a", subscriptions=ALL) as bus:
        await up(bus)
        broker.hold()
        for payload in (b"1", b"2"):
            await bus.publish("t", payload)
        broker.release(is_reversed=True)
        assert await take(bus, 2) == [b"2", b"1"]
        await bus.publish("t", b"3")
        assert await take(bus, 1) == [b"3"]


async def test_the_same_seed_loses_and_repeats_the_same_messages() -> None:
    async def story() -> list[bytes]:
        broker = MemoryBroker(Faults(seed=7, drop=0.3, duplicate=0.3))
        async with broker.connect("", "a", subscriptions=ALL) as bus:
            await up(bus)
            for number in range(50):
                await bus.publish("t", str(number).encode())
            return [bus._inbox.get_nowait().payload for _ in range(bus._inbox.qsize())]

    first = await story()
    assert first == await story()
    assert len(set(first)) < 50
    assert len(set(first)) < len(first)


async def test_a_retained_message_greets_who_comes_later() -> None:
    broker = MemoryBroker()
    broker.retain(Message("t/1", b"kept"))
    broker.retain(Message("t/2", b"forgotten"))
    broker.retain(Message("t/2", b""))
    async with broker.connect("", "a", subscriptions=[Subscription("t/+")]) as bus:
        await up(bus)
        assert await take(bus, 1) == [b"kept"]
        await bus.subscribe("t/#")
        assert await take(bus, 1) == [b"kept"]


async def test_a_client_of_the_same_name_throws_the_older_one_out() -> None:
    broker = MemoryBroker()
    async with broker.connect("", "twin") as old:
        await up(old)
        async with broker.connect("", "twin") as new:
            async with asyncio.timeout(5):
                while new.connections == 0:
                    await asyncio.sleep(0)
            assert not old.is_connected


async def test_a_bus_that_is_left_hears_nothing_more() -> None:
    broker = MemoryBroker()
    async with broker.connect("", "a", subscriptions=ALL) as left:
        await up(left)
    async with broker.connect("", "b") as other:
        await up(other)
        await other.publish("t", b"x")
    with pytest.raises(asyncio.QueueEmpty):
        left._inbox.get_nowait()
