"""A bus without a broker: the same protocol as `plotter2.mqtt.bus`, in one process, with faults on demand.

Topic matching, wills, retained messages and lost connections are as with a real broker; messages may be dropped,
repeated, held back and let go in another order. What is not read yet waits in the inbox without limit, as it would wait
in the broker. The contract suite runs on both.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from plotter2.errors import UnreachableError
from plotter2.mqtt.bus import BACKOFF_S_MIN, PUBLISH_WAIT_S_MAX
from plotter2.mqtt.protocol import Message, OnConnect, Subscription, Will
from plotter2.mqtt.topics import check_filter, check_message, matches


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong with deliveries, by a seed: probabilities for each copy on its way to a subscriber."""

    seed: int = 0
    drop: float = 0.0
    duplicate: float = 0.0


class MemoryBroker:
    """The broker's part: who is there, who wants what, what is retained."""

    def __init__(self, faults: Faults | None = None) -> None:
        self._faults = faults or Faults()
        self._chance = random.Random(self._faults.seed)  # noqa: S311 -- repeatable is what is wanted
        self._buses: dict[str, MemoryBus] = {}
        self._retained: dict[str, Message] = {}
        self._held: deque[Message] | None = None
        self._is_up = asyncio.Event()
        self._is_up.set()

    @asynccontextmanager
    async def connect(
        self,
        url: str,  # noqa: ARG002 -- the protocol's
        client_id: str,
        *,
        will: Will | None = None,
        on_connect: OnConnect | None = None,
        subscriptions: Iterable[Subscription] = (),
    ) -> AsyncIterator[MemoryBus]:
        """A bus for the length of a block, as `plotter2.mqtt.bus.connect`."""
        bus = MemoryBus(self, client_id, will, on_connect, subscriptions)
        failure: Exception | None = None
        async with asyncio.TaskGroup() as group:
            keeper = group.create_task(bus.keep(), name=f"memory bus {client_id}")
            try:
                yield bus
            except Exception as wrong:  # noqa: BLE001 -- raised again below, not wrapped into the group's
                failure = wrong
            finally:
                self._buses.pop(client_id, None)
                keeper.cancel()
        if failure is not None:
            raise failure

    # --- faults on demand -----------------------------------------------------------------------------------------

    def cut(self, client_id: str) -> None:
        """Break one client's connection; its will is said, and it comes back by itself."""
        bus = self._buses.pop(client_id, None)
        if bus is not None:
            bus.lose()
            if bus.will is not None:
                self.route(Message(bus.will.topic, bus.will.payload))

    def stop(self) -> None:
        """The broker is gone: every connection breaks, retained messages and wills are lost."""
        self._is_up.clear()
        self._retained.clear()
        for bus in self._buses.values():
            bus.lose()
        self._buses.clear()

    def start(self) -> None:
        """The broker is back."""
        self._is_up.set()

    def hold(self) -> None:
        """Take messages and keep them back."""
        self._held = self._held or deque()

    def release(self, *, is_reversed: bool = False) -> None:
        """Deliver what was kept back, in order or in reverse."""
        held, self._held = self._held or deque[Message](), None
        for message in reversed(held) if is_reversed else held:
            self._deliver(message)

    # --- the buses' side ------------------------------------------------------------------------------------------

    async def admit(self, bus: MemoryBus) -> None:
        """Wait for the broker and be connected; an older client of the same name is thrown out."""
        await self._is_up.wait()
        self.cut(bus.client_id)
        self._buses[bus.client_id] = bus

    def retain(self, message: Message) -> None:
        """Keep a topic's last message for those who come later; an empty payload forgets it."""
        if message.payload:
            self._retained[message.topic] = message
        else:
            self._retained.pop(message.topic, None)
        self.route(message)

    def retained(self, pattern: str) -> list[Message]:
        """What a new subscription gets at once."""
        return [message for topic, message in self._retained.items() if matches(pattern, topic)]

    def route(self, message: Message) -> None:
        """Hand a message to everybody who wants it."""
        if self._held is not None:
            self._held.append(message)
        else:
            self._deliver(message)

    def _deliver(self, message: Message) -> None:
        for bus in list(self._buses.values()):
            if bus.wants(message.topic):
                for _ in range(self._copies()):
                    bus.receive(message)

    def _copies(self) -> int:
        if self._chance.random() < self._faults.drop:
            return 0
        return 2 if self._chance.random() < self._faults.duplicate else 1


class MemoryBus:
    """One client's bus. Made by `MemoryBroker.connect`."""

    def __init__(
        self,
        broker: MemoryBroker,
        client_id: str,
        will: Will | None,
        on_connect: OnConnect | None,
        subscriptions: Iterable[Subscription],
    ) -> None:
        self.client_id = client_id
        self.will = will
        self._broker = broker
        self._on_connect = on_connect
        self._filters = {check_filter(wanted.filter): wanted.qos for wanted in subscriptions}
        self._inbox: asyncio.Queue[Message] = asyncio.Queue()
        self._is_up = asyncio.Event()
        self._is_lost = asyncio.Event()
        self._connections = 0

    @property
    def is_connected(self) -> bool:
        """Whether the broker is there now."""
        return self._is_up.is_set()

    @property
    def connections(self) -> int:
        """How often the connection was made."""
        return self._connections

    async def publish(self, topic: str, payload: bytes, qos: int = 1) -> None:  # noqa: ARG002 -- the protocol's
        """As `Bus.publish`."""
        check_message(topic, payload)
        try:
            async with asyncio.timeout(PUBLISH_WAIT_S_MAX):
                await self._is_up.wait()
        except TimeoutError:
            raise UnreachableError(f"The broker did not take a message within {PUBLISH_WAIT_S_MAX:g} s.") from None
        self._broker.route(Message(topic, payload))
        await asyncio.sleep(0)

    async def subscribe(self, pattern: str, qos: int = 1) -> None:
        """As `Bus.subscribe`."""
        self._filters[check_filter(pattern)] = qos
        if self.is_connected:
            self._take_retained(pattern)

    async def messages(self) -> AsyncIterator[Message]:
        """As `Bus.messages`."""
        while True:
            yield await self._inbox.get()

    async def keep(self) -> None:
        """Connect, and connect again, until cancelled."""
        while True:
            await self._broker.admit(self)
            self._is_lost.clear()
            for pattern in self._filters:
                self._take_retained(pattern)
            self._connections += 1
            self._is_up.set()
            async with asyncio.TaskGroup() as group:
                announcing = group.create_task(self._announce(), name="memory bus on_connect")
                await self._is_lost.wait()
                announcing.cancel()
            await asyncio.sleep(BACKOFF_S_MIN)

    def wants(self, topic: str) -> bool:
        """Whether one of its filters catches the topic."""
        return any(matches(pattern, topic) for pattern in self._filters)

    def receive(self, message: Message) -> None:
        """A message from the broker."""
        self._inbox.put_nowait(message)

    def lose(self) -> None:
        """The connection broke."""
        self._is_up.clear()
        self._is_lost.set()

    def _take_retained(self, pattern: str) -> None:
        for message in self._broker.retained(pattern):
            self.receive(message)

    async def _announce(self) -> None:
        if self._on_connect is not None:
            await self._on_connect()
