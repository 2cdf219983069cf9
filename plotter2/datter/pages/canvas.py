"""Paper that pictures are drawn on without a browser: SVG text, or pixels by pillow. Both know the same few strokes.

Coordinates are pixels from the upper left. Colours are `#rrggbb`; those of words and lines turn light in the SVG where
the reader's browser is dark.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from functools import lru_cache
from html import escape
from importlib import import_module
from io import BytesIO
from math import isfinite
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.figures.figure import GRID, INK, MUTED, NIGHT_PALETTE, PALETTE

FONT = "system-ui,sans-serif"
PAPER = "#ffffff"
_NIGHT = {
    INK: "#e6eaf0", MUTED: "#9aa7b5", GRID: "#2c343d", PAPER: "#161b22",
    **dict(zip(PALETTE, NIGHT_PALETTE, strict=True)),
}  # fmt: skip
_DARK = "".join(f'[fill="{day}"]{{fill:{night}}}[stroke="{day}"]{{stroke:{night}}}' for day, night in _NIGHT.items())
Anchor = Literal["start", "middle", "end"]
Places = NDArray[np.float64]
KNOWN_MAX, KNOWN_BYTES_MAX = 32, 1 << 15
"""So many small images are kept as they were written, and what is small."""
FEW = 8
FINE = 2
"""Pixels are drawn so many times finer and then averaged: smooth edges."""


class Canvas(Protocol):
    """What can be drawn on. Places are rows of x and y; a row that is not finite parts a line."""

    def line(self, places: Places, colour: str, width: float, alpha: float = 1.0) -> None:
        """A line through places."""
        ...

    def area(self, places: Places, fill: str, alpha: float, edge: str = "", width: float = 1.0) -> None:
        """A filled polygon, with an outline when `edge` is a colour."""
        ...

    def dots(self, places: Places, colour: str, size: float, alpha: float) -> None:
        """Filled circles of a diameter."""
        ...

    def image(self, pixels: NDArray[np.uint8], x: float, y: float, width: float, height: float) -> None:
        """An image of rows x columns x 4 (red, green, blue, opacity), row 0 on top."""
        ...

    def words(  # noqa: PLR0913 -- words have a place and a look
        self, text: str, x: float, y: float, size: float, colour: str, anchor: Anchor = "start", *,
        is_upright: bool = False, is_bold: bool = False,
    ) -> None:  # fmt: skip
        """One line of words on its base line; upright ones run from below to above."""
        ...

    def clip(self, x: float, y: float, width: float, height: float) -> None:
        """What follows is seen only within this rectangle; of no size: everywhere."""
        ...

    def encode(self) -> bytes:
        """The file."""
        ...


class Svg:
    """A picture as SVG text."""

    def __init__(self, width: int, height: int) -> None:
        self._size = width, height
        self._parts: list[str] = []
        self._clips = 0
        self._is_clipped = False

    def line(self, places: Places, colour: str, width: float, alpha: float = 1.0) -> None:
        """See Canvas."""
        self._parts.append(
            f'<path d="{_path(places)}" fill="none" stroke="{colour}" stroke-width="{width:g}" stroke-linejoin="round"'
            f"{_faint('stroke', alpha)}/>"
        )

    def area(self, places: Places, fill: str, alpha: float, edge: str = "", width: float = 1.0) -> None:
        """See Canvas."""
        outline = f' stroke="{edge}" stroke-width="{width:g}"' if edge else ""
        self._parts.append(f'<path d="{_path(places)}Z" fill="{fill}"{_faint("fill", alpha)}{outline}/>')

    def dots(self, places: Places, colour: str, size: float, alpha: float) -> None:
        """See Canvas. A line of no length with round ends is a dot: all of them are one element."""
        finite = places[np.isfinite(places).all(axis=1)]
        each = "".join(f"M{x} {y}h0" for x, y in (finite * 10).round().astype(int).tolist())
        if each:
            self._parts.append(
                f'<path transform="scale(.1)" d="{each}" stroke="{colour}" stroke-width="{size * 10:g}" '
                f'stroke-linecap="round"{_faint("stroke", alpha)}/>'
            )

    def image(self, pixels: NDArray[np.uint8], x: float, y: float, width: float, height: float) -> None:
        """See Canvas."""
        data = base64.b64encode(_png(pixels)).decode()
        sharp = ' style="image-rendering:pixelated"' if max(pixels.shape[:2]) * FINE < max(width, height) else ""
        self._parts.append(
            f'<image x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" preserveAspectRatio="none"'
            f'{sharp} href="data:image/png;base64,{data}"/>'
        )

    def words(  # noqa: PLR0913 -- words have a place and a look
        self, text: str, x: float, y: float, size: float, colour: str, anchor: Anchor = "start", *,
        is_upright: bool = False, is_bold: bool = False,
    ) -> None:  # fmt: skip
        """See Canvas."""
        turned = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if is_upright else ""
        side = f' text-anchor="{anchor}"' if anchor != "start" else ""
        heavy = ' font-weight="600"' if is_bold else ""
        self._parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{colour}"{side}{heavy}{turned}>'
            f"{escape(_plain(text))}</text>"
        )

    def clip(self, x: float, y: float, width: float, height: float) -> None:
        """See Canvas."""
        if self._is_clipped:
            self._parts.append("</g>")
        self._is_clipped = width > 0
        if self._is_clipped:
            self._clips += 1
            self._parts.append(
                f'<clipPath id="c{self._clips}"><rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" '
                f'height="{height:.1f}"/></clipPath><g clip-path="url(#c{self._clips})">'
            )

    def encode(self) -> bytes:
        """See Canvas."""
        width, height = self._size
        self.clip(0, 0, 0, 0)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            f'font-family="{FONT}"><style>@media(prefers-color-scheme:dark){{{_DARK}}}</style>'
            f'<rect width="{width}" height="{height}" fill="{PAPER}"/>{"".join(self._parts)}</svg>\n'
        ).encode()


class Raster:
    """A picture as pixels."""

    def __init__(self, width: int, height: int, scale: int = 1, fine: int = FINE) -> None:
        self._fine = fine
        self._scale = scale * fine
        self._image = _pillow("Image").new("RGB", (width * self._scale, height * self._scale), PAPER)
        self._draw = _pillow("ImageDraw").Draw(self._image, "RGBA")
        self._whole: Any = None
        self._box = (0, 0, 0, 0)

    def line(self, places: Places, colour: str, width: float, alpha: float = 1.0) -> None:
        """See Canvas."""
        for part in _parts(places * self._scale):
            self._draw.line(part, fill=_ink(colour, alpha), width=max(round(width * self._scale), 1), joint="curve")

    def area(self, places: Places, fill: str, alpha: float, edge: str = "", width: float = 1.0) -> None:
        """See Canvas."""
        for part in _parts(places * self._scale):
            if alpha and len(part) > 4:  # noqa: PLR2004 -- x and y of three corners at least
                self._draw.polygon(part, fill=_ink(fill, alpha))
            if edge:
                self._draw.line([*part, *part[:2]], fill=_ink(edge, 1.0), width=max(round(width * self._scale), 1))

    def dots(self, places: Places, colour: str, size: float, alpha: float) -> None:
        """See Canvas."""
        finite = places[np.isfinite(places).all(axis=1)] * self._scale
        reach = size * self._scale / 2
        ink, draw = _ink(colour, alpha), self._draw.ellipse
        for one in np.hstack([finite - reach, finite + reach]).round().astype(int).tolist():
            draw(one, fill=ink)

    def image(self, pixels: NDArray[np.uint8], x: float, y: float, width: float, height: float) -> None:
        """See Canvas."""
        image = _pillow("Image")
        size = max(round(width * self._scale), 1), max(round(height * self._scale), 1)
        way = image.Resampling.NEAREST if max(pixels.shape[:2]) < max(size) else image.Resampling.BOX
        part = image.fromarray(pixels, "RGBA").resize(size, way)
        self._image.paste(part, (round(x * self._scale), round(y * self._scale)), part)

    def words(  # noqa: PLR0913 -- words have a place and a look
        self, text: str, x: float, y: float, size: float, colour: str, anchor: Anchor = "start", *,
        is_upright: bool = False, is_bold: bool = False,
    ) -> None:  # fmt: skip
        """See Canvas."""
        font = _font(round(size * self._scale))
        x, y, ink = x * self._scale, y * self._scale, _ink(colour, 1.0)
        heavy = {"stroke_width": max(self._scale // 2, 1) - (self._fine == 1), "stroke_fill": ink} if is_bold else {}
        text = _RAISED.sub(lambda found: "e" + found[1].translate(_LOWERED), _plain(text).replace(MINUS, "-"))
        if not is_upright:
            self._draw.text((x, y), text, fill=ink, font=font, anchor=f"{_ANCHORS[anchor]}s", **heavy)
            return
        image = _pillow("Image")
        left, top, right, bottom = font.getbbox(text)
        tile = image.new("L", (max(right - left, 1), max(bottom - top, 1)), 0)
        _pillow("ImageDraw").Draw(tile).text((-left, -top), text, fill=255, font=font)
        tile = tile.rotate(90, expand=True)
        place = round(x - tile.width), round(y - tile.height / 2)
        self._image.paste(ink[:3], (*place, place[0] + tile.width, place[1] + tile.height), tile)

    def clip(self, x: float, y: float, width: float, height: float) -> None:
        """See Canvas. Drawn on a piece of paper of its own, which is then put back."""
        if self._whole is not None:
            piece = self._image.crop(self._box)
            self._image = self._whole
            self._image.paste(piece, self._box[:2])
            self._whole = None
        if width > 0:
            self._whole, self._image = self._image, self._image.copy()
            self._box = tuple(round(one * self._scale) for one in (x, y, x + width, y + height))  # type: ignore[assignment] # four of them
        self._draw = _pillow("ImageDraw").Draw(self._image, "RGBA")

    def picture(self) -> Any:
        """The finished pixels as pillow's image."""
        self.clip(0, 0, 0, 0)
        return self._image.reduce(self._fine)

    def encode(self) -> bytes:
        """See Canvas: a PNG file."""
        stream = BytesIO()
        self.picture().save(stream, "PNG", compress_level=3)
        return stream.getvalue()


