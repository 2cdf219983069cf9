"""The part of a page that shows something in three dimensions: its numbers, packed, for `assets/space.js` to turn."""

from __future__ import annotations

import base64
import zlib
from html import escape
from typing import Any

import msgspec
import numpy as np

from plotter2.datter.figures import space, ticks
from plotter2.datter.figures.figure import Axis, Colours, Layer, Panel
from plotter2.datter.figures.palette import ANCHORS, steps

HEIGHTS = {1: 560, 2: 420, 3: 300}
LEGEND_MAX = 24


def drawn(panel: Panel, name: str, columns: int) -> str:
    """The box of a panel as HTML; `name` is what its animation calls it.

    Raises:
        ValueError: the panel has nothing in three dimensions.
    """
    if panel.space is None:
        raise ValueError("Only a panel with a space can be turned.")
    box = panel.space
    about = {
        "name": name, "half": space.proportions(box), "axes": [_axis(one) for one in box.axes],
        "layers": [_layer(one) for one in box.layers], "shades": _shades(panel.colours),
    }  # fmt: skip
    width, height = panel.size
    wide = f"max-width:{width}px;" * bool(width)
    written = msgspec.json.encode(about).decode().replace("<", "\\u003c")
    return (
        f'<div class="space" data-space="{escape(name)}" style="{wide}height:{height or HEIGHTS[columns]}px">'
        '<canvas tabindex="0" aria-label="Drag to turn, wheel to come nearer, double click to go back"></canvas>'
        f'<div class="tip" hidden></div><script type="application/json" class="about">{written}</script></div>'
        f"{_legend(panel)}"
    )


def _axis(axis: Axis) -> dict[str, Any]:
    low, high = float(axis.low or 0), float(axis.high or 0)
    return {"label": axis.label, "low": low, "high": high, "ticks": ticks.marks(axis, low, high)}


def _layer(layer: Layer) -> dict[str, Any]:
    is_shaded = "colour" in layer.columns
    names = ("x", "y", "z", *["colour"] * is_shaded)
    data = np.concatenate([np.asarray(layer.columns[one], "<f4") for one in names])
    return {
        "mark": layer.mark, "name": layer.name, "colour": layer.colour, "alpha": layer.alpha, "size": layer.size,
        "hover": layer.hover, "rows": layer.columns.get("rows", [0])[0], "objects": layer.columns.get("object"),
        "is_shaded": is_shaded, "data": base64.b64encode(zlib.compress(data.tobytes())).decode(),
    }  # fmt: skip


def _shades(colours: Colours | None) -> dict[str, Any] | None:
    if colours is None:
        return None
    return {
        "low": colours.low, "high": colours.high, "title": colours.title,
        "steps": steps(colours.stops or ANCHORS[colours.palette]),
        "ticks": ticks.marks(Axis(), colours.low, colours.high),
    }  # fmt: skip


def _legend(panel: Panel) -> str:
    named = {} if panel.space is None else {one.name: one.colour for one in panel.space.layers if one.name}
    if not panel.has_legend or not named:
        return ""
    entries = [f'<li style="--mark:{colour}">{escape(name)}</li>' for name, colour in named.items()][:LEGEND_MAX]
    more = [f"<li>and {len(named) - LEGEND_MAX} more</li>"] * (len(named) > LEGEND_MAX)
    return f'<ul class="key"><li class="what">{escape(panel.legend_title)}</li>{"".join(entries + more)}</ul>'
