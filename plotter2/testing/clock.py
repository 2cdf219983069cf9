"""Time that moves only when it is told to."""

from __future__ import annotations

from plotter2.clock import Instant

BEGIN = Instant(1_700_000_000.0)


class ManualClock:
    """A `Clock` that a test moves. Wall clock and monotonic clock move together, unless the wall is made to step."""

    def __init__(self, begin: Instant = BEGIN) -> None:
        self._now = float(begin)
        self._monotonic = 0.0

    def now(self) -> Instant:
        """The wall clock, in Unix seconds."""
        return Instant(self._now)

    def monotonic(self) -> float:
        """Seconds since the clock was made."""
        return self._monotonic

    def advance(self, seconds: float) -> Instant:
        """Let time pass; returns the new now.

        Raises:
            ValueError: time does not go back.
        """
        if seconds < 0:
            raise ValueError(f"Time does not go back by {seconds} s; `step` the wall clock instead.")
        self._now += seconds
        self._monotonic += seconds
        return self.now()

    def step(self, seconds: float) -> Instant:
        """Set the wall clock, as an administrator or NTP does; the monotonic clock does not notice."""
        self._now += seconds
        return self.now()
