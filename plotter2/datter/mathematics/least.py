"""Curves through more points than memory is for: by blocks of rows, all of them, as exact as at once.

Definition: what evenly chosen points give is where it begins. Polynomials are solved by QR, block after block (each
goes below the triangle of those before it); formulas by Gauss and Newton's steps, halved where one leads uphill. The
points and the residuals are mapped.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.mathematics.moments import unit
from plotter2.datter.mathematics.samples import SECOND, Samples, of_table, since
from plotter2.datter.values import spill
from plotter2.datter.values.points import numbers, points
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError

SAMPLE_MAX = 100_000
STEPS_MAX = 50
HALVINGS_MAX = 20
STEP_SHARE = 1e-10
"""A step that is so small a share of every number is the last."""
COLUMNS = 16
"""A block has so few rows that so many columns of it are a block of `spill`."""
Floats = NDArray[Any]
Curve = Callable[[Floats], Floats]


@dataclass(frozen=True, slots=True, eq=False)
class Many:
    """Complete points, mapped: x, y and the root of the weight of each.

    Attributes:
        rows: points x 3.
        measure: how large y is.
    """

    rows: Floats
    names: tuple[str, str]
    notes: tuple[str, ...]
    measure: float

    def parts(self) -> Iterator[tuple[Floats, Floats, Floats]]:
        """x, y in its measure, and roots, some points at a time."""
        for block in spill.blocks(self.rows, max(1, spill.BLOCK_BYTES // (8 * COLUMNS))):
            yield block[:, 0], block[:, 1] / self.measure, block[:, 2]

    def sample(self) -> Samples:
        """Evenly chosen ones, with the first and the last."""
        chosen = np.unique(np.linspace(0, len(self.rows) - 1, min(len(self.rows), SAMPLE_MAX)).round().astype(np.int64))
        x, y, roots = np.array(self.rows[chosen]).T
        return Samples(x, y, roots, self.names, self.notes, self.measure)

    def extent(self) -> tuple[float, float]:
        """The least and the greatest place."""
        found = [(float(x.min()), float(x.max())) for x, _, _ in self.parts()]
        return min(low for low, _ in found), max(high for _, high in found)

    def triangle(self, design: Callable[[Floats], Floats], curve: Curve | None = None) -> Floats:
        """The R of QR of the weighed design beside y, or beside what a curve leaves of it."""
        found: Floats | None = None
        for x, y, roots in self.parts():
            left = y if curve is None else y - curve(x)
            block = np.column_stack([design(x), left]) * roots[:, None]
            found = np.asarray(np.linalg.qr(block if found is None else np.vstack([found, block]), mode="r"))
        assert found is not None  # noqa: S101 -- for the type checker: there are more points than numbers
        return found

    def misfit(self, curve: Curve) -> float:
        """The weighed sum of squares of what a curve leaves."""
        return math.fsum(float(np.square((y - curve(x)) * roots).sum()) for x, y, roots in self.parts())

    def residuals(self, curve: Curve) -> Floats:
        """What a curve leaves of y, in its unit; mapped."""
        return spill.matrix(1, ((y - curve(x))[:, None] * self.measure for x, y, _ in self.parts())).reshape(-1)

    def explained(self, misfit: float) -> float:
        """The share of the variance that is gone; NaN for constant data."""
        weight = math.fsum(float(np.square(roots).sum()) for _, _, roots in self.parts())
        centre = math.fsum(float((np.square(roots) * y).sum()) for _, y, roots in self.parts()) / weight
        total = self.misfit(lambda x: np.full(len(x), centre))
        return 1 - misfit / total if total > 0 else math.nan

    def descended(
        self, curve: Callable[..., Floats], slopes: Callable[[Floats, Floats], Floats], begin: Floats
    ) -> tuple[Floats, float]:
        """The numbers with which a curve is nearest to all points, from a beginning that is near; and its misfit."""
        at, rest = begin, self.misfit(lambda x: curve(x, *begin))
        for _ in range(STEPS_MAX):
            step = self._step(curve, slopes, at)
            fresh = math.inf
            for _ in range(HALVINGS_MAX):
                fresh = self.misfit(_fixed(curve, at + step))
                if fresh <= rest:
                    break
                step = step / 2
            if not fresh <= rest:
                break
            at, rest = at + step, fresh
            if np.all(np.abs(step) <= STEP_SHARE * np.maximum(np.abs(at), STEP_SHARE)):
                break
        return at, rest

    def _step(self, curve: Callable[..., Floats], slopes: Callable[[Floats, Floats], Floats], at: Floats) -> Floats:
        found = self.triangle(lambda x: slopes(x, at), _fixed(curve, at))
        solved: Floats = np.linalg.lstsq(found[: len(at), : len(at)], found[: len(at), -1], rcond=None)[0]
        return solved


def _fixed(curve: Callable[..., Floats], values: Floats) -> Curve:
    return lambda x: curve(x, *values)


def many(data: Any, other: Any, weights: Any) -> Many | None:
    """What a curve is fitted to, where that is more than memory is for; None where it is not.

    Raises:
        UsageError: no numbers, or x, y and weights of different lengths.
    """
    found = _columns(data, other, weights)
    if found is None or not spill.is_large(found[1]):
        return None
    x, y, scale, names = found
    if len({len(one) for one in (x, y, scale) if one is not None}) > 1:
        raise UsageError("fit: x, y and the weights must be equally many.")
    first = _first(x)
    if first is not None or (x is not None and x.dtype.kind == "m"):
        names = ("seconds" if first is None else since(first), names[1])

    def rows() -> Iterator[Floats]:
        step = max(1, spill.BLOCK_BYTES // (8 * COLUMNS))
        for start in range(0, len(y), step):
            place = slice(start, start + step)
            values = y[place].astype(float)
            at = np.arange(start, start + len(values), dtype=float) if x is None else _placed(x[place], first)
            weight = np.ones(len(values)) if scale is None else scale[place].astype(float)
            if np.any(weight < 0) or np.any(np.isinf(weight)):
                raise UsageError("fit: weights are 0 or more, and finite: 1 / variance of each y, in any unit.")
            kept = np.isfinite(at) & np.isfinite(values) & (weight > 0)
            yield np.column_stack([at[kept], values[kept], np.sqrt(weight[kept])])

    mapped = spill.matrix(3, rows())
    lost = len(y) - len(mapped)
    notes = (f"{lost:,} of {len(y):,} points left out: a value is missing or infinite, or its weight is 0.",)
    return Many(mapped, names, notes if lost else (), unit(mapped[:, 1:2]))


def _columns(data: Any, other: Any, weights: Any) -> tuple[Any, Any, Any, tuple[str, str]] | None:
    """X (None for places in order), y, weights and names, as they are held; None for what is never large."""
    if isinstance(weights, str) and isinstance(data, Table):
        weights = data.column(weights)
        data = data.select([name for name in data.names if data.column(name) is not weights])
    # a name without a table is refused where samples are looked at
    scale = None if weights is None or isinstance(weights, str) else numbers(weights).reshape(-1)
    if other is None and isinstance(data, Table):
        pair = of_table(data)
        return None if pair is None else (pair[0], pair[1], scale, pair[2])
    if other is not None:
        if not isinstance(data, np.ndarray) or not isinstance(other, np.ndarray):
            return None
        return data.reshape(-1), other.reshape(-1), scale, ("x", "y")
    if not isinstance(data, np.ndarray) or data.ndim > 2 or data.dtype.kind not in "iufb":  # noqa: PLR2004 -- x and y
        return None
    matrix = points(data).matrix
    if matrix.shape[1] == 1:
        return None, matrix[:, 0], scale, ("place", "value")
    return (matrix[:, 0], matrix[:, 1], scale, ("column 0", "column 1")) if matrix.shape[1] == 2 else None  # noqa: PLR2004 -- x and y


def _first(x: Any) -> Any:
    """The first of times; None for other places."""
    if x is None or x.dtype.kind != "M":
        return None
    known = [block[~np.isnat(block)].min() for block in spill.blocks(x) if not np.isnat(block).all()]
    if not known:
        raise UsageError("Every time is missing, so there are no places.")
    return min(known)


def _placed(x: NDArray[Any], first: Any) -> Floats:
    if first is not None:
        x = x - first
    found: Floats = x / SECOND if x.dtype.kind == "m" else x.astype(float)
    return found
