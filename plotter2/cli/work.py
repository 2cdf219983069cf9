"""Commands about work: run, redo, replay, tasks, requests, wait, cancel."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from plotter2.cli import output, shapes, values
from plotter2.cli.verbs import Key, Session, verb
from plotter2.client.sources import JsonText, is_path
from plotter2.errors import CollectError, UsageError
from plotter2.model.request import Over, RequestKind

if TYPE_CHECKING:
    from plotter2.client.views import Plan, Repeat, Request, Run

FAILED_SHOWN = 5
"""Runs whose errors are printed in full; thousands of instances fail alike."""

Wait = Annotated[bool, typer.Option("--wait", help="Until it has ended, with its outcome.")]
Settings = Annotated[
    list[str], typer.Option("--set", metavar="NAME=VALUE", help="A parameter; may be given again.", show_default=False)
]


def run(
    session: Session,
    task: Annotated[
        str,
        typer.Argument(
            metavar="TASK", help="A task that the bundle declares, or a .py or .json file.", show_default=False
        ),
    ],
    on: Annotated[str, typer.Option("--on", metavar="BUNDLE[@VERSION]", help="What it works on.")] = "",
    settings: Settings = [],  # noqa: B006 -- typer copies it
    over: Annotated[
        Over, typer.Option("--over", help="Also what lies below: its members, all of it, or any that link the task.")
    ] = Over.SELF,
    forced: Annotated[bool, typer.Option("--forced", help="Forced links count for --over all.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Run it, whatever is known from before.")] = False,
    config: Annotated[
        str, typer.Option("--config", metavar="DIGEST", help="With the additions of then, as a sidecar names them.")
    ] = "",
    key: Key = "",
    wait: Wait = False,
) -> int | None:
    """Run a task on a bundle."""
    if is_path(task) and not Path(task).is_file():
        raise UsageError(f"There is no file {task}.")
    pairs = (f"{json.dumps(name)}:{text}" for name, text in values.parameters(settings).items())
    given = JsonText("{" + ",".join(pairs) + "}")
    with session.connect() as p2, output.request_bar(f"run {task}", is_shown=wait and not session.as_json) as bar:
        found = p2.run(
            task, on or None, parameters=given, over=over, forced=forced, force=force, config=config, key=key,
            wait=wait, on_change=bar,
        )  # fmt: skip
    if session.as_json:
        output.document(shapes.ran(found))
    else:
        _print_runs(session, found, wait=wait)
    return _verdict(found)


def _print_runs(session: Session, found: Request, *, wait: bool) -> None:
    for skip in found.skipped:
        output.note(f"{skip.bundle} is left out: {skip.reason}.")
    if not wait:
        _follow(found)
        return
    print(f"{found.id}  {found.state}")
    for one in found.runs:
        if one.reused_of:
            output.note(f"{one.id} was not run: {one.reused_of} did the same on the same data; --force runs it.")
        if one.results_json not in {"", "null"}:
            print(one.results_json)
        for made in one.outputs:
            print(session.home / "output" / made.path)


def redo(
    session: Session,
    bundle: Annotated[
        str, typer.Argument(metavar="[BUNDLE[@VERSION]]", help="The experiment.", show_default=False)
    ] = "",
    settings: Annotated[
        list[str],
        typer.Option(
            "--set",
            metavar="NAME=V1,V2,…",
            help="A parameter and its values, or a range: 1..3, 0..1..0.1, lin:0:1:5, log:1e-4:1e-1:5; "
            "several make a grid.",
            show_default=False,
        ),
    ] = [],  # noqa: B006 -- typer copies it
    failed: Annotated[
        str, typer.Option("--failed", metavar="ID", help="Instead: only the failed points of this request.")
    ] = "",
    parallel: Annotated[int, typer.Option("--parallel", min=1, help="At most so many at a time.")] = 1,
    force: Annotated[bool, typer.Option("--force", help="Run again what was already run.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would run, and what is reused.")] = False,
    key: Key = "",
    wait: Wait = False,
) -> int | None:
    """Run an experiment again with other parameters, one child bundle a value, in the order given.

    Of a child, without --set: make its run again as it was, and say whether the program left the same bytes.
    """
    axes = {name: [JsonText(text) for text in texts] for name, texts in values.axes(settings).items()}
    if failed and (bundle or axes):
        raise UsageError("redo --failed takes bundle and values from its request: name the request alone.")
    if not bundle and not failed:
        raise UsageError("redo needs the bundle that shall be run again, or --failed with a request.")
    if dry_run:
        with session.connect() as p2:
            _print_plan(session, p2.plan(bundle, axes, failed_of=failed, force=force))
        return None
    title = f"redo {bundle or failed}"
    with session.connect() as p2, output.request_bar(title, is_shown=wait and not session.as_json) as bar:
        found = p2.redo(
            bundle, axes, failed_of=failed, parallel=parallel, force=force, key=key, wait=wait, on_change=bar
        )
    _print_redone(session, found, wait=wait)
    return _verdict(found)


def _print_redone(session: Session, found: Request, *, wait: bool) -> None:
    if session.as_json:
        output.document(shapes.redone(found))
    elif wait:
        _print_children(found)
    else:
        _follow(found)


def _print_plan(session: Session, found: Plan) -> None:
    if session.as_json:
        output.document(shapes.plan(found))
        return
    rows = [
        (one.bundle, output.settings(one.parameters_json), f"reuses {one.reused}" if one.reused else "would run")
        for one in found.runs
    ]
    output.table(("bundle", "parameters", ""), rows, "It has no values.")
    reused = sum(1 for one in found.runs if one.reused)
    output.note(f"{found.bundle}@{found.version}: {len(rows) - reused} would run, {reused} are reused.")


def replay(
    session: Session,
    request: Annotated[str, typer.Argument(metavar="ID", help="A request.", show_default=False)],
    key: Key = "",
    wait: Wait = False,
) -> int | None:
    """Ask the same again, on what is current now."""
    with session.connect() as p2, output.request_bar("replay", is_shown=wait and not session.as_json) as bar:
        found = p2.replay(request, key=key, wait=wait, on_change=bar)
    if found.kind == RequestKind.REDO:
        _print_redone(session, found, wait=wait)
    elif session.as_json:
        output.document(shapes.ran(found))
    else:
        _print_runs(session, found, wait=wait)
    return _verdict(found)


def _print_children(found: Request) -> None:
    print(f"{found.id}  {found.state}")
    rows = [
        (one.bundle, output.settings(one.parameters_json), one.state, "reused" if one.reused else "")
        for one in found.children
    ]
    output.table(("bundle", "parameters", "state", ""), rows, "It has no values.")
    if found.repeat is not None:
        _print_repeat(found.repeat)


def _print_repeat(found: Repeat) -> None:
    sides = f"{found.bundle}@{found.after} and @{found.before}"
    if found.equal:
        print(f"{sides} are equal byte for byte: {found.same} files of the program's own.")
    else:
        print(f"{sides} differ in {found.differing} of {found.differing + found.same} files:")
        for path, change in found.files:
            print(f"  {change} {path}")
    for sentence in found.environment:
        output.note(f"The environment was not the same: {sentence}.")


def _follow(found: Request) -> None:
    print(f"{found.id}  {found.state}")
    output.note(f"Follow it with `plotter2 wait {found.id}`, look with `plotter2 show {found.id}`.")


def _verdict_on(repeat: Repeat | None) -> int:
    if repeat is None or repeat.equal:
        return 0
    output.note(f"{repeat.bundle} did not come out the same again.")
    return 1


def _is_consequence(run: Run) -> bool:
    """Whether it failed because another one did: what failed by itself is told first."""
    return run.error.rstrip().rpartition("\n")[2].startswith(f"{CollectError.__name__}:")


def _tell_failed(found: Request) -> None:
    """What went wrong in which run, of the first ones; of many instances of a task with what they were given."""
    failed = sorted((one for one in found.runs if one.error), key=_is_consequence)
    of_task = Counter(one.task for one in found.runs)
    for one in failed[:FAILED_SHOWN]:
        given = (output.settings(one.parameters_json) or one.bundle) if of_task[one.task] > 1 else ""
        output.note(f"{one.task}{f' ({given})' if given else ''}: {one.error.rstrip()}")
    if len(failed) > FAILED_SHOWN:
        output.note(
            f"And {len(failed) - FAILED_SHOWN:,} more failed; `plotter2 requests {found.id} --json` has them all."
        )


def _verdict(found: Request) -> int:
    """The exit code of a request, and on stderr why it is not 0."""
    if found.ok or not found.has_ended:
        return _verdict_on(found.repeat)
    _tell_failed(found)
    for child in found.children:
        if child.error:
            settings = output.settings(child.parameters_json)
            output.note(f"{child.bundle} ({settings}) failed: {child.error}")
            if child.tail:
                output.note(child.tail.rstrip())
    if not any(run_.error for run_ in found.runs) and not any(child.error for child in found.children):
        output.note(found.reason or f"Request {found.id} ended as {found.state}.")
    return 1


def tasks(
    session: Session,
    bundle: Annotated[str, typer.Argument(metavar="BUNDLE", help="Only this one and what is below it.")] = "",
) -> None:
    """List the tasks that bundles declare or have from ancestors, and when they run by themselves."""
    with session.connect() as p2:
        found = p2.tasks(bundle)
    if session.as_json:
        output.document(shapes.page(found, shapes.task))
        return
    rows = [
        (
            one.name,
            one.bundle,
            one.source,
            one.origin,
            ", ".join(one.linked),
            ", ".join(f"on {event}" for event in one.standing),
        )
        for one in found
    ]
    output.table(
        ("task", "bundle", "source", "inherited from", "linked to", "by itself"), rows, "No bundle declares a task."
    )


def requests(
    session: Session,
    request: Annotated[str, typer.Argument(metavar="ID", help="Only this one, in full.")] = "",
    bundle: Annotated[str, typer.Option("--bundle", help="Only those about this bundle.")] = "",
    cause: Annotated[str, typer.Option("--cause", help="Only those that this request caused.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=0, help="At most so many; 0 is all.")] = 100,
) -> None:
    """List requests, newest first."""
    with session.connect() as p2:
        if request:
            one = p2.request(request)
            if session.as_json:
                output.document(shapes.request(one))
            else:
                output.plain({key: value for key, value in shapes.request_line(one).items() if value})
            return
        found = p2.requests(bundle, cause=cause, limit=limit)
    if session.as_json:
        output.document(shapes.page(found, shapes.request_line))
        return
    rows = [
        (one.id, one.kind, one.state, one.bundle, f"{one.finished}/{one.total}", one.created, _why(one))
        for one in found
    ]
    output.table(
        ("request", "kind", "state", "bundle", "done", "created", "reason"), rows, "Nothing was asked for yet."
    )


def _why(one: Request) -> str:
    return f"waits for {one.waits_for}" if one.waits_for else one.reason or one.because


def wait(
    session: Session,
    request: Annotated[str, typer.Argument(metavar="ID", help="A request.", show_default=False)],
) -> int | None:
    """Wait until a request has ended; exits like the command that asked."""
    with session.connect() as p2, output.request_bar("wait", is_shown=not session.as_json) as bar:
        found = p2.wait(request, on_change=bar)
    if session.as_json:
        output.document(shapes.redone(found) if found.kind == RequestKind.REDO else shapes.ran(found))
    elif found.kind == RequestKind.REDO:
        _print_children(found)
    else:
        _print_runs(session, found, wait=True)
    return _verdict(found)


def cancel(
    session: Session,
    request: Annotated[str, typer.Argument(metavar="ID", help="A request.", show_default=False)],
) -> None:
    """End what a request still has running."""
    with session.connect() as p2:
        found = p2.cancel(request)
    if session.as_json:
        output.document(shapes.request_line(found))
    else:
        print(f"{found.id}  {found.state}")


def register(app: typer.Typer) -> None:
    """Put these commands into the tree."""
    verb(
        app,
        "run",
        examples='plotter2 run "loss curve" --on experiments/digits --wait\n\n'
        "plotter2 run plot.py --on data/flights --set bins=20 --wait\n\n"
        "plotter2 run pipeline.json --on data/flights\n\n"
        "plotter2 run curve --on experiments/x --over members --wait --json",
    )(run)
    verb(
        app,
        "redo",
        examples="plotter2 redo experiments/digits --set lr=0.1,0.2,0.15 --parallel 2 --wait\n\n"
        "plotter2 redo experiments/digits --set lr=log:1e-4:1e-1:5 --set seed=1..3 --json --wait\n\n"
        "plotter2 redo experiments/digits@2 --set seed=1..3 --dry-run\n\nplotter2 redo --failed req-… --wait\n\n"
        "plotter2 redo experiments/digits/bundles/lr=0.1 --wait",
    )(redo)
    verb(app, "replay", examples="plotter2 replay req-… --wait\n\nplotter2 replay req-… --key nightly --json")(replay)
    verb(app, "tasks", examples="plotter2 tasks\n\nplotter2 tasks experiments/digits")(tasks)
    verb(app, "requests", examples="plotter2 requests\n\nplotter2 requests --bundle experiments/digits --json")(
        requests
    )
    verb(app, "wait", examples="plotter2 wait req-…")(wait)
    verb(app, "cancel", examples="plotter2 cancel req-…")(cancel)
