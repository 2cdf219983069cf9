"""Tables of others, in and out: pandas, polars and Arrow, by Arrow's own protocol; none of them is imported to look.

In: whatever has `__arrow_c_stream__` or `__arrow_c_array__` (frames and series of pandas, polars, pyarrow and more).
Frames become a Table with their names and text columns, series an array: numbers with NaN where one is missing, text
with None. Out: `.to_arrow()`, `.to_pandas()`, `.to_polars()`, `.to_numpy()` of tables, points and groups.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.values.group import DataGroup
from plotter2.datter.values.points import Points, numbers
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError

INDEX = "__index_level_"


def taken_in(value: Any) -> Any:
    """A frame or series of another library as ours; anything else as it is.

    Raises:
        UsageError: it holds what Arrow has no type for.
    """
    kind = type(value)
    if isinstance(value, Table) or not (hasattr(kind, "__arrow_c_stream__") or hasattr(kind, "__arrow_c_array__")):
        return value
    arrow = import_module("pyarrow")
    named = getattr(value, "name", None)
    try:
        if _is_frame(value):
            return Table(_plain(arrow.table(value), getattr(getattr(value, "index", None), "name", None)))
        series = arrow.chunked_array(value) if hasattr(kind, "__arrow_c_stream__") else arrow.array(value)
    except (arrow.ArrowInvalid, arrow.ArrowTypeError, arrow.ArrowNotImplementedError) as wrong:
        reason = str(wrong).splitlines()[0]
        raise UsageError(f"This {kind.__name__} holds what no table can: {reason.rstrip('.')}.") from None
    return Table(arrow.table({str(named or "value"): series})).column(str(named or "value"))


def _is_frame(value: Any) -> bool:
    """Whether it has columns: frames know their columns, record batches and tables their schema."""
    return hasattr(value, "columns") or hasattr(value, "schema")


def _plain(table: Any, index: Any) -> Any:
    """Without what pandas says about itself; its index, where it is more than a count, is a column."""
    names = [str(index or "index") if one.startswith(INDEX) else str(one) for one in table.column_names]
    return table.rename_columns(names).replace_schema_metadata(None)


def to_pandas(table: Any) -> Any:
    """A pyarrow.Table as a pandas.DataFrame.

    Raises:
        UsageError: pandas is not installed.
    """
    _needed("pandas")
    return table.to_pandas()


def to_polars(table: Any) -> Any:
    """A pyarrow.Table as a polars.DataFrame.

    Raises:
        UsageError: polars is not installed.
    """
    return _needed("polars").from_arrow(table)


def _needed(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise UsageError(f"{name} is not installed here; .to_arrow() and .to_numpy() need nothing more.") from None


def of_points(found: Points) -> Any:
    """Points as a pyarrow.Table: a column each, and the group of each row under the groups' title."""
    columns: dict[str, Any] = {name: found.matrix[:, place] for place, name in enumerate(found.names)}
    if found.groups is not None:
        columns[found.groups.title or "group"] = np.array(found.groups.names, object)[found.groups.codes]
    return import_module("pyarrow").table(columns)


def of_group(group: DataGroup) -> Any:
    """A group as one pyarrow.Table; see `DataGroup.to_arrow`."""
    arrow = import_module("pyarrow")
    parts = []
    for member in group.members:
        value = taken_in(member.value)
        table = value.to_arrow() if isinstance(value, Table) else _one_row(value, group.name)
        about = {"name": member.name} | ({group.axis: member.key} if group.axis else {})
        for place, (title, said) in enumerate(about.items()):
            column = arrow.repeat(arrow.scalar(said), table.num_rows)
            table = table.add_column(place, title if title not in table.column_names else f"member {title}", column)
        parts.append(table)
    if not parts:
        raise UsageError(f"The group {group.name!r} is empty.")
    if any(part.column_names != parts[0].column_names for part in parts):
        raise UsageError(f"The values of {group.name!r} have different columns, so they do not fit into one table.")
    return arrow.concat_tables(parts, promote_options="permissive").unify_dictionaries()


def _one_row(value: Any, name: str) -> Any:
    row = numbers(value).ravel()
    names = [name or "value"] if row.size == 1 else [f"value {place}" for place in range(row.size)]
    return import_module("pyarrow").table({title: [one] for title, one in zip(names, row.tolist(), strict=True)})


def stacked(group: DataGroup) -> NDArray[Any]:
    """A group's numbers; see `DataGroup.to_numpy`."""
    values = [numbers(value) for value in group]
    if not values:
        raise UsageError(f"The group {group.name!r} is empty.")
    is_tabular = any(isinstance(value, Table | Points) for value in group)
    if any(one.shape[is_tabular:] != values[0].shape[is_tabular:] for one in values):
        raise UsageError(f"The values of {group.name!r} have different shapes, so they do not fit into one array.")
    return np.concatenate(values) if is_tabular else np.stack(values)
