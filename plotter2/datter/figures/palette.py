"""Continuous colour scales: the way from a number to a colour, the same in the page and in every picture of it (pure).

Sequential is viridis (van der Walt and Smith), diverging is ColorBrewer's RdBu turned round: both keep their order for
colour-blind people and in print without colours. Strokes is the middle of plasma (of the same), for lines and points,
which would vanish on white or on black at the ends of viridis.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.figures.figure import PALETTE, Colours

STEPS = 256
ANCHORS: dict[str, tuple[str, ...]] = {
    "sequential": ("#440154", "#482878", "#3e4a89", "#31688e", "#26828e",
        "#1f9e89", "#35b779", "#6dcd59", "#b4de2c", "#fde725"),
    "diverging": ("#053061", "#2166ac", "#4393c3", "#92c5de", "#d1e5f0",
        "#f7f7f7", "#fddbc7", "#f4a582", "#d6604d", "#b2182b", "#67001f"),
    "strokes": ("#6a3fd0", "#8f3cb8", "#b12a90", "#cc4778", "#e16462", "#ef7f4f", "#f0982e"),
}  # fmt: skip

PATTERNS = 3
"""Strokes of lines and forms of points that are told apart."""


def colours_for(count: int) -> list[str]:
    """A colour for each of so many things: the palette, or beyond it a walk through one sequence."""
    return list(PALETTE[:count]) if count <= len(PALETTE) else walk(count)


def walk(count: int) -> list[str]:
    """So many colours in their order, evenly along the sequence for strokes."""
    return [steps(ANCHORS["strokes"])[round(place * (STEPS - 1) / max(count - 1, 1))] for place in range(count)]


def looks_for(count: int, colours: Sequence[str] = (), *, is_ordered: bool = False) -> list[tuple[str, int]]:
    """Colour and pattern of each of so many curves or groups.

    Args:
        count: how many there are.
        colours: those to use instead of ours.
        is_ordered: a number tells them apart, so their colours shall have an order.
    """
    found = list(colours) or list(PALETTE)
    many = len(PALETTE) * PATTERNS
    if not colours and (count > many or (is_ordered and count > len(PALETTE))):
        return [(one, 0) for one in walk(count)]
    return [(found[place % len(found)], place // len(found) % PATTERNS) for place in range(count)]


@lru_cache(maxsize=32)
def table(stops: tuple[str, ...]) -> NDArray[np.uint8]:
    """256 steps through the colours, evenly apart: 256 x 3, red, green, blue."""
    anchors = np.array([[int(one[at : at + 2], 16) for at in (1, 3, 5)] for one in stops], float)
    at, places = np.linspace(0, 1, STEPS), np.linspace(0, 1, len(stops))
    return np.column_stack([np.interp(at, places, anchors[:, part]).round() for part in range(3)]).astype(np.uint8)


@lru_cache(maxsize=32)
def steps(stops: tuple[str, ...]) -> tuple[str, ...]:
    """The same as `#rrggbb`."""
    return tuple(f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in table(stops).tolist())


def shades(values: NDArray[np.float64], colours: Colours) -> NDArray[np.uint8]:
    """The colour of each value: shape of the values x 4, red, green, blue, opacity; what is missing is clear."""
    low, high = colours.low, colours.high
    if colours.is_log:
        with np.errstate(divide="ignore", invalid="ignore"):
            values, low, high = np.log(values), float(np.log(low)), float(np.log(high))
    share = np.clip((values - low) / ((high - low) or 1.0), 0, 1)
    codes = np.nan_to_num(share * (STEPS - 1)).round().astype(np.uint8)
    found = np.full((*values.shape, 4), 255, np.uint8)
    found[..., :3] = table(colours.stops or ANCHORS[colours.palette])[codes]
    found[~np.isfinite(values)] = 0
    return found
