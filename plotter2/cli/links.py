"""Commands about links: link, unlink, ops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from plotter2.cli import output, shapes
from plotter2.cli.data import BundleName
from plotter2.cli.verbs import Key, Session, verb
from plotter2.errors import UsageError

if TYPE_CHECKING:
    from plotter2.client.views import Operations

Src = Annotated[str, typer.Argument(metavar="BUNDLE", help="Whose operation it is.", show_default=False)]
Dst = Annotated[str, typer.Argument(metavar="TO", help="The bundle that does it too.", show_default=False)]


def link(
    session: Session,
    src: Src,
    dst: Dst,
    operation: Annotated[
        str, typer.Argument(metavar="OPERATION", help="A head or task of BUNDLE.", show_default=False)
    ],
    to: Annotated[str, typer.Option("--to", metavar="HEAD", help="The head or task of TO [default: same name].")] = "",
    mutable: Annotated[bool, typer.Option("--mutable", help="Sizes may differ.")] = False,
    forward: Annotated[str, typer.Option("--forward", metavar="HEAD", help="Translates the arguments.")] = "",
    backward: Annotated[str, typer.Option("--backward", metavar="HEAD", help="Translates what comes back.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Although it does not fit; flagged from then on.")] = False,
    key: Key = "",
) -> None:
    """Link an operation of one bundle to another: what the first does, the second does."""
    with session.connect() as p2:
        found = p2.link(
            src, dst, operation, to=to, mutable=mutable, forward=forward, backward=backward, force=force, key=key
        ).check()
    if session.as_json:
        output.document({"request": found.id, "state": found.state, "bundle": src, "to": dst, "operation": operation})
    else:
        print(f"{operation!r} of {src} is linked to {dst}.")


def unlink(
    session: Session,
    src: Src,
    dst: Dst,
    operation: Annotated[
        str, typer.Argument(metavar="OPERATION", help="Only this one [default: all that are linked].")
    ] = "",
    key: Key = "",
) -> None:
    """Have an operation linked no more. Nothing is deleted: `link` links it again."""
    with session.connect() as p2:
        found = p2.unlink(src, dst, operation, key=key).check()
    if session.as_json:
        output.document(
            {"request": found.id, "state": found.state, "bundle": src, "to": dst, "operation": operation or None}
        )
    else:
        print(
            f"{repr(operation) if operation else 'Nothing'} of {src} is linked to {dst}{' no more' * bool(operation)}."
        )


def ops(
    session: Session,
    bundle: BundleName,
    everywhere: Annotated[bool, typer.Option("--all", help="Only what every bundle below does.")] = False,
    anywhere: Annotated[bool, typer.Option("--any", help="Only what some bundle below does.")] = False,
    forced: Annotated[bool, typer.Option("--forced", help="Forced links count too.")] = False,
    calls: Annotated[bool, typer.Option("--calls", help="What a run on it can call, and who does it.")] = False,
    task_of: Annotated[
        str, typer.Option("--task-of", metavar="BUNDLE", help="With --calls: who declares the task that runs.")
    ] = "",
) -> None:
    """List what a bundle does, and how those below it do it; or what a run on it can call."""
    if everywhere + anywhere + calls > 1:
        raise UsageError(
            "--all, --any and --calls exclude each other: all bundles below, some, or what a run can call."
        )
    if task_of and not calls:
        raise UsageError("--task-of goes with --calls.")
    if calls:
        _list_calls(session, bundle, task_of)
        return
    with session.connect() as p2:
        found = p2.ops(bundle, "all" if everywhere else "any" if anywhere else "", forced=forced)
    if session.as_json:
        output.document(shapes.operations(found))
    else:
        _show(found)


def _list_calls(session: Session, bundle: str, task_of: str) -> None:
    with session.connect() as p2:
        found = p2.calls(bundle, task_of=task_of)
    if session.as_json:
        output.document(shapes.operations(found))
        return
    rows = [
        (one.name, one.shape, link.of, link.head, link.origin, link.mode, ", ".join([*link.forward, *link.backward]))
        for one in found.operations
        for link in one.links
    ]
    head = ("name", "shape", "done by", "head", "origin", "mode", "translated by")
    output.table(head, rows, f"A run on {found.bundle} can call nothing.")


def _show(found: Operations) -> None:
    rows = [
        (one.name, one.form, one.shape, f"{len(one.links)} of {len(found.members)}" if found.members else "")
        for one in found.operations
    ]
    output.table(("operation", "form", "shape", "linked by"), rows, f"{found.bundle} does nothing of that.")
    if found.members:
        output.table(
            ("bundle", "is", "score", "missing", "forced"),
            [
                (one.bundle, one.standing, f"{one.score:.2f}", ", ".join(one.missing), ", ".join(one.forced))
                for one in found.members
            ],
            "",
        )


def register(app: typer.Typer) -> None:
    """Put these commands into the tree."""
    verb(
        app,
        "link",
        examples="plotter2 link experiments/x experiments/x/a curve\n\n"
        "plotter2 link experiments/x experiments/x/a weights --to load --backward flatten",
    )(link)
    verb(
        app,
        "unlink",
        examples="plotter2 unlink experiments/x experiments/x/a curve\n\nplotter2 unlink experiments/x experiments/x/a",
    )(unlink)
    verb(
        app,
        "ops",
        examples="plotter2 ops experiments/x\n\nplotter2 ops experiments/x --all --json\n\n"
        "plotter2 ops experiments/x --calls",
    )(ops)
