"""Continuous colour scales: the way from a number to a colour, the same in the page and in every picture of it (pure).

Sequential is viridis (van der Walt and Smith), diverging is ColorBrewer's RdBu turned round: both keep their order for
colour-blind people and in print without colours.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.figure import Colours

STEPS = 256
ANCHORS: dict[str, tuple[str, ...]] = {
    "sequential": ("#440154", "#482878", "#3e4a89", "#31688e", "#26828e",
        "#1f9e89", "#35b779", "#6dcd59", "#b4de2c", "#fde725"),
    "diverging": ("#053061", "#2166ac", "#4393c3", "#92c5de", "#d1e5f0",
        "#f7f7f7", "#fddbc7", "#f4a582", "#d6604d", "#b2182b", "#67001f"),
}  # fmt: skip


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
