"""One suite for every bus: the one in memory, and the one over a real broker, through a cable that can be cut."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

import pytest

from plotter2.errors import LimitError, RefusedError, UnreachableError
from plotter2.mqtt import bus as real
from plotter2.mqtt.bus import Bus, Message, OnConnect, Subscription, Will
from plotter2.mqtt.topics import PAYLOAD_BYTES_MAX
from plotter2.testing import MemoryBroker
from plotter2.testing import bus as memory

LIMIT_S = 20


class Net(Protocol):
    """A broker that can go away, and clients that can vanish."""

    def connect(
        self,
        client_id: str,
        *,
        will: Will | None = None,
        on_connect: OnConnect | None = None,
        subscriptions: Iterable[Subscription] = (),
    ) -> AbstractAsyncContextManager[Bus]: ...

    async def vanish(self, client_id: str) -> None: ...

    async def stop(self) -> None: ...

    async def start(self) -> None: ...


class MemoryNet:
    def __init__(self) -> None:
        self._broker = MemoryBroker()

    def connect(self, client_id: str, **kwargs: Any) -> AbstractAsyncContextManager[Bus]:
        return self._broker.connect("", client_id, **kwargs)

    async def vanish(self, client_id: str) -> None:
        self._broker.cut(client_id)

    async def stop(self) -> None:
        self._broker.stop()

    async def start(self) -> None:
        self._broker.start()


class Cable:
    """A way to the broker for one client: an address of its own, and scissors."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._port = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._group = asyncio.TaskGroup()

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        await self.mend()
        return self

    async def __aexit__(self, *args: object) -> None:
        await self.cut()
        await self._group.__aexit__(None, None, None)

    async def mend(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)
            self._port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._writers):
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, back}
        self._group.create_task(self._carry(reader, back))
        self._group.create_task(self._carry(there, writer))

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(1 << 16):
                target.write(data)
                await target.drain()
        except OSError:
            pass
        finally:
            target.close()
            self._writers.discard(target)


class BrokerNet:
    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname
        assert parts.port
        self._target = (parts.hostname, parts.port)
        self._cables: dict[str, Cable] = {}

    @asynccontextmanager
    async def connect(self, client_id: str, **kwargs: Any) -> AsyncIterator[Bus]:
        async with Cable(*self._target) as cable:
            self._cables[client_id] = cable
            async with real.connect(cable.url, client_id, **kwargs) as bus:
                yield bus

    async def vanish(self, client_id: str) -> None:
        await self._cables[client_id].cut()
        await self._cables[client_id].mend()

    async def stop(self) -> None:
        for cable in self._cables.values():
            await cable.cut()

    async def start(self) -> None:
        for cable in self._cables.values():
            await cable.mend()


@pytest.fixture(params=["memory", "broker"])
def net(request: pytest.FixtureRequest) -> Net:
    if request.param == "memory":
        return MemoryNet()
    return BrokerNet(request.getfixturevalue("broker_url"))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not condition():
            await asyncio.sleep(0.002)


async def up(*buses: Bus) -> None:
    await until(lambda: all(bus.is_connected for bus in buses))


async def take(bus: Bus, count: int) -> list[Message]:
    found: list[Message] = []
    async with asyncio.timeout(LIMIT_S):
        async for message in bus.messages():
            found.append(message)
            if len(found) == count:
                break
    return found


def name(request: pytest.FixtureRequest, suffix: str = "") -> str:
    """A client id or topic level of this test's own: the real broker is shared."""
    return request.node.name.replace("[", "-").replace("]", "") + suffix


@pytest.mark.req("r082")
async def test_a_message_reaches_those_who_asked_for_it(net: Net, request: pytest.FixtureRequest) -> None:
    top = name(request)
    async with (
        net.connect(top + "a", subscriptions=[Subscription(f"{top}/x/#")]) as a,
        net.connect(top + "b", subscriptions=[Subscription(f"{top}/+/1")]) as b,
        net.connect(top + "c") as c,
    ):
        await up(a, b, c)
        await c.publish(f"{top}/x/1", b"both")
        await c.publish(f"{top}/x/2", b"only a")
        await c.publish(f"{top}/y/1", b"only b")
        assert await take(a, 2) == [Message(f"{top}/x/1", b"both"), Message(f"{top}/x/2", b"only a")]
        assert await take(b, 2) == [Message(f"{top}/x/1", b"both"), Message(f"{top}/y/1", b"only b")]


