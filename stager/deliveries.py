"""Deliveries and where they can stand (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from blake3 import blake3

from plotter2.clock import ZERO, Instant
from plotter2.errors import ConflictError
from plotter2.ids import DeliveryId
from plotter2.model.bundle import BundleVersion, version_digest
from plotter2.model.delivery import Order

BLOCK_BYTES = 4096
"""What the smallest file takes of a disk."""


class DeliveryState(IntEnum):
    """Where a delivery stands; the numbers are those of the wire."""

    RECEIVING = 1
    SEALED = 2
    CONFIRMED = 3
    REFUSED = 4


STEPS: dict[DeliveryState, frozenset[DeliveryState]] = {
    DeliveryState.RECEIVING: frozenset({DeliveryState.SEALED}),
    DeliveryState.SEALED: frozenset({DeliveryState.CONFIRMED, DeliveryState.REFUSED}),
    DeliveryState.CONFIRMED: frozenset(),
    DeliveryState.REFUSED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the manager said when it had a delivery.

    Attributes:
        held: why it is held in quarantine; "" for what was taken in. The bundle has version 0 then.
        declared: what was delivered, see `declared`; empty in what an older stager wrote down.
    """

    bundle: BundleVersion
    request_id: str
    is_new: bool
    held: str = ""
    declared: bytes = b""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the manager said when it did not want it."""

    code: str
    reason: str
    declared: bytes = b""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery that takes room here.

    Attributes:
        held: indexes of files that the manager had before; nothing of them lies here.
        number: the place in the order of sealing, 0 before.
    """

    order: Order
    state: DeliveryState
    held: frozenset[int] = frozenset()
    touched_at: Instant = ZERO
    sealed_at: Instant = ZERO
    number: int = 0

    @property
    def id(self) -> DeliveryId:
        """Its name."""
        return self.order.delivery_id

    @property
    def room_bytes(self) -> int:
        """The disk that it takes or may come to take, in whole blocks."""
        sizes = (entry.size_bytes for index, entry in enumerate(self.order.files) if index not in self.held)
        return sum(-(-size // BLOCK_BYTES) * BLOCK_BYTES for size in sizes)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the machine lets in."""

    quota_bytes: int
    deliveries_max: int = 10_000
    idle_s_max: float = 86_400.0
    forward_parallel_max: int = 4


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits here."""

    receiving: int
    sealed: int
    refused: int
    size_bytes: int


def declared(order: Order) -> bytes:
    """What tells one delivery from another under the same name: where it goes and all its files but the paperwork.

    Empty while digests are missing: then nothing can be told.
    """
    if not all(entry.digest for entry in order.files):
        return b""
    place = f"{order.bundle}\0{order.service_id}\0".encode()
    return blake3(place + version_digest(order.files)).digest()


def other_content(delivery_id: DeliveryId) -> ConflictError:
    """Why a delivery is not taken whose name belongs to another one."""
    return ConflictError(
        f"Delivery {delivery_id} was another push, with other files or to another bundle; give this push a key of its"
        " own, or repeat that push as it was."
    )


def is_same(one: Order, other: Order) -> bool:
    """Whether both declare the same; digests may have come only later."""
    if (one.bundle, one.service_id, len(one.files)) != (other.bundle, other.service_id, len(other.files)):
        return False
    return all(
        (mine.path, mine.size_bytes) == (its.path, its.size_bytes)
        and (not mine.digest or not its.digest or mine.digest == its.digest)
        for mine, its in zip(one.files, other.files, strict=True)
    )
