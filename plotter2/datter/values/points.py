"""Points: rows of numbers with named columns and, where there are any, groups of rows.

The one door from whatever a user has (table, array, group, list) to the matrix that the mathematics needs, and the
one place of the rules about missing and useless columns: a column with more than a fifth of its values missing is
left out, then every row that still misses one, then columns that are constant. Each such loss is said in `notes`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.values import spill
from plotter2.datter.values.group import DataGroup
from plotter2.datter.values.incoming import taken_in
from plotter2.datter.values.plain import array_of, described
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError

MISSING_SHARE_MAX = 0.2
CATEGORIES_MAX = 20
CATEGORIES_GOOD = 8
NAMED_MAX = 12
"""Columns that a note names."""
COMPLEX = "Complex numbers have no order and no place on an axis; take their .real, .imag or abs() first."


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Which group each row belongs to: a code a row, and the groups' names."""

    title: str
    names: tuple[str, ...]
    codes: NDArray[Any]

    def rows(self, kept: NDArray[Any]) -> Labels:
        """The labels of some rows."""
        return replace(self, codes=self.codes[kept])


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """A matrix of rows x named columns, float64.

    Attributes:
        title: what the rows are, for titles.
        groups: the group of each row, or None.
        notes: what was left out and why.
    """

    matrix: NDArray[Any]
    names: tuple[str, ...]
    title: str = ""
    groups: Labels | None = None
    notes: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.matrix.shape[0], self.matrix.shape[1]

    def column(self, name: str) -> NDArray[Any]:
        """One column."""
        return self.matrix[:, self.names.index(name)]

    def to_numpy(self) -> NDArray[Any]:
        """Rows x columns, float64, read-only where it is mapped: the matrix itself."""
        return self.matrix

    def to_arrow(self) -> Any:
        """A pyarrow.Table: a column each, and the group of each row."""
        return import_module("plotter2.datter.values.exchange").of_points(self)

    def to_pandas(self) -> Any:
        """The same as a pandas.DataFrame (pandas must be installed)."""
        return import_module("plotter2.datter.values.exchange").to_pandas(self.to_arrow())

    def to_polars(self) -> Any:
        """The same as a polars.DataFrame (polars must be installed)."""
        return import_module("plotter2.datter.values.exchange").to_polars(self.to_arrow())

    def __len__(self) -> int:
        return len(self.matrix)

    def __getitem__(self, which: Any) -> Any:
        return self.column(which) if isinstance(which, str) else self.matrix[which]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:  # noqa: FBT001 -- numpy's protocol
        return np.array(self.matrix, dtype=dtype, copy=copy)


@dataclass(frozen=True, slots=True, eq=False)
class Projection(Points):
    """Points on their principal components.

    Attributes:
        explained: share of the variance that each component carries.
        components: components x original columns.
        loadings: names of the original columns.
    """

    explained: tuple[float, ...] = ()
    components: NDArray[Any] | None = None
    loadings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Clusters(Points):
    """Points with the cluster of each.

    Attributes:
        centres: clusters x columns, in the columns' own units.
        inertia: sum of squared distances to the nearest centre, in the scaled space that was clustered.
        is_standardised: whether columns were brought to unit variance first.
    """

    centres: NDArray[Any] | None = None
    inertia: float = 0.0
    is_standardised: bool = False

    @property
    def labels(self) -> NDArray[Any]:
        """The cluster of each row, from 0."""
        if self.groups is None:
            raise UsageError("These clusters have lost their labels.")
        return self.groups.codes

    @property
    def sizes(self) -> list[int]:
        """Rows in each cluster."""
        return [int(size) for size in np.bincount(self.labels)]


def points(value: Any) -> Points:
    """What a value is as points; a value that already is some comes back as it is.

    Raises:
        UsageError: it holds no numbers.
    """
    value = taken_in(value)
    if isinstance(value, Points):
        return value
    if isinstance(value, Table):
        return _from_table(value)
    if isinstance(value, DataGroup):
        return _from_group(value)
    array = numbers(value)
    matrix = array.reshape(len(array), -1) if array.ndim != 1 else array[:, None]
    names = ("value",) if array.ndim == 1 else tuple(f"column {place}" for place in range(matrix.shape[1]))
    return Points(_floats(matrix), names)