MINUS = "\N{MINUS SIGN}"
_RAISED = re.compile("\N{MULTIPLICATION SIGN}10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)")
_LOWERED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
"""Pillow's letters have no raised digits: there a power of ten is an e."""
_ANCHORS = {"start": "l", "middle": "m", "end": "r"}


def _pillow(name: str) -> Any:
    return import_module(f"PIL.{name}")


@lru_cache(maxsize=16)
def _font(size: int) -> Any:
    return _pillow("ImageFont").load_default(size)


@lru_cache(maxsize=256)
def _ink(colour: str, alpha: float) -> tuple[int, int, int, int]:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return red, green, blue, round(alpha * 255)


def _png(pixels: NDArray[np.uint8]) -> bytes:
    if pixels.nbytes <= KNOWN_BYTES_MAX:
        return _png_of(pixels.tobytes(), *pixels.shape)
    return _saved(pixels)


@lru_cache(maxsize=KNOWN_MAX)
def _png_of(pixels: bytes, *shape: int) -> bytes:
    """Small ones come again: the bar of each colour scale, what many instances of one tree draw alike."""
    return _saved(np.frombuffer(pixels, np.uint8).reshape(shape))


def _saved(pixels: NDArray[np.uint8]) -> bytes:
    stream = BytesIO()
    _pillow("Image").fromarray(pixels, "RGBA").save(stream, "PNG", compress_level=3)
    return stream.getvalue()


