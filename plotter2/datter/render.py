"""Figures into pages. The only room that knows Bokeh: its document format, its script, its names.

A page is written straight in the JSON form that BokehJS reads, without building and validating Bokeh's Python models
anew for each figure (a test reads what comes out back through Bokeh, which refuses any unknown name or wrong value).
Bokeh's script lies beside the pages, see `assets`. Colours that depend on light or dark are named here and
replaced by the page's own script.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from plotter2.datter import assets, styling
from plotter2.datter.extent import extents
from plotter2.datter.figure import GRID, INK, MUTED, Axis, Colours, Figure, Layer, Panel
from plotter2.datter.packing import packed
from plotter2.datter.palette import ANCHORS, steps
from plotter2.datter.styling import FAMILIES, FONT
from plotter2.datter.templates import NONE, Template

SHARES = "shares"
"""The name of the second pair of axes, from 0 to 1, that shapes relative to the panel lie on."""
LEGEND_MAX = 24
HEIGHT_ALONE, HEIGHT_BESIDE = 460, 360
IMAGE_WIDTHS, IMAGE_HEIGHT_MAX, BAR_WIDTH = {1: 640, 2: 360, 3: 190}, 440, 60
TILTED_FROM, TILTED_CHARS = 9, 60
LOG_DECADES_TICKED = 3
THOUSANDS, TOO_LONG = 1e4, 1e12
"""From where numbers at an axis are parted by commas, and from where they are written with a power of ten."""
NARROW, LABEL_CHARS_BESIDE, LEGEND_LINE_HEIGHT = 3, 8, 24
Json = dict[str, Any]


@dataclass(slots=True)
class Sheet:
    """One Bokeh document under construction: its roots, how it looks, and the ids given so far."""

    roots: list[Json]
    template: Template = NONE
    count: int = 0

    def make(self, model: str, /, **attributes: Any) -> Json:
        """A new model."""
        self.count += 1
        return {"type": "object", "name": model, "id": f"m{self.count}", "attributes": attributes}

    def add(self, panel: Panel, columns: int = 1) -> str:
        """Draw a panel; gives the id of its root."""
        root = _plot(self, panel, columns)
        self.roots.append(root)
        return str(root["id"])

    def to_json(self, title: str) -> bytes:
        """The document."""
        written = msgspec.json.encode({"version": assets.version(), "title": title, "roots": self.roots})
        return styling.of_document(written, self.template)


def drawn(figure: Figure, sheet: Sheet) -> list[str | None]:
    """Draw a figure's panels; the id of each panel's root, None for tables and text."""
    return [_root(sheet, panel, figure.columns) if panel.is_drawn else None for panel in figure.panels]


def _root(sheet: Sheet, panel: Panel, columns: int) -> str:
    """What is in three dimensions has an id and no root: the page draws it without Bokeh."""
    return sheet.add(panel, columns) if panel.space is None else str(sheet.make("Space")["id"])


def motion_name(root: str) -> str:
    """The name of the data source that an animation of this root changes."""
    return f"motion-{root}"


def _plot(sheet: Sheet, panel: Panel, columns: int) -> Json:
    make = sheet.make
    mapper = _mapper(sheet, panel.colours) if panel.colours is not None else None
    renderers = [_renderer(sheet, layer, mapper) for layer in panel.layers]
    x_axis = _axis(sheet, panel.x, _log_ticks(panel, panel.x, "x"), extents(panel, panel.x, "x"), is_x=True)
    y_axis = _axis(sheet, panel.y, _log_ticks(panel, panel.y, "y"), extents(panel, panel.y, "y"), is_x=False)
    grids = [
        make("Grid", axis={"id": one["id"]}, dimension=place, grid_line_color=GRID)
        for place, one in enumerate((x_axis, y_axis))
    ]
    legend, bar = _legend(sheet, panel, renderers), _bar(sheet, panel, mapper)
    heads = [
        _arrows(sheet, layer, one["attributes"]["data_source"])
        for layer, one in zip(panel.layers, renderers, strict=True)
        if layer.mark == "arrows"
    ]
    is_under = bool(legend) and columns >= NARROW and max(map(len, _entries(panel))) > LABEL_CHARS_BESIDE
    under, right = (legend, bar) if is_under else ([], legend + bar)
    attributes: Json = {
        "x_range": _range(sheet, panel.x), "y_range": _range(sheet, panel.y),
        "x_scale": make(_SCALES[panel.x.scale]), "y_scale": make(_SCALES[panel.y.scale]),
        "renderers": renderers, "below": [x_axis, *under], "left": [y_axis], "right": right,
        "center": heads if panel.visual in _WITHOUT_GRID or not sheet.template.axes.grid else [*grids, *heads],
        "toolbar": make("Toolbar", logo=None, tools=_tools(sheet, panel, renderers)), "toolbar_location": "above",
        "outline_line_color": None, "background_fill_color": None, "border_fill_color": None,
        **_size(panel, columns),
    }  # fmt: skip
    if is_under and "height" in attributes:
        attributes["height"] += LEGEND_LINE_HEIGHT * len(_entries(panel))
    if any(layer.is_relative for layer in panel.layers):
        still = {"start": 0, "end": 1, "bounds": [0, 1], "min_interval": 1}
        for name in ("x", "y"):
            entries = [[SHARES, make("Range1d", **still)]]
            attributes[f"extra_{name}_ranges"] = {"type": "map", "entries": entries}
            attributes[f"extra_{name}_scales"] = {"type": "map", "entries": [[SHARES, make("LinearScale")]]}
    root = make("Figure", **attributes)
    if panel.motion is not None:
        renderers[0]["attributes"]["data_source"]["attributes"]["name"] = motion_name(root["id"])
    return root


_WITHOUT_GRID = frozenset({"matrix", "heatmap", "picture"})


def _entries(panel: Panel) -> list[str]:
    return list(dict.fromkeys(layer.name for layer in panel.layers if layer.name))[:LEGEND_MAX]


def _size(panel: Panel, columns: int) -> Json:
    asked_width, asked_height = panel.size
    if not panel.aspect:
        height = asked_height or (HEIGHT_ALONE if columns == 1 else HEIGHT_BESIDE)
        wide: Json = {"width": asked_width} if asked_width else {"sizing_mode": "stretch_width"}
        return {"height": height, **wide}
    room = IMAGE_WIDTHS[columns] + (0 if panel.colours else BAR_WIDTH)
    width = min(asked_width or room, (asked_height or IMAGE_HEIGHT_MAX) / panel.aspect)
    return {"frame_width": max(round(width), 60), "frame_height": max(round(width * panel.aspect), 60)}


_SCALES = {"linear": "LinearScale", "datetime": "LinearScale", "log": "LogScale", "category": "CategoricalScale"}
_AXES = {"linear": "LinearAxis", "datetime": "DatetimeAxis", "log": "LogAxis", "category": "CategoricalAxis"}


def _range(sheet: Sheet, axis: Axis) -> Json:
    if axis.scale == "category":
        return sheet.make("FactorRange", factors=list(axis.factors))
    if axis.low is not None and axis.high is not None:
        return sheet.make("Range1d", start=axis.low, end=axis.high)
    ends = {name: value for name, value in (("start", axis.low), ("end", axis.high)) if value is not None}
    return sheet.make("DataRange1d", **ends)


def _log_ticks(panel: Panel, axis: Axis, column: str) -> list[float]:
    """The ticks 1, 2, 5 of each decade, where a logarithmic axis has few of them: Bokeh's own would leave gaps."""
    if axis.scale != "log":
        return []
    parts = [np.asarray(layer.columns[column], float).ravel() for layer in panel.layers if column in layer.columns]
    values = np.concatenate([*parts, [one for one in (axis.low, axis.high) if one is not None]])
    values = values[np.isfinite(values) & (values > 0)]
    if not values.size or (decades := np.log10(values.max() / values.min())) > LOG_DECADES_TICKED:
        return []
    middle, reach = round(float(np.log10(values.min()))), int(decades) + 2
    return [float(f"{factor}e{power}") for power in range(middle - reach, middle + reach + 1) for factor in (1, 2, 5)]


