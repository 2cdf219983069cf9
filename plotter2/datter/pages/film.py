"""Animations as files that play without a page: GIF by pillow, MP4 where ffmpeg is found.

Both show the figure's small picture. A GIF has at most 100 frames, ten a second. An MP4 has at most 300, ten a second
up to 100 of them and 25 a second above, drawn twice as fine: H.264 in yuv420p, which browsers play. Of more frames,
evenly chosen ones are shown, as the page says. Frames go to ffmpeg one by one, so a film takes the memory of a frame.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import IO, Any

import numpy as np

from plotter2.datter.figures.figure import Figure, Panel
from plotter2.datter.figures.motion import GIF_FRAMES_MAX, MP4_FRAMES_MAX
from plotter2.datter.pages import picture
from plotter2.datter.pages.canvas import Raster

GIF_RATE, MP4_RATE = 10, 25
"""Frames a second."""
FINE = 2
COLOURS = 128
FFMPEG_S = 240
SAID_BYTES_MAX = 4096
GIF, MP4 = ".gif", ".mp4"
WITHOUT_FFMPEG = "no MP4: there is no ffmpeg where this was drawn"


@dataclass(frozen=True, slots=True)
class Films:
    """The films that lie beside a page, by their endings, and what could not be made, and why."""

    endings: tuple[str, ...]
    lacking: tuple[str, ...] = ()


def chosen(count: int, most: int) -> list[int]:
    """Which frames are shown of so many."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int)).tolist()  # type: ignore[no-any-return] # of whole numbers


def films(figure: Figure, page: Path) -> Films:
    """Write the films of an animation beside its page."""
    count = next(len(panel.motion.frames) for panel in figure.panels if panel.motion is not None)
    program = shutil.which("ffmpeg")
    small = chosen(count, GIF_FRAMES_MAX)
    if program is None:
        _gif([_frame(figure, place, 1) for place in small], page.with_name(page.name + GIF))
        return Films((GIF,), (WITHOUT_FFMPEG,))
    rate = GIF_RATE if count <= GIF_FRAMES_MAX else MP4_RATE
    fine = (_frame(figure, place, FINE) for place in chosen(count, MP4_FRAMES_MAX))
    lacking = _video(program, fine, rate, page.with_name(page.name + MP4))
    _gif([_frame(figure, place, 1) for place in small], page.with_name(page.name + GIF))
    return Films((GIF,) if lacking else (GIF, MP4), lacking)


def _frame(figure: Figure, place: int, scale: int) -> Any:
    """The picture of one frame, as pillow's image."""
    canvas = Raster(*picture.size_of(figure), scale=scale, fine=1)
    picture.draw(replace(figure, panels=tuple(at_frame(panel, place) for panel in figure.panels)), canvas)
    return canvas.picture()


def _gif(frames: Sequence[Any], target: Path) -> None:
    first = frames[0].quantize(COLOURS)  # the colour bar is in it, so it has every colour of the others
    others = [one.quantize(palette=first, dither=0) for one in frames[1:]]
    stream = BytesIO()
    each_ms = 1_000 // GIF_RATE
    first.save(stream, "GIF", save_all=True, append_images=others, duration=each_ms, loop=0, optimize=False)
    target.write_bytes(stream.getvalue())


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


def _video(program: str, frames: Iterator[Any], rate: int, target: Path) -> tuple[str, ...]:
    """Have ffmpeg make a film of these pictures; what went wrong, in a sentence, or nothing."""
    first = next(frames)
    width, height = (side - side % 2 for side in first.size)  # H.264 in yuv420p wants even sides
    command = [
        program, "-nostdin", "-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24",
        "-s", f"{width}x{height}", "-r", str(rate), "-i", "pipe:0",
        "-c:v", "libx264", "-preset", "superfast", "-crf", "20", "-pix_fmt", "yuv420p",
        "-threads", "1", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-movflags", "+faststart", str(target),
    ]  # fmt: skip
    pixels = (one.crop((0, 0, width, height)).tobytes() for one in chain([first], frames))
    try:
        wrong = _fed(command, pixels)
    except OSError as error:
        wrong = f"ffmpeg could not be run: {error.strerror or error}"
    if not wrong:
        return ()
    target.unlink(missing_ok=True)
    return (f"no MP4: {wrong}",)


def _fed(command: Sequence[str], pixels: Iterable[bytes]) -> str:
    """Run a program on what is written to it piece by piece; what went wrong, "" for nothing."""
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said) as process,
    ):
        late = threading.Timer(FFMPEG_S, process.kill)
        late.start()
        try:
            for one in pixels:
                process.stdin.write(one)  # type: ignore[union-attr] # a pipe was asked for
            process.stdin.close()  # type: ignore[union-attr] # as above
        except BrokenPipeError:
            pass  # it has ended early, and says why
        except BaseException:
            process.kill()  # it would wait for the rest for ever
            raise
        finally:
            status = process.wait()
            late.cancel()
        if not status:
            return ""
        return f"ffmpeg took more than {FFMPEG_S} s" if late.finished.is_set() and status < 0 else _words(status, said)


def _words(status: int, said: IO[bytes]) -> str:
    said.seek(0)
    lines = said.read(SAID_BYTES_MAX).decode(errors="replace").strip().splitlines() or ["it said nothing"]
    return f"ffmpeg ended with {status}: {lines[-1]}"
