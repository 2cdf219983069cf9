"""Images of 16 bits a channel, written here byte by byte, as no library at hand writes them: no bit is lost."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from plotter2.datter.loading import load_file

CHANCE = np.random.default_rng(3)
PNG_KINDS = {1: 0, 2: 4, 3: 2, 4: 6}
Pixels = NDArray[np.uint16]


def pixels(channels: int) -> Pixels:
    return CHANCE.integers(0, 1 << 16, size=(5, 7, channels), dtype=np.uint16)


def png(values: Pixels) -> bytes:
    """With the filter "sub": each pixel is what it adds to the one before, so a pixel has to be known as a whole."""
    rows, width, channels = values.shape
    raw = values.astype(">u2").tobytes()
    size = width * channels * 2
    lines = [np.frombuffer(raw[start : start + size], np.uint8) for start in range(0, len(raw), size)]
    filtered = [
        b"\x01" + (line - np.concatenate([np.zeros(channels * 2, np.uint8), line[: -channels * 2]])).tobytes()
        for line in lines
    ]
    header = struct.pack(">IIBBBBB", width, rows, 16, PNG_KINDS[channels], 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"".join(filtered))), (b"IEND", b""))
    body = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def tiff(frames: list[Pixels], order: str, *, is_packed: bool = False) -> bytes:
    """One strip a frame; `order` is < or >."""
    found = io.BytesIO()
    found.write((b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 0))
    link = 4
    for values in frames:
        rows, width, channels = values.shape
        data = values.astype(order + "u2").tobytes()
        data = zlib.compress(data) if is_packed else data
        start = found.tell()
        found.write(data)
        bits = found.tell()
        found.write(struct.pack(order + "H", 16) * channels)
        found.write(bytes(found.tell() % 2))
        tags: list[tuple[int, int, int, int]] = [
            (256, 4, 1, width), (257, 4, 1, rows), (258, 3, channels, bits), (259, 4, 1, 8 if is_packed else 1),
            (262, 4, 1, 2), (273, 4, 1, start), (277, 4, 1, channels), (278, 4, 1, rows), (279, 4, 1, len(data)),
        ]  # fmt: skip
        if channels == 4:
            tags.append((338, 4, 1, 2))
        here = found.tell()
        found.write(struct.pack(order + "H", len(tags)))
        for tag in tags:
            found.write(struct.pack(order + "HHII", *tag))
        after = found.tell()
        found.write(bytes(4))
        found.seek(link)
        found.write(struct.pack(order + "I", here))
        link = after
        found.seek(0, io.SEEK_END)
    return found.getvalue()


def load(folder: Path, content: bytes, name: str) -> Any:
    (folder / "blob").write_bytes(content)
    return load_file(folder / "blob", name)


@pytest.mark.req("r004", "r021")
@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("how", ["png", "<", ">", "< packed", "> packed"])
def test_colours_keep_their_16_bits(tmp_path: Path, channels: int, how: str) -> None:
    values = pixels(channels)
    content = png(values) if how == "png" else tiff([values], how[0], is_packed="packed" in how)
    found = load(tmp_path, content, "p.png" if how == "png" else "p.tiff")
    assert found.dtype == np.uint16
    assert np.array_equal(found, values)
    assert not found.flags.writeable


def test_grey_with_opacity_keeps_its_16_bits(tmp_path: Path) -> None:
    values = pixels(2)
    found = load(tmp_path, png(values), "p.png")
    assert np.array_equal(found, values[..., [0, 0, 0, 1]])


def test_pages_of_16_bits_come_one_after_the_other(tmp_path: Path) -> None:
    frames = [pixels(3), pixels(3)]
    assert np.array_equal(load(tmp_path, tiff(frames, "<"), "p.tif"), np.stack(frames))


def test_a_moving_picture_is_its_frames_as_they_are_seen(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (4, 2), colour) for colour in ("red", "lime", "blue")]
    memory = io.BytesIO()
    frames[0].save(memory, "GIF", save_all=True, append_images=frames[1:], duration=50)
    found = load(tmp_path, memory.getvalue(), "p.gif")
    assert found.shape == (3, 2, 4, 3)
    assert found[:, 0, 0].tolist() == [[255, 0, 0], [0, 255, 0], [0, 0, 255]]