def _axis(sheet: Sheet, axis: Axis, ticks: list[float], ends: tuple[float, float], *, is_x: bool) -> Json:
    look: Json = {
        "axis_label": axis.words, "axis_label_text_font": FONT, "axis_label_text_font_style": "normal",
        "axis_label_text_color": INK, "major_label_text_font": FONT, "major_label_text_color": MUTED,
        "axis_line_color": MUTED, "major_tick_line_color": MUTED, "minor_tick_line_color": None,
    }  # fmt: skip
    if axis.scale == "linear":
        look |= {"formatter": _numbers(sheet, ends), "major_label_policy": sheet.make("NoOverlap")}
    if ticks:
        look["ticker"] = sheet.make("FixedTicker", ticks=ticks)
        look["formatter"] = sheet.make("BasicTickFormatter", precision=3, power_limit_low=-4, power_limit_high=7)
        look["major_label_policy"] = sheet.make("NoOverlap")
    if axis.ticks:
        look["ticker"] = sheet.make("FixedTicker", ticks=[place for place, _ in axis.ticks])
        words = [[place, word] for place, word in axis.ticks]
        look["major_label_overrides"] = {"type": "map", "entries": words}
        look["major_label_policy"] = sheet.make("AllLabels")
        if len(axis.ticks) >= TILTED_FROM or sum(len(word) for _, word in axis.ticks) > TILTED_CHARS:
            look["major_label_orientation"] = 0.8 if is_x else "horizontal"
    look |= styling.of_axis(sheet.template)
    if not axis.is_shown:
        look["visible"] = False
    if axis.is_whole and axis.scale == "linear":
        look["ticker"] = sheet.make("BasicTicker", min_interval=1, mantissas=[1, 2, 5])
    if axis.scale == "category" and is_x and len(axis.factors) >= TILTED_FROM:
        look["major_label_orientation"] = 0.8
    return sheet.make(_AXES[axis.scale], **look)


