"""Documents into files: a page, beside it its story, its picture, the films of an animation, the tables of a report.

The story is a JSON file that says what is drawn, of which data by digest, by which code, with which parameters (design
3).
"""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
from blake3 import blake3

from plotter2.datter.context import Context, file_digest
from plotter2.datter.figures.figure import Document, Figure, Panel
from plotter2.datter.figures.frame import TableOf
from plotter2.datter.pages import assets
from plotter2.datter.runs import Made
from plotter2.datter.template import NONE, Template
from plotter2.datter.values.keys import natural
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError
from plotter2.ids import request_of
from plotter2.model.output import PAGES

WIDE = 2
SLUG_MAX = 60
PAGES_MAX = 1_000
LISTED_MAX = 6
SHOWN_CHARS = 12
ROWS_LISTED_MAX = 1_000
_PLAIN = re.compile(r"[^a-z0-9]+")


def parameters(context: Context) -> str:
    """What the run was given, in a line."""
    return ", ".join(f"{name} = {value}" for name, value in context.parameters.items())


def provenance(context: Context, template: Template = NONE) -> dict[str, Any]:
    """Where a page came from, for its foot."""
    run, scope = context.run, context.run.scope
    return {
        "bundle": f"{scope.bundle}, version {scope.version}" if scope.bundle else "",
        "parameters": parameters(context),
        "task": run.task_name,
        "run": run.run_id,
        "code": code_digest(run.source),
        "template": f"{template.name}, {template.digest[:SHOWN_CHARS]}" if template.name else "",
        "own words": ", ".join(sorted(context.used)),
        "data": _listed(
            sorted(
                (path if bundle == scope.bundle else f"{bundle}/{path}" for bundle, _, path in context.reads),
                key=natural,
            )
        ),
    }


def _listed(paths: Sequence[str]) -> str:
    return ", ".join(paths) if len(paths) <= LISTED_MAX else f"{paths[0]} to {paths[-1]} ({len(paths):,} files)"


def code_digest(source: str) -> str:
    """The digest of a script or pipeline."""
    return blake3(source.encode()).hexdigest()


def write(context: Context, document: Document) -> Made:
    """The page, and beside it its sidecar, its picture, the films of an animation and the tables of a report.

    Raises:
        UsageError: the run has made as many pages as one may.
    """
    if len(context.made) >= PAGES_MAX * WIDE:
        raise UsageError(f"One task can make {PAGES_MAX:,} pages; more is the work of more tasks.")
    pages = import_module("plotter2.datter.pages.page")
    folder = context.run.output_dir
    folder.mkdir(parents=True, exist_ok=True)
    document = import_module("plotter2.datter.pages.reel").on_reel(document)
    script = "" if document.kind == "animation" else _script(context)  # what plays is one file, to be sent on its own
    count = sum(1 for made in context.made if made.kind in PAGES) + 1
    name = (
        f"{count:02d}-{_PLAIN.sub('-', document.title.lower()).strip('-')[:SLUG_MAX].strip('-') or document.kind}.html"
    )
    made = Made(name, document.kind, document.title)
    tables = _tables(context, document, name) if document.kind == "report" else []
    films, lacking = _beside(context, document, folder / name)
    document = replace(document, files=tuple(one.path for one in tables), films=films, lacking=lacking)
    (folder / name).write_text(pages.page(document, script), encoding="utf-8")
    styling = import_module("plotter2.datter.pages.styling")
    (folder / f"{name}.svg").write_bytes(styling.of_picture(_picture(document), document.template or NONE))
    story = sidecar(context, document) | ({"lacking": list(lacking)} if lacking else {})
    (folder / f"{name}.json").write_bytes(msgspec.json.format(msgspec.json.encode(story), indent=1))
    context.made += [made, *tables]
    return made


