"""What other libraries hold, as ours: frames, series and columns of pandas, polars and Arrow, records of numpy.

None of them is imported to look: whose type a value is says so itself. Frames become a Table with their names, series
an array: numbers with NaN where one is missing, text with None, times as datetime64 (those with a zone in UTC), spans
as timedelta64, periods as where they begin, lists of one length a row each. An index that is more than a count is a
column in front, which names rows and is not computed with (`Table.index`).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from functools import lru_cache
from importlib import import_module
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.values.array import bare
from plotter2.datter.values.arrows import INDEX, ROW
from plotter2.datter.values.group import DataGroup
from plotter2.datter.values.keys import distinct
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError

Places = Literal["", "measured", "named"]
VALUE = "value"
"""What a series without a name is called."""
OWN, OTHERS = "plotter2", frozenset({"pandas", "polars", "scipy"})


def taken_in(value: Any, *, places: Places = "") -> Any:
    """What another library holds as ours; anything else as it is.

    With places, a series of pandas whose index is more than a count becomes a table of index and values: where the
    index is one of numbers or times, or ("named") also where it is text.

    Raises:
        UsageError: it holds what no table can.
    """
    if type(value) is np.ndarray and value.dtype.kind not in "VT":
        return value
    if isinstance(value, np.ndarray):
        return _of_numpy(value)
    kind: Any = type(value)
    take = _TAKERS.get(_home(kind))
    return value if take is None else take(value, places)


@lru_cache(maxsize=1024)
def _home(kind: type) -> str:
    """Whose a type is: pandas', polars', scipy's, Arrow's (also what only speaks its protocol), or "" for nobody's."""
    roots = [base.__module__.partition(".")[0] for base in kind.__mro__]
    known = next((root for root in roots if root in OTHERS or root == OWN), "")
    if known:
        return known if known in OTHERS else ""
    if hasattr(kind, "__arrow_c_stream__") or hasattr(kind, "__arrow_c_array__") or "pyarrow" in roots:
        return "arrow"
    return ""


def _of_numpy(array: NDArray[Any]) -> Any:
    """Rows of named fields as a table, whose columns are views; without a mask; text as Python has it."""
    if array.dtype.names is not None:
        return Table(dict(fields(array, ""))) if array.ndim == 1 else array
    found = bare(array) if isinstance(array, np.ma.MaskedArray) else array
    return found.astype(object) if found.dtype.kind == "T" else found


def _of_scipy(value: Any, _: Places = "") -> Any:
    """A sparse matrix as one of compressed rows, whichever it was; anything else as it is."""
    return value.tocsr() if hasattr(value, "tocsr") else value


def fields(array: NDArray[Any], before: str) -> Iterable[tuple[str, NDArray[Any]]]:
    """The fields of rows by their names, and the places of those that hold several values, with dots."""
    for field in array.dtype.names or ():
        values = array[field]
        if values.dtype.names is not None and values.ndim == 1:
            yield from fields(values, f"{before}{field}.")
        elif values.ndim > 1:
            flat = values.reshape(len(values), -1)
            yield from ((f"{before}{field}.{place}", flat[:, place]) for place in range(flat.shape[1]))
        else:
            yield before + field, np.char.decode(values, "latin-1") if values.dtype.kind == "S" else values


def _of_arrow(value: Any, _: Places = "") -> Any:
    arrow = import_module("pyarrow")
    if isinstance(value, arrow.Scalar):
        return value.as_py()
    if not hasattr(type(value), "__arrow_c_stream__") and not hasattr(type(value), "__arrow_c_array__"):
        return value
    try:
        if hasattr(value, "columns") or hasattr(value, "schema"):
            return Table(arrow.table(value))
        series = arrow.chunked_array(value) if hasattr(value, "__arrow_c_stream__") else arrow.array(value)
        whole = series if isinstance(series, arrow.ChunkedArray) else arrow.chunked_array([series])
    except (arrow.ArrowInvalid, arrow.ArrowTypeError, arrow.ArrowNotImplementedError) as wrong:
        reason = str(wrong).splitlines()[0]
        raise UsageError(f"This {type(value).__name__} holds what no table can: {reason.rstrip('.')}.") from None
    return _series(whole)


