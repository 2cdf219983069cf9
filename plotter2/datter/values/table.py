"""Table: named columns of equal length, over Arrow memory or numpy arrays. Read-only.

Columns become numpy arrays when they are looked at: numbers with missing values as float with NaN, text as objects
with None, times as datetime64, spans of time as seconds. Computes nothing; the mathematics is elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from plotter2.datter.values import arrows as rows
from plotter2.datter.values import pieces
from plotter2.datter.values.array import array, bare
from plotter2.datter.values.arrows import ROW
from plotter2.datter.values.keys import natural, shown, unknown
from plotter2.datter.values.moments import as_spans, is_clock
from plotter2.errors import UsageError

ColumnKind = Literal["number", "flag", "text", "time", "clock"]
"""What a column holds; a clock is a time of any day."""
_ARROW_KINDS: tuple[tuple[tuple[str, ...], ColumnKind], ...] = (
    (("int", "uint", "float", "double", "halffloat", "decimal", "null", "duration"), "number"),
    (("bool",), "flag"),
    (("timestamp", "date"), "time"),
    (("time32", "time64"), "clock"),
)
_NUMPY_KINDS: dict[str, ColumnKind] = {
    "i": "number", "u": "number", "f": "number", "c": "number", "m": "number", "b": "flag", "M": "time",
}  # fmt: skip
MISSING = "(missing)"
NESTED = ("list", "large_list", "fixed_size_list", "struct", "map", "month_day_nano")
SECOND = np.timedelta64(1, "s")
BATCH_ROWS = 64 << 10
_INCOMING = "plotter2.datter.values.incoming"
"""Imported when it is first needed: it makes tables."""


class Table:
    """Columns by name; made of columns (a dictionary), or of a frame of pyarrow, pandas or polars.

    Attributes:
        name: what the table is called in titles.
        notes: what had to be done to read it, in sentences.
        label: the column that tells rows apart in drawings, "" for none.
        index: the columns that name rows, as the index of pandas does; nothing is computed with them.
    """

    def __init__(
        self,
        columns: Mapping[str, Any] | Any,
        *,
        name: str = "",
        notes: Iterable[str] = (),
        label: str = "",
        index: Iterable[str] = (),
    ) -> None:
        self._arrow: Any = None
        self._columns: dict[str, NDArray[Any]] = {}
        self._given: dict[str, NDArray[Any]] = {}
        self.name = name
        self.notes = tuple(notes)
        self.label = label
        if isinstance(columns, Mapping) and not hasattr(columns, "tocsr"):
            self._columns = {str(one): _column(str(one), _ours(values)) for one, values in columns.items()}
            lengths = {len(values) for values in self._columns.values()}
            if len(lengths) > 1:
                raise UsageError(f"The columns of a table must be equally long; these have {sorted(lengths)} rows.")
            self.names = tuple(self._columns)
            self._rows = lengths.pop() if lengths else 0
        else:
            self._arrow = rows.plain(_as_arrow(columns))
            self._arrow = rows.marked(self._arrow, tuple(index)) if index else self._arrow
            self.names = tuple(str(one) for one in self._arrow.column_names)
            self._rows = int(self._arrow.num_rows)
            index = index or rows.named(self._arrow)
        self.index = tuple(one for one in index if one in self.names)

    @classmethod
    def of_rows(cls, rows: Sequence[Mapping[str, Any]], **about: Any) -> Table:
        """A table of records; a key that a record lacks is missing there."""
        names = list(dict.fromkeys(str(key) for row in rows for key in row))
        return cls({name: [row.get(name) for row in rows] for name in names}, **about)

    def kind(self, name: str) -> ColumnKind:
        """What a column holds."""
        if self._arrow is not None:
            written = str(self._arrow.schema.field(self._checked(name)).type)
            return next((kind for starts, kind in _ARROW_KINDS if written.startswith(starts)), "text")
        column = self._columns[self._checked(name)]
        return "clock" if is_clock(column) else _NUMPY_KINDS.get(column.dtype.kind, "text")

    def is_complex(self, name: str) -> bool:
        """Whether a column holds complex numbers, which have no place in a matrix of real ones."""
        return self._arrow is None and self._columns[self._checked(name)].dtype.kind == "c"

    def is_span(self, name: str) -> bool:
        """Whether a column holds spans of time, whose numbers are seconds."""
        if self._arrow is not None:
            return str(self._arrow.schema.field(self._checked(name)).type).startswith("duration")
        return self._columns[self._checked(name)].dtype.kind == "m"

    def of_kind(self, *kinds: ColumnKind) -> list[str]:
        """The names of the columns of these kinds, in order; none that names rows by numbers of theirs."""
        hidden = {ROW} & set(self.index)
        return [name for name in self.names if self.kind(name) in kinds and name not in hidden]

    def measured(self) -> list[str]:
        """The names of the columns of numbers and flags that are computed with: all but those that name rows."""
        return [name for name in self.of_kind("number", "flag") if name not in self.index]

    def column(self, name: str) -> NDArray[Any]:
        """One column as a numpy array; spans of time as seconds."""
        found = self.raw(name)
        return _seconds(found) if found.dtype.kind == "m" else found

    def raw(self, name: str) -> NDArray[Any]:
        """One column as a numpy array; spans of time as timedelta64."""
        if self._checked(name) not in self._columns:
            made: Any = self._from_arrow(name)
            self._columns[name] = made
            while isinstance(made, np.ndarray):  # text comes as a view of an array that nobody else has
                made.flags.writeable = False
                made = made.base
        return self._columns[name]

    def codes(self, name: str) -> tuple[NDArray[Any], list[str]]:
        """One column as categories: a code for each row, and the categories' names in natural order."""
        if self._arrow is not None:
            packed = self._arrow.column(self._checked(name)).combine_chunks()
            if str(packed.type).startswith(NESTED):
                packed = import_module("pyarrow").array(
                    [None if one is None else str(one) for one in packed.to_pylist()]
                )
            if not str(packed.type).startswith("dictionary"):
                packed = packed.dictionary_encode()
            names = [str(one) for one in packed.dictionary.to_pylist()]
            codes = packed.indices.cast("int64").fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        else:
            texts = [MISSING if value is None else str(value) for value in self.column(name).tolist()]
            names, codes = list(dict.fromkeys(texts)), np.empty(len(texts), np.int64)
            places = {text: place for place, text in enumerate(names)}
            codes[:] = [places[text] for text in texts]
        if np.any(codes < 0):
            codes, names = np.where(codes < 0, len(names), codes), [*names, MISSING]
        order = sorted(range(len(names)), key=lambda place: natural(names[place]))
        ranks = np.empty(len(names), np.int64)
        ranks[order] = np.arange(len(names))
        return ranks[codes] if names else codes, [names[place] for place in order]

    def select(self, names: Sequence[str]) -> Table:
        """The table of some columns."""
        wanted = [self._checked(name) for name in names]
        chosen = self._arrow.select(wanted) if self._arrow is not None else {one: self.raw(one) for one in wanted}
        return Table(
            chosen, name=self.name, notes=self.notes, label=self.label if self.label in wanted else "", index=self.index
        )

    def labelled(self, label: str) -> Table:
        """The same table with another label column."""
        self._checked(label)
        same = Table(self._arrow if self._arrow is not None else {}, name=self.name, notes=self.notes, label=label)
        same.names, same._rows, same._columns, same.index = self.names, self._rows, self._columns, self.index
        return same

    def take(self, which: Any) -> Table:
        """The table of some rows: a slice, their places, or a mask of one truth value a row.

        Raises:
            UsageError: a place that is not there, or a mask of another length.
        """
        try:
            if isinstance(which, slice) and which.step in {None, 1}:
                return self._slice(*which.indices(self._rows)[:2])
            places = np.arange(self._rows)[which if isinstance(which, slice) else np.asarray(which)]
        except IndexError as wrong:
            raise UsageError(f"{self.name or 'The table'} has {self._rows} rows: {wrong}.") from None
        if self._arrow is not None:
            chosen = self._arrow.take(places)
        else:
            chosen = {name: self.raw(name)[places] for name in self.names}
        return Table(chosen, name=self.name, notes=self.notes, label=self.label, index=self.index)

    def _slice(self, start: int, stop: int) -> Table:
        """Rows that follow one another: a view, nothing is copied."""
        stop = max(start, stop)
        chosen = (
            self._arrow.slice(start, stop - start)
            if self._arrow is not None
            else {name: self.raw(name)[start:stop] for name in self.names}
        )
        return Table(chosen, name=self.name, notes=self.notes, label=self.label, index=self.index)

    def batches(self, rows: int = BATCH_ROWS) -> Iterator[Table]:
        """The table by at most so many rows at a time, in order: how to go over one that is larger than memory.

        Raises:
            UsageError: not even one row at a time.
        """
        if rows < 1:
            raise UsageError(f"batches needs at least 1 row at a time, not {rows}.")
        for start in range(0, self._rows, rows):
            yield self._slice(start, min(start + rows, self._rows))

    def rows(self, limit: int | None = None) -> list[dict[str, Any]]:
        """The first rows as records."""
        count = self._rows if limit is None else min(limit, self._rows)
        columns = {name: _plain(self.column(name)[:count]) for name in self.names}
        return [{name: values[row] for name, values in columns.items()} for row in range(count)]

    def to_arrow(self) -> Any:
        """The table as a pyarrow.Table: the very one that it was made of, where it was; nothing is copied then."""
        if self._arrow is not None:
            return self._arrow
        made = import_module("pyarrow").table({name: _for_arrow(name, self.raw(name)) for name in self.names})
        return rows.marked(made, self.index)

    def to_pandas(self) -> Any:
        """The table as a pandas.DataFrame (pandas must be installed)."""
        return import_module("plotter2.datter.values.exchange").to_pandas(self.to_arrow())

    def to_polars(self) -> Any:
        """The table as a polars.DataFrame (polars must be installed)."""
        return import_module("plotter2.datter.values.exchange").to_polars(self.to_arrow())

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def to_numpy(self) -> NDArray[Any]:
        """What is computed with, side by side: rows x columns, float64; complex128 where a column is complex."""
        names = self.measured()
        wanted = complex if any(self.is_complex(name) for name in names) else float
        columns = [self.column(name).astype(wanted) for name in names]
        return np.column_stack(columns) if columns else np.empty((self._rows, 0))

    def __array__(self, dtype: Any = None, copy: Any = None) -> NDArray[Any]:
        return np.asarray(self.to_numpy(), dtype, copy=None if copy else copy)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        return self.names

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self._rows, len(self.names)

    def __len__(self) -> int:
        return self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __getitem__(self, which: Any) -> Any:
        """A column by name, a row by place (a record), some columns (by a list), or some rows (slice, places, mask)."""
        if isinstance(which, str):
            return self._given.setdefault(which, array(self.column(which)))
        if isinstance(which, int | np.integer):
            return self.take([which]).rows()[0]
        if isinstance(which, list | tuple) and all(isinstance(one, str) for one in which):
            return self.select(which)
        return self.take(which)

    @override
    def __repr__(self) -> str:
        return f"Table({self.name!r}, {self._rows} rows: {', '.join(self.names[:8])})"

    def _checked(self, name: str) -> str:
        if name not in self.names:
            raise unknown(f"column of {self.name or 'the table'}", name, self.names)
        return name

    def _from_arrow(self, name: str) -> NDArray[Any]:
        column = self._arrow.column(name)
        written = str(column.type)
        if written.startswith(("decimal", "null")) or (written == "bool" and column.null_count):
            column = column.cast("int8").cast("float64") if written == "bool" else column.cast("float64")
        if written.startswith("dictionary"):
            column = column.cast(column.type.value_type)
        if pieces.is_spilled(self._arrow, column):
            return pieces.mapped(column)
        return np.array(column.to_numpy(), copy=None)


