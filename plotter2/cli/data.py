"""Commands about data: push, pull, ls, show, history, archive, report."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from shlex import quote
from typing import Annotated, Any

import typer

from plotter2.cli import output, paper, search, shapes
from plotter2.cli.verbs import Key, Session, verb
from plotter2.client.views import Contents, Page, Request, Run
from plotter2.errors import NotFoundError, RefusedError, UsageError

ASSET, REPORT = "asset", "report"
"""What pages share, as Bokeh's script: nothing to look at."""
DIGEST_SHOWN = 12
FILES_SHOWN = 40
FILES_ALL = (1 << 32) - 1
LIMIT_DEFAULT = 100

BundleName = Annotated[str, typer.Argument(metavar="BUNDLE", help="A bundle, as group/name.", show_default=False)]
Versioned = Annotated[
    str,
    typer.Argument(metavar="BUNDLE[@VERSION]", help="A bundle; its newest version unless told.", show_default=False),
]


def push(
    session: Session,
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A directory or a file.", show_default=False)],
    bundle: BundleName,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Until the manager has it; else until it is safe on disk.")
    ] = True,
    key: Key = "",
) -> int:
    """Send data into a bundle: a new version, unless nothing has changed."""
    if not path.exists():
        raise UsageError(f"There is no file or directory {path}.")
    with session.connect() as p2, output.byte_bar(f"push {bundle}", is_shown=not session.as_json) as bar:
        found = p2.push(path, bundle, wait=wait, on_progress=bar, key=key)
    for warning in found.warnings:
        output.note(f"warning: {warning}")
    if session.as_json:
        output.document(shapes.pushed(found))
    elif not found.held:
        print(
            f"{found.bundle}@{found.version}  {output.amount(found)}  {found.request_id}"
            f"{'' if found.is_new else '  unchanged'}"
        )
    if found.held:
        output.note(f"{found.bundle}  {found.request_id}  {found.held}")
    return RefusedError.exit_code if found.held else 0


def pull(
    session: Session,
    bundle: Versioned,
    destination: Annotated[
        Path, typer.Argument(metavar="DEST", help="A directory that is not there yet, or empty.", show_default=False)
    ],
) -> None:
    """Fetch a bundle into a new directory."""
    with session.connect() as p2, output.byte_bar(f"pull {bundle}", is_shown=not session.as_json) as bar:
        found = p2.pull(bundle, destination, on_progress=bar)
    if session.as_json:
        output.document(shapes.pulled(found))
    else:
        print(f"{found.bundle}@{found.version}  {output.amount(found)}  {found.path}")


def ls(
    session: Session,
    bundle: Annotated[str, typer.Argument(metavar="BUNDLE", help="Only this one and what is below it.")] = "",
    versions: Annotated[bool, typer.Option("--versions", help="Every version of this one bundle.")] = False,
    archived: Annotated[bool, typer.Option("--archived", help="Also what was put aside.")] = False,
    where: Annotated[str, typer.Option("--where", metavar="CONDITION", help="Only bundles and runs like that.")] = "",
    sort: Annotated[str, typer.Option("--sort", metavar="FIELDS", help="By these, as -metric.loss,path.")] = "",
    limit: Annotated[int | None, typer.Option("--limit", min=0, help="At most so many (100); 0 is all.")] = None,
) -> None:
    """List bundles; with --where, --sort or --limit bundles and runs with their values, newest first."""
    if versions and not bundle:
        raise UsageError("ls --versions needs a bundle, as `plotter2 ls experiments/digits --versions`.")
    if where or sort or limit is not None:
        if versions:
            raise UsageError("ls --versions lists the versions of one bundle; a search looks at the newest ones only.")
        search.listed(session, bundle, where, sort, LIMIT_DEFAULT if limit is None else limit, archived=archived)
        return
    with session.connect() as p2:
        found = p2.ls(bundle, versions=versions, archived=archived)
    if session.as_json:
        output.document(shapes.page(found, shapes.bundle))
        return
    rows = [
        (
            one.bundle,
            one.version,
            one.files,
            output.size(one.size_bytes),
            output.settings(one.parameters_json),
            one.created,
        )
        for one in found
    ]
    output.table(
        ("bundle", "version", "files", "size", "parameters", "created"),
        rows,
        "There is no bundle yet; see `plotter2 push`.",
    )


def show(
    session: Session,
    thing: Annotated[
        str,
        typer.Argument(metavar="THING", help="A bundle, bundle@version, a request or a run.", show_default=False),
    ],
    files: Annotated[
        int | None,
        typer.Option(
            "--files", min=0, max=FILES_ALL, show_default=False,
            help="At most so many of a bundle's files [default: 40, with --json all]; 0 is all.",
        ),
    ] = None,
    after: Annotated[
        str, typer.Option("--after", metavar="PATH", help="Of a bundle's files those behind this one: the next page.")
    ] = "",
) -> None:  # fmt: skip
    """Show one thing in full."""
    if files is None:
        files = 0 if session.as_json else FILES_SHOWN
    with session.connect() as p2:
        found = p2.show(thing, files_max=files or FILES_ALL, after=after)
    if isinstance(found, Contents):
        _show_contents(session, found)
    elif isinstance(found, Request):
        _show_request(session, found)
    else:
        _show_run(session, found)