def _beside(context: Context, document: Document, page: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What lies beside a page that moves: its scenes and its films. Gives films, and what could not be made and why."""
    scenes = [panel for figure in document.sections for panel in figure.panels if _is_played(panel)]
    if scenes:
        story = import_module("plotter2.datter.figures.simulation").scene_json(scenes)
        page.with_name(f"{page.name}.scene.json").write_bytes(story)
    if document.kind != "animation":
        return (), ()
    film = import_module("plotter2.datter.pages.film")
    made = film.films(document.sections[0], page)
    for one in made.lacking:
        if one != film.WITHOUT_FFMPEG:  # most machines have none: page, sidecar and `doctor` say so, no run needs to
            context.emit(f"warning: {one}")
    return tuple(page.name + ending for ending in made.endings), made.lacking


def _is_played(panel: Panel) -> bool:
    """Whether it shows what `simulate` made."""
    return panel.visual == "scene" and panel.motion is not None


def _picture(document: Document) -> bytes:
    """The small picture: of a report, of what is drawn in it first."""
    picture, canvas = import_module("plotter2.datter.pages.picture"), import_module("plotter2.datter.pages.canvas")
    first = document.sections[0]
    if document.kind == "report":
        panels = [panel for figure in document.sections for panel in figure.panels if panel.visual != "break"]
        drawn = [panel for panel in panels if panel.is_drawn] or panels
        first = Figure(document.title, tuple(drawn), columns=min(len(drawn), WIDE))
    paper = canvas.Svg(*picture.size_of(first))
    picture.draw(first, paper)
    found: bytes = paper.encode()
    return found


def _tables(context: Context, document: Document, page: str) -> list[Made]:
    """The tables of a report as CSV files, with all their rows."""
    made = []
    items = [item for report in context.reports for frame in report.frames for item in frame.items]
    whole = [one.table if isinstance(one, TableOf) else one for one in items if isinstance(one, TableOf | Table)]
    sections = [(panel, figure.title) for figure in document.sections for panel in figure.panels]
    shown = [(panel, panel.title or title) for panel, title in sections if panel.visual == "table"]
    for place, (panel, title) in enumerate(shown, 1):
        table = next((one for one in whole if one.names == panel.heads and len(one) >= len(panel.rows)), None)
        rows = [panel.heads, *(panel.rows if table is None else (tuple(row.values()) for row in table.rows()))]
        name = f"{page.removesuffix('.html')}-table-{place}.csv"
        with (context.run.output_dir / name).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)
        made.append(Made(name, "table", title or f"Table {place} of {document.title}"))
    return made


def _script(context: Context) -> str:
    """Where the page finds Bokeh's script; where nobody has laid it for all pages, it is laid beside this one."""
    if context.run.way_up:
        return f"{context.run.way_up}{assets.FOLDER}/{assets.script_name()}"
    name = f"{assets.FOLDER}/{assets.script_name()}"
    if not any(made.path == name for made in context.made):
        target = context.run.output_dir / name
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(assets.script_path(), target)
        context.made.append(Made(name, "asset", f"Bokeh {assets.version()}"))
    return name


def sidecar(context: Context, document: Document) -> dict[str, Any]:
    """What a program wants to know of a page."""
    panels = [_panel(panel) for figure in document.sections for panel in figure.panels if not panel.is_part]
    return {"kind": document.kind, "title": document.title, "panels": panels, **origin(context, document.template)}


def origin(context: Context, template: Template | None = None) -> dict[str, Any]:
    """Where whatever a run makes comes from: what it read, by which code, with which parameters, for which request."""
    run, scope = context.run, context.run.scope
    return {
        "inputs": {"bundle": scope.bundle, "version": scope.version, **_read(context)},
        "code": code_digest(run.source), "parameters": context.parameters, "task": run.task_name,
        "request": request_of(run.run_id), "run": run.run_id, "seed": run.seed, **_own(context, template),
    }  # fmt: skip


def _own(context: Context, template: Template | None) -> dict[str, Any]:
    """What of the installation's own was used: the template, files of words and pictures, all of it by one digest."""
    found: dict[str, Any] = {}
    own = context.additions
    if template is not None and template.name:
        found["template"] = {"name": template.name, "digest": template.digest}
    if context.used:
        found["additions"] = [{"path": path, "digest": own.files[path].hex()} for path in sorted(context.used)]
    return found | ({"config": own.digest.hex()} if found else {})


def _read(context: Context) -> dict[str, Any]:
    """The files that were read, those of linked functions among them, by digest.

    More than 1,000 of one folder are a group with one digest of them all.
    """
    folders: dict[tuple[str, int, str], list[tuple[str, str]]] = {}
    for (bundle, version, path), local in sorted((context.reads | context.called).items()):
        folders.setdefault((bundle, version, path.rpartition("/")[0]), []).append((path, file_digest(local)))
    rows: list[dict[str, Any]] = []
    groups: list[dict[str, Any]] = []
    for (bundle, version, _), found in folders.items():
        about = {"bundle": bundle, "version": version}
        if len(found) <= ROWS_LISTED_MAX:
            rows += [{**about, "path": path, "digest": one} for path, one in found]
            continue
        names = sorted((path for path, _ in found), key=natural)
        whole = blake3("\n".join(f"{one} {path}" for path, one in found).encode()).hexdigest()
        groups.append({**about, "first": names[0], "last": names[-1], "count": len(found), "digest": whole})
    return {"files": rows, **({"groups": groups} if groups else {})}


def _panel(panel: Panel) -> dict[str, Any]:
    about: dict[str, Any] = {
        "visual": panel.visual,
        "title": panel.title,
        "data": [{"key": one.key, "digest": one.digest} for one in panel.data],
    }
    if panel.motion is not None:
        about["frames"] = len(panel.motion.frames)
    if panel.notes:
        about["notes"] = list(panel.notes)
    return about | panel.about