def _as_arrow(frame: Any) -> Any:
    """The pyarrow.Table of a frame of pyarrow, pandas or polars."""
    if hasattr(frame, "combine_chunks") and hasattr(frame, "column_names"):
        return frame
    found = import_module(_INCOMING).taken_in(frame)
    if not isinstance(found, Table):
        raise UsageError(
            f"A table is made of columns by name, Table({{'x': [1, 2]}}), or of a frame, not of {shown(frame)}."
        )
    return found.to_arrow()


def _for_arrow(name: str, values: NDArray[Any]) -> Any:
    """A column as Arrow takes it: text that is no object of Python's becomes some; things of several kinds become text.

    Raises:
        UsageError: it holds complex numbers.
    """
    if values.dtype.kind == "c":
        raise UsageError(f"The column {name!r} is complex, and Arrow has no such type; take its .real and .imag.")
    if values.dtype.kind != "O":
        return values.astype(object) if values.dtype.kind in "US" else values.astype(values.dtype.newbyteorder("="))
    arrow = import_module("pyarrow")
    try:
        return arrow.array(values)
    except (arrow.ArrowException, OverflowError, TypeError, ValueError):
        return arrow.array([None if one is None else str(one) for one in values.tolist()], arrow.large_string())


def _plain(values: NDArray[Any]) -> list[Any]:
    """Python's own values; of times finer than it knows, the microseconds."""
    listed: list[Any] = (values.astype("datetime64[us]") if values.dtype.kind == "M" else values).tolist()
    return listed


