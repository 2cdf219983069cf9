"""LISTEN/NOTIFY as an event to wait on: for speed only. Who waits must also look by himself now and then.

A connection that is lost is made again at the next wait; meanwhile waiting simply takes its full time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from plotter2.pg.faults import KNOWN


class Doorbell:
    """Rings when somebody notified the channel."""

    def __init__(self, connect: Callable[[], Awaitable[Any]], channel: str) -> None:
        """`connect` makes a connection outside the pool."""
        self._connect = connect
        self._channel = channel
        self._connection: Any = None
        self._rung = asyncio.Event()

    async def listen(self) -> bool:
        """Make sure that the bell is connected; look for news after this, not before. False: the database is away."""
        if self._connection is not None and not self._connection.is_closed():
            return True
        try:
            self._connection = await self._connect()
            await self._connection.add_listener(self._channel, lambda *_: self._rung.set())
        except KNOWN:
            return False
        return True

    async def wait(self, limit_s: float) -> None:
        """Until it rings, or the limit has passed."""
        try:
            async with asyncio.timeout(limit_s):
                await self._rung.wait()
        except TimeoutError:
            return
        self._rung.clear()

    async def close(self) -> None:
        """Stop listening."""
        if self._connection is not None:
            self._connection.terminate()
