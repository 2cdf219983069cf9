"""The event log, in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

from manager.eventlog import READ_RECORDS_MAX
from manager.store import (
    log,
)
from manager.store.log import Head
from plotter2.model.record import JOURNAL, Record


class Events:
    """Records by offset, and how far consumers came."""

    def __init__(self) -> None:
        super().__init__()
        self._records: list[Record] = []
        self._head = Head()
        self._offsets: dict[tuple[str, str, int], int] = {}
        self._grown = asyncio.Event()

    async def read(self, topic: str, partition: int, offset: int, limit: int) -> list[Record]:
        """Records from `offset` on."""
        if (topic, partition) != (JOURNAL, 0):
            return []
        return self._records[offset : offset + max(0, min(limit, READ_RECORDS_MAX))]

    async def end(self, topic: str, partition: int) -> int:
        """The high watermark."""
        return self._head_of(topic, partition).end

    def _head_of(self, topic: str, partition: int) -> Head:
        return self._head if (topic, partition) == (JOURNAL, 0) else Head()

    async def tail(self, topic: str, partition: int, offset: int) -> AsyncIterator[Record]:
        """Records from `offset` on, waiting for new ones."""
        following = log.tail(self.read, topic, partition, offset, self._more)
        async with aclosing(following):
            async for record in following:
                yield record

    async def _more(self) -> None:
        await self._grown.wait()

    async def commit_offset(self, group: str, topic: str, partition: int, offset: int) -> None:
        """Remember how far a consumer group has come; never back."""
        place = group, topic, partition
        self._offsets[place] = max(offset, self._offsets.get(place, 0))

    async def committed_offset(self, group: str, topic: str, partition: int) -> int:
        """Where a consumer group goes on; 0 for a new one."""
        return self._offsets.get((group, topic, partition), 0)

    async def verify(self, topic: str, partition: int) -> int:
        """Walk the chain; see `EventLog.verify`."""
        return await log.verify(self.read, topic, partition, self._head_of(topic, partition))