def _seconds(spans: NDArray[Any]) -> NDArray[Any]:
    """Spans of time as float64 seconds, NaN for missing ones; nobody can write to them."""
    found: NDArray[Any] = spans / SECOND
    found.flags.writeable = False
    return found


def _ours(values: Any) -> Any:
    """A column of another library as an array; what a mask of numpy hides is missing."""
    if isinstance(values, list):
        return values
    return bare(values) if isinstance(values, np.ndarray) else import_module(_INCOMING).taken_in(values)


def nearest_float(value: float) -> float:
    """As a float; beyond the largest one infinite, as 1e400 is."""
    try:
        return float(value)
    except OverflowError:
        return np.inf if value > 0 else -np.inf


def _column(name: str, values: Any) -> NDArray[Any]:
    if not np.iterable(values):
        raise UsageError(f"The column {name!r} must be a list of values, not {shown(values)}.")
    listed = values if isinstance(values, np.ndarray) else list(values)
    if isinstance(listed, list) and any(value is None for value in listed):
        numbers = all(value is None or isinstance(value, int | float) for value in listed)
        listed = (
            [np.nan if value is None else nearest_float(value) for value in listed]
            if numbers
            else np.array(listed, dtype=object)
        )
    if isinstance(listed, list) and any(isinstance(value, str) for value in listed):
        listed = np.array(listed, dtype=object)
    try:
        array = np.asarray(listed)
    except ValueError:
        array = np.array([repr(value) for value in listed], dtype=object)
    array = as_spans(array)
    if array.dtype.kind == "O" and all(isinstance(value, int | float) for value in array.ravel()):
        array = np.array([nearest_float(value) for value in array.ravel()])  # whole numbers beyond 64 bits
    if array.ndim != 1:
        raise UsageError(f"The column {name!r} must be a list of values, not an array of shape {array.shape}.")
    return array
