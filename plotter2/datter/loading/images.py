"""Images into arrays, with all the bits that they have: what Pillow cuts to 8 bits is read once a byte."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.loading.packed import Source, stream

PIXELS_MAX = 100_000_000
"""Of one image with all its frames."""
PICTURES = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")
_PLAIN = {
    "L": "L",
    "1": "L",
    "RGB": "RGB",
    "RGBA": "RGBA",
    "LA": "RGBA",
    "PA": "RGBA",
    "RGBX": "RGB",
    "F": "F",
    "I": "I",
}
_NATIVE = ";16N"
_DEEP = (";16B", ";16L", _NATIVE)
"""How Pillow calls 16 bits: it keeps the byte that is the higher one in that order."""
_OTHER_ORDER = {";16B": ";16L", ";16L": ";16B"}
_GREY = "LA;16B"
"""Grey and opacity of 16 bits each: as many bits as four channels of 8, which no byte is lost of."""


def read_image(source: Source, _: str) -> NDArray[Any]:
    """Rows x columns (grey) or rows x columns x 3 or 4 channels (red, green, blue, opacity), read-only.

    uint8, 0 to 255; 16 bits come as uint16, deeper greys as int32 or float32. Several frames of one size come one after
    the other along a first axis. A photograph is turned as its camera says (EXIF).

    Raises:
        ValueError: no image, or more than 100 million pixels.
    """
    image = import_module("PIL.Image")
    with stream(source) as file, stream(source) as again, warnings.catch_warnings():
        warnings.simplefilter("ignore", image.DecompressionBombWarning)  # the limit below is ours
        try:
            with image.open(file, formats=PICTURES) as picture:
                return _pixels(picture, again)
        except import_module("PIL").UnidentifiedImageError:
            raise ValueError(f"it is no picture of the kinds {', '.join(PICTURES)}") from None
        except (image.DecompressionBombError, SyntaxError, EOFError) as wrong:
            raise ValueError(str(wrong)) from None


def _pixels(picture: Any, again: IO[bytes]) -> NDArray[Any]:
    frames = int(getattr(picture, "n_frames", 1))
    count = frames * picture.width * picture.height
    if count > PIXELS_MAX:
        raise ValueError(f"it has {count:,} pixels; at most {PIXELS_MAX:,} are read")
    found = []
    for place in range(frames):
        picture.seek(place)
        found.append(_deep(picture, again) if _is_deep(picture) else np.asarray(_plain(_turned(picture))))
    if any(one.shape != found[0].shape for one in found):
        raise ValueError("its frames have different sizes")
    array = np.stack(found) if frames > 1 else found[0]
    array.flags.writeable = False
    return array


def _turned(picture: Any) -> Any:
    return import_module("PIL.ImageOps").exif_transpose(picture)


def _plain(picture: Any) -> Any:
    """The picture in greys, or in red, green and blue, with opacity where there is some."""
    mode = picture.mode
    if mode == "P":
        return picture.convert("RGBA" if "transparency" in picture.info else "RGB")
    if mode.startswith("I;16"):
        return picture
    wanted = _PLAIN.get(mode, "RGB")
    return picture if wanted == mode else picture.convert(wanted)


def _how(tile: Any) -> str:
    """What a piece of a file holds, in Pillow's words."""
    return str(tile.args if isinstance(tile.args, str) else tile.args[0])


def _is_deep(picture: Any) -> bool:
    """Whether the picture has colours, or opacity, of 16 bits each, of which Pillow would keep 8."""
    return picture.mode in {"RGB", "RGBA", "RGBX"} and any(_how(one).endswith(_DEEP) for one in picture.tile)


def _deep(picture: Any, again: IO[bytes]) -> NDArray[Any]:
    """All 16 bits of the frame at which a picture stands: Pillow takes the higher byte, and in other order the lower.

    Raises:
        ValueError: its channels lie in a way of which one byte cannot be had.
    """
    image = import_module("PIL.Image")
    place = picture.tell()
    with image.open(again, formats=PICTURES) as other:
        other.seek(place)
        if any(_how(one) == _GREY for one in picture.tile):
            _as_told(other, lambda _: "RGBA")
            grey, opacity = np.moveaxis(np.asarray(_turned(other)).view(">u2"), -1, 0)
            return np.stack([grey, grey, grey, opacity], axis=-1).astype(np.uint16)
        _as_told(picture, _named)
        _as_told(other, lambda how: how[:-4] + _OTHER_ORDER[_named(how)[-4:]])
        high, low = (np.asarray(_turned(one)).astype(np.uint16) for one in (picture, other))
    array = high << 8 | low
    return array[..., :3] if picture.mode == "RGBX" else array


def _named(how: str) -> str:
    """With the order of bytes that is this machine's own by its name."""
    own = np.dtype(np.uint16).newbyteorder("=").str[0]
    return how[:-4] + (";16L" if own == "<" else ";16B") if how.endswith(_NATIVE) else how


def _as_told(picture: Any, change: Any) -> None:
    """Have the pieces of a file read in another way."""
    picture.tile = [
        one._replace(args=change(one.args) if isinstance(one.args, str) else (change(_how(one)), *one.args[1:]))
        for one in picture.tile
    ]
