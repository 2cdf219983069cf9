"""Commands about the installation itself: up, down, status, workers, logs, doctor."""

from __future__ import annotations

import asyncio
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Annotated

import typer

from plotter2.cli import output, shapes
from plotter2.cli.verbs import Session, verb
from plotter2.errors import UsageError

if TYPE_CHECKING:
    from plotter2.cli.checks import Finding

LINES = 40
LINES_MAX = 1_000_000


def up(
    session: Session,
    workers: Annotated[int | None, typer.Option("--workers", min=0, help="How many workers [default: 2].")] = None,
    ports: Annotated[
        str, typer.Option("--ports", metavar="default|auto", help="auto: bind every port freely.")
    ] = "default",
) -> None:
    """Start everything on this machine and keep it running, until Ctrl-C."""
    session.check_home_only("up")
    if ports not in {"default", "auto"}:
        raise UsageError(f"--ports {ports} is neither default nor auto.")
    if session.as_json:
        raise UsageError("up runs until it is stopped and prints no document; ask `plotter2 status --json`.")
    command = import_module("plotter2.launch").command("watchdogs")
    words = [*command, "main", "--home", str(session.home)]
    if workers is not None:
        words += ["--workers", str(workers)]
    if ports == "auto":
        words += ["--ports", "auto"]
    sys.stdout.flush()
    os.execv(words[0], words)  # noqa: S606 -- our own watchdog takes this process's place


def down(session: Session) -> None:
    """Stop everything that runs for a home."""
    session.check_home_only("down")
    stopped = import_module("plotter2.cli.stopping").stop(session.home)
    if session.as_json:
        output.document({"home": str(session.home), "stopped": stopped})
    else:
        print(f"plotter2 has stopped for {session.home}.")


def status(session: Session) -> None:
    """Show every process and what waits."""
    session.check_home_only("status")
    found = asyncio.run(import_module("plotter2.client.status").read(session.home))
    if session.as_json:
        output.document(shapes.status(found))
        return
    print(f"{found.home}  plotter2 {found.version}".rstrip())
    rows = [(one.role, one.name, one.pid, one.state, one.address, one.started) for one in found.processes]
    output.table(("role", "name", "pid", "state", "address", "started"), rows, "No process runs.")
    print("  ".join(f"{name} {count}" for name, count in found.backlog.items()))


def workers(session: Session) -> None:
    """List workers, and whether they live."""
    with session.connect() as p2:
        found = p2.workers()
    if session.as_json:
        output.document(shapes.page(found, shapes.worker))
        return
    rows = [(one.name, one.state, f"{one.running}/{one.slots}", one.pid, one.host, one.last_seen) for one in found]
    output.table(("worker", "state", "busy", "pid", "host", "last seen"), rows, "No worker has come yet.")


def logs(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="NAME", help="One process, as manager or worker-1.")] = "",
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on as lines come, until Ctrl-C.")] = False,
    lines: Annotated[int, typer.Option("-n", "--lines", min=0, max=LINES_MAX, help="How many old lines.")] = LINES,
) -> None:
    """Show what the processes have logged, in the order of time; --json prints the records as they are."""
    session.check_home_only("logs")
    reading = import_module("plotter2.cli.records")
    tail = reading.Tail(session.home, name, lines)
    reading.show(tail, as_json=session.as_json, follow=follow)


def doctor(session: Session) -> int | None:
    """Check what plotter2 needs on this machine."""
    session.check_home_only("doctor")
    findings: list[Finding] = import_module("plotter2.cli.checks").examine(session.home)
    bad = [finding for finding in findings if not finding.ok]
    if session.as_json:
        checks = [{"check": one.check, "ok": one.ok, "found": one.found, "cure": one.cure} for one in findings]
        output.document({"home": str(session.home), "ok": not bad, "checks": checks})
    else:
        rows = [(one.check, "ok" if one.ok else "wrong", one.found) for one in findings]
        output.table(("check", "", "found"), rows, "")
    for finding in bad:
        output.note(f"{finding.check}: {finding.cure}")
    return 1 if bad else 0


def register(app: typer.Typer) -> None:
    """Put these commands into the tree."""
    verb(app, "up", examples="plotter2 up\n\nplotter2 up --home ./lab --workers 4 --ports auto")(up)
    verb(app, "down", examples="plotter2 down\n\nplotter2 down --home ./lab")(down)
    verb(app, "status", examples="plotter2 status\n\nplotter2 status --json")(status)
    verb(app, "workers", examples="plotter2 workers\n\nplotter2 workers --json")(workers)
    verb(app, "logs", examples="plotter2 logs manager -n 100\n\nplotter2 logs -f")(logs)
    verb(app, "doctor", examples="plotter2 doctor")(doctor)
