"""Names from a seed: the same in each run, in the same grammar as the real ones."""

from __future__ import annotations

import random

from plotter2 import ids
from plotter2.clock import Clock
from plotter2.testing.clock import ManualClock


class SeededIds:
    """An `IdSource` whose chance comes from a seed. Names sort in the order of their making, as the clock moves."""

    def __init__(self, seed: int = 0, clock: Clock | None = None) -> None:
        self._chance = random.Random(seed)  # noqa: S311 -- repeatable is what is wanted
        self._clock = clock or ManualClock()
        self._count = 0

    def _parts(self) -> tuple[int, bytes]:
        # The count stands first, so that names made in the same millisecond sort too (the UUID's version digit and two
        # variant bits are set over some of it).
        self._count += 1
        rest = self._chance.randbytes(ids.RANDOM_BYTES - 4)
        return int(self._clock.now() * 1000) + self._count, self._count.to_bytes(4, "big") + rest

    def request(self) -> ids.RequestId:
        """A new request id."""
        return ids.request_id(*self._parts())

    def delivery(self) -> ids.DeliveryId:
        """A new delivery id."""
        return ids.delivery_id(*self._parts())

    def uuid(self) -> str:
        """A new version 7 UUID."""
        return ids.uuid7(*self._parts())
