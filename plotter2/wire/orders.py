"""Standing orders, with what is remembered of them."""

from __future__ import annotations

import msgspec

from plotter2.api.v1 import manager_pb2
from plotter2.clock import Instant
from plotter2.ids import RequestId
from plotter2.model.order import Tally
from plotter2.model.package import OrderedRedo, OrderedReport, StandingOrder
from plotter2.model.request import RequestKind


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
        redo_json=_text(order.redo),
        report_json=_text(order.report),
    )


def _text(wanted: OrderedRedo | OrderedReport | None) -> str:
    return msgspec.json.encode(wanted).decode() if wanted is not None else ""


def order_from_proto(message: manager_pb2.OrderRecord) -> StandingOrder:
    """A standing order as it is declared."""
    return StandingOrder(
        name=message.name,
        on=message.on,  # type: ignore[arg-type] # the manager has checked it
        run=list(message.run),
        redo=msgspec.json.decode(message.redo_json, type=OrderedRedo) if message.redo_json else None,
        report=msgspec.json.decode(message.report_json, type=OrderedReport) if message.report_json else None,
        n=message.n,
        cron=message.cron,
        request=RequestKind(message.request) if message.request else None,
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
