"""Automatic users: planner, wish."""

from __future__ import annotations

from typing import Annotated

import typer

from plotter2.cli import output, shapes
from plotter2.cli.data import BundleName
from plotter2.cli.verbs import Key, Session, verb
from plotter2.errors import UsageError

SWITCH = ("on", "off")


def planner(
    session: Session,
    switch: Annotated[
        str, typer.Argument(metavar="[on|off]", help="Let automatic users ask, or not.", show_default=False)
    ] = "",
    key: Key = "",
) -> None:
    """Show whether automatic users may ask, and how often they did; or let them, or not. Off until somebody does."""
    if switch and switch not in SWITCH:
        raise UsageError(f"planner takes nothing, or on, or off; not {switch!r}.")
    with session.connect() as p2:
        if switch:
            p2.switch_planner(on=switch == SWITCH[0], key=key).check()
        found = p2.planner()
    if session.as_json:
        output.document(
            {
                "on": found.is_on,
                "by": found.by,
                "since": found.since,
                "identity": found.identity,
                "asked": found.asked,
                "hourly_max": found.hourly_max,
            }
        )
        return
    said = f" (by {found.by}, {found.since})" if found.by else ""
    print(f"The planner {found.identity} is {'on' if found.is_on else 'off'}{said}.")
    print(f"Automatic users have asked {found.asked} times within the last hour; {found.hourly_max} are allowed.")


def wish(
    session: Session,
    bundle: BundleName,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What you wish, in your words.", show_default=False)],
    key: Key = "",
) -> None:
    """Have the planner think about a bundle: it asks for what fulfils the wish, and each ask says why."""
    with session.connect() as p2:
        found = p2.wish(bundle, text, key=key)
        asked = p2.requests(cause=found.id)
    if session.as_json:
        output.document({**shapes.request_line(found), "asked": [shapes.request_line(one) for one in asked]})
    else:
        rows = [(one.id, one.kind, str(one.state), one.reason or one.because) for one in asked]
        output.table(("request", "kind", "state", "why"), rows, "Nothing was asked for.")
    found.check()


def register(app: typer.Typer) -> None:
    """Put these commands into the tree."""
    verb(app, "planner", examples="plotter2 planner\n\nplotter2 planner on\n\nplotter2 planner --json")(planner)
    verb(
        app,
        "wish",
        examples="plotter2 wish experiments/digits 'redo with lr=0.1, 0.2 and 0.05'\n\n"
        "plotter2 wish experiments/digits 'plot embedding where clusters are circled and labelled, noise removed'",
    )(wish)
