"""What the installation adds by files of its config directory: config."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from plotter2.cli import output
from plotter2.cli.verbs import Session, verb
from plotter2.errors import UsageError

if TYPE_CHECKING:
    from plotter2.model.additions import Entry

SHOWN_CHARS = 12


def config(
    session: Session,
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="A config directory that is not in use yet, to check it.")
    ] = None,
) -> int:
    """List the installation's own templates, words and visual types; files with a fault are left out, and say why."""
    found = _asked(session) if folder is None else _read(folder)
    if session.as_json:
        output.document(found)
    else:
        rows = [
            (one["kind"], _called(one), one["suits"] or one["digest"][:SHOWN_CHARS], _where(one), one["description"])
            for one in found["entries"]
        ]
        output.table(("kind", "name", "suits", "file", "says"), rows, f"{found['folder']} adds nothing.")
        for one in found["faults"]:
            output.note(f"left out: {one['reason']}")
    return 1 if found["faults"] else 0


def _called(one: dict[str, Any]) -> str:
    return str(one["name"]) if one["kind"] == "template" else f"{one['name']}({one['params']})"


def _where(one: dict[str, Any]) -> str:
    return f"{one['file']}:{one['line']}" if one["line"] else str(one["file"])


def _asked(session: Session) -> dict[str, Any]:
    with session.connect() as p2:
        found = p2.config()
    return _document(found.folder, found.digest, found.entries, found.faults)


def _read(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        raise UsageError(f"There is no folder {folder}.")
    configured = import_module("plotter2.configured")
    own = configured.read(folder)
    return _document(str(folder), own.digest.hex(), configured.entries(own), tuple(own.faults.items()))


def _document(
    folder: str, digest: str, entries: tuple[Entry, ...], faults: tuple[tuple[str, str], ...]
) -> dict[str, Any]:
    return {
        "folder": folder,
        "digest": digest,
        "entries": [
            {
                "kind": one.kind, "name": one.name, "file": one.file, "line": one.line, "params": one.params,
                "description": one.description, "suits": one.suits, "digest": one.digest,
            }
            for one in entries
        ],
        "faults": [{"file": name, "reason": why} for name, why in faults],
    }  # fmt: skip


def register(app: typer.Typer) -> None:
    """Put this command into the tree."""
    verb(app, "config", examples="plotter2 config\n\nplotter2 config ./new-config\n\nplotter2 config --json")(config)