def _show_contents(session: Session, found: Contents) -> None:
    if session.as_json:
        output.document(shapes.contents(found))
        return
    one = found.bundle
    lines = {
        "bundle": one.bundle,
        "version": one.version,
        "digest": one.digest,
        "created": one.created,
        "request": one.request,
        "size": output.amount(one),
        "parameters": output.settings(one.parameters_json),
        "metrics": output.settings(one.metrics_json),
        "tags": output.settings(one.tags_json),
        "description": one.package.get("description", ""),
        "inherits from": " ".join(found.inherited.line),
        "came with": _paperwork(found.manifest),
        "builds on": ", ".join(found.depends),
    }
    output.plain({name: value for name, value in lines.items() if value})
    for verdict in found.verdicts:
        missing = f"; does not link {', '.join(verdict.missing)}" if verdict.missing else ""
        forced = f"; forced: {', '.join(verdict.forced)}" if verdict.forced else ""
        print(f"{verdict.standing} of {verdict.parent}, score {verdict.score:.2f}{missing}{forced}")
    rows = [(file.path, output.size(file.size_bytes), file.digest[:DIGEST_SHOWN]) for file in found.files]
    output.table(("file", "size", "digest"), rows, "It has no files of its own." if not one.files else "No more files.")
    if found.next:
        output.note(f"Of {one.files} files more follow: --after {quote(found.next)} goes on, --files 0 lists them all.")
    traits = [(trait.section, trait.name, trait.origin) for trait in found.inherited.traits]
    if traits:
        output.table(("inherited", "name", "from"), traits, "")
    linked = [(name, other, place) for name, others in found.linked.items() for other, place in others.items()]
    if linked:
        output.table(("task", "linked to", "of"), linked, "")
    for inner in found.below:
        print(f"{inner.bundle.bundle}  {output.settings(inner.bundle.parameters_json)}")


def _paperwork(manifest: dict[str, Any]) -> str:
    return f"a manifest by {manifest['user']} of {manifest['date']}" if manifest else ""


def _show_request(session: Session, found: Request) -> None:
    if session.as_json:
        output.document(shapes.request(found))
        return
    lines = {
        "request": found.id,
        "kind": found.kind,
        "state": found.state,
        "bundle": found.bundle,
        "reason": found.reason,
        "caused by": found.cause,
        "because": found.because,
        "keeps to": found.scope,
        "user": found.user,
        "created": found.created,
        "finished": found.finished_at,
        "counts": f"{found.finished} of {found.total} finished, {found.failed} failed",
    }
    output.plain({name: value for name, value in lines.items() if value})
    if found.children:
        rows = [
            (child.bundle, output.settings(child.parameters_json), child.state, "reused" if child.reused else "")
            for child in found.children
        ]
        output.table(("bundle", "parameters", "state", ""), rows, "")
    for skip in found.skipped:
        print(f"left out: {skip.bundle}, {skip.reason}")
    if found.runs:
        output.table(
            ("run", "task", "bundle", "state", "worker"),
            [(run.id, run.task, run.bundle, run.state, run.worker) for run in found.runs],
            "",
        )


def _show_run(session: Session, found: Run) -> None:
    if session.as_json:
        output.document({**shapes.run(found), "task": found.task, "error": found.error})
        return
    lines = {
        "run": found.id,
        "task": found.task,
        "bundle": found.bundle and f"{found.bundle}@{found.version}",
        "state": found.state,
        "worker": found.worker,
        "attempts": found.attempts,
        "started": found.started,
        "finished": found.finished,
        "results": found.results_json,
    }
    output.plain({name: value for name, value in lines.items() if value})
    for made in found.outputs:
        print(session.home / "output" / made.path)
    if found.error:
        output.note(found.error)


def report(
    session: Session,
    bundle: BundleName,
    kind: Annotated[str, typer.Option("--kind", help="report, figure, animation, asset, or all.")] = "report",
    is_opened: Annotated[bool, typer.Option("--open", help="Open the newest in a browser.")] = False,
) -> None:
    """List the reports about a bundle, newest first, with their paths."""
    with session.connect() as p2:
        everything = p2.outputs(bundle, kind="" if kind == "all" else kind)
    kept = tuple(one for one in everything if one.kind != ASSET or kind == ASSET)
    found = Page(kept, everything.total - len(everything) + len(kept))
    if not found.items and is_opened:
        raise NotFoundError(f"There is no {kind} about {bundle} yet.")
    root = session.home / "output"
    if is_opened:
        webbrowser.open((root / found[0].path).as_uri())
    if session.as_json:
        output.document(
            shapes.page(
                found, lambda one: {**shapes.made(one), "path": str(root / one.path), **paper.beside(root / one.path)}
            )
        )
        return
    rows = [(one.created, one.kind, one.title or one.task, root / one.path) for one in found]
    output.table(("created", "kind", "title", "path"), rows, f"There is no {kind} about {bundle} yet.")
    besides = [paper.beside(root / one.path) for one in found if one.kind == REPORT]
    for pdf in [one["pdf"] for one in besides if one["pdf"]]:
        output.note(f"On paper: {pdf}")
    for why in dict.fromkeys(why for one in besides for why in one["lacking"]):
        output.note(f"{why}.")


def register(app: typer.Typer) -> None:
    """Put these commands into the tree."""
    verb(app, "push", examples="plotter2 push results/ experiments/first\n\nplotter2 push table.csv data/table --json")(
        push
    )
    verb(app, "pull", examples="plotter2 pull experiments/first copy/\n\nplotter2 pull experiments/first@2 second/")(
        pull
    )
    verb(
        app,
        "ls",
        examples="plotter2 ls\n\nplotter2 ls experiments --json\n\nplotter2 ls experiments/first --versions\n\n"
        "plotter2 ls --where 'param.lr < 0.1 and metric.accuracy > 0.9' --sort -metric.accuracy --limit 10",
    )(ls)
    verb(
        app,
        "show",
        examples="plotter2 show experiments/first\n\nplotter2 show experiments/first@2\n\nplotter2 show req-…",
    )(show)
    verb(app, "report", examples="plotter2 report experiments/digits\n\nplotter2 report experiments/digits --open")(
        report
    )
