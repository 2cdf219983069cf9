"""Commands about what is not pushed yet: init, check. Only `check --on` asks the manager."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from plotter2.cli import output, scripts
from plotter2.cli.verbs import Session, verb
from plotter2.errors import UsageError
from plotter2.model.bundle import PACKAGE_FILE

if TYPE_CHECKING:
    from plotter2.project import Draft, Understood

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="A folder, as it would be pushed.")]
SHOWN_FILES_MAX = 3


def init(
    session: Session,
    folder: Folder = Path(),
    is_printed: Annotated[bool, typer.Option("--print", help="Print it, write nothing.")] = False,
) -> None:
    """Write a package.json to start from: guessed from options, tables, scripts and the README."""
    found: Draft = import_module("plotter2.project").draft(folder)
    path = folder / PACKAGE_FILE
    if not is_printed:
        with path.open("x", encoding="utf-8") as file:  # never over one that came meanwhile
            file.write(found.text)
    if session.as_json:
        written = None if is_printed else str(path)
        output.document({"written": written, "package": output.raw(found.text), "remarks": found.remarks})
        return
    if is_printed:
        print(found.text, end="")
    for remark in found.remarks:
        output.note(remark)
    if not is_printed:
        print(f"{path} is written; read it, then `plotter2 check {folder}`.")


def check(
    session: Session,
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="A folder, as it would be pushed, or a .py script or .json pipeline.")
    ] = Path(),
    on: Annotated[
        str, typer.Option("--on", metavar="BUNDLE[@VERSION]", help="Of a script or pipeline: what would run on it.")
    ] = "",
) -> None:
    """Say what plotter2 would understand of a folder, a script or a pipeline, before anything is pushed or run."""
    if scripts.is_source(path):
        scripts.check(session, path, on)
        return
    if on:
        raise UsageError("--on belongs to a script or pipeline: plotter2 check script.py --on BUNDLE.")
    found: Understood = import_module("plotter2.project").understand(path, scripts.added(session))
    if session.as_json:
        output.document(_document(found))
        return
    output.plain(dict(_lines(found)))
    for remark in found.remarks:
        output.note(remark)


def _document(found: Understood) -> dict[str, Any]:
    package = found.declared.package
    return {
        "files": found.files,
        "bytes": found.size_bytes,
        "package": output.raw(found.declared.package_json),
        "parameters": list(package.parameters),
        "data": {name: list(paths) for name, paths in found.data.items()},
        "tasks": [task.name for task in package.tasks],
        "linked": {task.name: list(task.linked_to) for task in package.tasks if task.linked_to},
        "heads": {name: _head(found, name) for name in package.heads},
        "links": [link.name for link in package.links],
        "standing": [order.name for order in package.standing],
        "remarks": list(found.remarks),
    }


def _head(found: Understood, name: str) -> dict[str, Any]:
    head = found.declared.package.heads[name]
    path, function = found.declared.functions.get(name, ("", None))
    return {
        "params": head.params,
        "returns": head.returns,
        "function": {"path": path, "line": function.line, "name": function.name} if function else None,
    }


def _lines(found: Understood) -> Iterator[tuple[str, str]]:
    package = found.declared.package
    yield "files", f"{found.files}, {output.size(found.size_bytes)}"
    for name, one in package.parameters.items():
        yield f"parameter {name}", f"{one.type}, default {json.dumps(one.default, ensure_ascii=False)}"
    if package.service is not None:
        yield "service", " ".join(package.service.command)
    for name, paths in found.data.items():
        more = f" and {len(paths) - SHOWN_FILES_MAX} more" if len(paths) > SHOWN_FILES_MAX else ""
        yield f"data {name}", (", ".join(paths[:SHOWN_FILES_MAX]) + more) or "no file yet"
    for task in package.tasks:
        linked = f", linked to {', '.join(task.linked_to)}" if task.linked_to else ""
        yield f"task {task.name}", (task.task_src or "a pipeline in package.json") + linked
    for name, head in package.heads.items():
        path, function = found.declared.functions.get(name, ("", None))
        where = f"{path}, line {function.line}" if function else head.file or head.data or head.pipeline
        takes = ", ".join(f"{key}: {kind}" for key, kind in head.params.items())
        yield f"head {name}", f"({takes}) -> {head.returns}  {where}"
    for link in package.links:
        yield f"link {link.name}", f"{link.src} {link.in_head} <- {link.dst} {link.out_head}, {link.mode}"
    for order in package.standing:
        yield f"standing {order.name}", f"on {order.on}: {', '.join(order.run)}"


def register(app: typer.Typer) -> None:
    """Put these commands into the tree."""
    verb(app, "init", examples="plotter2 init\n\nplotter2 init experiment/ --print")(init)
    verb(
        app,
        "check",
        examples="plotter2 check\n\nplotter2 check experiment/ --json\n\nplotter2 check plot.py --on data/m",
    )(check)
