"""Frames into figures, and what happens when something is sent; `writing` makes files of them.

Things in one frame that share their axes become one panel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from plotter2.datter.context import Context, Symbol
from plotter2.datter.figures import kinds, pairs, pictures
from plotter2.datter.figures.automatic import panels_of, visual_of
from plotter2.datter.figures.extent import Name, check_reach, extents
from plotter2.datter.figures.figure import PALETTE, Axis, Colours, Document, Figure, Layer, Panel
from plotter2.datter.figures.frame import Coloured, Frame, Look, Report
from plotter2.datter.figures.palette import PATTERNS
from plotter2.datter.figures.units import measured
from plotter2.datter.pages import templates
from plotter2.datter.pages.writing import parameters, provenance, write
from plotter2.datter.runs import Made
from plotter2.datter.template import NONE as PLAIN
from plotter2.datter.template import Template
from plotter2.datter.values.group import DataGroup
from plotter2.datter.values.points import Clusters, Points
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError

_MARKED = frozenset({"line", "points"})
OVERLAID = frozenset({"line", "scatter", "fit", "shape"})
WIDE = 2
LARGE_MAX = 8


def figure_of(context: Context, root: Frame, template: Template = PLAIN) -> Figure:
    """Everything in a frame and the frames within it, as one figure; the template says what the script did not."""
    panels: list[Panel] = []
    for frame in root.walk():
        found = _panels(context, frame, template)
        if frame is not root and frame.title and found:
            found[0] = replace(found[0], title=frame.title)
        panels += found
    for panel in panels:
        if panel.is_drawn:
            check_reach(panel)
    if not panels:
        raise UsageError("This frame is empty, so there is nothing to send.")
    columns = min(root.columns or template.layout.columns, 3) or _columns(sum(panel.is_drawn for panel in panels))
    return Figure(root.title or _title(context, root, panels), tuple(panels), _subtitle(context), columns)


def _columns(count: int) -> int:
    return 1 if count <= 1 else 3 if count in {3, 6} or count > LARGE_MAX else WIDE


def _panels(context: Context, frame: Frame, template: Template) -> list[Panel]:
    found: list[Panel] = []
    look = frame.look if template is PLAIN else templates.under(template, frame.look)
    is_whole = False  # whether the last item became one panel, which the next one may share
    for item in [_by(context, one, look) for one in frame.items]:
        name, refs = context.name_of(item), context.refs(item)
        made = [replace(one, data=refs) for one in _drawn(context, item, name, look, template)]
        units = context.units_of(item)
        if units:
            made = [measured(panel, dict(units), name) for panel in made]
        if len(frame.items) > 1 and name:
            made = [_called(panel, name) for panel in made]
        if is_whole and len(made) == 1 and _can_share(found[-1], made[0]):
            found[-1] = _shared(found[-1], made[0], look.palette or PALETTE)
        else:
            found += made
            is_whole = len(made) == 1
        context.is_plotted.add(id(item))
    context.is_plotted.update(map(id, frame.items))
    return [_styled(panel, look) for panel in found]


def _drawn(context: Context, item: Any, name: str, look: Look, template: Template) -> list[Panel]:
    """One item as panels: by the visual type said of it, else by an own one whose type it has, else as it suits it."""
    visual, is_each = pictures.said_of(context, item)
    own = context.additions.visuals
    if not visual and own:
        first = item[0] if isinstance(item, DataGroup) and len(item) else item
        word = pictures.suiting(context, first)
        visual, is_each = (word.name, first is not item) if word is not None else ("", False)
    if is_each and isinstance(item, DataGroup):
        made = []
        for called, value in pictures.members(item):
            several = _as(context, visual, value, called, look, template)
            made += [replace(panel, title=panel.title or called) for panel in several]
        return kinds.noted(made, min(len(item), kinds.PANELS_MAX), len(item), "values")
    return _as(context, visual, item, name, look, template)


def _as(context: Context, visual: str, value: Any, name: str, look: Look, template: Template) -> list[Panel]:
    word = context.additions.visuals.get(visual)
    if word is None or visual in context.used_visuals:
        plain = "" if word else visual
        if not plain and look.has_axes and visual_of(value) == pairs.NAME:
            plain = "scatter"  # who says something of x and y means a picture that has them
        return panels_of(value, name, plain, look.palette)
    context.used_visuals.append(visual)
    try:
        whole = pictures.drawn_by(context, word, value)
        made = [panel for frame in whole.walk() for panel in _panels(context, frame, template)]
    finally:
        context.used_visuals.pop()
    if not made:
        raise UsageError(f"The visual type {visual!r} ({word.where}) has drawn nothing.")
    title = made[0].title or whole.title or (name if len(made) == 1 else "")
    return [replace(panel, title=panel.title or title * (panel is made[0]), about={**panel.about, "visualtype": visual})
            for panel in made]  # fmt: skip


def _by(context: Context, item: Any, look: Look) -> Any:
    """An item, its rows coloured by what the frame says, where it is rows."""
    if look.by is None or not isinstance(item, Table | Points):
        return item
    return context.know(Coloured(item, look.by), context.name_of(item), context.datum(item).digest)


def _called(panel: Panel, name: str) -> Panel:
    """Curves and points that have no name get that of their data, for the legend."""
    named = [
        replace(one, name=name) if one.mark in {"line", "points"} and not one.name else one for one in panel.layers
    ]
    return replace(panel, layers=tuple(named))


def _can_share(one: Panel, other: Panel) -> bool:
    """Whether two panels lie on the same axes: curves and points do, and shapes on whatever is drawn and flat."""
    if one.space is not None or other.space is not None or pairs.NAME in {one.visual, other.visual}:
        return False
    if "shape" in {one.visual, other.visual}:
        placed = [panel for panel in (one, other) if not all(layer.is_relative for layer in panel.layers)]
        is_one_axis = len({panel.x.scale == "datetime" for panel in placed}) <= 1
        return is_one_axis and one.is_drawn and other.is_drawn and not (one.colours and other.colours)
    return {one.visual, other.visual} <= OVERLAID and one.x.scale == other.x.scale


def _shared(one: Panel, other: Panel, colours: Sequence[str]) -> Panel:
    """Two panels on the same axes; the second one's curves get the next colours."""
    used = {layer.colour for layer in one.layers}
    free = [(colour, 0) for colour in colours if colour not in used]
    if not free:  # the colours once more, with the next stroke or form
        before = len({(layer.colour, layer.pattern) for layer in one.layers if _is_free(layer)})
        free = [
            (colours[at % len(colours)], at // len(colours) % PATTERNS) for at in range(before, before + len(colours))
        ]
    mine = dict.fromkeys(layer.colour for layer in other.layers if _is_free(layer) and layer.colour in colours)
    taken = {colour: free[place % len(free)] for place, colour in enumerate(mine)}
    added = tuple(_recoloured(layer, taken) if _is_free(layer) else layer for layer in other.layers)
    layers = (*one.layers, *added)
    ground = other if one.visual == "shape" else one
    is_named = len({layer.name for layer in layers if layer.name}) > 1 or (
        "shape" in {one.visual, other.visual} and (one.has_legend or other.has_legend)
    )
    y = ground.y
    if other.visual != "shape" and one.visual != "shape" and one.y.label != other.y.label:
        y = replace(y, label="", unit=y.unit if one.y.unit == other.y.unit else "")
    return replace(
        ground, layers=layers, has_legend=is_named, notes=one.notes + other.notes, data=one.data + other.data, y=y,
        title=one.title or other.title,
    )  # fmt: skip


def _is_free(layer: Layer) -> bool:
    """Whether its colour is ours to choose: it was not said, and tells it from others in the legend."""
    return bool(layer.name or layer.mark == "line") and not layer.is_chosen


def _recoloured(layer: Layer, taken: dict[str, tuple[str, int]]) -> Layer:
    edge, _ = taken.get(layer.edge, (layer.edge, 0))
    colour, pattern = taken.get(layer.colour, (layer.colour, layer.pattern))
    return replace(layer, colour=colour, edge=edge, pattern=pattern or layer.pattern)


def _styled(panel: Panel, look: Look) -> Panel:
    """What the script said about axes, legend, colours and size."""
    if not panel.is_drawn:
        return panel
    legend = panel.has_legend if look.has_legend is None else look.has_legend
    title = panel.legend_title if look.legend_title is None else look.legend_title
    if panel.space is not None:
        return _turned(replace(panel, has_legend=legend, legend_title=title, size=look.size or panel.size), look)
    x = _axis(panel.x, look.x, look.x_scale, look.x_range)
    y = _axis(panel.y, look.y, look.y_scale, look.y_range)
    if look.axes is not None:
        x, y = replace(x, is_shown=look.axes > 0), replace(y, is_shown=look.axes > 1)
    notes = (*panel.notes, *_without_logarithm(panel, x, "x"), *_without_logarithm(panel, y, "y"))
    made = replace(
        panel, notes=notes, has_legend=legend, legend_title=title, x=x, y=y, colours=_coloured(panel, look),
        size=look.size if any(look.size) else panel.size,
    )  # fmt: skip
    made = _on_a_decade(made) if y.scale == "log" else made
    return equal(made) if look.is_equal else made


def _on_a_decade(panel: Panel) -> Panel:
    """Bars on a logarithmic axis, which has no zero, stand on the decade below the shortest of them."""
    tops = [np.asarray(one.columns["top"], float) for one in panel.layers if one.mark == "bars"]
    heights = np.concatenate([*tops, [np.nan]])
    if not (heights > 0).any():
        return panel
    low = float(10.0 ** (np.ceil(np.log10(heights[heights > 0].min())) - 1))
    layers = tuple(
        replace(one, columns={**one.columns, "bottom": np.full(len(one.columns["top"]), low)})
        if one.mark == "bars" else one for one in panel.layers
    )  # fmt: skip
    return replace(panel, layers=layers, y=replace(panel.y, low=panel.y.low or low))


def _without_logarithm(panel: Panel, axis: Axis, name: Name) -> list[str]:
    """What a logarithmic axis has no place for, said."""
    if axis.scale != "log":
        return []
    drawn = {id(one.columns): one.columns[name] for one in panel.layers if one.mark in _MARKED and name in one.columns}
    lost = sum(int((np.asarray(one, float) <= 0).sum()) for one in drawn.values())
    said = f"Not above 0, so without a place on the logarithmic axis of {axis.label or name}: {lost:,} values."
    return [said] * bool(lost)


def _coloured(panel: Panel, look: Look) -> Colours | None:
    colours = panel.colours
    if colours is None or not look.stops:
        return colours
    low, high = look.limits or (colours.low, colours.high)
    return replace(colours, stops=look.stops, low=low, high=high)


def _turned(panel: Panel, look: Look) -> Panel:
    """What the script said, of a panel in three dimensions: names and ends of x and y, equal axes, colours."""
    space = panel.space
    if space is None:
        return panel
    if {look.x_scale, look.y_scale} - {None, "linear"}:
        raise UsageError("axis: in three dimensions every axis is linear.")
    x = _axis(space.axes[0], look.x, None, look.x_range)
    y = _axis(space.axes[1], look.y, None, look.y_range)
    space = replace(space, axes=(x, y, space.axes[2]), is_equal=look.is_equal)
    return replace(panel, space=space, colours=_coloured(panel, look))


def equal(panel: Panel) -> Panel:
    """The panel with one unit of x as long as one of y.

    Raises:
        UsageError: an axis that is no plain number line.
    """
    if {panel.x.scale, panel.y.scale} != {"linear"}:
        raise UsageError("axis: equal axes must be linear, both of them.")
    (x_low, x_high), (y_low, y_high) = extents(panel, panel.x, "x"), extents(panel, panel.y, "y")
    aspect = (y_high - y_low) / (x_high - x_low)
    x, y = replace(panel.x, low=x_low, high=x_high), replace(panel.y, low=y_low, high=y_high)
    return replace(panel, x=x, y=y, aspect=aspect)


def _axis(axis: Axis, label: str | None, scale: str | None, span: tuple[float, float] | None) -> Axis:
    low, high = span or (axis.low, axis.high)
    is_log = scale == "log"
    if is_log and axis.scale not in {"linear", "log"}:
        raise UsageError(f"axis: {axis.label!r} holds {axis.scale} values, which have no logarithm.")
    if is_log and low is not None and low <= 0:
        low = None
    is_kept = scale is None or axis.scale in {"datetime", "category", "clock"}
    chosen = axis.scale if is_kept else "log" if is_log else "linear"
    if label is not None:
        axis = replace(axis, label=label, unit="")
    return replace(axis, scale=chosen, low=low, high=high)


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
    if drawn and drawn[0].visual in {"animation", "scene"} and drawn[0].motion is not None:
        axis = drawn[0].motion.axis
        return f"{name or 'Animation'}{' over ' + axis if axis else ''}"
    return name or context.run.task_name or "Figure"


def _subtitle(context: Context) -> str:
    scope = context.run.scope
    bundle = f"{scope.bundle} (version {scope.version})" if scope.bundle else ""
    return " · ".join(part for part in (bundle, parameters(context)) if part)


def send(context: Context, root: Frame) -> Made:
    """Write a frame's figure."""
    root.is_sent = True
    template = context.template(root.template)
    figure = figure_of(context, root, template)
    story = provenance(context, template)
    return write(context, Document(figure.kind, figure.title, (figure,), figure.subtitle, story, template=template))


def send_report(context: Context, report: Report) -> Made:
    """Write a report: one page, one section a frame."""
    template = context.template(report.template)
    sections = tuple(
        replace(figure_of(context, frame, template), subtitle="", title=frame.title) for frame in report.frames
    )
    if not sections:
        raise UsageError(f"The report {report.title!r} is empty.")
    title = report.title or context.run.task_name or "Report"
    story = provenance(context, template)
    subtitle = report.subtitle or _subtitle(context)
    return write(context, Document("report", title, sections, subtitle, story, template=template))


def flush(context: Context, *, gave_up: bool) -> None:
    """The end of a task: what waits is sent; after giving up, what was exposed and never drawn is drawn."""
    if gave_up:
        for name, value in context.exposures.items():
            is_data = name not in context.aside and not isinstance(value, Symbol)
            if is_data and id(value) not in context.is_plotted:
                context.know(value, name)
                send(context, Frame(items=[value]))
    for report in context.reports:
        send_report(context, report)
    for root in context.roots:
        if not root.is_sent:
            _without_placed_elsewhere(context, root)
            if not root.is_empty:
                send(context, root)


def _without_placed_elsewhere(context: Context, root: Frame) -> None:
    """What lay loosely in a frame and was drawn in a report since is not drawn again."""
    for frame in root.walk():
        frame.items[:] = [
            one for one in frame.items if id(one) not in context.loose or id(one) not in context.is_plotted
        ]
