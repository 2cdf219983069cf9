"""A picture's SVG as a PNG: reads back what `canvas.Svg` writes, so that pixels are made only when somebody wants them.

It knows that one form and refuses everything else: this is no SVG renderer.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from html import unescape
from importlib import import_module
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.pages.canvas import Anchor, Raster
from plotter2.errors import UsageError

BYTES_MAX = 8 << 20
SIDE_MAX = 2_000
IMAGE_SIDE_MAX = 1_024
ELEMENTS_MAX = 50_000
_HEAD = re.compile(r'<svg xmlns="http://www\.w3\.org/2000/svg" viewBox="0 0 (\d{1,4}) (\d{1,4})"')
_ELEMENT = re.compile(r"<(path|image|text|clipPath|/g)\b([^>]*)>(?:<rect ([^>]*)/></clipPath>|([^<]*)</text>)?")
_ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')
_STEP = re.compile(r"([ML])(-?[\d.e+-]+) (-?[\d.e+-]+)")
_IMAGE = "data:image/png;base64,"
_PNG = b"\x89PNG\r\n\x1a\n"
Attributes = dict[str, str]


def png(svg: bytes, scale: int = 1) -> bytes:
    """The pixels of a picture that `canvas.Svg` wrote, as a PNG file, `scale` times as large.

    Raises:
        UsageError: it is none of ours, or larger than a picture is.
    """
    if len(svg) > BYTES_MAX:
        raise UsageError(f"A picture is up to {BYTES_MAX >> 20} MiB, not {len(svg) >> 20}.")
    try:
        text = svg.decode()
        head = _HEAD.match(text)
        if head is None:
            raise UsageError("This is no picture of a figure, so no PNG can be made of it.")
        width, height = int(head[1]), int(head[2])
        if not (0 < width <= SIDE_MAX and 0 < height <= SIDE_MAX):
            raise UsageError(f"A picture is up to {SIDE_MAX:,} pixels wide and high, not {width} x {height}.")
        canvas = Raster(width, height, scale)
        for count, element in enumerate(_ELEMENT.finditer(text)):
            if count >= ELEMENTS_MAX:
                raise UsageError(f"A picture has up to {ELEMENTS_MAX:,} elements.")
            _DRAW[element[1]](canvas, dict(_ATTRIBUTE.findall(element[2])), element)
        return canvas.encode()
    except (ValueError, KeyError, IndexError, OSError, binascii.Error) as wrong:
        raise UsageError(f"This picture is damaged: {wrong}.") from wrong


def _path(canvas: Raster, given: Attributes, _: Any) -> None:
    written = given["d"]
    stroke, fill = given.get("stroke", ""), given.get("fill", "")
    if "transform" in given:
        each = written.removeprefix("M").removesuffix("h0").split("h0M")
        places = np.array([one.split(" ") for one in each], float) / 10
        canvas.dots(places, stroke, float(given["stroke-width"]) / 10, float(given.get("stroke-opacity", 1)))
        return
    places = _places(written)
    width = float(given.get("stroke-width", 1))
    if fill == "none":
        canvas.line(places, stroke, width, float(given.get("stroke-opacity", 1)))
    else:
        canvas.area(places, fill, float(given.get("fill-opacity", 1)), stroke, width)


def _places(written: str) -> NDArray[np.float64]:
    rows: list[tuple[float, float]] = []
    for step in _STEP.finditer(written):
        if step[1] == "M" and rows:
            rows.append((np.nan, np.nan))
        rows.append((float(step[2]), float(step[3])))
    return np.array(rows, float).reshape(-1, 2)


def _image(canvas: Raster, given: Attributes, _: Any) -> None:
    if not given["href"].startswith(_IMAGE):
        raise ValueError("it holds an image that is none of ours")
    data = base64.b64decode(given["href"][len(_IMAGE) :], validate=True)
    if not data.startswith(_PNG) or max(int.from_bytes(data[16:20]), int.from_bytes(data[20:24])) > IMAGE_SIDE_MAX:
        raise ValueError(f"an image in it is no PNG of up to {IMAGE_SIDE_MAX:,} pixels a side")
    image: Any = import_module("PIL.Image").open(BytesIO(data), formats=("PNG",))
    pixels = np.asarray(image.convert("RGBA"))
    canvas.image(pixels, *(float(given[name]) for name in ("x", "y", "width", "height")))


def _words(canvas: Raster, given: Attributes, element: Any) -> None:
    sides: dict[str, Anchor] = {"middle": "middle", "end": "end"}
    canvas.words(
        unescape(element[4] or ""), float(given["x"]), float(given["y"]), float(given["font-size"]), given["fill"],
        sides.get(given.get("text-anchor", ""), "start"), is_upright="transform" in given,
        is_bold="font-weight" in given,
    )  # fmt: skip


def _clip(canvas: Raster, _: Attributes, element: Any) -> None:
    given = dict(_ATTRIBUTE.findall(element[3] or ""))
    canvas.clip(*(float(given[name]) for name in ("x", "y", "width", "height")))


def _unclip(canvas: Raster, _: Attributes, __: Any) -> None:
    canvas.clip(0, 0, 0, 0)


_DRAW: dict[str, Callable[[Raster, Attributes, Any], None]] = {
    "path": _path, "image": _image, "text": _words, "clipPath": _clip, "/g": _unclip,
}  # fmt: skip