def _parts(places: Places) -> list[list[float]]:
    """The unbroken parts of a line, as pillow wants them: x, y, x, y."""
    finite = _finite(places)
    if finite.all():
        return [places.ravel().tolist()] if len(places) > 1 else []
    parts = [part[_finite(part)] for part in np.split(places, np.flatnonzero(~finite))]
    return [part.ravel().tolist() for part in parts if len(part) > 1]


def _finite(places: Places) -> NDArray[np.bool_]:
    return np.asarray(np.isfinite(places).all(axis=1))


def _path(places: Places) -> str:
    if len(places) <= FEW:  # ticks and frames: most lines of a picture
        ends = [(x, y) for x, y in places.tolist() if isfinite(x) and isfinite(y)]
        if len(ends) == len(places):
            return "M" * bool(ends) + "L".join(f"{round(x, 1):g} {round(y, 1):g}" for x, y in ends)
    finite = _finite(places)
    found: list[str] = []
    pen = "M"
    rounded = np.round(np.where(finite[:, None], places, 0), 1)
    for (x, y), is_there in zip(rounded.tolist(), finite.tolist(), strict=True):
        if is_there:
            found.append(f"{pen}{x:g} {y:g}")
        pen = "L" if is_there else "M"
    return "".join(found)


def _faint(what: str, alpha: float) -> str:
    return "" if alpha >= 1 else f' {what}-opacity="{alpha:.2g}"'


def _plain(text: str) -> str:
    """Words without what XML cannot hold and pillow would break lines at."""
    return "".join(char if char.isprintable() else " " for char in text)


def shortened(text: str, limit: int) -> str:
    """The words, cut where they are too long."""
    return text if len(text) <= limit else f"{text[: max(limit - 1, 1)]}…"


def wrapped(text: str, width: int, lines: int) -> Sequence[str]:
    """The words in so many lines of so many characters."""
    wrap: Any = import_module("textwrap").wrap
    found: Sequence[str] = wrap(text, width, max_lines=lines, placeholder=" …")
    return found
