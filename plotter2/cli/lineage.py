"""Lineage: why, uses. As a tree of text, as JSON, or as a picture."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from plotter2.cli import output
from plotter2.cli.verbs import Session, verb
from plotter2.errors import UsageError

if TYPE_CHECKING:
    from plotter2.client.views import Lineage, Origin, Step


class Format(StrEnum):
    """How lineage is printed."""

    TEXT = "text"
    JSON = "json"
    SVG = "svg"


Thing = Annotated[
    str,
    typer.Argument(
        metavar="THING",
        help="A path below output/, any file (found by its content), a bundle as group/name@3, a request or run.",
        show_default=False,
    ),
]
Source = Annotated[
    str,
    typer.Argument(
        metavar="BUNDLE",
        help="A bundle (all its versions), group/name@3, or any file (found by its content).",
        show_default=False,
    ),
]
As = Annotated[
    Format | None,
    typer.Option("--format", help="Text, JSON or a picture [default: as FILE ends, else text].", show_default=False),
]
File = Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write into this file.")]
Fan = Annotated[
    int, typer.Option("--fan", min=1, help="Neighbours of one kind that each thing shows; the others are counted.")
]
Everything = Annotated[bool, typer.Option("--all", help="Show all of them, up to 20,000 things.")]


def why(
    session: Session, thing: Thing, form: As = None, file: File = None, fan: Fan = 8, everything: Everything = False
) -> None:
    """Show what led to something: versions, code, parameters, and who asked for it."""
    with session.connect() as p2:
        found = p2.why(thing, fan=fan, everything=everything)
    _print(session, found, form, file)


def uses(
    session: Session, bundle: Source, form: As = None, file: File = None, fan: Fan = 8, everything: Everything = False
) -> None:
    """Show what was made from a bundle: runs, figures, reports, children, and what was made from those."""
    with session.connect() as p2:
        found = p2.uses(bundle, fan=fan, everything=everything)
    _print(session, found, form, file)


def _print(session: Session, found: Lineage, form: Format | None, file: Path | None) -> None:
    text = _written(found, _form(session, form, file))
    if file is None:
        print(text.rstrip("\n"))
        return
    try:
        file.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
    except OSError as wrong:
        raise UsageError(f"{file} cannot be written: {wrong.strerror}.") from None
    output.note(f"Written to {file}.")


def _form(session: Session, form: Format | None, file: Path | None) -> Format:
    if session.as_json:
        if form not in {None, Format.JSON}:
            raise UsageError(f"--json and --format {form} cannot both be; leave one of them out.")
        return Format.JSON
    ending = file.suffix.removeprefix(".").lower() if file is not None else ""
    return form or (Format(ending) if ending in set(Format) else Format.TEXT)


def _written(found: Lineage, form: Format) -> str:
    match form:
        case Format.TEXT:
            return found.text()
        case Format.JSON:
            return msgspec.json.format(msgspec.json.encode(lineage(found)), indent=2).decode()
        case Format.SVG:
            return found.svg()


def lineage(one: Lineage) -> dict[str, Any]:
    """The document of `why` and `uses`."""
    return {
        "direction": one.direction,
        "starts": list(one.starts),
        "nodes": [_node(item) for item in one.origins],
        "edges": [_edge(item) for item in one.steps],
        "left": one.left,
    }


def _node(one: Origin) -> dict[str, Any]:
    return {
        "id": one.id,
        "kind": one.kind,
        "form": one.form,
        "title": one.title,
        "state": one.state,
        "user": one.user,
        "bundle": one.bundle,
        "at": one.at,
        "digest": one.digest,
        "code": one.code,
        "code_digest": one.code_digest,
        "data_digest": one.data_digest,
        "parameters": output.raw(one.parameters_json, "{}"),
        "ask": output.raw(one.ask_json, "{}"),
        "count": one.count,
        "remark": one.remark,
    }


def _edge(one: Step) -> dict[str, Any]:
    return {
        "from": one.src,
        "to": one.dst,
        "kind": one.kind,
        "files": [{"path": path, "digest": digest} for path, digest in one.files],
        "more_files": one.more_files,
    }


def register(app: typer.Typer) -> None:
    """Put these commands into the tree."""
    verb(
        app,
        "why",
        examples="plotter2 why output/experiments/digits/curve/20261121-120000-4a1f2c-0/01-loss.html\n\n"
        "plotter2 why ~/Downloads/figure.html -o lineage.svg\n\nplotter2 why experiments/digits/bundles/lr=0.1@1",
    )(why)
    verb(app, "uses", examples="plotter2 uses data/flights\n\nplotter2 uses data/flights@2 --format svg -o uses.svg")(
        uses
    )