def _floats(matrix: NDArray[Any]) -> NDArray[Any]:
    """The matrix in float64: itself where it is some, mapped anew where it is large."""
    if matrix.dtype == float:
        return matrix
    return spill.changed(matrix, lambda block: block.astype(float), matrix.shape[1])


def numbers(value: Any, *, complex_too: bool = False) -> NDArray[Any]:
    """A value as a numeric array of at least one dimension; None and what a mask hides as NaN.

    Whole numbers beyond 64 bits, and floats of more bits than 64, become float64.

    Raises:
        UsageError: it holds something else than numbers, complex ones where they have no meaning, or nothing.
    """
    value = taken_in(value)
    if isinstance(value, Points | Table | DataGroup):
        return _of_table(value, complex_too=complex_too) if isinstance(value, Table) else points(value).matrix
    array = array_of(value)
    if array.dtype.kind == "c" and not complex_too:
        raise UsageError(COMPLEX)
    if array.dtype.kind not in "iufbc":
        raise UsageError(f"Numbers are needed here, not {described(value, array)}.")
    if array.dtype.char in "gG":
        array = array.astype(complex if array.dtype.kind == "c" else float)
    if array.size == 0:
        raise UsageError("There are no values: the data is empty.")
    return array


def _of_table(table: Table, *, complex_too: bool) -> NDArray[Any]:
    """The numbers of a table; complex ones where one column holds some, and they have a meaning."""
    names = table.measured()
    if complex_too and any(table.is_complex(name) for name in names):
        return table.to_numpy()
    return points(table).matrix


def complete(found: Points, *, varying: bool = False) -> Points:
    """The rows without missing values, by the rules of this module; with `varying`, without constant columns too.

    Raises:
        UsageError: nothing is left.
    """
    matrix, names, notes = found.matrix, np.array(found.names, dtype=object), list(found.notes)
    groups = found.groups
    missing = _missing(matrix)
    if missing.any():
        sparse = missing > MISSING_SHARE_MAX * len(matrix)
        if sparse.any():
            notes.append(f"Left out, more than {MISSING_SHARE_MAX:.0%} missing: {_listed(names[sparse])}.")
        whole = [np.isfinite(block[:, ~sparse]).all(axis=1) for block in spill.blocks(matrix)]
        kept = np.concatenate(whole)
        if not kept.all():
            notes.append(f"{int((~kept).sum()):,} of {len(matrix):,} rows left out: a value is missing.")
            groups = groups.rows(kept) if groups is not None else None
        matrix, names = _chosen(matrix, kept, ~sparse), names[~sparse]
    if varying and len(matrix) > 1:
        same = _constant(matrix)
        if same.any():
            notes.append(f"Left out, the same in every row: {_listed(names[same])}.")
            matrix, names = _chosen(matrix, None, ~same), names[~same]
    if not matrix.size:
        raise UsageError("Nothing is left to compute with: " + (" ".join(notes) or "the data is empty."))
    return replace(found, matrix=matrix, names=tuple(names), groups=groups, notes=tuple(notes))


def _listed(names: NDArray[Any]) -> str:
    return ", ".join(names[:NAMED_MAX]) + f" and {len(names) - NAMED_MAX:,} more" * (len(names) > NAMED_MAX)


def _missing(matrix: NDArray[Any]) -> NDArray[Any]:
    """How many values each column misses. A sum tells of a whole block at once whether any does."""
    counts = np.zeros(matrix.shape[1], np.int64)
    with np.errstate(over="ignore", invalid="ignore"):
        for block in spill.blocks(matrix):
            if not np.isfinite(block.sum()):
                counts += (~np.isfinite(block)).sum(axis=0)
    return counts


def _constant(matrix: NDArray[Any]) -> NDArray[Any]:
    """Which columns are the same in every row; only those that begin so are looked at as a whole."""
    same: NDArray[Any] = matrix[0] == matrix[-1]
    for block in spill.blocks(matrix):
        if not same.any():
            break
        same[same] = (block[:, same] == matrix[0, same]).all(axis=0)
    return same


