"""The bus: publish and subscribe over MQTT 3.1.1, with a connection that mends itself (requirement 082, M22).

Every bus holds two connections to the broker, one that reads and one that writes: aiomqtt starves its reader while
much is published, and a full inbox must stop the reading without stopping the acknowledgements of what we publish. Both
count as one: when either breaks, both are made anew. The last will and the client id belong to the writing one.

Delivery is at least once while a connection lasts, and nothing across a break (clean sessions): who needs more asks
again. Only what both of our brokers have is used. The only importer of aiomqtt.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

import aiomqtt
from typing_extensions import override

from plotter2 import telemetry
from plotter2.errors import ConfigError, RefusedError, UnreachableError
from plotter2.mqtt.protocol import Bus, Connect, Message, OnConnect, Subscription, Will
from plotter2.mqtt.topics import check_filter, check_message

__all__ = ["Bus", "Connect", "Message", "MqttBus", "OnConnect", "Subscription", "Will", "connect"]

INBOX_MESSAGES_MAX = 1_000
INBOX_MESSAGES_LOW = 250
PUBLISH_WINDOW_MESSAGES = 20
PUBLISH_WAIT_S_MAX = 30.0
CONNECT_WAIT_S_MAX = 5.0
KEEPALIVE_S = 10
BACKOFF_S_MIN = 0.05
BACKOFF_S_MAX = 1.0
DEFAULT_PORT = 1883
SUBACK_FAILURE = 0x80
READER_SUFFIX = "-in"

_log = telemetry.logger("mqtt")


@asynccontextmanager
async def connect(
    url: str,
    client_id: str,
    *,
    will: Will | None = None,
    on_connect: OnConnect | None = None,
    subscriptions: Iterable[Subscription] = (),
) -> AsyncIterator[MqttBus]:
    """A bus for the length of a block. Entering does not wait for the broker: it is looked for, for ever.

    Args:
        url: `mqtt://[user:password@]host[:port]`.
        client_id: unique at the broker; the reading connection adds a suffix.
        will: said by the broker when this process vanishes.
        on_connect: awaited after each connection, when the subscriptions are in place; cut off when it breaks again.
        subscriptions: in place before the first `on_connect`; the same as `subscribe`, which may come later.

    Raises:
        ConfigError: the address is not one.
    """
    bus = MqttBus(Broker.parse(url), client_id, will, on_connect, subscriptions)
    failure: Exception | None = None
    async with asyncio.TaskGroup() as group:
        keeper = group.create_task(bus.keep(), name=f"mqtt {client_id}")
        try:
            yield bus
        except Exception as wrong:  # noqa: BLE001 -- raised again below, not wrapped into the group's
            failure = wrong
        finally:
            bus.close()
            keeper.cancel()
    if failure is not None:
        raise failure


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is, and who we are there."""

    host: str
    port: int = DEFAULT_PORT
    user: str | None = None
    password: str | None = None

    @classmethod
    def parse(cls, url: str) -> Broker:
        """Read `mqtt://[user:password@]host[:port]`.

        Raises:
            ConfigError: it is not one.
        """
        try:
            parts = urlsplit(url)
            if parts.scheme in {"mqtt", "tcp"} and parts.hostname and parts.path in {"", "/"}:
                return cls(parts.hostname, parts.port or DEFAULT_PORT, parts.username, parts.password)
        except ValueError:  # a port that is no number
            pass
        raise ConfigError(f"{url!r} is not a broker's address: it would be mqtt://host:port.")


class _Inbox(asyncio.Queue[aiomqtt.Message]):
    """What arrived and was not looked at; outlives connections. Never drops: when full it has the reading stopped.

    aiomqtt drops what a bounded queue of its own does not take, so this one takes everything that is given to it, and
    keeps the reader from giving more.
    """

    def __init__(self, full: Callable[[], None], low: Callable[[], None]) -> None:
        super().__init__()
        self._say_full = full
        self._say_low = low

    @override
    def put_nowait(self, item: aiomqtt.Message) -> None:
        super().put_nowait(item)
        if self.qsize() >= INBOX_MESSAGES_MAX:
            self._say_full()

    @override
    def get_nowait(self) -> aiomqtt.Message:
        item = super().get_nowait()
        if self.qsize() <= INBOX_MESSAGES_LOW:
            self._say_low()
        return item


