"""Versions: diff, history, archive, unarchive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from plotter2.cli import output, shapes
from plotter2.cli.data import BundleName
from plotter2.cli.verbs import Key, Session, verb

if TYPE_CHECKING:
    from plotter2.client.views import ChangedFile, Difference

SIGNS = {"added": "+", "changed": "~", "gone": "-"}
SHOWN_MAX = 1_000
"""Changed files in the text form; --json lists all."""

Before = Annotated[str, typer.Argument(metavar="BEFORE", help="A bundle, as group/name@1.", show_default=False)]
After = Annotated[str, typer.Argument(metavar="AFTER", help="A bundle, as group/name@2.", show_default=False)]


def diff(session: Session, before: Before, after: After) -> None:
    """Show what differs between two versions: files added, changed, gone; parameters."""
    with session.connect() as p2:
        found = p2.diff(before, after)
    if session.as_json:
        output.document(shapes.difference(found))
    else:
        _show(found)


def _show(found: Difference) -> None:
    for parameter in found.parameters:
        values = " -> ".join(text for text in (parameter.before_json, parameter.after_json) if text)
        print(f"{SIGNS[parameter.change]} parameter {parameter.name}: {values}")
    for file in found.files[:SHOWN_MAX]:
        print(f"{SIGNS[file.change]} {file.path}  {_sizes(file)}")
    if len(found.files) > SHOWN_MAX:
        output.note(f"{len(found.files) - SHOWN_MAX} more files differ; --json lists them all.")
    left, right = (f"{side.bundle}@{side.version}" for side in (found.before, found.after))
    if found.is_empty:
        print(f"{left} and {right} are the same: {found.unchanged} files.")
    else:
        output.note(f"{left} -> {right}: {len(found.files)} files differ, {found.unchanged} do not.")


def _sizes(file: ChangedFile) -> str:
    before, after = file.before, file.after
    if before is None or after is None:
        return " ".join(output.size(side.size_bytes) for side in (before, after) if side is not None)
    words = []
    if before.digest != after.digest:
        sizes = [output.size(side.size_bytes) for side in (before, after)]
        words.append(" -> ".join(sizes) if sizes[0] != sizes[1] else f"{sizes[0]}, other content")
    if before.mode != after.mode:
        words.append(f"mode {before.mode:o} -> {after.mode:o}")
    return ", ".join(words)


def history(session: Session, bundle: BundleName) -> None:
    """List everything that was asked about a bundle and what lies below it, oldest first."""
    with session.connect() as p2:
        found = p2.history(bundle)
    if session.as_json:
        output.document(shapes.page(found, shapes.history_entry))
        return
    rows = [
        (
            one.request.created,
            one.request.kind,
            one.request.state,
            one.outcome,
            one.request.user,
            one.request.bundle,
            one.request.id,
            one.request.reason,
        )
        for one in found
    ]
    output.table(
        ("when", "what", "state", "outcome", "user", "bundle", "request", "reason"),
        rows,
        f"Nothing was asked about {bundle} yet.",
    )


def inherit(session: Session, bundle: BundleName, key: Key = "") -> None:
    """Take anew what a bundle has from its parents as they are now: a new version, unless nothing differs."""
    with session.connect() as p2:
        found = p2.inherit(bundle, key=key).check()
        now = p2.bundle(bundle, files=False)
    made = found.ask.get("made_version")
    if session.as_json:
        line = {"request": found.id, "state": found.state, "bundle": bundle, "version": made or now.bundle.version}
        output.document({**line, "new": bool(made), "from": list(now.inherited.line)})
    else:
        print(f"{bundle}@{made or now.bundle.version}  {' '.join(now.inherited.line)}{'' if made else '  unchanged'}")


def archive(session: Session, bundle: BundleName, key: Key = "") -> None:
    """Put a bundle aside: it is not listed any more, and nothing of it is deleted."""
    _hide(session, bundle, key, archived=True)


def unarchive(session: Session, bundle: BundleName, key: Key = "") -> None:
    """List a bundle again that was put aside."""
    _hide(session, bundle, key, archived=False)


def _hide(session: Session, bundle: str, key: str, *, archived: bool) -> None:
    with session.connect() as p2:
        found = (p2.archive(bundle, key=key) if archived else p2.unarchive(bundle, key=key)).check()
    if session.as_json:
        output.document({"request": found.id, "state": found.state, "bundle": bundle, "archived": archived})
    else:
        print(f"{bundle} is {'archived' if archived else 'back'}.")


def register(app: typer.Typer) -> None:
    """Put these commands into the tree."""
    verb(app, "diff", examples="plotter2 diff data/flights@1 data/flights@2\n\nplotter2 diff data/a data/b --json")(
        diff
    )
    verb(app, "history", examples="plotter2 history experiments/first")(history)
    verb(app, "inherit", examples="plotter2 inherit experiments/first")(inherit)
    verb(app, "archive", examples="plotter2 archive experiments/first")(archive)
    verb(app, "unarchive", examples="plotter2 unarchive experiments/first")(unarchive)
