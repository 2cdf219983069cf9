"""The axes of a panel as Bokeh's models: how far they reach, where their marks are, what is written at them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from plotter2.datter.figures.extent import Name, extents
from plotter2.datter.figures.figure import INK, MUTED, Axis, Panel
from plotter2.datter.pages import styling
from plotter2.datter.pages.canvas import shortened, wrapped
from plotter2.datter.pages.sheet import Json, Sheet
from plotter2.datter.pages.styling import FONT

LOG_DECADES_TICKED = 3
LETTER_PX, WORDS_MAX, LINES_MAX, TILT = 6.5, 30, 3, 0.8
ROOM_X = {1: 900, 2: 400, 3: 220}
"""Pixels of a panel's lower side that words have, by panels beside one another."""
ROOM_Y = {1: 54, 2: 40, 3: 40}
"""Letters that fit along a panel's left side."""
TICK = "return plotter2Tick(tick, ticks)"
CLOCK = "return plotter2Clock(tick)"
FLAT = 1e-12
"""What varies by less than this share of itself is constant."""
SCALES = {"linear": "LinearScale", "datetime": "LinearScale", "log": "LogScale", "category": "CategoricalScale",
          "clock": "LinearScale"}  # fmt: skip
_AXES = {"linear": "LinearAxis", "datetime": "DatetimeAxis", "log": "LogAxis", "category": "CategoricalAxis",
         "clock": "LinearAxis"}  # fmt: skip
_MOMENTS = {
    "microseconds": "%H:%M:%S.%f", "milliseconds": "%H:%M:%S.%3N", "seconds": "%H:%M:%S", "minsec": "%H:%M:%S",
    "minutes": "%H:%M", "hourmin": "%H:%M", "hours": "%H:%M", "days": "%-d %b", "months": "%b %Y", "years": "%Y",
}  # fmt: skip


def reach(sheet: Sheet, panel: Panel, axis: Axis, name: Name) -> Json:
    """The range of an axis; of what is constant a little on both sides of it."""
    if axis.scale == "category":
        return sheet.make("FactorRange", factors=list(axis.factors))
    low, high = axis.low, axis.high
    if axis.scale == "linear" and (low is None or high is None):
        ends = extents(panel, axis, name)
        drawn = extents(panel, axis, name, air=0.0)
        if drawn[1] - drawn[0] <= FLAT * max(map(abs, drawn)):
            low, high = ends
    if low is not None and high is not None:
        return sheet.make("Range1d", start=low, end=high)
    found = {side: value for side, value in (("start", low), ("end", high)) if value is not None}
    return sheet.make("DataRange1d", **found)


def axis_of(sheet: Sheet, panel: Panel, name: Name, columns: int) -> Json:
    """The axis itself."""
    axis = panel.x if name == "x" else panel.y
    look: Json = {
        "axis_label": _label(axis.words, name, columns), "axis_label_text_font": FONT,
        "axis_label_text_font_style": "normal", "axis_label_text_color": INK, "major_label_text_font": FONT,
        "major_label_text_color": MUTED, "axis_line_color": MUTED, "major_tick_line_color": MUTED,
        "minor_tick_line_color": None,
    }  # fmt: skip
    look |= _written(sheet, axis)
    if ticks := _log_ticks(panel, axis, name):
        look["ticker"] = sheet.make("FixedTicker", ticks=ticks)
        look["formatter"] = sheet.once("CustomJSTickFormatter", TICK)
        look["major_label_policy"] = sheet.make("NoOverlap")
    if axis.ticks:
        look["ticker"] = sheet.make("FixedTicker", ticks=[place for place, _ in axis.ticks])
        look["major_label_policy"] = sheet.make("AllLabels")
    if axis.is_whole and axis.scale == "linear":
        look["ticker"] = sheet.make("BasicTicker", min_interval=1, mantissas=[1, 2, 5])
    named = dict(axis.ticks) or dict(zip(axis.factors, axis.factors, strict=True))
    if named:
        words = [shortened(word, WORDS_MAX) for word in named.values()]
        entries = [[place, word] for place, word in zip(named, words, strict=True)]
        look["major_label_overrides"] = {"type": "map", "entries": entries}
        if name == "x" and _is_crowded(words, columns):
            look["major_label_orientation"] = TILT
    look |= styling.of_axis(sheet.template)
    if not axis.is_shown:
        look["visible"] = False
    return sheet.make(_AXES[axis.scale], **look)


def _written(sheet: Sheet, axis: Axis) -> Json:
    """How the numbers of an axis are written, and where, where that is not Bokeh's own choice."""
    if axis.scale == "linear":
        return {"formatter": sheet.once("CustomJSTickFormatter", TICK), "major_label_policy": sheet.make("NoOverlap")}
    if axis.scale == "datetime":
        moments = sheet.make("DatetimeTickFormatter", **_MOMENTS)
        return {"formatter": moments, "major_label_policy": sheet.make("NoOverlap")}
    if axis.scale == "clock":
        ticker = sheet.make("DatetimeTicker", num_minor_ticks=0)
        clock = sheet.once("CustomJSTickFormatter", CLOCK)
        return {"ticker": ticker, "formatter": clock, "major_label_policy": sheet.make("NoOverlap")}
    return {}


def _label(words: str, name: Name, columns: int) -> str:
    """What stands at an axis, in as many lines as it needs."""
    letters = ROOM_Y[columns] if name == "y" else int(ROOM_X[columns] / LETTER_PX)
    return words if len(words) <= letters else "\n".join(wrapped(words, letters, LINES_MAX))


def _is_crowded(words: list[str], columns: int) -> bool:
    """Whether words side by side would run into one another."""
    return (max(map(len, words)) + 2) * LETTER_PX * len(words) > ROOM_X[columns]


def _log_ticks(panel: Panel, axis: Axis, column: Name) -> list[float]:
    """The ticks 1, 2, 5 of each decade, where a logarithmic axis has few of them: Bokeh's own would leave gaps."""
    if axis.scale != "log":
        return []
    low, high = extents(panel, axis, column)
    if np.log10(high / low) > LOG_DECADES_TICKED:
        return []
    first, last = int(np.floor(np.log10(low))) - 2, int(np.ceil(np.log10(high))) + 2
    return [float(f"{factor}e{power}") for power, _ in pairwise(range(first, last + 1)) for factor in (1, 2, 5)]
