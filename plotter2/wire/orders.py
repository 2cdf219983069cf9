"""Standing orders, with what is remembered of them."""

from __future__ import annotations

from plotter2.api.v1 import manager_pb2
from plotter2.clock import Instant
from plotter2.ids import RequestId
from plotter2.model.order import Tally
from plotter2.model.package import StandingOrder


def order_to_proto(order: StandingOrder, tally: Tally) -> manager_pb2.OrderRecord:
    """A standing order as it is declared, and how far it is."""
    return manager_pb2.OrderRecord(
        bundle=tally.bundle,
        name=tally.name,
        on=order.on,
        run=order.run,
        n=order.n,
        cron=tally.cron,
        request=order.request or "",
        arrivals=tally.arrivals,
        due_at=tally.due_at,
        fired=tally.fired,
        fired_at=tally.fired_at,
        fired_as=tally.fired_as,
        paused_at=tally.paused_at,
        paused_by=tally.paused_by,
        missed=tally.missed,
    )


def tally_from_proto(message: manager_pb2.OrderRecord) -> Tally:
    """How far an order is."""
    return Tally(
        message.bundle,
        message.name,
        message.arrivals,
        message.cron,
        Instant(message.due_at),
        message.fired,
        Instant(message.fired_at),
        RequestId(message.fired_as),
        Instant(message.paused_at),
        message.paused_by,
        message.missed,
    )
