"""Standing orders: when they fire, and when they fired."""

from __future__ import annotations

import json
from dataclasses import dataclass

import msgspec

from plotter2.client.views.page import when
from plotter2.model.order import Tally
from plotter2.model.package import OrderedRedo, OrderedReport, StandingOrder


@dataclass(frozen=True, slots=True)
class Order:
    """A standing order of a bundle.

    Attributes:
        on: its trigger: version, child, arrivals, settled, cron or request.
        run: the tasks that it runs.
        redo_json: the redo that it asks for, as it is declared; "" for none.
        report_json: the report that it asks for; "" for none.
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
    redo_json: str = ""
    report_json: str = ""

    @classmethod
    def of(cls, tally: Tally, order: StandingOrder) -> Order:
        """The view of an order and of what is remembered of it."""
        return cls(
            tally.bundle, tally.name, order.on, tuple(order.run), order.n, tally.arrivals, tally.cron,
            order.request or "", when(tally.due_at), tally.fired, when(tally.fired_at), tally.fired_as,
            when(tally.paused_at), tally.paused_by, tally.missed, _text(order.redo), _text(order.report),
        )  # fmt: skip

    @property
    def asks_for(self) -> str:
        """What it asks for, in words."""
        redo = [self._redo()] if self.redo_json else []
        return ", ".join([*self.run, *redo, *(["a report"] if self.report_json else [])])

    def _redo(self) -> str:
        wanted = json.loads(self.redo_json)
        values = " ".join(f"{name}={json.dumps(given)}" for name, given in wanted.get("set", {}).items())
        return f"redo {wanted.get('of', self.bundle)} {values}".rstrip()

    @property
    def pause(self) -> str:
        """Whether it waits, in words."""
        return f"by {self.paused_by} since {_minute(self.paused)}, {self.missed} missed" if self.paused else ""

    @property
    def waits_for(self) -> str:
        """What it waits for, in words."""
        match self.on:
            case "cron":
                return f"{self.cron} (next {_minute(self.next_due)})"
            case "arrivals":
                return f"{self.n} arrivals ({self.arrivals} so far)"
            case "request":
                return f"{self.request} done"
            case _:
                return self.on


def _minute(time: str) -> str:
    return f"{time[:16].replace('T', ' ')} UTC"


def _text(wanted: OrderedRedo | OrderedReport | None) -> str:
    return msgspec.json.encode(wanted).decode() if wanted is not None else ""
