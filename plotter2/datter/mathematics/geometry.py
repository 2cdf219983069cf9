"""Outlines and summaries behind shapes and statistical pictures: pure numbers in, pure numbers out.

Knows nothing of panels, frames or colours. Everything is in data coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
AROUND = 72
"""Corners of a circle's outline."""
WHISKER = 1.5
"""Tukey's fence: whiskers reach to the last value within so many quartile distances of the box."""
HUGE, SHRUNK = 1e307, 16.0
"""Beyond these, distances leave a float; a power of two changes no digit."""
SHAPE_AT = 96
"""Places at which the outline of a violin is worked out."""
SPREAD = 3.0
HEXAGONS_ACROSS = 48


def ellipse(x: float, y: float, width: float, height: float, angle: float = 0.0) -> tuple[Floats, Floats]:
    """The outline of an ellipse around (x, y), turned by an angle in radians against the clock."""
    return arc(x, y, width / 2, height / 2, (0.0, 2 * np.pi), angle)


def arc(
    x: float, y: float, across: float, up: float, span: tuple[float, float], angle: float = 0.0
) -> tuple[Floats, Floats]:
    """A piece of an ellipse with the half axes `across` and `up`, from one angle to another (radians)."""
    share = abs(span[1] - span[0]) / (2 * np.pi)
    at = np.linspace(*span, max(round(AROUND * min(share, 1.0)), 2) + 1)
    along, aside = across * np.cos(at), up * np.sin(at)
    return x + along * np.cos(angle) - aside * np.sin(angle), y + along * np.sin(angle) + aside * np.cos(angle)


def rectangle(x: float, y: float, width: float, height: float) -> tuple[Floats, Floats]:
    """The corners of a rectangle whose lower left one is (x, y)."""
    return np.array([x, x + width, x + width, x], float), np.array([y, y, y + height, y + height], float)


@dataclass(frozen=True, slots=True)
class Box:
    """A five-number summary (Tukey): quartiles by linear interpolation, as numpy has them.

    Attributes:
        bottom: the last value within 1.5 quartile distances below the box, at most the first quartile; `top` the same
            above it.
        outside: the values beyond.
        low: the smallest value of all; `high` the largest.
    """

    count: int
    low: float
    bottom: float
    first: float
    median: float
    third: float
    top: float
    high: float
    outside: Floats


def box(values: Floats) -> Box:
    """The summary of finite values, at least one."""
    low, high = float(values.min()), float(values.max())
    if max(-low, high) > HUGE:
        found = box(values / SHRUNK)
        larger = {name: getattr(found, name) * SHRUNK for name in Box.__slots__ if name != "count"}
        return Box(found.count, **larger)
    first, median, third = (float(one) for one in np.quantile(values, [0.25, 0.5, 0.75]))
    reach = WHISKER * (third - first)
    within = values[(values >= first - reach) & (values <= third + reach)]
    bottom = min(float(within.min(initial=first)), first)  # a quartile may lie beyond the last value within its reach
    top = max(float(within.max(initial=third)), third)
    outside = values[(values < bottom) | (values > top)]
    return Box(len(values), low, bottom, first, median, third, top, high, outside)


def density(values: Floats) -> tuple[Floats, Floats]:
    """Where and how densely values lie: a Gaussian kernel of Scott's width over a fine histogram.

    The histogram has 2,048 bins, far finer than the kernel, so that ten million values cost one pass.
    """
    low, high = float(values.min()), float(values.max())
    spread = float(values.std()) or max(abs(low), 1.0) * 0.01
    width = spread * len(values) ** -0.2
    start, end = low - SPREAD * width, high + SPREAD * width
    counts, edges = np.histogram(values, 2_048, (start, end))
    centres = (edges[:-1] + edges[1:]) / 2
    reach = int(np.ceil(4 * width / (centres[1] - centres[0])))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * (centres[1] - centres[0]) / width) ** 2)
    smooth = np.convolve(counts, kernel, "full")[reach:-reach] / (len(values) * width * np.sqrt(2 * np.pi))
    at = np.linspace(start, end, SHAPE_AT)
    return at, np.interp(at, centres, smooth)


@dataclass(frozen=True, slots=True)
class Hexagons:
    """Cells of a honeycomb: centres, how many points lie in each, and the half width and radius of one cell."""

    x: Floats
    y: Floats
    count: NDArray[np.int64]
    half: float
    radius: float

    def outlines(self) -> tuple[list[Floats], list[Floats]]:
        """The corners of each cell."""
        across = np.array([0, 1, 1, 0, -1, -1]) * self.half
        up = np.array([1, 0.5, -0.5, -1, -0.5, 0.5]) * self.radius
        return [x + across for x in self.x], [y + up for y in self.y]


def hexagons(xs: Floats, ys: Floats, across: int = HEXAGONS_ACROSS) -> Hexagons:
    """Count points in a honeycomb so many cells wide, regular on a panel of 8 x 5 (Carr and others, 1987)."""
    x_low, y_low = float(xs.min()), float(ys.min())
    width = (float(xs.max()) - x_low or 1.0) / across
    rise = (float(ys.max()) - y_low or 1.0) / across * 2 / np.sqrt(3) * 1.6
    u, v = (xs - x_low) / width, (ys - y_low) / rise
    near = np.round(u), np.round(v)
    half = np.floor(u) + 0.5, np.floor(v) + 0.5
    first = (u - near[0]) ** 2 + 3 * (v - near[1]) ** 2 < (u - half[0]) ** 2 + 3 * (v - half[1]) ** 2
    cell = np.where(first, near[0], half[0]) * 2, np.where(first, near[1], half[1]) * 2
    span = 4 * across + 8
    found, count = np.unique((cell[0] * span + cell[1]).astype(np.int64), return_counts=True)
    x, y = found // span / 2 * width + x_low, found % span / 2 * rise + y_low
    return Hexagons(x, y, count, width / 2, rise / 3)
