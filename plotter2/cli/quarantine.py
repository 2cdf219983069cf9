"""What is kept and not used: verify, quarantine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from plotter2.cli import output
from plotter2.cli.shapes import page
from plotter2.cli.verbs import Key, Session, verb
from plotter2.errors import UsageError

if TYPE_CHECKING:
    from plotter2.client.views import QuarantineItem, Verification
    from plotter2.model.verification import Counts

DECISIONS = ("release", "refuse")
SHOWN_MAX = 1_000
"""Findings in the text form; --json lists all."""


def verify(
    session: Session,
    is_quick: Annotated[bool, typer.Option("--quick", help="Compare names only: content is not read.")] = False,
) -> int:
    """Look whether everything at rest is what was put there; what nobody explains goes into quarantine."""
    with session.connect() as p2, output.step_line("verify", is_shown=not session.as_json) as line:
        found = p2.verify(contents=not is_quick, on_counts=lambda counts: line(_looked(counts)))
    if session.as_json:
        output.document(_verification(found))
    else:
        _print(found)
    return 0 if found.ok else 1


def _print(found: Verification) -> None:
    rows = [(one.fault, one.path, one.problem, one.remedy) for one in found.findings[:SHOWN_MAX]]
    looked = _looked(found.counts)
    output.table(("fault", "path", "what is wrong", "what was done"), rows, f"Everything is in order: {looked}.")
    if found.findings:
        output.note(f"{len(found.findings)} things differ of {looked}; `plotter2 quarantine` lists what was moved.")


def _looked(counts: Counts) -> str:
    read = f"{counts.blobs} contents ({output.size(counts.blob_bytes)}), " if counts.blobs else ""
    return f"{read}{counts.files} files of {counts.bundles} bundles"


def _verification(one: Verification) -> dict[str, Any]:
    counts = one.counts
    return {
        "ok": one.ok,
        "blobs": counts.blobs,
        "blob_bytes": counts.blob_bytes,
        "bundles": counts.bundles,
        "files": counts.files,
        "damaged": counts.damaged,
        "hidden": counts.hidden,
        "strays": counts.strays,
        "findings": [
            {"fault": found.fault, "path": found.path, "problem": found.problem, "remedy": found.remedy,
             "item": found.item}
            for found in one.findings
        ],
    }  # fmt: skip


def _item(one: QuarantineItem) -> dict[str, Any]:
    return {
        "id": one.id,
        "kind": one.kind,
        "state": one.state,
        "place": one.place,
        "reason": one.reason,
        "since": one.since,
        "kept": one.kept,
        "user": one.user,
        "request": one.request,
        "decided": one.decided,
        "decision": one.decision,
    }


def quarantine(
    session: Session,
    decision: Annotated[
        str,
        typer.Argument(metavar="[release|refuse]", help="Take it in after all, or let it be.", show_default=False),
    ] = "",
    item: Annotated[str, typer.Argument(metavar="[ID]", help="What it is about.", show_default=False)] = "",
    is_all: Annotated[bool, typer.Option("--all", help="Also what somebody has decided about.")] = False,
    key: Key = "",
) -> None:
    """List what is kept and not used, each with its reason, or decide about one: release it, or refuse it."""
    if decision:
        _decide(session, decision, item, key)
        return
    with session.connect() as p2:
        found = p2.quarantine(decided=is_all)
    if session.as_json:
        output.document(page(found, _item))
        return
    rows = [(one.id, one.kind, one.state, one.place, one.reason, one.since) for one in found]
    output.table(("id", "kind", "state", "place", "reason", "since"), rows, "There is nothing in quarantine.")


def _decide(session: Session, decision: str, item: str, key: str) -> None:
    if decision not in DECISIONS or not item:
        raise UsageError("quarantine takes nothing, or release ID, or refuse ID.")
    with session.connect() as p2:
        found = p2.release(item, key=key) if decision == DECISIONS[0] else p2.refuse(item, key=key)
    if session.as_json:
        output.document({"request": found.id, "state": found.state, "item": item, "decision": decision})
    else:
        print(f"{item} is {'released' if decision == DECISIONS[0] else 'refused'}.")


def register(app: typer.Typer) -> None:
    """Put these commands into the tree."""
    verb(app, "verify", examples="plotter2 verify\n\nplotter2 verify --quick --json")(verify)
    verb(
        app,
        "quarantine",
        examples="plotter2 quarantine\n\nplotter2 quarantine --all --json\n\nplotter2 quarantine release dlv-…",
    )(quarantine)
