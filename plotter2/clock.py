"""Time and chance as arguments: the protocols, and the system's own. The only importer of `time` and `secrets`.

Instants inside plotter2 are Unix seconds as float (`Instant`): comparable, storable, sendable. People see RFC 3339.
"""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime
from typing import NewType, Protocol

from plotter2 import ids

Instant = NewType("Instant", float)
"""A moment, in Unix seconds."""

ZERO = Instant(0.0)


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> Instant:
        """The wall clock, in Unix seconds; may step."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back; only differences mean anything."""
        ...


class IdSource(Protocol):
    """Where new names come from."""

    def request(self) -> ids.RequestId:
        """A new request id."""
        ...

    def delivery(self) -> ids.DeliveryId:
        """A new delivery id."""
        ...

    def uuid(self) -> str:
        """A new version 7 UUID, for tasks and workers."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> Instant:
        """The wall clock, in Unix seconds."""
        return Instant(time.time())  # noqa: TID251 -- the one place

    def monotonic(self) -> float:
        """The machine's monotonic clock, in seconds."""
        return time.monotonic()  # noqa: TID251 -- the one place


class SystemIds:
    """Names from the clock and the operating system's randomness."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def _parts(self) -> tuple[int, bytes]:
        return int(self._clock.now() * 1000), secrets.token_bytes(ids.RANDOM_BYTES)

    def request(self) -> ids.RequestId:
        """A new request id."""
        return ids.request_id(*self._parts())

    def delivery(self) -> ids.DeliveryId:
        """A new delivery id."""
        return ids.delivery_id(*self._parts())

    def uuid(self) -> str:
        """A new version 7 UUID."""
        return ids.uuid7(*self._parts())


def rfc3339(instant: Instant | float) -> str:
    """An instant for people and JSON: RFC 3339, UTC, microseconds, `Z`."""
    return datetime.fromtimestamp(instant, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def from_rfc3339(text: str) -> Instant:
    """The inverse of `rfc3339`; any offset is accepted.

    Raises:
        ValueError: not such a time.
    """
    return Instant(datetime.fromisoformat(text).timestamp())
