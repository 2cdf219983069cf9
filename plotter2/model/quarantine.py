"""Quarantine: what plotter2 keeps and does not use, each with its reason (requirements 003, 063).

Two kinds: a stray is something that somebody put into the managed tree by hand; a delivery is one whose conditions do
not hold. Nothing of either is ever loaded, and nothing is deleted: a decision changes the state of the item only.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from plotter2.clock import ZERO, Instant
from plotter2.errors import IllegalStepError
from plotter2.ids import RequestId


class ItemKind(StrEnum):
    """What is held."""

    STRAY = "stray"
    DELIVERY = "delivery"


class ItemState(StrEnum):
    """Whether it waits for a decision, and which one was taken."""

    HELD = "held"
    RELEASED = "released"
    REFUSED = "refused"


ITEM_STEPS: dict[ItemState, frozenset[ItemState]] = {
    ItemState.HELD: frozenset({ItemState.RELEASED, ItemState.REFUSED}),
    ItemState.RELEASED: frozenset(),
    ItemState.REFUSED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class QuarantineItem:
    """Something in quarantine, or that was.

    Attributes:
        id: `str-` and 32 hexadecimal digits for a stray, the delivery's id for a delivery.
        place: a stray: where it lay, below the home; a delivery: the bundle it is meant for.
        reason: why it is here, one sentence.
        at: when it came here.
        kept: a stray: the folder that it lies in now, below the home; "" for a delivery, whose content is in the store.
        user: who sent it, "" for a stray.
        request_id: the push that waits, "" for a stray.
        decision: the request that decided, "" while nobody has.
    """

    id: str
    kind: ItemKind
    place: str
    reason: str
    at: Instant = ZERO
    state: ItemState = ItemState.HELD
    kept: str = ""
    user: str = ""
    request_id: RequestId = RequestId("")
    decided_at: Instant = ZERO
    decision: RequestId = RequestId("")


def step(item: str, before: ItemState, after: ItemState) -> ItemState:
    """Return `after` if the table has that arrow.

    Raises:
        IllegalStepError: it has not.
    """
    if after not in ITEM_STEPS[before]:
        raise IllegalStepError(f"What is in quarantine as {item} cannot go from {before} to {after}.")
    return after
