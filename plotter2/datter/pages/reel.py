"""The frames of an animation as its page carries them: coded, each told by what changed, compressed in chunks.

The rule, of which the page and its sidecar say what was taken:

1. Up to 8 MiB of float32 keep every value exactly.
2. More is written as whole numbers of 16 bits, 65,535 steps from the smallest value to the largest (of x and of y by
   itself), which no screen can tell apart.
3. Where all frames would still weigh more than 32 MiB compressed, images are written in 8 bits, as many steps as their
   colours have, and then as means of 2 x 2, 3 x 3, ... cells; of curves and places every second, third, ... frame.

A chunk holds up to 64 frames, about 1 MiB: its first frame, then the differences from frame to frame, their low bytes
before their high ones, deflated. The page unpacks the chunks that it shows, so it holds a few of them at a time.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.figures.figure import Document, Motion, Panel, Reel

EXACT_BYTES_MAX = 8 << 20
REEL_BYTES_MAX = 32 << 20
CHUNK_BYTES, CHUNK_FRAMES_MAX = 1 << 20, 64
LEVEL = 6
COARSEST = 64
PART_VALUES = 1 << 20
HOPE = 1.5
EXACT, FINE, ROUGH = 32, 16, 8
PARTS = {"image": 1, "y": 1, "place": 2, "space": 3}


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to write frames: bits a value, cells that become one, and every which frame."""

    bits: int
    block: int = 1
    every: int = 1

    @property
    def size(self) -> float:
        """How much there is to compress, as a share of float32."""
        return self.bits / EXACT / self.block**2 / self.every


def on_reel(document: Document, bytes_max: int = REEL_BYTES_MAX) -> Document:
    """The document with the frames of its animations as its page carries them."""
    sections = tuple(
        replace(figure, panels=tuple(wound(panel, bytes_max) for panel in figure.panels))
        for figure in document.sections
    )
    return replace(document, sections=sections)


def wound(panel: Panel, bytes_max: int = REEL_BYTES_MAX, exact_bytes_max: int = EXACT_BYTES_MAX) -> Panel:
    """A panel whose frames are written in the first way that is small enough; one without frames as it is."""
    motion = panel.motion
    if motion is None:
        return panel
    is_small = motion.frames.nbytes <= exact_bytes_max
    ways = [one for one in _ways(motion) if (one.bits == EXACT) == is_small]
    share = 1.0
    for way in ways[:-1]:
        if way.size <= share:
            taken = _taken(motion, way)
            reel, done = _reel(taken, way.bits, bytes_max)
            if reel is not None:
                return _with(panel, taken, reel, way)
            share = way.size * done * HOPE  # what is hardly smaller than that will not be small enough either
    taken = _taken(motion, ways[-1])  # small enough for whatever an animation may hold
    reel, _ = _reel(taken, ways[-1].bits, math.inf)
    return panel if reel is None else _with(panel, taken, reel, ways[-1])


def _ways(motion: Motion) -> list[_Way]:
    coarser = range(2, COARSEST + 1)
    if motion.column == "image":
        return [_Way(EXACT), _Way(FINE), _Way(ROUGH), *(_Way(ROUGH, block=one) for one in coarser)]
    return [_Way(EXACT), _Way(FINE), *(_Way(FINE, every=one) for one in coarser)]


def _taken(motion: Motion, way: _Way) -> Motion:
    if way.every > 1:
        return replace(motion, frames=motion.frames[:: way.every], labels=motion.labels[:: way.every])
    return replace(motion, frames=_blocks(motion.frames, way.block)) if way.block > 1 else motion