class _Client(aiomqtt.Client):
    """aiomqtt's client, and what it keeps to itself: when it broke, a reader that can be stopped, letting go early."""

    _is_abandoned = False

    @property
    def broken(self) -> asyncio.Future[None]:
        """Done when the connection is gone."""
        return self._disconnected

    def read(self, *, on: bool) -> None:
        """Go on reading from the broker, or let TCP hold it back."""
        paho = self._client
        connection = paho.socket()
        if connection is None or connection.fileno() < 0:
            return
        self._loop.remove_reader(connection.fileno())
        if on:
            self._loop.add_reader(connection.fileno(), self._read_once)

    def _read_once(self) -> None:
        try:
            self._client.loop_read()
        except Exception as wrong:  # noqa: BLE001 -- as aiomqtt's own reader: whatever it is, the connection is over
            if not self._disconnected.done():
                self._disconnected.set_exception(wrong)

    async def ask_for(self, pattern: str, qos: int) -> None:
        """Subscribe.

        Raises:
            RefusedError: the broker says no.
        """
        codes = await self.subscribe(pattern, qos)
        if any((code if isinstance(code, int) else code.value) >= SUBACK_FAILURE for code in codes):
            raise RefusedError(f"The broker does not grant the filter {pattern!r}.")

    @override
    def _client_connect(self) -> None:
        super()._client_connect()
        if self._is_abandoned:  # in the thread that connects: cancelled meanwhile
            self._loop.call_soon_threadsafe(self.abandon)

    def abandon(self) -> None:
        """Let go of a connection that was never completed, which aiomqtt leaves open."""
        self._is_abandoned = True
        self._client.disconnect()
        self._client._sock_close()  # noqa: SLF001 -- paho closes by itself only when its own loop runs
        if self._misc_task is not None:
            self._misc_task.cancel()


