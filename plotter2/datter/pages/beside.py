"""What lies around a panel's drawing as Bokeh's models: legend, bar of colours, tools and what they tell."""

from __future__ import annotations

from plotter2.datter.figures.figure import INK, MUTED, Panel
from plotter2.datter.pages.canvas import shortened
from plotter2.datter.pages.sheet import Json, Sheet
from plotter2.datter.pages.styling import FONT

LEGEND_MAX, NAMES_MAX = 24, {1: 120, 2: 60, 3: 36}
LETTERS_BESIDE = {1: 28, 2: 24, 3: 8}
"""Letters of a name that fit beside the drawing, by panels beside one another; longer ones lie under it."""
LOW_FROM, LINE_HEIGHT, LOW_HEIGHT = 14, 24, 18
TITLE_LINE = 1
HOVER = "return plotter2Value(value)"
HOVER_CLOCK = "return plotter2Clock(value)"
_BOX = ("low", "first", "median", "third", "high")
"""What is told of a box: values along y."""


def _entries(panel: Panel) -> list[str]:
    return list(dict.fromkeys(layer.name for layer in panel.layers if layer.name)) if panel.has_legend else []


def is_under(panel: Panel, columns: int) -> bool:
    """Whether the legend lies under the drawing: its names would take the room of what they name."""
    return max(map(len, _entries(panel)), default=0) > LETTERS_BESIDE[columns]


def height_under(panel: Panel) -> int:
    """Pixels that the legend needs under a drawing."""
    count = min(len(_entries(panel)), LEGEND_MAX)
    each = LOW_HEIGHT if count > LOW_FROM else LINE_HEIGHT
    return each * (count + TITLE_LINE * bool(panel.legend_title))


def legend(sheet: Sheet, panel: Panel, renderers: list[Json], columns: int) -> list[Json]:
    """The legend, where there is one: at most 24 names, cut where they are very long."""
    named: dict[str, list[Json]] = {}
    for layer, renderer in zip(panel.layers, renderers, strict=True):
        if layer.name:
            named.setdefault(layer.name, []).append({"id": renderer["id"]})
    if not panel.has_legend or not named:
        return []
    shown = list(named.items())[:LEGEND_MAX]
    policy = "none" if any(layer.mark == "rgba" for layer in panel.layers) else "hide"  # a mix cannot be parted
    items = [
        sheet.make("LegendItem", label={"type": "value", "value": shortened(name, NAMES_MAX[columns])}, renderers=found)
        for name, found in shown
    ]
    title = panel.legend_title + (f" (the first {LEGEND_MAX} of {len(named)})" if len(named) > LEGEND_MAX else "")
    low = {"label_height": 14, "glyph_height": 14} if len(shown) > LOW_FROM else {}
    return [
        sheet.make(
            "Legend", items=items, title=title.strip() or None, click_policy=policy, location="top_left",
            border_line_color=None, background_fill_color=None, label_text_color=INK, label_text_font=FONT,
            label_text_font_size="11px" if low else "12px", title_text_color=MUTED, title_text_font=FONT,
            title_text_font_style="normal", spacing=2, margin=4 if is_under(panel, columns) else 16, **low,
        )
    ]  # fmt: skip


def bar(sheet: Sheet, panel: Panel, mapper: Json | None) -> list[Json]:
    """The bar that tells which value a colour is, and its title."""
    if panel.colours is None or mapper is None or not mapper["used"] or panel.shares_colours:
        return []
    # The bar's own title would lie across its foot.
    title = sheet.make(
        "Title", text=panel.colours.title, align="center", text_color=MUTED, text_font=FONT, text_font_size="12px",
        text_font_style="normal",
    )  # fmt: skip
    return [
        sheet.make(
            "ColorBar", color_mapper={"id": mapper["model"]["id"]}, width=14,
            formatter=sheet.once("CustomJSTickFormatter", "return plotter2Tick(tick, ticks)"), padding=8,
            background_fill_color=None, bar_line_color=None, major_label_text_color=MUTED, major_label_text_font=FONT,
            major_tick_line_color=None,
        ),
        *[title] * bool(panel.colours.title),
    ]  # fmt: skip


def tools(sheet: Sheet, panel: Panel, renderers: list[Json]) -> list[Json]:
    """Pan, zoom, reset, save; and what is told under the pointer, in one box for layers that tell the same."""
    groups: dict[tuple[tuple[str, str], ...], list[Json]] = {}
    for layer, renderer in zip(panel.layers, renderers, strict=True):
        if layer.hover:
            head = (("", "$name"),) if layer.name else ()
            groups.setdefault(head + layer.hover, []).append({"id": renderer["id"]})
    hovers: list[Json] = []
    for fields, found in groups.items():
        is_time = panel.x.scale == "datetime"
        tips = [[label, _tip(column, is_time=is_time)] for label, column in fields]
        plain = dict.fromkeys(column for _, column in fields if column[0] not in "$@")
        entries = [
            [f"@{{{one}}}", "datetime" if is_time and one == "x" else _telling(sheet, panel, one)] for one in plain
        ]
        formats = {"type": "map", "entries": entries}
        hovers.append(sheet.make("HoverTool", renderers=found, tooltips=tips, formatters=formats, visible=not hovers))
    usual = [sheet.make(name) for name in ("PanTool", "BoxZoomTool", "WheelZoomTool", "ResetTool", "SaveTool")]
    return usual + hovers


def _telling(sheet: Sheet, panel: Panel, column: str) -> Json:
    """The function that writes a value: a time of day where the column lies along a clock."""
    along = panel.x if column in {"x", "left", "right"} else panel.y if column in {"y", *_BOX} else None
    return sheet.once("CustomJSHover", HOVER_CLOCK if along is not None and along.scale == "clock" else HOVER)


def _tip(column: str, *, is_time: bool) -> str:
    if column[0] in "$@":
        return column
    return "@{x}{%F %T}" if is_time and column == "x" else f"@{{{column}}}{{custom}}"
