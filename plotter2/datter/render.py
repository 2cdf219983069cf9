"""Figures into pages. The only room that knows Bokeh: its document format, its script, its names.

A page is written straight in the JSON form that BokehJS reads, without building and validating Bokeh's Python models
anew for each figure (a test reads what comes out back through Bokeh, which refuses any unknown name or wrong value).
Bokeh's script lies beside the pages, see `assets`. Colours that depend on light or dark are named here and
replaced by the page's own script.
"""

from __future__ import annotations

import base64
import gzip
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from plotter2.datter import assets
from plotter2.datter.figure import GRID, INK, MUTED, Axis, Colours, Figure, Layer, Panel

FONT = "system-ui, sans-serif"
LEGEND_MAX = 24
HEIGHT_ALONE, HEIGHT_BESIDE = 460, 360
IMAGE_WIDTHS, IMAGE_HEIGHT_MAX = {1: 640, 2: 360, 3: 190}, 440
TILTED_FROM = 9
LOG_DECADES_TICKED = 3
NARROW, LABEL_CHARS_BESIDE, LEGEND_LINE_HEIGHT = 3, 8, 24
_SEQUENTIAL = "#440154 #482878 #3e4a89 #31688e #26828e #1f9e89 #35b779 #6dcd59 #b4de2c #fde725"
_DIVERGING = "#053061 #2166ac #4393c3 #92c5de #d1e5f0 #f7f7f7 #fddbc7 #f4a582 #d6604d #b2182b #67001f"
Json = dict[str, Any]


@dataclass(slots=True)
class Sheet:
    """One Bokeh document under construction: its roots, and the ids given so far."""

    roots: list[Json]
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
        return msgspec.json.encode({"version": assets.version(), "title": title, "roots": self.roots})


def drawn(figure: Figure, sheet: Sheet) -> list[str | None]:
    """Draw a figure's panels; the id of each panel's root, None for tables and text."""
    return [sheet.add(panel, figure.columns) if panel.is_drawn else None for panel in figure.panels]


def motion_name(root: str) -> str:
    """The name of the data source that an animation of this root changes."""
    return f"motion-{root}"


def packed(array: NDArray[Any]) -> Json:
    """An array in Bokeh's JSON form: compressed bytes, type, shape."""
    plain = np.ascontiguousarray(array)
    data = base64.b64encode(gzip.compress(plain.tobytes(), 1, mtime=0)).decode()
    shape = list(plain.shape)
    return {
        "type": "ndarray",
        "array": {"type": "bytes", "data": data},
        "dtype": str(plain.dtype),
        "shape": shape,
        "order": "little",
    }


def _plot(sheet: Sheet, panel: Panel, columns: int) -> Json:
    make = sheet.make
    renderers = [_renderer(sheet, panel, layer) for layer in panel.layers]
    x_axis = _axis(sheet, panel.x, _log_ticks(panel, panel.x, "x"))
    y_axis = _axis(sheet, panel.y, _log_ticks(panel, panel.y, "y"))
    grids = [
        make("Grid", axis={"id": one["id"]}, dimension=place, grid_line_color=GRID)
        for place, one in enumerate((x_axis, y_axis))
    ]
    legend, bar = _legend(sheet, panel, renderers), _bar(sheet, panel, renderers)
    is_under = bool(legend) and columns >= NARROW and max(map(len, _entries(panel))) > LABEL_CHARS_BESIDE
    under, right = (legend, bar) if is_under else ([], legend + bar)
    attributes: Json = {
        "x_range": _range(sheet, panel.x), "y_range": _range(sheet, panel.y),
        "x_scale": make(_SCALES[panel.x.scale]), "y_scale": make(_SCALES[panel.y.scale]),
        "renderers": renderers, "below": [x_axis, *under], "left": [y_axis], "right": right,
        "center": [] if panel.visual == "matrix" else grids,
        "toolbar": make("Toolbar", logo=None, tools=_tools(sheet, panel, renderers)), "toolbar_location": "above",
        "outline_line_color": None, "background_fill_color": None, "border_fill_color": None,
        **_size(panel, columns),
    }  # fmt: skip
    if is_under and "height" in attributes:
        attributes["height"] += LEGEND_LINE_HEIGHT * len(_entries(panel))
    if not panel.layers:
        attributes["renderers"] = []
    root = make("Figure", **attributes)
    if panel.motion is not None:
        renderers[0]["attributes"]["data_source"]["attributes"]["name"] = motion_name(root["id"])
    return root


def _entries(panel: Panel) -> list[str]:
    return list(dict.fromkeys(layer.name for layer in panel.layers if layer.name))[:LEGEND_MAX]


def _size(panel: Panel, columns: int) -> Json:
    if not panel.aspect:
        return {"height": HEIGHT_ALONE if columns == 1 else HEIGHT_BESIDE, "sizing_mode": "stretch_width"}
    width = min(IMAGE_WIDTHS[columns], IMAGE_HEIGHT_MAX / panel.aspect)
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