class MqttBus:
    """The bus over a real broker. Made by `connect`."""

    def __init__(
        self,
        broker: Broker,
        client_id: str,
        will: Will | None,
        on_connect: OnConnect | None,
        subscriptions: Iterable[Subscription],
    ) -> None:
        self._broker = broker
        self._client_id = client_id
        self._will = will
        self._on_connect = on_connect
        self._filters = {check_filter(wanted.filter): wanted.qos for wanted in subscriptions}
        self._inbox = _Inbox(self._stop_reading, self._go_on_reading)
        self._is_reading = True
        self._reader: _Client | None = None
        self._writer: _Client | None = None
        self._is_up = asyncio.Event()
        self._closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._window = asyncio.Semaphore(PUBLISH_WINDOW_MESSAGES)
        self._waiting: set[asyncio.Timeout] = set()
        self._connections = 0

    @property
    def is_connected(self) -> bool:
        """Whether the broker is there now, with every subscription in place."""
        return self._is_up.is_set()

    @property
    def connections(self) -> int:
        """How often the connection was made."""
        return self._connections

    async def publish(self, topic: str, payload: bytes, qos: int = 1) -> None:
        """As `Bus.publish`."""
        check_message(topic, payload)
        try:
            async with asyncio.timeout(PUBLISH_WAIT_S_MAX), self._window:
                while not await self._hand_over(topic, payload, qos):
                    pass
        except TimeoutError:
            raise UnreachableError(
                f"The broker at {self._broker.host}:{self._broker.port} did not take a message within "
                f"{PUBLISH_WAIT_S_MAX:g} s."
            ) from None

    async def _hand_over(self, topic: str, payload: bytes, qos: int) -> bool:
        """Publish over the present connection; False when it broke before the acknowledgement."""
        await self._is_up.wait()
        writer = self._writer
        if writer is None:
            return False
        scope = asyncio.timeout(None)
        try:
            async with scope:
                self._waiting.add(scope)
                try:
                    await writer.publish(topic, payload, qos=qos, timeout=float("inf"))
                finally:
                    self._waiting.discard(scope)
        except aiomqtt.MqttError:
            await asyncio.sleep(0)  # the keeper hears of the break in its own turn
            return False
        except TimeoutError:
            if not scope.expired():
                raise
            return False
        return True

    async def subscribe(self, pattern: str, qos: int = 1) -> None:
        """As `Bus.subscribe`."""
        self._filters[check_filter(pattern)] = qos
        if self._reader is not None:
            with suppress(aiomqtt.MqttError):  # broken: the next connection brings it
                await self._reader.ask_for(pattern, qos)

    async def messages(self) -> AsyncIterator[Message]:
        """As `Bus.messages`."""
        while True:
            arrived = await self._inbox.get()
            yield Message(arrived.topic.value, arrived.payload)

    def close(self) -> None:
        """Connect no more, and end the connection that is there, or is being made.

        A cancel alone may get lost: before Python 3.12 `asyncio.wait_for`, with which aiomqtt waits, does not hear one
        that comes together with the answer.
        """
        if not self._closed.done():
            self._closed.set_result(None)

    async def keep(self) -> None:
        """Connect, and connect again, until closed or cancelled."""
        pause_s = BACKOFF_S_MIN
        said = -1
        while True:
            before = self._connections
            try:
                await self._session()
            except (aiomqtt.MqttError, OSError, RefusedError) as broken:
                if self._closed.done():  # it was ended here, and nobody is away
                    return
                if self._connections > before:
                    pause_s = BACKOFF_S_MIN
                if said != self._connections:  # once an outage
                    said = self._connections
                    _log.warning("broker.away", client=self._client_id, why=str(broken))
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, BACKOFF_S_MAX)

    async def _session(self) -> None:
        async with self._open(READER_SUFFIX, None) as reader, self._open("", self._will) as writer:
            granted: dict[str, int] = {}
            while missing := dict(self._filters.items() - granted.items()):  # `subscribe` may add some meanwhile
                for pattern, qos in missing.items():
                    await reader.ask_for(pattern, qos)
                granted |= missing
            self._up(reader, writer)
            try:
                async with asyncio.TaskGroup() as group:
                    announcing = group.create_task(self._announce(), name="mqtt on_connect")
                    ends = {reader.broken, writer.broken, self._closed}
                    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
                    announcing.cancel()
            finally:
                self._down()
        raise aiomqtt.MqttError("the connection broke")

    @asynccontextmanager
    async def _open(self, suffix: str, will: Will | None) -> AsyncIterator[_Client]:
        client = _Client(
            self._broker.host,
            self._broker.port,
            username=self._broker.user,
            password=self._broker.password,
            identifier=self._client_id + suffix,
            queue_type=cast("type[asyncio.Queue[aiomqtt.Message]]", lambda maxsize: self._inbox),  # noqa: ARG005 -- its call
            will=None if will is None else aiomqtt.Will(will.topic, will.payload, will.qos),
            clean_session=True,
            timeout=CONNECT_WAIT_S_MAX,
            keepalive=KEEPALIVE_S,
            max_inflight_messages=PUBLISH_WINDOW_MESSAGES,
        )
        client.pending_calls_threshold = PUBLISH_WINDOW_MESSAGES + 1
        try:
            await client.__aenter__()
        except BaseException:
            client.abandon()
            raise
        try:
            yield client
        finally:
            with suppress(aiomqtt.MqttError):
                await client.__aexit__(None, None, None)
            if client.broken.done():
                client.broken.exception()

    def _up(self, reader: _Client, writer: _Client) -> None:
        self._reader, self._writer = reader, writer
        self._connections += 1
        self._is_up.set()
        if not self._is_reading:
            reader.read(on=False)
        _log.info("broker.here", client=self._client_id, connections=self._connections)

    def _down(self) -> None:
        self._is_up.clear()
        self._reader = self._writer = None
        now = asyncio.get_running_loop().time()
        for scope in self._waiting:
            scope.reschedule(now)

    async def _announce(self) -> None:
        if self._on_connect is None:
            return
        try:
            await self._on_connect()
        except UnreachableError as wrong:  # the next connection announces again
            _log.warning("announce.failed", client=self._client_id, why=wrong.message)

    def _stop_reading(self) -> None:
        if self._is_reading:
            self._is_reading = False
            if self._reader is not None:
                self._reader.read(on=False)

    def _go_on_reading(self) -> None:
        if not self._is_reading:
            self._is_reading = True
            if self._reader is not None:
                self._reader.read(on=True)
