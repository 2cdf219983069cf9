"""What is remembered of a standing order between its firings, and of firings that led to one another (pure)."""

from __future__ import annotations

from dataclasses import dataclass

from plotter2.clock import ZERO, Instant
from plotter2.ids import RequestId

CHAIN_MAX = 32
"""Firings that may lead to one another before the next is stopped."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What is counted and remembered of a standing order. Known by the bundle that declares it and its name there.

    Attributes:
        arrivals: how many have arrived since its last firing; for `on: arrivals`.
        cron: the schedule that `due_at` comes from; "" for an order without one.
        due_at: when it fires next; 0 if no time is set.
        fired: how often it has fired.
        fired_at: when it fired last; 0 for never.
        fired_as: the request of its last firing.
        paused_at: since when it does not fire; 0: it does.
        paused_by: who asked for that.
        missed: firings that were passed over since then.
    """

    bundle: str
    name: str
    arrivals: int = 0
    cron: str = ""
    due_at: Instant = ZERO
    fired: int = 0
    fired_at: Instant = ZERO
    fired_as: RequestId = RequestId("")
    paused_at: Instant = ZERO
    paused_by: str = ""
    missed: int = 0

    @property
    def is_paused(self) -> bool:
        """Whether somebody has it wait."""
        return self.paused_at != ZERO


@dataclass(frozen=True, slots=True)
class Firing:
    """One step of a chain: an order of `bundle` has fired on `target`."""

    bundle: str
    order: str
    target: str


def told(chain: tuple[Firing, ...]) -> str:
    """A chain for people: `'lab/a' each on 'lab/a/bundles/x' → 'lab/a' all on 'lab/a'`."""
    return " → ".join(f"{one.bundle!r} {one.order} on {one.target!r}" for one in chain)
