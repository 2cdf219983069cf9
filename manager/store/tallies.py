"""Rows of what is remembered of standing orders (pure)."""

from __future__ import annotations

from manager.store.rows import Row, Values
from plotter2.clock import Instant
from plotter2.ids import RequestId
from plotter2.model.order import Tally


def values(one: Tally) -> Values:
    """For put_orders."""
    return (
        one.bundle, one.name, one.arrivals, one.cron, one.due_at, one.fired, one.fired_at, one.fired_as, one.paused_at,
        one.paused_by, one.missed,
    )  # fmt: skip


def read(row: Row) -> Tally:
    """What is remembered of a standing order."""
    return Tally(
        row["bundle"], row["name"], row["arrivals"], row["cron"], Instant(row["due_at"]), row["fired"],
        Instant(row["fired_at"]), RequestId(row["fired_as"]), Instant(row["paused_at"]), row["paused_by"],
        row["missed"],
    )  # fmt: skip
