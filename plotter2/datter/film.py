"""Animations as files that play without a page: GIF by pillow, MP4 where ffmpeg is found.

Both show the figure's small picture; of more than 100 frames, evenly chosen ones, as the page says.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from plotter2.datter import picture
from plotter2.datter.canvas import Raster
from plotter2.datter.figure import Figure, Panel
from plotter2.datter.motion import FILM_FRAMES_MAX

FRAME_MS = 100
COLOURS = 128
FFMPEG_S = 120
GIF, MP4 = ".gif", ".mp4"
WITHOUT_FFMPEG = "no MP4: there is no ffmpeg where this was drawn"


def chosen(count: int) -> list[int]:
    """Which frames are shown of so many."""
    return np.unique(np.linspace(0, count - 1, min(count, FILM_FRAMES_MAX)).round().astype(int)).tolist()  # type: ignore[no-any-return] # of whole numbers


def films(figure: Figure, page: Path) -> list[str]:
    """Write the films of an animation beside its page; gives the names of what could not be made and why."""
    frames = list(_frames(figure))
    first = frames[0].quantize(COLOURS)  # the colour bar is in it, so it has every colour of the others
    others = [one.quantize(palette=first, dither=0) for one in frames[1:]]
    stream = BytesIO()
    first.save(stream, "GIF", save_all=True, append_images=others, duration=FRAME_MS, loop=0, optimize=False)
    page.with_name(page.name + GIF).write_bytes(stream.getvalue())
    program = shutil.which("ffmpeg")
    return [WITHOUT_FFMPEG] if program is None else _video(program, frames, page.with_name(page.name + MP4))


def _frames(figure: Figure) -> Iterator[Any]:
    """The pictures of an animation, one after the other, as pillow's images."""
    moving = next(panel.motion for panel in figure.panels if panel.motion is not None)
    size = picture.size_of(figure)
    for place in chosen(len(moving.frames)):
        canvas = Raster(*size, fine=1)
        picture.draw(replace(figure, panels=tuple(at_frame(panel, place) for panel in figure.panels)), canvas)
        yield canvas.picture()


def at_frame(panel: Panel, place: int) -> Panel:
    """A panel as it looks at one frame of its animation; others as they are."""
    motion = panel.motion
    if motion is None:
        return panel
    frame = motion.frames[min(place, len(motion.frames) - 1)]
    label = motion.labels[min(place, len(motion.labels) - 1)]
    title = f"{panel.title}  {motion.axis} {label}".strip()
    if panel.space is not None:
        first, *others = panel.space.layers
        moved = replace(first, columns={**first.columns, **dict(zip("xyz", np.split(frame, 3), strict=True))})
        return replace(panel, title=title, space=replace(panel.space, layers=(moved, *others)))
    first, *others = panel.layers
    columns = dict(first.columns)
    if motion.column == "place":
        half = frame.shape[-1] // 2
        columns |= {"x": frame[:half], "y": frame[half:]}
    else:
        columns[motion.column] = frame
    return replace(panel, title=title, layers=(replace(first, columns=columns), *others))


def _video(program: str, frames: list[Any], target: Path) -> list[str]:
    width, height = (side - side % 2 for side in frames[0].size)  # H.264 wants even sides
    command = [
        program, "-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}",
        "-r", str(1_000 // FRAME_MS), "-i", "-", "-pix_fmt", "yuv420p", "-movflags", "+faststart", str(target),
    ]  # fmt: skip
    pixels = b"".join(one.crop((0, 0, width, height)).tobytes() for one in frames)
    try:
        done = subprocess.run(command, input=pixels, capture_output=True, timeout=FFMPEG_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as wrong:
        target.unlink(missing_ok=True)
        return [f"no MP4: ffmpeg did not work: {wrong}"]
    if done.returncode:
        target.unlink(missing_ok=True)
        said = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
        return [f"no MP4: ffmpeg ended with {done.returncode}: {said[0]}"]
    return []
