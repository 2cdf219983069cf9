"""Standing orders: when they fire, and when they fired."""

from __future__ import annotations

from dataclasses import dataclass

from plotter2.client.views.page import when
from plotter2.model.order import Tally


@dataclass(frozen=True, slots=True)
class Order:
    """A standing order of a bundle.

    Attributes:
        on: its trigger: version, child, arrivals, settled, cron or request.
        run: the tasks that it runs.
        n: of `on: arrivals`: how many make one firing; `arrivals` have come since the last one.
        request: of `on: request`: which kind it waits for.
        next_due: of `on: cron`: when it fires next; "" for all others.
        fired: how often it has fired; the last time at `last_fired`, as the request `last_request`.
        paused: since when it waits, "" for an order that does not; `paused_by` asked for that, and `missed` firings
            were passed over since.
    """

    bundle: str
    name: str
    on: str
    run: tuple[str, ...]
    n: int = 0
    arrivals: int = 0
    cron: str = ""
    request: str = ""
    next_due: str = ""
    fired: int = 0
    last_fired: str = ""
    last_request: str = ""
    paused: str = ""
    paused_by: str = ""
    missed: int = 0

    @classmethod
    def of(cls, tally: Tally, on: str, run: tuple[str, ...], n: int, request: str) -> Order:
        """The view of an order and of what is remembered of it."""
        return cls(
            tally.bundle, tally.name, on, run, n, tally.arrivals, tally.cron, request, when(tally.due_at), tally.fired,
            when(tally.fired_at), tally.fired_as, when(tally.paused_at), tally.paused_by, tally.missed,
        )  # fmt: skip

    @property
    def pause(self) -> str:
        """Whether it waits, in words."""
        return f"by {self.paused_by} since {self.paused}, {self.missed} missed" if self.paused else ""

    @property
    def waits_for(self) -> str:
        """What it waits for, in words."""
        match self.on:
            case "cron":
                return f"{self.cron} (next {self.next_due})"
            case "arrivals":
                return f"{self.n} arrivals ({self.arrivals} so far)"
            case "request":
                return f"{self.request} done"
            case _:
                return self.on