def _blocks(frames: NDArray[Any], side: int) -> NDArray[Any]:
    """Means of side x side cells; where rows or columns do not divide evenly, some blocks are a cell smaller."""
    count, *shape = frames.shape
    means = np.empty((count, *(-(-one // side) for one in shape)), np.float32)
    for part in _parts(frames):
        means[part] = _means(frames[part], side)
    return means


def _parts(frames: NDArray[Any]) -> Iterator[slice]:
    """All frames, some megabytes at a time: whatever is worked out of them is never held for all of them at once."""
    many = max(PART_VALUES // max(frames[0].size, 1), 1)
    return (slice(first, first + many) for first in range(0, len(frames), many))


def _means(frames: NDArray[Any], side: int) -> NDArray[Any]:
    for axis in (1, 2):
        count = frames.shape[axis]
        edges = np.linspace(0, count, -(-count // side) + 1).astype(int)
        sums = np.add.reduceat(np.nan_to_num(frames, posinf=0, neginf=0), edges[:-1], axis=axis)
        there = np.add.reduceat(np.isfinite(frames), edges[:-1], axis=axis, dtype=np.int32)
        frames = np.where(there > 0, sums / np.maximum(there, 1), np.nan).astype(np.float32)
    return frames


def _reel(motion: Motion, bits: int, bytes_max: float) -> tuple[Reel | None, float]:
    """The frames compressed, and the share that was; no reel as soon as they weigh too much."""
    frames = motion.frames.reshape(len(motion.frames), -1)
    ends = tuple(_ends(part) for part in np.split(frames, PARTS[motion.column], axis=1)) if bits < EXACT else ()
    many = int(np.clip(CHUNK_BYTES // (frames.shape[1] * bits // 8), 1, CHUNK_FRAMES_MAX))
    chunks: list[bytes] = []
    weight = 0
    for first in range(0, len(frames), many):
        coded = _coded(frames[first : first + many], bits, ends)
        coded[1:] -= coded[:-1].copy()
        planes = coded.reshape(-1, 1).view(np.uint8).T if bits > ROUGH else coded
        chunks.append(zlib.compress(np.ascontiguousarray(planes).tobytes(), LEVEL))
        weight += len(chunks[-1])
        if weight > bytes_max:
            return None, min(first + many, len(frames)) / len(frames)
    return Reel(bits, many, tuple(chunks), ends), 1.0


def _ends(values: NDArray[Any]) -> tuple[float, float]:
    low, high = np.inf, -np.inf
    for part in _parts(values):
        finite = values[part][np.isfinite(values[part])]
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    return (low, high) if low <= high else (0.0, 0.0)


def _coded(frames: NDArray[Any], bits: int, ends: tuple[tuple[float, float], ...]) -> NDArray[Any]:
    """Values as whole numbers: the bits of a float32, or steps between the ends with the last number for no value."""
    if bits == EXACT:
        return np.array(frames, "<f4").view("<u4")
    none = (1 << bits) - 1
    coded = np.empty(frames.shape, f"<u{bits // 8}")
    for place, (low, high) in enumerate(ends):
        part = np.split(frames, len(ends), axis=1)[place]
        steps = np.clip((part.astype(np.float64) - low) / ((high - low) or 1.0), 0, 1) * (none - 1)
        np.split(coded, len(ends), axis=1)[place][:] = np.where(np.isfinite(part), steps, none).round()
    return coded


def _with(panel: Panel, motion: Motion, reel: Reel, way: _Way) -> Panel:
    weight = sum(map(len, reel.chunks))
    each = weight / len(motion.frames)
    exactness = _SAID[way.bits]
    if way.block > 1:
        exactness += f", as means of {way.block} x {way.block} cells"
    if way.every > 1:
        exactness += f"; one frame in {way.every} is kept"
    written = f"{each:,.0f} bytes" if each < CHUNK_BYTES else f"{each / CHUNK_BYTES:.1f} MiB"
    about = {"bits": way.bits, "block": way.block, "every": way.every, "bytes": weight, "frame_bytes": round(each)}
    layers = panel.layers
    if way.block > 1:
        layers = (replace(layers[0], columns={**layers[0].columns, "image": motion.frames[0]}), *layers[1:])
    return replace(
        panel, motion=replace(motion, reel=reel), layers=layers,
        notes=(*panel.notes, f"{exactness}; {written} a frame."), about={**panel.about, "coding": about},
    )  # fmt: skip


_SAID = {
    EXACT: "Values are exact", FINE: "Values are shown to 1/65,534 of their range",
    ROUGH: "Values are shown to 1/254 of their range",
}  # fmt: skip
