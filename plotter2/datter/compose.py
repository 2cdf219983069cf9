"""Frames into figures, and figures into files with their sidecars: what happens when something is sent.

Things in one frame that share their axes become one panel. Each page gets a JSON file beside it that says what is
drawn, of which data by digest, by which code, with which parameters (design 3).
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any

import msgspec
from blake3 import blake3

from plotter2.datter import assets
from plotter2.datter.automatic import panels_of
from plotter2.datter.context import Context, Symbol, file_digest
from plotter2.datter.figure import PALETTE, Axis, Document, Figure, Panel
from plotter2.datter.frame import Frame, Look, Report
from plotter2.datter.keys import natural
from plotter2.datter.points import Clusters
from plotter2.datter.scope import Made
from plotter2.errors import UsageError

OVERLAID = frozenset({"line", "scatter", "fit", "shape"})
WIDE = 2
LARGE_MAX = 8
SLUG_MAX = 60
PAGES_MAX = 1_000
LISTED_MAX = 6
_PLAIN = re.compile(r"[^a-z0-9]+")


def figure_of(context: Context, root: Frame) -> Figure:
    """Everything in a frame and the frames within it, as one figure."""
    panels: list[Panel] = []
    for frame in root.walk():
        found = _panels(context, frame)
        if frame is not root and frame.title and found:
            found[0] = replace(found[0], title=frame.title)
        panels += found
    if not panels:
        raise UsageError("This frame is empty, so there is nothing to send.")
    columns = min(root.columns, 3) or _columns(sum(panel.is_drawn for panel in panels))
    return Figure(root.title or _title(context, root, panels), tuple(panels), _subtitle(context), columns)


def _columns(count: int) -> int:
    return 1 if count <= 1 else 3 if count in {3, 6} or count > LARGE_MAX else WIDE


def _panels(context: Context, frame: Frame) -> list[Panel]:
    found: list[Panel] = []
    is_whole = False  # whether the last item became one panel, which the next one may share
    for item in frame.items:
        known = context.data.get(id(item))
        name, refs = context.name_of(item), context.refs(item)
        made = [
            replace(one, data=refs) for one in panels_of(item, name, known.visual if known else "", frame.look.palette)
        ]
        if len(frame.items) > 1 and name:
            made = [_called(panel, name) for panel in made]
        if is_whole and len(made) == 1 and _can_share(found[-1], made[0]):
            found[-1] = _shared(found[-1], made[0], frame.look.palette or PALETTE)
        else:
            found += made
            is_whole = len(made) == 1
        context.is_plotted.add(id(item))
    return [_styled(panel, frame.look) for panel in found]


def _called(panel: Panel, name: str) -> Panel:
    """Curves and points that have no name get that of their data, for the legend."""
    named = [
        replace(one, name=name) if one.mark in {"line", "points"} and not one.name else one for one in panel.layers
    ]
    return replace(panel, layers=tuple(named))


def _can_share(one: Panel, other: Panel) -> bool:
    scales = {one.x.scale, other.x.scale}
    return {one.visual, other.visual} <= OVERLAID and (len(scales) == 1 or other.visual == "shape")


def _shared(one: Panel, other: Panel, colours: Sequence[str]) -> Panel:
    """Two panels on the same axes; the second one's curves get the next colours."""
    if other.visual == "shape":
        return replace(one, layers=one.layers + other.layers)
    used = {layer.colour for layer in one.layers}
    free = [colour for colour in colours if colour not in used] or list(colours)
    mine = dict.fromkeys(layer.colour for layer in other.layers if layer.colour in colours)
    taken = {colour: free[place % len(free)] for place, colour in enumerate(mine)}
    added = [replace(layer, colour=taken.get(layer.colour, layer.colour)) for layer in other.layers]
    layers = (*one.layers, *added)
    is_named = len({layer.name for layer in layers if layer.name}) > 1
    y = replace(one.y, label=one.y.label if one.y.label == other.y.label else "")
    return replace(
        one, layers=layers, has_legend=is_named, notes=one.notes + other.notes, data=one.data + other.data, y=y
    )


def _styled(panel: Panel, look: Look) -> Panel:
    """What the script said about axes and legend."""
    legend = panel.has_legend if look.has_legend is None else look.has_legend
    title = panel.legend_title if look.legend_title is None else look.legend_title
    x = _axis(panel.x, look.x, look.x_scale, look.x_range)
    y = _axis(panel.y, look.y, look.y_scale, look.y_range)
    return replace(panel, has_legend=legend, legend_title=title, x=x, y=y) if panel.is_drawn else panel


def _axis(axis: Axis, label: str | None, scale: str | None, span: tuple[float, float] | None) -> Axis:
    low, high = span or (axis.low, axis.high)
    is_log = scale == "log"
    if is_log and axis.scale not in {"linear", "log"}:
        raise UsageError(f"axis: {axis.label!r} holds {axis.scale} values, which have no logarithm.")
    if is_log and low is not None and low <= 0:
        low = None
    chosen = axis.scale if scale is None or axis.scale in {"datetime", "category"} else "log" if is_log else "linear"
    return replace(axis, label=axis.label if label is None else label, scale=chosen, low=low, high=high)