async def test_a_subscription_that_comes_later_counts_from_then_on(net: Net, request: pytest.FixtureRequest) -> None:
    top = name(request)
    async with net.connect(top) as bus:
        await bus.subscribe(f"{top}/early")
        await up(bus)
        await bus.subscribe(f"{top}/late")
        await bus.publish(f"{top}/early", b"1")
        await bus.publish(f"{top}/late", b"2")
        assert [message.payload for message in await take(bus, 2)] == [b"1", b"2"]


async def test_many_messages_arrive_all_and_in_order_although_nobody_reads_at_first(
    net: Net, request: pytest.FixtureRequest
) -> None:
    top = name(request)
    count = 3 * real.INBOX_MESSAGES_MAX
    async with (
        net.connect(top + "slow", subscriptions=[Subscription(f"{top}/t")]) as slow,
        net.connect(top + "fast") as fast,
    ):
        await up(slow, fast)
        for first in range(0, count, 100):
            async with asyncio.TaskGroup() as group:
                for number in range(first, first + 100):
                    group.create_task(fast.publish(f"{top}/t", str(number).encode()))
        await slow.publish(f"{top}/other", b"a full inbox does not stop the publishing")
        assert [int(message.payload) for message in await take(slow, count)] == list(range(count))
        assert slow.connections == 1


async def test_what_is_announced_on_connection_finds_the_subscriptions_in_place(
    net: Net, request: pytest.FixtureRequest
) -> None:
    top = name(request)
    async with AsyncExitStack() as stack:

        async def announce() -> None:
            await bus.publish(f"{top}/hello", b"here")

        bus = await stack.enter_async_context(
            net.connect(top, on_connect=announce, subscriptions=[Subscription(f"{top}/hello")])
        )
        assert [message.payload for message in await take(bus, 1)] == [b"here"]
        await net.vanish(top)
        assert [message.payload for message in await take(bus, 1)] == [b"here"]
        assert bus.connections == 2


@pytest.mark.req("r082")
async def test_after_the_broker_was_away_everything_is_as_before(net: Net, request: pytest.FixtureRequest) -> None:
    top = name(request)
    async with net.connect(top, subscriptions=[Subscription(f"{top}/a")]) as bus:
        await up(bus)
        await bus.subscribe(f"{top}/b")
        await net.stop()
        await until(lambda: not bus.is_connected)
        await bus.subscribe(f"{top}/c")
        await net.start()
        await up(bus)
        for level in "abc":
            await bus.publish(f"{top}/{level}", level.encode())
        assert [message.payload for message in await take(bus, 3)] == [b"a", b"b", b"c"]
        assert bus.connections == 2


async def test_publishing_waits_for_a_broker_that_is_away(net: Net, request: pytest.FixtureRequest) -> None:
    top = name(request)
    async with net.connect(top, subscriptions=[Subscription(f"{top}/t")]) as bus:
        await up(bus)
        await net.stop()
        await until(lambda: not bus.is_connected)
        async with asyncio.TaskGroup() as group:
            publishing = [group.create_task(bus.publish(f"{top}/t", b"%d" % number)) for number in range(50)]
            await asyncio.sleep(0)
            assert not any(one.done() for one in publishing)
            await net.start()
        assert {message.payload for message in await take(bus, 50)} == {b"%d" % number for number in range(50)}


