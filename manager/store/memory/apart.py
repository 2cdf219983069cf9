"""The quarantine of the store in memory: what is kept and not used."""

from __future__ import annotations

from manager.store import Batch, Held, Page
from plotter2.ids import DeliveryId
from plotter2.model.quarantine import ItemKind, ItemState, QuarantineItem


class Apart:
    """Items by id, and all about held deliveries."""

    def __init__(self) -> None:
        super().__init__()
        self._quarantine: dict[str, QuarantineItem] = {}
        self._held: dict[DeliveryId, Held] = {}

    def _set_apart(self, batch: Batch) -> None:
        self._quarantine |= batch.quarantine
        self._held |= {one.id: one for one in batch.held.values() if one.id not in self._held}

    def _waiting(self) -> tuple[Held, ...]:
        """Deliveries that nobody has decided about, oldest first, in short."""
        return tuple(
            self._held[DeliveryId(one.id)].short()
            for one in sorted(self._quarantine.values(), key=lambda one: (one.at, one.id))
            if one.kind is ItemKind.DELIVERY and one.state is ItemState.HELD
        )

    async def get_held(self, delivery: DeliveryId) -> Held | None:
        """A delivery that is, or was, in quarantine, with its files."""
        return self._held.get(delivery)

    async def get_item(self, item: str) -> QuarantineItem | None:
        """What is, or was, in quarantine under this id."""
        return self._quarantine.get(item)

    async def list_quarantine(self, offset: int, limit: int, *, decided: bool = False) -> Page[QuarantineItem]:
        """What is in quarantine, oldest first."""
        chosen = [one for one in self._quarantine.values() if decided or one.state is ItemState.HELD]
        chosen.sort(key=lambda one: (one.at, one.id))
        return Page(tuple(chosen[offset : offset + limit]), len(chosen))
