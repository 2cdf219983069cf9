"""boxer: values put into boxes, by what they belong to or by where they lie (requirement 153).

One object serves both readings: five-number summaries, drawn as a box plot, and extents, the rectangles around what is
in each box, which can be laid over other drawings.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.mathematics.geometry import Box, box
from plotter2.datter.values.group import DataGroup
from plotter2.datter.values.incoming import taken_in
from plotter2.datter.values.keys import shown
from plotter2.datter.values.points import Labels, Points, labels_of, numbers, points
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError

BINS_MAX = 1_000
_PARTS = ("count", "low", "bottom", "first", "median", "third", "top", "high")


@dataclass(frozen=True, slots=True, eq=False)
class Boxed:
    """What is in one box.

    Attributes:
        name: which box it is.
        values: what lies in it, finite, in the order of the rows.
        summary: its count and five numbers, and what lies outside of the whiskers.
        extent: left, right, bottom and top of the rectangle around it.
    """

    name: str
    values: NDArray[Any]
    summary: Box
    extent: tuple[float, float, float, float]

    @property
    def rectangle(self) -> tuple[float, float, float, float]:
        """The extent as `rect` takes it: x and y of the lower left corner, width, height."""
        left, right, bottom, top = self.extent
        return left, bottom, right - left, top - bottom


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """Boxes in order.

    Attributes:
        title: what tells them apart.
        label: what the values in them are.
        notes: what was left out and why.
    """

    boxes: tuple[Boxed, ...]
    title: str = ""
    label: str = "value"
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """The boxes' names, in order."""
        return [one.name for one in self.boxes]

    @property
    def extents(self) -> NDArray[Any]:
        """Boxes x 4: left, right, bottom, top."""
        return np.array([one.extent for one in self.boxes])

    @property
    def table(self) -> Table:
        """A row a box: its name, count and numbers."""
        about = {part: [getattr(one.summary, part) for one in self.boxes] for part in _PARTS}
        return Table({"name": self.names, **about}, name=self.label, notes=self.notes)

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, which: int | str) -> Boxed:
        return self.boxes[self.names.index(which) if isinstance(which, str) else which]


def boxer(
    data: Any,
    by: str | Sequence[Any] | None = None,
    bins: int | None = None,
    edges: Sequence[float] | None = None,
    of: str = "",
) -> Boxes:
    """Boxes of values; what the arguments mean and where the numbers come from stands at `engine.boxer`.

    Raises:
        UsageError: no numbers, no such column, or intervals that are none.
    """
    data = taken_in(data)
    data = data.filled() if isinstance(data, DataGroup) else data
    if sum(one is not None for one in (by, bins, edges)) > 1:
        raise UsageError("boxer: say one of by, bins and edges.")
    if by is not None:
        return _by_label(*_labelled(data, by), of)
    if bins is not None or edges is not None:
        return _by_interval(_pairs(data, of), bins, edges)
    if isinstance(data, DataGroup) and not any(isinstance(one, Table) for one in data):
        parts = [(name, numbers(one).ravel()) for name, one in data.items()]
        return _beside(parts, data.axis or data.name, data.name or "value")
    found = points(data)
    if found.groups is not None:
        return _by_label(found, found.groups, of)
    chosen = [of] if of else list(found.names)
    parts = [(name, found.matrix[:, _place(found, name)]) for name in chosen]
    return _beside(parts, "", chosen[0] if len(chosen) == 1 else "value")


def _labelled(data: Any, by: str | Sequence[Any]) -> tuple[Points, Labels]:
    if isinstance(by, str):
        table = data if isinstance(data, Table) else None
        if table is None:
            raise UsageError(f"boxer: by={by!r} names a column, so it needs a table, not {shown(data)}.")
        numeric = [name for name in table.measured() if name != by]
        return points(table.select(numeric)), labels_of(table, by)
    found = points(data)
    if isinstance(by, DataGroup | Table | Points):
        raise UsageError(f"boxer: by is a list of labels, one a row, or the name of a column, not {shown(by)}.")
    labels = np.asarray(by).ravel()
    if len(labels) != len(found):
        raise UsageError(f"boxer: {len(labels)} labels for {len(found)} rows; there must be one a row.")
    return found, labels_of(Table({"label": labels}), "label")


def _place(found: Points, name: str) -> int:
    if name not in found.names:
        raise UsageError(f"boxer: there is no column of numbers {name!r}; there are {', '.join(found.names[:12])}.")
    return found.names.index(name)