def _series(column: Any) -> Any:
    """A pyarrow.ChunkedArray as an array; one of structs as a table, one of lists as rows."""
    arrow = import_module("pyarrow")
    types, kind = arrow.types, column.type
    if types.is_struct(kind):
        return Table(arrow.table({"": column}).flatten().rename_columns([field.name for field in kind]))
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return _rows(column)
    name = VALUE
    return Table(arrow.table({name: column})).raw(name)


def _rows(column: Any) -> NDArray[Any]:
    """Lists as rows of a matrix where they are equally long, with nothing missing among them; else as objects."""
    arrow = import_module("pyarrow")
    lengths = set(import_module("pyarrow.compute").list_value_length(column).unique().to_pylist())
    if len(lengths) == 1 and None not in lengths:
        inner = _series(arrow.chunked_array([chunk.flatten() for chunk in column.chunks]))
        if isinstance(inner, np.ndarray):
            return inner.reshape(len(column), -1, *inner.shape[1:])
    found = np.empty(len(column), object)
    found[:] = column.to_pylist()
    return found


def _of_polars(value: Any, _: Places = "") -> Any:
    polars = sys.modules["polars"]
    if isinstance(value, polars.Expr):
        raise UsageError("An expression of polars has no values by itself; frame.select(...) gives some.")
    if isinstance(value, polars.LazyFrame):
        value = value.collect()
    if isinstance(value, polars.DataFrame):
        return _of_columns({name: _of_polars_series(polars, value[name]) for name in value.columns})
    if isinstance(value, polars.Series):
        found = _of_polars_series(polars, value)
        return found if isinstance(found, np.ndarray) else _of_arrow(found)
    if type(value).__name__.endswith("GroupBy"):
        return _groups((key[0] if len(key) == 1 else key, part) for key, part in value)
    return value


def _of_polars_series(polars: Any, series: Any) -> Any:
    """A series as an Arrow array; whole numbers of 128 bits as floats, objects of Python as they are."""
    if series.dtype == polars.Object:
        return _objects(series.to_list())
    wide = {getattr(polars, name, None) for name in ("Int128", "UInt128")} - {None}
    return series.cast(polars.Float64) if series.dtype in wide else series


def _of_pandas(value: Any, places: Places) -> Any:
    pandas = sys.modules["pandas"]
    if isinstance(value, pandas.MultiIndex):
        value = value.to_frame(index=False)
    if isinstance(value, pandas.DataFrame):
        return _of_columns(*_frame(pandas, value))
    if isinstance(value, pandas.Index | pandas.api.extensions.ExtensionArray):
        value = pandas.Series(value)
    if isinstance(value, pandas.Series):
        table = _placed(pandas, value, places) if places else None
        found = _of_pandas_series(pandas, value)
        return table if table is not None else found if isinstance(found, np.ndarray) else _of_arrow(found)
    if type(value).__name__.endswith("GroupBy"):
        return _groups(value)
    return value


def _frame(pandas: Any, frame: Any) -> tuple[dict[str, Any], list[str]]:
    """The columns of a frame by name, its index in front, and the names of that."""
    titles = [".".join(map(str, one)) if isinstance(one, tuple) else str(one) for one in frame.columns]
    levels = _levels(pandas, frame.index, ROW)
    names = list(distinct([*titles, *(title for title, _ in levels)]))
    index = names[len(titles) :]
    columns = [frame.iloc[:, place] for place in range(len(titles))]
    ordered = [*zip(index, (one for _, one in levels), strict=True), *zip(names, columns, strict=False)]
    return {name: _of_pandas_series(pandas, one) for name, one in ordered}, index


