"""A figure as a frozen specification: panels, layers, axes, colours, words. What is drawn, and what tests look at.

Layers hold their arrays; `describe` gives the JSON form, in which an array is its type, shape and digest. Draws
nothing, decides nothing: `visuals` and `automatic` make the choices.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from plotter2.datter.template import Template

Mark = Literal[
    "line", "points", "bars", "band", "image", "rgba", "text", "polygons", "curves", "segments", "arrows", "surface"
]
Family = Literal["sans", "serif", "mono"]
ScaleName = Literal["linear", "log", "datetime", "category", "clock"]
"""A clock has milliseconds since midnight."""

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6D31", "#7F7F7F")
"""Okabe and Ito's colours, safe for colour-blind people; yellow and black replaced, to suit both backgrounds."""
NIGHT_PALETTE = ("#3B97DE", "#F0783A", "#1FBF8F", "#DD9AC1", "#EDB230", "#9AD7FA", "#B9985A", "#A0A4A8")
"""The same on a dark page: as far from black as those are from white, in the same order of lightness."""


INK, MUTED, GRID = "#1c2733", "#5b6875", "#e4e8ed"
"""Colours of words and lines; the page replaces them where it is dark."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis; no range means: what the data spans. Ticks are places with their words, () for those of the scale."""

    label: str = ""
    scale: ScaleName = "linear"
    low: float | None = None
    high: float | None = None
    factors: tuple[str, ...] = ()
    is_whole: bool = False
    ticks: tuple[tuple[float, str], ...] = ()
    is_shown: bool = True
    unit: str = ""

    @property
    def words(self) -> str:
        """What stands at it."""
        return f"{self.label} [{self.unit}]".lstrip() if self.unit else self.label


@dataclass(frozen=True, slots=True)
class Colours:
    """A continuous colour scale, shown as a bar beside the panel; `stops` are colours instead of the palette's."""

    palette: Literal["sequential", "diverging", "strokes"]
    low: float
    high: float
    title: str = ""
    is_log: bool = False
    stops: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Font:
    """How words look: pixels, one of three families, a colour ("" for that of all words), heavy or not."""

    size: int = 13
    family: Family = "sans"
    colour: str = ""
    is_bold: bool = False


PLAIN = Font()


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """Marks of one kind.

    Attributes:
        columns: what the mark needs; bars: x, top; band: x, low, high; image: image, x, y, dw, dh; text: x, y, text;
            polygons and curves: xs, ys, lists of arrays; segments and arrows: x0, y0, x1, y1. A numeric column
            `colour` colours each one by the panel's scale. In a space points, lines and surfaces have x, y, z; a
            surface is a grid row by row, `rows` of them.
        name: its entry in the legend, "" for none.
        edge: the colour of a polygon's outline, "" for none.
        hover: label and column of what is shown under the pointer.
        is_chosen: the script has said the colour, so it stays.
        pattern: the stroke of a line (whole, dashes, dots) or the form of points (circle, triangle, square), for things
            that share a colour.
        is_relative: x and y are shares of the panel, from 0 at the left and bottom to 1.
    """

    mark: Mark
    columns: dict[str, Any]
    name: str = ""
    colour: str = PALETTE[0]
    alpha: float = 1.0
    size: float = 2.0
    hover: tuple[tuple[str, str], ...] = ()
    edge: str = ""
    font: Font = PLAIN
    is_chosen: bool = False
    is_relative: bool = False
    pattern: int = 0


@dataclass(frozen=True, slots=True)
class DataRef:
    """What a panel shows: the name of the data and the digest of its content."""

    key: str
    digest: str


@dataclass(frozen=True, slots=True)
class Reel:
    """Frames as a page carries them, see `reel`: whole numbers of `bits`, `each` frames a chunk.

    `ends` are the values of the smallest and the largest number, a pair for each part of a frame; () where the numbers
    are the bits of float32 values.
    """

    bits: int
    each: int
    chunks: tuple[bytes, ...]
    ends: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """Frames of an animation: the first axis of `frames` is time. They replace `column` of the panel's first layer.

    `place` is x and y of its points, side by side on the last axis; `space` is x, y and z of those in its box. `reel`
    is there once a page is to be written.
    """

    frames: NDArray[Any]
    labels: tuple[str, ...]
    axis: str
    column: Literal["image", "y", "place", "space"]
    reel: Reel | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """A box with three axes, each with both ends, and what is in it; equal: one unit is as long on each axis."""

    axes: tuple[Axis, ...]
    layers: tuple[Layer, ...]
    is_equal: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """One picture, table or piece of text.

    Attributes:
        aspect: height over width of the drawing, 0 for what the page has room for.
        size: width and height of the drawing in pixels that the script asked for, 0 for ours.
        about: more that the sidecar says of it.
        is_part: it belongs to the panel before it, with which the sidecar lists it.
        shares_colours: its colours mean what those of its neighbours mean: one bar stands under all of them.
        space: what it shows in three dimensions, instead of layers on two axes.
    """

    visual: str
    title: str = ""
    x: Axis = Axis()
    y: Axis = Axis()
    layers: tuple[Layer, ...] = ()
    has_legend: bool = True
    legend_title: str = ""
    colours: Colours | None = None
    aspect: float = 0.0
    size: tuple[int, int] = (0, 0)
    motion: Motion | None = None
    heads: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    text: str = ""
    font: Font = PLAIN
    notes: tuple[str, ...] = ()
    data: tuple[DataRef, ...] = ()
    about: dict[str, Any] = field(default_factory=dict)
    is_part: bool = False
    shares_colours: bool = False
    space: Space | None = None

    @property
    def is_drawn(self) -> bool:
        """Whether it has axes; tables, text and page breaks have none."""
        return self.visual not in {"table", "text", "break"}


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """Panels that belong together: one page of its own, or one section of a report."""

    title: str
    panels: tuple[Panel, ...]
    subtitle: str = ""
    columns: int = 1

    @property
    def kind(self) -> str:
        """What kind of file it becomes."""
        return "animation" if any(panel.motion is not None for panel in self.panels) else "figure"


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """One page: a figure, or the sections of a report, what lies beside it, and where it all came from.

    Attributes:
        files: its tables, by their names beside the page.
        films: the same.
        lacking: what could not be made, and why.
        template: how it looks; None for ours.
    """

    kind: str
    title: str
    sections: tuple[Figure, ...]
    subtitle: str = ""
    provenance: dict[str, Any] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    films: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    template: Template | None = None


def digest(value: Any) -> str:
    """The BLAKE3 digest of an array's type, shape and content, or of a JSON value; hexadecimal."""
    if isinstance(value, np.ndarray) and value.dtype.kind != "O":
        hasher = blake3(f"{value.dtype.str}{value.shape}".encode())
        if value.size:
            hasher.update(np.ascontiguousarray(value).reshape(-1).view(np.uint8).data)
        return hasher.hexdigest()
    plain = value.tolist() if isinstance(value, np.ndarray) else value
    return blake3(msgspec.json.encode(plain, enc_hook=repr, order="deterministic")).hexdigest()


def describe(thing: Figure | Panel) -> Any:
    """The specification as a JSON value: arrays by type, shape and digest."""
    return msgspec.to_builtins(thing, enc_hook=_array)


def _array(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return {"dtype": str(value.dtype), "shape": list(value.shape), "digest": digest(value)}
    return value.item() if isinstance(value, np.generic) else repr(value)