def _chosen(matrix: NDArray[Any], rows: NDArray[Any] | None, columns: NDArray[Any]) -> NDArray[Any]:
    """Some rows (None for all) and columns of a matrix."""
    if not spill.is_large(matrix):
        return (matrix if rows is None else matrix[rows])[:, columns]
    step = max(1, spill.BLOCK_BYTES // max(1, matrix.shape[1] * 8))
    parts = (
        (block if rows is None else block[rows[place * step : place * step + len(block)]])[:, columns]
        for place, block in enumerate(spill.blocks(matrix, step))
    )
    return spill.matrix(int(columns.sum()), parts)


def label_column(table: Table) -> str:
    """The column that tells rows apart best: text with 2 to 20 values, most values up to 8 first; "" for none."""
    best, best_rank = "", (0, 0)
    for name in table.of_kind("text", "flag"):
        count = len(table.codes(name)[1])
        if 1 < count <= CATEGORIES_MAX:
            rank = (1, count) if count <= CATEGORIES_GOOD else (0, -count)
            best, best_rank = (name, rank) if not best or rank > best_rank else (best, best_rank)
    return best


def labels_of(table: Table, column: str) -> Labels:
    """A column as labels: its commonest values, and one group "other" when there are more than 20."""
    codes, names = table.codes(column)
    if len(names) > CATEGORIES_MAX:
        counts = np.bincount(codes, minlength=len(names))
        kept = np.sort(np.argsort(-counts, kind="stable")[: CATEGORIES_GOOD - 1])
        places = np.full(len(names), len(kept))
        places[kept] = np.arange(len(kept))
        codes, names = places[codes], [*(names[place] for place in kept), "other"]
    return Labels(column, tuple(names), codes)


def _from_table(table: Table) -> Points:
    columns = [name for name in table.measured() if name != table.label]
    if not columns:
        said = f"its columns are {', '.join(table.names)}" if table.names else "it has no columns at all"
        raise UsageError(f"{table.name or 'The table'} has no numeric column; {said}.")
    if not len(table):
        raise UsageError(f"{table.name or 'The table'} has no rows.")
    groups = labels_of(table, table.label) if table.label else None
    chosen = table.select(columns)
    if any(table.is_complex(name) for name in columns):
        raise UsageError(COMPLEX)
    is_large = len(table) * len(columns) * 8 >= spill.LARGE_BYTES
    parts = (part.to_numpy() for part in chosen.batches()) if is_large else ()
    matrix = spill.matrix(len(columns), parts) if is_large else chosen.to_numpy()
    return Points(matrix, tuple(columns), table.name, groups, table.notes)


def _from_group(group: DataGroup) -> Points:
    """Tables one below the other, labelled by their names; arrays of one shape as one row each."""
    if not len(group):
        raise UsageError(f"The group {group.name!r} is empty.")
    first = taken_in(group[0])
    if isinstance(first, Table | Points):
        return _stacked(group, points(first))
    shape = numbers(first).shape
    rows = (_row(group, value, shape) for value in group)
    size = int(np.prod(shape))
    is_large = size * len(group) * 8 >= spill.LARGE_BYTES
    matrix = spill.matrix(size, (row[None] for row in rows)) if is_large else np.stack(list(rows)).astype(float)
    return Points(matrix, tuple(f"value {place}" for place in range(size)), group.name)


def _row(group: DataGroup, value: Any, shape: tuple[int, ...]) -> NDArray[Any]:
    row = numbers(value)
    if row.shape != shape:
        raise UsageError(f"The arrays of {group.name!r} have different shapes, so they cannot be rows of one matrix.")
    return row.ravel()


def _stacked(group: DataGroup, first: Points) -> Points:
    """Tables of the same columns, one at a time; what they are together decides whether memory holds them."""
    lengths: list[int] = []

    def parts() -> Iterator[NDArray[Any]]:
        for value in group:
            part = points(value)
            if part.names != first.names:
                raise UsageError(
                    f"The tables of {group.name!r} have different columns, so they cannot be put together."
                )
            lengths.append(len(part))
            yield part.matrix

    is_large = first.matrix.nbytes * len(group) >= spill.LARGE_BYTES
    matrix = spill.matrix(len(first.names), parts()) if is_large else np.vstack(list(parts()))
    codes = np.repeat(np.arange(len(group)), lengths)
    return Points(matrix, first.names, group.name, Labels(group.axis or group.name, tuple(group.names), codes))