def _levels(pandas: Any, index: Any, row: str) -> list[tuple[str, Any]]:
    """The parts of an index with their names; none of one that only counts."""
    if isinstance(index, pandas.RangeIndex) and index.name is None:
        return []
    parts = [index.get_level_values(place) for place in range(index.nlevels)]
    plain = row if len(parts) == 1 and parts[0].dtype.kind in "iu" else INDEX
    return [(plain if one.name is None else str(one.name), pandas.Series(one)) for one in parts]


def _placed(pandas: Any, series: Any, places: Places) -> Table | None:
    """A series over its index, in the order of that where it is one of numbers or times; None of a mere count."""
    if series.index.nlevels > 1 or isinstance(series.index, pandas.RangeIndex) or not len(series):
        return None
    is_measured = isinstance(series.index, pandas.PeriodIndex) or series.index.dtype.kind in "iufMm"
    if not is_measured and places != "named":
        return None
    if is_measured and not series.index.is_monotonic_increasing:
        series = series.sort_index(kind="stable")
    frame = pandas.DataFrame({VALUE if series.name is None else series.name: series})
    columns, index = _frame(pandas, frame.rename_axis(series.index.name or INDEX))
    return _of_columns(columns, index)


def _of_pandas_series(pandas: Any, series: Any) -> Any:
    """A series as an Arrow array, or as numpy's where Arrow has no type for it."""
    arrow = import_module("pyarrow")
    series = _said(pandas, series)
    if series.dtype.kind == "c":
        return series.to_numpy()
    try:
        return arrow.Array.from_pandas(series)
    except (arrow.ArrowException, OverflowError, TypeError, ValueError):
        return _objects([None if one is pandas.NA or one is pandas.NaT else one for one in series.tolist()])


def _said(pandas: Any, series: Any) -> Any:
    """A series of the few kinds that Arrow does not have, in one that it has."""
    kind = series.dtype
    if isinstance(kind, pandas.CategoricalDtype) and isinstance(
        kind.categories.dtype, pandas.IntervalDtype | pandas.PeriodDtype
    ):
        return series.cat.rename_categories([str(one) for one in kind.categories])
    if isinstance(kind, pandas.PeriodDtype):
        return series.dt.to_timestamp()
    if isinstance(kind, pandas.IntervalDtype):
        return series.map(str, na_action="ignore").astype(object)
    return series.sparse.to_dense() if isinstance(kind, pandas.SparseDtype) else series


def _objects(listed: list[Any]) -> NDArray[Any]:
    """Things of Python's as an array: numbers where they all are some."""
    found = np.empty(len(listed), object)
    found[:] = listed
    return found


def _of_columns(columns: dict[str, Any], index: Iterable[str] = ()) -> Table:
    """A table of Arrow's arrays; as numpy's where one of them is none."""
    arrow = import_module("pyarrow")
    if any(isinstance(one, np.ndarray) for one in columns.values()):
        return Table(
            {name: one if isinstance(one, np.ndarray) else _of_arrow(one) for name, one in columns.items()}, index=index
        )
    pieces = {
        name: arrow.chunked_array(one) if hasattr(one, "__arrow_c_stream__") else one for name, one in columns.items()
    }
    return Table(arrow.table(pieces), index=index)


def _groups(parts: Iterable[tuple[Any, Any]]) -> DataGroup:
    """The frames of a grouping as a group, by what they were grouped by."""
    keys, frames = [], []
    for key, part in parts:
        keys.append(key)
        frames.append(taken_in(part))
    return DataGroup.of(
        frames, [".".join(map(str, one)) if isinstance(one, tuple) else str(one) for one in keys], keys=keys
    )


_TAKERS: dict[str, Callable[[Any, Places], Any]] = {
    "pandas": _of_pandas, "polars": _of_polars, "arrow": _of_arrow, "scipy": _of_scipy,
}  # fmt: skip
