"""Values into the shape and the column types that package.json declares for them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.loading.delimited import read_csv
from plotter2.datter.values.keys import shown, stem, unknown
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError


def as_table(value: Any, name: str) -> Table:
    """A table of records, columns, a matrix, or text as csv.

    Raises:
        UsageError: it is none of these.
    """
    if isinstance(value, Table):
        return value
    if isinstance(value, dict) and all(isinstance(one, list | np.ndarray) for one in value.values()):
        return Table(value, name=stem(name))
    if isinstance(value, np.ndarray) and value.ndim == 2:  # noqa: PLR2004 -- rows and columns
        return Table({f"column {place}": value[:, place] for place in range(value.shape[1])}, name=stem(name))
    if isinstance(value, str):
        return read_csv(value.encode(), name)
    raise UsageError(f"{name} is declared a table, but it holds {shown(value)}.")


def as_matrix(value: Any, name: str) -> NDArray[Any]:
    """An array, or the numeric columns of a table.

    Raises:
        UsageError: it is neither.
    """
    array = value.to_numpy() if isinstance(value, Table) else value
    if not isinstance(array, np.ndarray):
        raise UsageError(f"{name} is declared a matrix, but it holds {shown(value)}.")
    return array


def arrow_kinds(columns: Mapping[str, str]) -> dict[str, Any]:
    """Declared dtypes (of `model.types`) as Arrow's; "*" is inferred."""
    arrow = import_module("pyarrow")
    named = {"text": arrow.string(), "time": arrow.timestamp("us"), "bool": arrow.bool_()}
    found = {}
    for column, dtype in columns.items():
        if dtype.startswith("complex"):
            raise UsageError(
                f"The column {column!r} is declared {dtype}, which no table file can hold; keep two columns."
            )
        if dtype != "*":
            found[column] = named.get(dtype) or arrow.from_numpy_dtype(np.dtype(dtype))
    return found


def declared(table: Table, columns: Mapping[str, str], name: str) -> Table:
    """The table with its columns in the types that are declared for them.

    Raises:
        UsageError: a declared column is not there, or holds something else.
    """
    found = table.to_arrow()
    for column, kind in arrow_kinds(columns).items():
        if column not in table.names:
            raise unknown(f"column of {name}, where package.json declares", column, table.names)
        place = table.names.index(column)
        if found.schema.field(place).type == kind:
            continue
        try:
            found = found.set_column(place, column, _cast(found.column(place), kind))
        except (ValueError, NotImplementedError) as wrong:
            reason = str(wrong).splitlines()[0]
            raise UsageError(f"{name}: the column {column!r} is declared {columns[column]}, but {reason}.") from None
    return Table(found, name=table.name, notes=table.notes, label=table.label)


def _cast(column: Any, kind: Any) -> Any:
    if str(column.type).startswith("dictionary"):
        column = column.cast(column.type.value_type)
    return column.cast(kind)
