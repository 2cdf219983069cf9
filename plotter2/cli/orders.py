"""Standing orders: orders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from plotter2.cli import output
from plotter2.cli.shapes import page
from plotter2.cli.verbs import Session, verb

if TYPE_CHECKING:
    from plotter2.client.views import Order


def orders(
    session: Session,
    bundle: Annotated[str, typer.Argument(metavar="BUNDLE", help="Only its own, and those of bundles below.")] = "",
) -> None:
    """List the standing orders: what each waits for, how often it has fired, and when it did last."""
    with session.connect() as p2:
        found = p2.orders(bundle)
    if session.as_json:
        output.document(page(found, _order))
        return
    rows = [
        (one.name, one.bundle, one.waits_for, ", ".join(one.run), str(one.fired), one.last_fired, one.last_request)
        for one in found
    ]
    heads = ("order", "bundle", "waits for", "runs", "fired", "last", "as request")
    output.table(heads, rows, "No bundle declares a standing order.")


def _order(one: Order) -> dict[str, Any]:
    return {
        "name": one.name,
        "bundle": one.bundle,
        "on": one.on,
        "run": list(one.run),
        "n": one.n,
        "arrivals": one.arrivals,
        "cron": one.cron,
        "request": one.request,
        "next_due": one.next_due,
        "fired": one.fired,
        "last_fired": one.last_fired,
        "last_request": one.last_request,
    }


def register(app: typer.Typer) -> None:
    """Put this command into the tree."""
    verb(app, "orders", examples="plotter2 orders\n\nplotter2 orders experiments/digits --json")(orders)
