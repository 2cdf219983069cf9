"""One bar of colours for panels that share their scale: words and a gradient of the page's own, no drawing (pure)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape

from plotter2.datter.figures import ticks
from plotter2.datter.figures.figure import Axis, Colours, Panel
from plotter2.datter.figures.palette import ANCHORS


def after(panels: Sequence[Panel], place: int) -> Colours | None:
    """The scale to be explained below the panel at this place: the last of those that share one; else None."""
    panel = panels[place]
    if not panel.shares_colours or panel.colours is None:
        return None
    following = panels[place + 1] if place + 1 < len(panels) else None
    goes_on = following is not None and following.shares_colours and following.colours == panel.colours
    return None if goes_on else panel.colours


def shared(panels: Sequence[Panel]) -> list[Colours]:
    """The scales that have a bar of their own below these panels, in order."""
    return [found for place in range(len(panels)) if (found := after(panels, place)) is not None]


def marks(colours: Colours) -> Iterator[tuple[float, str]]:
    """Where along the bar, from 0 to 1, and what is written there."""
    low, high = colours.low, colours.high
    for at, words in ticks.marks(Axis(scale="log" if colours.is_log else "linear"), low, high):
        if colours.is_log:
            yield (math.log(at) - math.log(low)) / ((math.log(high) - math.log(low)) or 1.0), words
        else:
            yield (at - low) / ((high - low) or 1.0), words


def bar(colours: Colours) -> str:
    """The bar as HTML: its title, the gradient, and the marks under it."""
    stops = ",".join(colours.stops or ANCHORS[colours.palette])
    title = f"<span>{escape(colours.title)}</span>" * bool(colours.title)
    words = "".join(f'<li style="left:{share:.2%}">{escape(word)}</li>' for share, word in marks(colours))
    strip = f'<div style="background:linear-gradient(90deg,{stops})"></div>'
    return f'<div class="ramp">{title}{strip}<ol>{words}</ol></div>'