def _numbers(sheet: Sheet, ends: tuple[float, float]) -> Json:
    if THOUSANDS <= max(map(abs, ends)) < TOO_LONG:
        return sheet.make("NumeralTickFormatter", format="0,0.[00]")
    return sheet.make("BasicTickFormatter", power_limit_high=7)


def _renderer(sheet: Sheet, layer: Layer, mapper: Json | None) -> Json:
    entries = [[name, _values(column)] for name, column in layer.columns.items()]
    if layer.mark in {"image", "rgba"}:
        entries = [[name, [value] if isinstance(value, dict) else value] for name, value in entries]
    source = sheet.make("ColumnDataSource", data={"type": "map", "entries": entries})
    look = {**{name: {"type": "field", "field": name} for name in _FIELDS[layer.mark]}, **_LOOKS[layer.mark](layer)}
    if layer.mark == "bars" and "left" in layer.columns:
        look = {name: value for name, value in look.items() if name not in {"x", "width"}}
        look |= {name: {"type": "field", "field": name} for name in ("left", "right")}
    if mapper is not None:
        _map_colours(layer, look, mapper)
    glyph = sheet.make("Quad" if "left" in layer.columns else _GLYPHS[layer.mark], **look)
    about: Json = {"name": layer.name} if layer.name else {}
    if layer.is_relative:
        about |= {"x_range_name": SHARES, "y_range_name": SHARES}
    return sheet.make("GlyphRenderer", data_source=source, glyph=glyph, **about)


def _map_colours(layer: Layer, look: Json, mapper: Json) -> None:
    """Colour by the panel's scale: an image by its cells, everything else by its column `colour`."""
    is_first = not mapper.get("used")
    known = mapper["model"] if is_first else {"id": mapper["model"]["id"]}
    if layer.mark == "image":
        look["color_mapper"] = known
    elif "colour" in layer.columns:
        name = "line_color" if layer.mark in {"curves", "segments"} else "fill_color"
        look[name] = {"type": "field", "field": "colour", "transform": known}
        if layer.mark == "polygons" and not layer.edge:
            look["line_color"] = look[name] if not is_first else {**look[name], "transform": {"id": known["id"]}}
    else:
        return
    mapper["used"] = True


