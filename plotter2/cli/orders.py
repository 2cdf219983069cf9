"""Standing orders: orders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from plotter2.cli import output
from plotter2.cli.shapes import page
from plotter2.cli.verbs import Key, Session, verb
from plotter2.errors import UsageError

if TYPE_CHECKING:
    from plotter2.client.views import Order

DECISIONS = ("pause", "resume")


def orders(
    session: Session,
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[BUNDLE] | pause|resume BUNDLE ORDER", help="Of BUNDLE and those below; or have one wait, or not."
        ),
    ] = None,
    key: Key = "",
) -> None:
    """List the standing orders: what each waits for, how often and when it fired; or pause one, or resume it."""
    words = what or []
    if len(words) == 3 and words[0] in DECISIONS:  # noqa: PLR2004 -- pause BUNDLE ORDER
        _decide(session, words[0], words[1], words[2], key)
        return
    if len(words) > 1 or words[:1] in [[one] for one in DECISIONS]:
        raise UsageError("orders takes nothing, or BUNDLE, or pause BUNDLE ORDER, or resume BUNDLE ORDER.")
    _list(session, *words)


def _decide(session: Session, decision: str, bundle: str, order: str, key: str) -> None:
    with session.connect() as p2:
        ask = p2.pause if decision == DECISIONS[0] else p2.resume
        found = ask(bundle, order, key=key).check()
    if session.as_json:
        output.document({"request": found.id, "state": found.state, "bundle": bundle, "order": order})
    else:
        print(f"{order!r} of {bundle} {'waits' if decision == DECISIONS[0] else 'fires again'}.")


def _list(session: Session, bundle: str = "") -> None:
    with session.connect() as p2:
        found = p2.orders(bundle)
    if session.as_json:
        output.document(page(found, _order))
        return
    rows = [
        (
            one.name, one.bundle, one.waits_for, one.asks_for, str(one.fired), one.last_fired, one.last_request,
            one.pause,
        )
        for one in found
    ]  # fmt: skip
    heads = ("order", "bundle", "waits for", "asks for", "fired", "last", "as request", "paused")
    output.table(heads, rows, "No bundle declares a standing order.")


def _order(one: Order) -> dict[str, Any]:
    return {
        "name": one.name,
        "bundle": one.bundle,
        "on": one.on,
        "run": list(one.run),
        "redo": output.raw(one.redo_json, "null"),
        "report": output.raw(one.report_json, "null"),
        "n": one.n,
        "arrivals": one.arrivals,
        "cron": one.cron,
        "request": one.request,
        "next_due": one.next_due,
        "fired": one.fired,
        "last_fired": one.last_fired,
        "last_request": one.last_request,
        "paused": one.paused,
        "paused_by": one.paused_by,
        "missed": one.missed,
    }


def register(app: typer.Typer) -> None:
    """Put this command into the tree."""
    verb(
        app,
        "orders",
        examples="plotter2 orders\n\nplotter2 orders experiments/digits --json\n\n"
        "plotter2 orders pause experiments/digits nightly",
    )(orders)
