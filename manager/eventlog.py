"""The event log: what was decided, in order, for ever. A protocol; the store carries it out (design 2).

Topics have partitions; offsets are dense from 0 in each; every record holds the hash of its predecessor. Appending
happens inside `Store.commit`, in the transaction that writes the state which the record tells of.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from plotter2.model.record import Record

READ_RECORDS_MAX = 10_000


class EventLog(Protocol):
    """Reading what was appended. Contract suite: tests/contract/test_eventlog.py."""

    async def read(self, topic: str, partition: int, offset: int, limit: int) -> list[Record]:
        """Records from `offset` on, at most `limit` (and READ_RECORDS_MAX); empty at the end."""
        ...

    async def end(self, topic: str, partition: int) -> int:
        """The offset that the next record will have: the high watermark."""
        ...

    def tail(self, topic: str, partition: int, offset: int) -> AsyncIterator[Record]:
        """Records from `offset` on, waiting for new ones; each exactly once, in order. Ends only when closed."""
        ...

    async def commit_offset(self, group: str, topic: str, partition: int, offset: int) -> None:
        """Remember how far a consumer group has come: `offset` is the next it wants. Never goes back."""
        ...

    async def committed_offset(self, group: str, topic: str, partition: int) -> int:
        """Where a consumer group goes on; 0 for a new one."""
        ...

    async def verify(self, topic: str, partition: int) -> int:
        """Walk the chain and return how many records hold.

        Raises:
            CorruptionError: a record's hash or offset is wrong; the message names the offset.
        """
        ...