def _arrows(sheet: Sheet, layer: Layer, source: Json) -> Json:
    """The heads of arrows: they keep their size whatever the zoom, so they are no glyphs."""
    ends = {name: {"type": "field", "field": at} for name, at in zip(_ENDS, ("x0", "y0", "x1", "y1"), strict=True)}
    colour = _value(layer.colour)
    small = len(layer.columns["x0"]) > ARROWS_LARGE_MAX
    head = sheet.make("NormalHead", size=5 if small else 11, fill_color=colour, line_color=colour)
    about: Json = {"x_range_name": SHARES, "y_range_name": SHARES} if layer.is_relative else {}
    return sheet.make(
        "Arrow", source={"id": source["id"]}, end=head, line_color=colour,
        line_width=_value(layer.size), **ends, **about,
    )  # fmt: skip


_ENDS = ("x_start", "y_start", "x_end", "y_end")
ARROWS_LARGE_MAX = 24
_GLYPHS = {
    "line": "Line", "points": "Scatter", "bars": "VBar", "band": "VArea", "image": "Image", "rgba": "ImageRGBA",
    "text": "Text", "polygons": "Patches", "curves": "MultiLine", "segments": "Segment", "arrows": "Segment",
}  # fmt: skip
_FIELDS: dict[str, tuple[str, ...]] = {
    "line": ("x", "y"), "points": ("x", "y"), "bars": ("x", "width", "top", "bottom"), "band": ("x",),
    "image": ("image", "x", "y", "dw", "dh"), "rgba": ("image", "x", "y", "dw", "dh"), "text": ("x", "y", "text"),
    "polygons": ("xs", "ys"), "curves": ("xs", "ys"), "segments": ("x0", "y0", "x1", "y1"),
    "arrows": ("x0", "y0", "x1", "y1"),
}  # fmt: skip
_LOOKS: dict[str, Any] = {
    "line": lambda layer: {
        "line_color": layer.colour, "line_width": layer.size, "line_alpha": layer.alpha, "line_join": "round",
    },
    "points": lambda layer: {
        "size": _value(layer.size), "fill_color": _value(layer.colour),
        "fill_alpha": _value(layer.alpha), "line_color": _value(None),
    },
    "bars": lambda layer: {
        "fill_color": _value(layer.colour),
        "fill_alpha": _value(0.85 * layer.alpha),
        "line_color": _value(None),
    },
    "band": lambda layer: {
        "y1": {"type": "field", "field": "low"}, "y2": {"type": "field", "field": "high"},
        "fill_color": layer.colour, "fill_alpha": layer.alpha,
    },
    "image": lambda _: {},
    "rgba": lambda _: {},
    "text": lambda layer: {
        "text_color": _value(layer.colour), "text_font": _value(FAMILIES[layer.font.family]),
        "text_font_size": _value(f"{layer.font.size}px"),
        "text_font_style": _value("bold" if layer.font.is_bold else "normal"),
    },
    "polygons": lambda layer: {
        "fill_color": _value(layer.colour), "fill_alpha": _value(layer.alpha),
        "line_color": _value(layer.edge or None), "line_width": _value(layer.size),
    },
    "curves": lambda layer: {
        "line_color": _value(layer.colour), "line_width": _value(layer.size), "line_alpha": _value(layer.alpha),
    },
    "segments": lambda layer: {
        "line_color": _value(layer.colour), "line_width": _value(layer.size), "line_alpha": _value(layer.alpha),
    },
    "arrows": lambda layer: {"line_color": _value(layer.colour), "line_width": _value(layer.size)},
}  # fmt: skip


def _value(one: Any) -> Json:
    return {"type": "value", "value": one}


