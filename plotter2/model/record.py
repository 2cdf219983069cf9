"""Records: the vocabulary of the event log. Append-only, dense offsets, each with the hash of its predecessor.

The hash is BLAKE3 over topic, partition, offset, time, kind, key, payload and the predecessor's hash; the predecessor
of the first record is 32 zero bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

from blake3 import blake3

from plotter2.clock import Instant

GENESIS = bytes(32)
JOURNAL = "journal"
"""The topic that the manager's own decisions go to."""


@dataclass(frozen=True, slots=True)
class NewRecord:
    """A decision on its way into the log: what kind, about which thing, and its payload (JSON text)."""

    kind: str
    key: str
    payload_json: str
    at: Instant


@dataclass(frozen=True, slots=True)
class Record:
    """A decision in the log."""

    topic: str
    partition: int
    offset: int
    at: Instant
    kind: str
    key: str
    payload_json: str
    previous: bytes
    hash: bytes


def chain(topic: str, partition: int, offset: int, new: NewRecord, previous: bytes) -> Record:
    """Give a new record its place: offset and hash."""
    head = f"{topic}\0{partition}\0{offset}\0{new.at!r}\0{new.kind}\0{new.key}\0".encode()
    digest = blake3(head + new.payload_json.encode() + previous).digest()
    return Record(topic, partition, offset, new.at, new.kind, new.key, new.payload_json, previous, digest)
