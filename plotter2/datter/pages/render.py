"""Figures into pages. This room, `ruler`, `beside` and `sheet` know Bokeh: its document format, its script, its names.

A page is written straight in the JSON form that BokehJS reads, without building and validating Bokeh's Python models
anew for each figure (a test reads what comes out back through Bokeh, which refuses any unknown name or wrong value).
Bokeh's script lies beside the pages, see `assets`. Colours that depend on light or dark are named here and
replaced by the page's own script.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from plotter2.datter.figures.figure import GRID, Colours, Figure, Layer, Panel
from plotter2.datter.figures.palette import ANCHORS, steps
from plotter2.datter.pages import beside, ruler
from plotter2.datter.pages.packing import packed
from plotter2.datter.pages.sheet import Json, Sheet
from plotter2.datter.pages.styling import FAMILIES

SHARES = "shares"
"""The name of the second pair of axes, from 0 to 1, that shapes relative to the panel lie on."""
HEIGHT_ALONE, HEIGHT_BESIDE = 460, 360
IMAGE_WIDTHS, IMAGE_HEIGHT_MAX, BAR_WIDTH = {1: 820, 2: 380, 3: 190}, 520, 60
DASHES, MARKERS = ("solid", "dashed", "dotted"), ("circle", "triangle", "square")


def add(sheet: Sheet, panel: Panel, columns: int = 1) -> str:
    """Draw a panel; gives the id of its root."""
    root = _plot(sheet, panel, columns)
    sheet.roots.append(root)
    return str(root["id"])


def drawn(figure: Figure, sheet: Sheet) -> list[str | None]:
    """Draw a figure's panels; the id of each panel's root, None for tables and text."""
    return [_root(sheet, panel, figure.columns) if panel.is_drawn else None for panel in figure.panels]


def _root(sheet: Sheet, panel: Panel, columns: int) -> str:
    """What is in three dimensions has an id and no root: the page draws it without Bokeh."""
    return add(sheet, panel, columns) if panel.space is None else str(sheet.make("Space")["id"])


def motion_name(root: str) -> str:
    """The name of the data source that an animation of this root changes."""
    return f"motion-{root}"


def _plot(sheet: Sheet, panel: Panel, columns: int) -> Json:
    make = sheet.make
    sheet.begin()
    mapper = _mapper(sheet, panel.colours) if panel.colours is not None else None
    renderers = [_renderer(sheet, layer, mapper) for layer in panel.layers]
    x_axis, y_axis = ruler.axis_of(sheet, panel, "x", columns), ruler.axis_of(sheet, panel, "y", columns)
    grids = [
        make("Grid", axis={"id": one["id"]}, dimension=place, grid_line_color=GRID)
        for place, one in enumerate((x_axis, y_axis))
    ]
    legend, bar = beside.legend(sheet, panel, renderers, columns), beside.bar(sheet, panel, mapper)
    heads = [
        _arrows(sheet, layer, one["attributes"]["data_source"])
        for layer, one in zip(panel.layers, renderers, strict=True)
        if layer.mark == "arrows"
    ]
    is_under = beside.is_under(panel, columns)
    under, right = (legend, bar) if is_under else ([], legend + bar)
    attributes: Json = {
        "x_range": ruler.reach(sheet, panel, panel.x, "x"), "y_range": ruler.reach(sheet, panel, panel.y, "y"),
        "x_scale": make(ruler.SCALES[panel.x.scale]), "y_scale": make(ruler.SCALES[panel.y.scale]),
        "renderers": renderers, "below": [x_axis, *under], "left": [y_axis], "right": right,
        "center": heads if panel.visual in _WITHOUT_GRID or not sheet.template.axes.grid else [*grids, *heads],
        "toolbar": make("Toolbar", logo=None, autohide=True, tools=beside.tools(sheet, panel, renderers)),
        "toolbar_location": "above",
        "outline_line_color": None, "background_fill_color": None, "border_fill_color": None,
        **_size(panel, columns),
    }  # fmt: skip
    if is_under and "height" in attributes:
        attributes["height"] += beside.height_under(panel)
    if any(layer.is_relative for layer in panel.layers):
        still = {"start": 0, "end": 1, "bounds": [0, 1], "min_interval": 1}
        for name in ("x", "y"):
            entries = [[SHARES, make("Range1d", **still)]]
            attributes[f"extra_{name}_ranges"] = {"type": "map", "entries": entries}
            attributes[f"extra_{name}_scales"] = {"type": "map", "entries": [[SHARES, make("LinearScale")]]}
    if panel.visual in _KEEPS_WIDTH:
        attributes["tags"] = [KEPT]
    root = make("Figure", **attributes)
    if panel.motion is not None:
        renderers[0]["attributes"]["data_source"]["attributes"]["name"] = motion_name(root["id"])
    return root


_KEEPS_WIDTH = frozenset({"pairs"})
KEPT = "keeps its width"
"""What the page's script does not make small on a narrow page: it is moved sideways there."""
_WITHOUT_GRID = frozenset({"matrix", "heatmap", "picture", "pairs"})


def _size(panel: Panel, columns: int) -> Json:
    asked_width, asked_height = panel.size
    if not panel.aspect:
        height = asked_height or (HEIGHT_ALONE if columns == 1 else HEIGHT_BESIDE)
        wide: Json = {"width": asked_width} if asked_width else {"sizing_mode": "stretch_width"}
        return {"height": height, **wide}
    room = IMAGE_WIDTHS[columns] + (0 if panel.colours and not panel.shares_colours else BAR_WIDTH)
    width = min(asked_width or room, (asked_height or IMAGE_HEIGHT_MAX) / panel.aspect)
    return {"frame_width": max(round(width), 60), "frame_height": max(round(width * panel.aspect), 60)}


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
        **({"line_dash": DASHES[layer.pattern]} if layer.pattern else {}),
    },
    "points": lambda layer: {
        "size": _value(layer.size), "fill_color": _value(layer.colour),
        "fill_alpha": _value(layer.alpha), "line_color": _value(None),
        **({"marker": _value(MARKERS[layer.pattern])} if layer.pattern else {}),
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