def _values(column: Any) -> Any:
    if not isinstance(column, np.ndarray):
        return [packed(one) if isinstance(one, np.ndarray) else one for one in column]
    if column.dtype.kind == "M":
        return packed(column.astype("datetime64[ms]").astype(np.float64))
    if column.dtype.kind in "OUS":
        return [str(value) for value in column.tolist()]
    return packed(
        column if str(column.dtype) in {"float32", "float64", "uint32", "uint8"} else column.astype(np.float64)
    )


def _mapper(sheet: Sheet, colours: Colours) -> Json:
    """The panel's colour mapper, and whether it stands in the document already: it is written once."""
    name = "LogColorMapper" if colours.is_log else "LinearColorMapper"
    palette = list(steps(colours.stops or ANCHORS[colours.palette]))
    model = sheet.make(name, palette=palette, low=colours.low, high=colours.high, nan_color="rgba(0, 0, 0, 0)")
    return {"model": model, "used": False}


def _legend(sheet: Sheet, panel: Panel, renderers: list[Json]) -> list[Json]:
    named: dict[str, list[Json]] = {}
    for layer, renderer in zip(panel.layers, renderers, strict=True):
        if layer.name:
            named.setdefault(layer.name, []).append({"id": renderer["id"]})
    if not panel.has_legend or not named:
        return []
    shown = list(named.items())[:LEGEND_MAX]
    policy = "none" if any(layer.mark == "rgba" for layer in panel.layers) else "hide"  # a mix cannot be parted
    items = [sheet.make("LegendItem", label={"type": "value", "value": name}, renderers=found) for name, found in shown]
    title = panel.legend_title + (f" (the first {LEGEND_MAX} of {len(named)})" if len(named) > LEGEND_MAX else "")
    return [
        sheet.make(
            "Legend", items=items, title=title.strip() or None, click_policy=policy, location="top_left",
            border_line_color=None,
            background_fill_color=None, label_text_color=INK, label_text_font=FONT, label_text_font_size="12px",
            title_text_color=MUTED, title_text_font=FONT, title_text_font_style="normal", spacing=2, margin=16,
        )
    ]  # fmt: skip


def _bar(sheet: Sheet, panel: Panel, mapper: Json | None) -> list[Json]:
    if panel.colours is None or mapper is None or not mapper["used"]:
        return []
    # The bar's own title would lie across its foot.
    title = sheet.make(
        "Title", text=panel.colours.title, align="center", text_color=MUTED, text_font=FONT, text_font_size="12px",
        text_font_style="normal",
    )  # fmt: skip
    return [
        sheet.make(
            "ColorBar", color_mapper={"id": mapper["model"]["id"]}, width=14,
            formatter=sheet.make("BasicTickFormatter", power_limit_low=-4, power_limit_high=6), padding=8,
            background_fill_color=None, bar_line_color=None, major_label_text_color=MUTED, major_label_text_font=FONT,
            major_tick_line_color=None,
        ),
        *[title] * bool(panel.colours.title),
    ]  # fmt: skip


def _tools(sheet: Sheet, panel: Panel, renderers: list[Json]) -> list[Json]:
    groups: dict[tuple[tuple[str, str], ...], list[Json]] = {}
    for layer, renderer in zip(panel.layers, renderers, strict=True):
        if layer.hover:
            head = (("", "$name"),) if layer.name else ()
            groups.setdefault(head + layer.hover, []).append({"id": renderer["id"]})
    hovers: list[Json] = []
    for fields, found in groups.items():
        is_time = panel.x.scale == "datetime"
        tips = [[label, _tip(column, is_time=is_time)] for label, column in fields]
        formats = {"type": "map", "entries": [["@{x}", "datetime"]]} if is_time else {}
        hovers.append(sheet.make("HoverTool", renderers=found, tooltips=tips, formatters=formats, visible=not hovers))
    plain = [sheet.make(name) for name in ("PanTool", "BoxZoomTool", "WheelZoomTool", "ResetTool", "SaveTool")]
    return plain + hovers


def _tip(column: str, *, is_time: bool) -> str:
    if column[0] in "$@":
        return column
    return "@{x}{%F %T}" if is_time and column == "x" else f"@{{{column}}}"