def _title(context: Context, root: Frame, panels: list[Panel]) -> str:
    """A title from what is drawn: the metrics over their axis, the data and what was done with it."""
    items = [item for frame in root.walk() for item in frame.items]
    first = next((item for item in items if not isinstance(item, str)), None)
    name = context.name_of(first) if first is not None else ""
    drawn = [panel for panel in panels if panel.is_drawn]
    if isinstance(first, Clusters) and first.centres is not None:
        return f"{name or 'Data'}: {len(first.centres)} clusters"
    if drawn and drawn[0].visual == "pca":
        return f"{name or 'Data'}: principal components"
    if (
        drawn
        and drawn[0].x.label
        and {(panel.visual, panel.x.label) for panel in drawn} == {("line", drawn[0].x.label)}
    ):
        metrics = [panel.y.label for panel in drawn if panel.y.label] or [name or "value"]
        written = " and ".join(", ".join(dict.fromkeys(metrics)).rsplit(", ", 1))
        return f"{written[:1].upper()}{written[1:]} by {drawn[0].x.label}"
    if drawn and drawn[0].visual == "animation" and drawn[0].motion is not None:
        axis = drawn[0].motion.axis
        return f"{name or 'Animation'}{' over ' + axis if axis else ''}"
    return name or context.run.task_name or "Figure"


def _subtitle(context: Context) -> str:
    scope = context.run.scope
    bundle = f"{scope.bundle} (version {scope.version})" if scope.bundle else ""
    return " · ".join(part for part in (bundle, _parameters(context)) if part)


def _parameters(context: Context) -> str:
    return ", ".join(f"{name} = {value}" for name, value in context.parameters.items())


def send(context: Context, root: Frame) -> Made:
    """Write a frame's figure."""
    root.is_sent = True
    figure = figure_of(context, root)
    return write(context, Document(figure.kind, figure.title, (figure,), figure.subtitle, _provenance(context)))


def send_report(context: Context, report: Report) -> Made:
    """Write a report: one page, one section a frame."""
    sections = tuple(replace(figure_of(context, frame), subtitle="", title=frame.title) for frame in report.frames)
    if not sections:
        raise UsageError(f"The report {report.title!r} is empty.")
    title = report.title or context.run.task_name or "Report"
    document = Document("report", title, sections, report.subtitle or _subtitle(context), _provenance(context))
    return write(context, document)


def _provenance(context: Context) -> dict[str, Any]:
    run, scope = context.run, context.run.scope
    return {
        "bundle": f"{scope.bundle}, version {scope.version}" if scope.bundle else "",
        "parameters": _parameters(context),
        "task": run.task_name,
        "run": run.run_id,
        "code": code_digest(run.source),
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
    """The page and its sidecar."""
    if len(context.made) >= PAGES_MAX * WIDE:
        raise UsageError(f"One task can make {PAGES_MAX:,} pages; more is the work of more tasks.")
    pages = import_module("plotter2.datter.page")
    folder = context.run.output_dir
    folder.mkdir(parents=True, exist_ok=True)
    script = _script(context)
    count = sum(1 for made in context.made if made.kind != "asset") + 1
    name = (
        f"{count:02d}-{_PLAIN.sub('-', document.title.lower()).strip('-')[:SLUG_MAX].strip('-') or document.kind}.html"
    )
    (folder / name).write_text(pages.page(document, script), encoding="utf-8")
    (folder / f"{name}.json").write_bytes(
        msgspec.json.format(msgspec.json.encode(sidecar(context, document)), indent=1)
    )
    made = Made(name, document.kind, document.title)
    context.made.append(made)
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
    run, scope = context.run, context.run.scope
    read = [
        {"bundle": bundle, "version": version, "path": path, "digest": file_digest(local)}
        for (bundle, version, path), local in sorted(context.reads.items())
    ]
    return {
        "kind": document.kind, "title": document.title,
        "panels": [_panel(panel) for figure in document.sections for panel in figure.panels],
        "inputs": {"bundle": scope.bundle, "version": scope.version, "files": read},
        "code": code_digest(run.source), "parameters": context.parameters, "task": run.task_name, "run": run.run_id,
        "seed": run.seed,
    }  # fmt: skip


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
    return about


def flush(context: Context, *, gave_up: bool) -> None:
    """The end of a task: what waits is sent; after giving up, what was exposed and never drawn is drawn."""
    if gave_up:
        for name, value in context.exposures.items():
            if id(value) not in context.is_plotted and not isinstance(value, Symbol):
                context.know(value, name)
                send(context, Frame(items=[value]))
    for report in context.reports:
        send_report(context, report)
    for root in context.roots:
        if not root.is_sent and not root.is_empty:
            send(context, root)
