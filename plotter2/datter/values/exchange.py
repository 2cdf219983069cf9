"""Ours as tables of others: `.to_arrow()`, `.to_pandas()`, `.to_polars()`, `.to_numpy()`; `incoming` is the way in."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.values import arrows as rows
from plotter2.datter.values.group import DataGroup
from plotter2.datter.values.incoming import taken_in
from plotter2.datter.values.points import Points, numbers
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError

UNNAMED = re.compile(rf"(?:{rows.ROW}|{rows.INDEX})(?: \d+)?")
"""What we call an index without a name."""


def to_pandas(table: Any) -> Any:
    """A pyarrow.Table as a pandas.DataFrame.

    Raises:
        UsageError: pandas is not installed.
    """
    needed("pandas")
    frame, names = table.to_pandas(), list(rows.named(table))
    if not names:
        return frame
    return frame.set_index(names).rename_axis([None if UNNAMED.fullmatch(one) else one for one in names])


def to_polars(table: Any) -> Any:
    """A pyarrow.Table as a polars.DataFrame.

    Raises:
        UsageError: polars is not installed.
    """
    return needed("polars").from_arrow(table)


def needed(name: str) -> Any:
    """A library that users bring.

    Raises:
        UsageError: it is not installed.
    """
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