def _by_label(found: Points, groups: Labels, of: str) -> Boxes:
    at = _place(found, of) if of else 0
    sides = found.matrix[:, :2] if found.shape[1] > 1 else None
    parts = [(name, found.matrix[groups.codes == code, at]) for code, name in enumerate(groups.names)]

    def around(place: int) -> tuple[float, float, float, float]:
        if sides is None:
            return _column(place, parts[place][1])
        rows = sides[groups.codes == place]
        rows = rows[np.isfinite(rows).all(axis=1)]
        if not len(rows):
            return _column(place, parts[place][1])
        return (*_ends(rows[:, 0]), *_ends(rows[:, 1]))

    return _made(parts, around, groups.title, found.names[at])


def _pairs(data: Any, of: str) -> tuple[NDArray[Any], NDArray[Any], tuple[str, str]]:
    """What is laid on intervals, what is boxed, and what both are called."""
    found = points(data)
    if found.shape[1] == 1:
        return np.arange(len(found), dtype=float), found.matrix[:, 0], ("place", found.names[0])
    at = _place(found, of) if of else 1
    along = next(place for place in range(found.shape[1]) if place != at)
    return found.matrix[:, along], found.matrix[:, at], (found.names[along], found.names[at])


def _by_interval(
    pairs: tuple[NDArray[Any], NDArray[Any], tuple[str, str]], bins: int | None, edges: Sequence[float] | None
) -> Boxes:
    x, y, (title, label) = pairs
    limits = _limits(x, bins, edges)
    codes = np.searchsorted(limits, x, "right") - 1
    codes[x == limits[-1]] = len(limits) - 2
    codes[~np.isfinite(x)] = -1
    names = [f"{low:.4g} to {high:.4g}" for low, high in itertools.pairwise(limits)]
    parts = [(name, y[codes == place]) for place, name in enumerate(names)]
    beyond = int(((codes < 0) | (codes >= len(names))).sum())
    notes = [f"{beyond:,} rows lie in no interval and are left out."] * bool(beyond)

    def around(place: int) -> tuple[float, float, float, float]:
        return (float(limits[place]), float(limits[place + 1]), *_ends(parts[place][1]))

    return _made(parts, around, title, label, notes)


def _limits(x: NDArray[Any], bins: int | None, edges: Sequence[float] | None) -> NDArray[Any]:
    if bins is not None:
        if not 1 <= bins <= BINS_MAX:
            raise UsageError(f"boxer: bins must be between 1 and {BINS_MAX:,}, not {bins}.")
        there = x[np.isfinite(x)]
        if not len(there):
            raise UsageError("boxer: every place is missing, so there are no intervals.")
        return np.histogram_bin_edges(there, bins)
    found = np.asarray(edges, float).ravel()
    if not 2 <= len(found) <= BINS_MAX + 1 or not np.all(np.diff(found) > 0):  # noqa: PLR2004 -- an interval has two ends
        raise UsageError(f"boxer: edges are 2 to {BINS_MAX + 1:,} numbers that rise, as edges=[0, 10, 20].")
    return found


def _beside(parts: list[tuple[str, NDArray[Any]]], title: str, label: str) -> Boxes:
    return _made(parts, lambda place: _column(place, parts[place][1]), title, label)


def _made(
    parts: list[tuple[str, NDArray[Any]]],
    around: Callable[[int], tuple[float, float, float, float]],
    title: str,
    label: str,
    notes: Sequence[str] = (),
) -> Boxes:
    found, empty, missing = [], [], 0
    for place, (name, values) in enumerate(parts):
        there = values[np.isfinite(values)].astype(float)
        missing += len(values) - len(there)
        if len(there):
            found.append(Boxed(name, there, box(there), around(place)))
        else:
            empty.append(name)
    if not found:
        raise UsageError("boxer: every value is missing or outside of all boxes.")
    said = [*notes]
    if missing:
        said.append(f"{missing:,} values are missing and left out.")
    if empty:
        said.append(f"Without any value and left out: {', '.join(empty[:8])}{' and more' * (len(empty) > 8)}.")  # noqa: PLR2004 -- names in a note
    return Boxes(tuple(found), title, label, tuple(said))


def _column(place: int, values: NDArray[Any]) -> tuple[float, float, float, float]:
    return (place - 0.5, place + 0.5, *_ends(values))


def _ends(values: NDArray[Any]) -> tuple[float, float]:
    there = values[np.isfinite(values)]
    return (float(there.min()), float(there.max())) if len(there) else (float("nan"), float("nan"))
