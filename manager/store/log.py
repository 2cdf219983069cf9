"""What both stores share of the event log: the place of new records, the walk along the chain, the wait for more."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from dataclasses import dataclass

from manager.eventlog import READ_RECORDS_MAX
from plotter2.errors import CorruptionError, UnreachableError
from plotter2.model.record import GENESIS, NewRecord, Record, chain

Read = Callable[[str, int, int, int], Awaitable[list[Record]]]
POLL_S = 1.0


@dataclass(frozen=True, slots=True)
class Head:
    """Where a partition ends: the next offset, and the hash of the last record."""

    end: int = 0
    hash: bytes = GENESIS


def place(new: Iterable[NewRecord], head: Head, topic: str, partition: int = 0) -> tuple[list[Record], Head]:
    """Give new records their offsets and hashes; returns them and the head after them."""
    records: list[Record] = []
    for one in new:
        record = chain(topic, partition, head.end, one, head.hash)
        records.append(record)
        head = Head(record.offset + 1, record.hash)
    return records, head


async def verify(read: Read, topic: str, partition: int, head: Head) -> int:
    """Walk the chain from its beginning to the head, which was read before; see `EventLog.verify`."""
    found = Head()
    while found.end < head.end:
        records = await read(topic, partition, found.end, min(READ_RECORDS_MAX, head.end - found.end))
        if not records:
            break
        for record in records:
            new = NewRecord(record.kind, record.key, record.payload_json, record.at)
            if record != chain(topic, partition, found.end, new, found.hash):
                raise CorruptionError(
                    f"The event log {topic}/{partition} is broken at offset {found.end}: "
                    "that record is not the one that was written there."
                )
            found = Head(record.offset + 1, record.hash)
    if found != head:
        raise CorruptionError(
            f"The event log {topic}/{partition} ends at offset {found.end}; it was written up to {head.end}."
        )
    return found.end


async def tail(
    read: Read, topic: str, partition: int, offset: int, wait: Callable[[], Awaitable[None]]
) -> AsyncGenerator[Record, None]:
    """Records from `offset` on, for ever; `wait` returns when there may be more. A database that is away is awaited."""
    while True:
        try:
            records = await read(topic, partition, offset, READ_RECORDS_MAX)
        except UnreachableError:
            records = []
        for record in records:
            yield record
            offset = record.offset + 1
        if not records:
            await wait()
