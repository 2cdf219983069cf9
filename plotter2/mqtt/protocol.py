"""What a message bus is, for those who use one: the seam between `mqtt.bus` and `plotter2.testing.bus`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

OnConnect = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Message:
    """What arrived."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker says for us when we vanish. A clean leave says nothing."""

    topic: str
    payload: bytes
    qos: int = 1


@dataclass(frozen=True, slots=True)
class Subscription:
    """A filter and the best quality it is delivered with."""

    filter: str
    qos: int = 1


class Bus(Protocol):
    """What everybody needs of a message bus; kept by `MqttBus` and by `plotter2.testing.bus.MemoryBus`."""

    @property
    def is_connected(self) -> bool:
        """Whether the broker is there now, with every subscription in place."""
        ...

    @property
    def connections(self) -> int:
        """How often the connection was made; grows with each reconnection."""
        ...

    async def publish(self, topic: str, payload: bytes, qos: int = 1) -> None:
        """Hand a message to the broker; with qos 1, returns when the broker has acknowledged it.

        Waits for a reconnection when there is none now, and sends again what was not acknowledged (so it may arrive
        twice). A bounded number are on their way at a time; further calls wait their turn.

        Raises:
            UnreachableError: no acknowledgement within the limit; whether it was delivered is unknown.
            RefusedError: not a topic.
            LimitError: the payload is longer than our brokers take.
        """
        ...

    async def subscribe(self, pattern: str, qos: int = 1) -> None:
        """Ask for every topic that the filter catches, now and after each reconnection.

        While connected, returns when the broker has granted it; otherwise at once: it comes with the connection, before
        `on_connect` is called.

        Raises:
            RefusedError: not a filter, or the broker does not grant it.
        """
        ...

    def messages(self) -> AsyncIterator[Message]:
        """What arrives, in order, without end; across reconnections. Buffered up to a limit, then reading stops."""
        ...


class Connect(Protocol):
    """How a bus is opened; `connect` here, `MemoryBroker.connect` in tests."""

    def __call__(
        self,
        url: str,
        client_id: str,
        *,
        will: Will | None = None,
        on_connect: OnConnect | None = None,
        subscriptions: Iterable[Subscription] = (),
    ) -> AbstractAsyncContextManager[Bus]:
        """Open a bus for the length of a block."""
        ...
