"""The command that tags bundles."""

from __future__ import annotations

from typing import Annotated

import typer

from plotter2.cli import output, values
from plotter2.cli.data import BundleName
from plotter2.cli.verbs import Key, Session, verb
from plotter2.client.sources import JsonText
from plotter2.errors import UsageError


def tag(
    session: Session,
    bundle: BundleName,
    settings: Annotated[
        list[str] | None, typer.Argument(metavar="NAME=VALUE…", help="Tags to set.", show_default=False)
    ] = None,
    unset: Annotated[
        list[str] | None, typer.Option("--unset", metavar="NAME", help="A tag to take away.", show_default=False)
    ] = None,
    key: Key = "",
) -> None:
    """Set tags on a bundle, to find it by; they stay with its next versions."""
    given: dict[str, JsonText | None] = {name: JsonText(text) for name, text in values.tags(settings or []).items()}
    for name in unset or []:
        if name in given:
            raise UsageError(f"The tag {name!r} is set and taken away; one of the two is meant.")
        given[name] = None
    if not given:
        raise UsageError(f"No tag is given; write `plotter2 tag {bundle} model=mlp`, or --unset model.")
    with session.connect() as p2:
        found = p2.tag(bundle, given, key=key).check()
        after = p2.bundle(bundle, files=False).bundle
    if session.as_json:
        document = {"request": found.id, "state": found.state, "bundle": after.bundle}
        output.document({**document, "tags": output.raw(after.tags_json, "{}")})
    else:
        print(f"{after.bundle}  {output.settings(after.tags_json)}".rstrip())


def register(app: typer.Typer) -> None:
    """Put this command into the tree."""
    verb(
        app,
        "tag",
        examples="plotter2 tag experiments/digits model=mlp layers=3\n\nplotter2 tag experiments/digits --unset layers",
    )(tag)