def _axis(sheet: Sheet, axis: Axis, ticks: list[float]) -> Json:
    look: Json = {
        "axis_label": axis.label, "axis_label_text_font": FONT, "axis_label_text_font_style": "normal",
        "axis_label_text_color": INK, "major_label_text_font": FONT, "major_label_text_color": MUTED,
        "axis_line_color": MUTED, "major_tick_line_color": MUTED, "minor_tick_line_color": None,
    }  # fmt: skip
    if axis.scale == "linear":
        look["formatter"] = sheet.make("BasicTickFormatter", power_limit_high=7)
        look["major_label_policy"] = sheet.make("NoOverlap")
    if ticks:
        look["ticker"] = sheet.make("FixedTicker", ticks=ticks)
        look["formatter"] = sheet.make("BasicTickFormatter", precision=3, power_limit_low=-4, power_limit_high=7)
        look["major_label_policy"] = sheet.make("NoOverlap")
    if axis.is_whole and axis.scale == "linear":
        look["ticker"] = sheet.make("BasicTicker", min_interval=1, mantissas=[1, 2, 5])
    if axis.scale == "category" and len(axis.factors) >= TILTED_FROM:
        look["major_label_orientation"] = 0.8
    return sheet.make(_AXES[axis.scale], **look)


def _renderer(sheet: Sheet, panel: Panel, layer: Layer) -> Json:
    entries = [[name, _values(column)] for name, column in layer.columns.items()]
    if layer.mark in {"image", "rgba"}:
        entries = [[name, [value] if isinstance(value, dict) else value] for name, value in entries]
    source = sheet.make("ColumnDataSource", data={"type": "map", "entries": entries})
    look = {**{name: {"type": "field", "field": name} for name in _FIELDS[layer.mark]}, **_LOOKS[layer.mark](layer)}
    if layer.mark == "bars" and "left" in layer.columns:
        look = {name: value for name, value in look.items() if name not in {"x", "width"}}
        look |= {name: {"type": "field", "field": name} for name in ("left", "right")}
    if layer.mark == "image" and panel.colours is not None:
        look["color_mapper"] = _mapper(sheet, panel.colours)
    glyph = sheet.make("Quad" if "left" in layer.columns else _GLYPHS[layer.mark], **look)
    named = {"name": layer.name} if layer.name else {}
    return sheet.make("GlyphRenderer", data_source=source, glyph=glyph, **named)


_GLYPHS = {
    "line": "Line", "points": "Scatter", "bars": "VBar", "band": "VArea", "image": "Image", "rgba": "ImageRGBA",
    "text": "Text",
}  # fmt: skip
_FIELDS: dict[str, tuple[str, ...]] = {
    "line": ("x", "y"), "points": ("x", "y"), "bars": ("x", "width", "top", "bottom"), "band": ("x",),
    "image": ("image", "x", "y", "dw", "dh"), "rgba": ("image", "x", "y", "dw", "dh"), "text": ("x", "y", "text"),
}  # fmt: skip
_LOOKS: dict[str, Any] = {
    "line": lambda layer: {
        "line_color": layer.colour, "line_width": layer.size, "line_alpha": layer.alpha, "line_join": "round",
    },
    "points": lambda layer: {
        "size": {"type": "value", "value": layer.size}, "fill_color": {"type": "value", "value": layer.colour},
        "fill_alpha": {"type": "value", "value": layer.alpha}, "line_color": {"type": "value", "value": None},
    },
    "bars": lambda layer: {
        "fill_color": {"type": "value", "value": layer.colour},
        "fill_alpha": {"type": "value", "value": 0.85 * layer.alpha},
        "line_color": {"type": "value", "value": None},
    },
    "band": lambda layer: {
        "y1": {"type": "field", "field": "low"}, "y2": {"type": "field", "field": "high"},
        "fill_color": layer.colour, "fill_alpha": layer.alpha,
    },
    "image": lambda _: {},
    "rgba": lambda _: {},
    "text": lambda layer: {
        "text_color": {"type": "value", "value": layer.colour}, "text_font": {"type": "value", "value": FONT},
        "text_font_size": {"type": "value", "value": "13px"},
    },
}  # fmt: skip


def _values(column: Any) -> Any:
    if not isinstance(column, np.ndarray):
        return list(column)
    if column.dtype.kind == "M":
        return packed(column.astype("datetime64[ms]").astype(np.float64))
    if column.dtype.kind in "OUS":
        return [str(value) for value in column.tolist()]
    return packed(
        column if str(column.dtype) in {"float32", "float64", "uint32", "uint8"} else column.astype(np.float64)
    )


def _mapper(sheet: Sheet, colours: Colours) -> Json:
    name = "LogColorMapper" if colours.is_log else "LinearColorMapper"
    return sheet.make(
        name, palette=_palette(colours.palette), low=colours.low, high=colours.high, nan_color="rgba(0, 0, 0, 0)"
    )


@lru_cache(maxsize=4)
def _palette(name: str) -> list[str]:
    """256 steps through the anchors of a colour map."""
    anchors = [
        [int(one[at : at + 2], 16) for at in (1, 3, 5)]
        for one in (_DIVERGING if name == "diverging" else _SEQUENTIAL).split()
    ]
    at, places = np.linspace(0, 1, 256), np.linspace(0, 1, len(anchors))
    parts = [np.interp(at, places, [anchor[part] for anchor in anchors]).round().astype(int) for part in range(3)]
    return [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in zip(*parts, strict=True)]


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


def _bar(sheet: Sheet, panel: Panel, renderers: list[Json]) -> list[Json]:
    if panel.colours is None:
        return []
    mapper = renderers[0]["attributes"]["glyph"]["attributes"]["color_mapper"]
    return [
        sheet.make(
            "ColorBar", color_mapper={"id": mapper["id"]}, title=panel.colours.title or None, width=14, padding=8,
            background_fill_color=None, bar_line_color=None, major_label_text_color=MUTED, major_label_text_font=FONT,
            major_tick_line_color=None, title_text_color=MUTED, title_text_font=FONT, title_text_font_style="normal",
        )
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
    if column.startswith("$"):
        return column
    return "@{x}{%F %T}" if is_time and column == "x" else f"@{{{column}}}"
