"""Reductions of arrays and groups that are larger than memory: exact, by blocks, whatever the blocks (requirement 004).

What is reduced along an axis is cut along another one. What is reduced as a whole is gone over block by block; the
median by its rank among the bit patterns of floats, which are ordered as the floats are (radix selection): at most four
passes a rank, and never more in memory than a block and a table of 65,536 counts; the mode by sorted runs on the disk.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.mathematics import products
from plotter2.datter.mathematics.moments import unit
from plotter2.datter.values import spill

DIGIT_BITS = 16
SIGN = np.uint64(1 << 63)
RUNS_MAX = 256
"""Sorted pieces of an array; more of one size than this are made longer."""
Reduction = Callable[[NDArray[Any], int | None], Any]


def wide(array: NDArray[Any]) -> NDArray[Any]:
    """Floats and complex numbers of few bits in those of many, so that sums and squares of them fit."""
    kind = {"f2": float, "f4": float, "c8": complex}.get(array.dtype.str[1:])
    return array if kind is None else array.astype(kind)


def flat(values: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """All values, block by block: float64, one axis."""
    line = values.reshape(-1) if values.flags.c_contiguous else values
    for block in spill.blocks(line):
        yield block.astype(float, copy=False).ravel()


def along(values: NDArray[Any], how: Reduction, axis: int) -> NDArray[Any]:
    """A reduction along an axis of several, by slices of the longest other one."""
    axis %= values.ndim
    other = max((one for one in range(values.ndim) if one != axis), key=lambda one: values.shape[one])
    step = max(1, spill.BLOCK_BYTES // max(1, 8 * values.size // values.shape[other]))
    parts = [
        np.asarray(how(wide(values[(slice(None),) * other + (slice(start, start + step),)]), axis))
        for start in range(0, values.shape[other], step)
    ]
    return np.concatenate(parts, axis=other - (other > axis))


def mean(values: NDArray[Any]) -> float:
    """Sum / count."""
    measure = unit(values)
    return _sum((block / measure).sum() for block in flat(values)) / values.size * measure


def stddev(values: NDArray[Any], ddof: int) -> float:
    """The root of the sum of (x - mean)^2 over (count - ddof), in two passes."""
    measure, centre = unit(values), mean(values)
    squares = _sum(np.square((block - centre) / measure).sum() for block in flat(values))
    return math.sqrt(squares / (values.size - ddof)) * measure


def l1norm(values: NDArray[Any]) -> float:
    """Sum of the absolute values."""
    return _sum(np.abs(block).sum() for block in flat(values))


def l2norm(values: NDArray[Any]) -> float:
    """The root of the sum of squares."""
    measure = unit(values)
    return math.sqrt(_sum(np.square(block / measure).sum() for block in flat(values))) * measure


def product(values: NDArray[Any]) -> float:
    """All of them multiplied."""
    parts, powers = zip(*(products.apart(block) for block in flat(values)), strict=True)
    factor, power = products.apart(np.array(parts))
    return float(products.whole(factor, power + np.sum(powers)))


def median(values: NDArray[Any]) -> float:
    """The middle value, or the mean of the two middle ones; NaN where a value is."""
    if any(np.isnan(block).any() for block in flat(values)):
        return math.nan
    low = ranked(values, (values.size - 1) // 2)
    return low if values.size % 2 else low / 2 + ranked(values, values.size // 2) / 2


def mode(values: NDArray[Any]) -> Any:
    """The commonest value, the smallest of several; NaN where one is.

    Sorted runs are mapped. Evenly chosen values of each run part the order so that between two of them lie no more
    than a run holds; one part after the other is looked at.
    """
    length = max(1, spill.BLOCK_BYTES // max(1, values.dtype.itemsize), -(-values.size // RUNS_MAX))
    line = values.reshape(-1) if values.flags.c_contiguous else values
    step = max(1, length * len(line) // values.size)
    cut = [line[start : start + step] for start in range(0, len(line), step)]
    if any(np.isnan(one).any() for one in cut):
        return math.nan
    mapped = spill.matrix(1, (np.sort(one, axis=None)[:, None] for one in cut), values.dtype).reshape(-1)
    runs = np.split(mapped, np.cumsum([one.size for one in cut])[:-1])
    chosen = [run[:: max(1, len(run) // len(runs))] for run in runs] + [run[-1:] for run in runs]
    return _commonest(runs, np.unique(np.concatenate(chosen)), length)


def _commonest(runs: list[NDArray[Any]], marks: NDArray[Any], most: int) -> Any:
    """The commonest value of sorted runs, gone over from mark to mark, so many values at a time.

    How often a mark itself stands there is counted where it begins and ends, so it may do so any number of times.
    """
    starts, stops = (np.stack([np.searchsorted(run, marks, side) for run in runs]) for side in ("left", "right"))
    equal = (stops - starts).sum(axis=0)
    best, count = marks[equal.argmax()], int(equal.max())
    place, before = -1, np.zeros(len(runs), np.int64)
    while place < len(marks) - 1:
        reached = int(np.searchsorted(stops.sum(axis=0), before.sum() + most, "right")) - 1
        until = stops[:, reached] if reached > place else starts[:, place + 1]
        part = np.concatenate([run[one:two] for run, one, two in zip(runs, before, until, strict=True)])
        place = max(reached, place + 1)
        before = stops[:, place]
        found, counts = np.unique(part, return_counts=True)
        if len(found) and _is_better(found, counts, best, count):
            best, count = found[counts.argmax()], int(counts.max())
    return best.item()


def _is_better(found: NDArray[Any], counts: NDArray[Any], best: Any, count: int) -> bool:
    top = counts.argmax()
    return bool(counts[top] > count or (counts[top] == count and found[top] < best))


def ranked(values: NDArray[Any], rank: int) -> float:
    """The value that as many are below as `rank` says; no value may be NaN."""
    prefix = np.uint64(0)
    for shift in range(64 - DIGIT_BITS, -1, -DIGIT_BITS):
        counts = np.zeros(1 << DIGIT_BITS, np.int64)
        for block in flat(values):
            keys = _keys(block) >> np.uint64(shift)
            if shift + DIGIT_BITS < 64:  # noqa: PLR2004 -- the bits of a float
                keys = keys[keys >> np.uint64(DIGIT_BITS) == prefix]
            counts += np.bincount((keys & np.uint64((1 << DIGIT_BITS) - 1)).astype(np.int64), minlength=1 << DIGIT_BITS)
        below = np.cumsum(counts)
        digit = int(np.searchsorted(below, rank, side="right"))
        rank -= int(below[digit - 1]) if digit else 0
        prefix = prefix << np.uint64(DIGIT_BITS) | np.uint64(digit)
    bits = prefix ^ SIGN if prefix & SIGN else ~prefix
    return float(np.array([bits], np.uint64).view(float)[0])


def _sum(parts: Iterator[Any]) -> float:
    return float(np.sum([float(one) for one in parts]))


def _keys(block: NDArray[Any]) -> NDArray[Any]:
    """Whole numbers in the order of the floats: of negative ones all bits are turned, of others the sign alone."""
    bits = np.ascontiguousarray(block).view(np.uint64)
    keys: NDArray[Any] = np.where(bits & SIGN, ~bits, bits | SIGN)
    return keys