async def test_publishing_gives_up_when_the_broker_stays_away(
    net: Net, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (real, memory):
        monkeypatch.setattr(module, "PUBLISH_WAIT_S_MAX", 0.05)
    async with net.connect(name(request)) as bus:
        await up(bus)
        await net.stop()
        await until(lambda: not bus.is_connected)
        with pytest.raises(UnreachableError, match=r"did not take a message within 0\.05 s"):
            await bus.publish("t", b"x")


async def test_a_connection_that_breaks_under_a_publication_loses_nothing(
    net: Net, request: pytest.FixtureRequest
) -> None:
    top = name(request)
    async with (
        net.connect(top + "from") as sender,
        net.connect(top + "to", subscriptions=[Subscription(f"{top}/t")]) as receiver,
    ):
        await up(sender, receiver)
        async with asyncio.TaskGroup() as group:
            for number in range(400):
                group.create_task(sender.publish(f"{top}/t", b"%d" % number))
            await until(lambda: receiver.connections == 1)
            await net.vanish(top + "from")
        await sender.publish(f"{top}/t", b"last")
        found: set[bytes] = set()
        async with asyncio.timeout(LIMIT_S):
            async for message in receiver.messages():
                if message.payload == b"last":
                    break
                found.add(message.payload)
        assert found == {b"%d" % number for number in range(400)}


@pytest.mark.req("r082")
async def test_the_last_will_is_said_when_a_client_vanishes(net: Net, request: pytest.FixtureRequest) -> None:
    top = name(request)
    async with (
        net.connect(top + "mortal", will=Will(f"{top}/will", b"offline")) as mortal,
        net.connect(top + "heir", subscriptions=[Subscription(f"{top}/#")]) as heir,
    ):
        await up(mortal, heir)
        await net.vanish(top + "mortal")
        assert await take(heir, 1) == [Message(f"{top}/will", b"offline")]


async def test_a_client_that_leaves_says_nothing(net: Net, request: pytest.FixtureRequest) -> None:
    top = name(request)
    async with net.connect(top + "heir", subscriptions=[Subscription(f"{top}/#")]) as heir:
        async with net.connect(top + "mortal", will=Will(f"{top}/will", b"offline")) as mortal:
            await up(mortal, heir)
        await heir.publish(f"{top}/after", b"nothing came before")
        assert await take(heir, 1) == [Message(f"{top}/after", b"nothing came before")]


async def test_the_lower_quality_arrives_too(net: Net, request: pytest.FixtureRequest) -> None:
    top = name(request)
    async with net.connect(top, subscriptions=[Subscription(f"{top}/t", 0)]) as bus:
        await up(bus)
        await bus.publish(f"{top}/t", b"x", qos=0)
        assert await take(bus, 1) == [Message(f"{top}/t", b"x")]


async def test_a_long_message_arrives_and_one_that_is_too_long_is_refused(
    net: Net, request: pytest.FixtureRequest
) -> None:
    top = name(request)
    async with net.connect(top, subscriptions=[Subscription(f"{top}/t")]) as bus:
        await up(bus)
        with pytest.raises(LimitError):
            await bus.publish(f"{top}/t", bytes(PAYLOAD_BYTES_MAX + 1))
        await bus.publish(f"{top}/t", bytes(PAYLOAD_BYTES_MAX))
        assert len((await take(bus, 1))[0].payload) == PAYLOAD_BYTES_MAX
        assert bus.connections == 1


async def test_what_is_no_topic_is_refused_without_a_broker(net: Net, request: pytest.FixtureRequest) -> None:
    async with net.connect(name(request)) as bus:
        with pytest.raises(RefusedError):
            await bus.publish("a/#", b"x")
        with pytest.raises(RefusedError):
            await bus.subscribe("a#")


async def test_an_error_inside_the_block_comes_out_as_it_is(net: Net, request: pytest.FixtureRequest) -> None:
    with pytest.raises(LookupError, match="mine"):
        async with net.connect(name(request)):
            raise LookupError("mine")


async def test_leaving_while_the_broker_is_away_is_quick(net: Net, request: pytest.FixtureRequest) -> None:
    async with asyncio.timeout(2):
        async with net.connect(name(request)) as bus:
            await up(bus)
            await net.stop()
            await until(lambda: not bus.is_connected)
