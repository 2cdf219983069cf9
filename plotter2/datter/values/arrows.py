"""Arrow's tables as a Table holds them: a name for each column, structs as columns with dots, few odd types.

Which columns name its rows, as the index of pandas does, is said beside the columns, in Arrow's metadata: so it is kept
wherever a table goes as Arrow: to a file, to another process, and back to pandas.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any

from plotter2.datter.values import spill
from plotter2.datter.values.keys import distinct

KEY, OF_PANDAS = b"plotter2.index", b"pandas"
ROW, INDEX = "row", "index"
"""What an index of whole numbers without a name is called, and any other one without."""
ODD = (
    "STRUCT", "RUN_END_ENCODED", "STRING_VIEW", "BINARY_VIEW", "DICTIONARY", "INTERVAL_MONTH_DAY_NANO",
)  # fmt: skip
"""Arrow's types of which some may have to be brought to others."""
_UNNAMED = re.compile(r"__index_level_\d+__")


def named(table: Any) -> tuple[str, ...]:
    """The columns of a pyarrow.Table that name its rows."""
    said = (table.schema.metadata or {}).get(KEY)
    return tuple(one for one in json.loads(said) if one in table.column_names) if said else ()


def marked(table: Any, names: Sequence[str]) -> Any:
    """The same pyarrow.Table, saying that these columns name its rows; nothing else is said beside its columns."""
    return table.replace_schema_metadata({KEY: json.dumps(list(names)).encode()} if names else None)


def plain(table: Any) -> Any:
    """A pyarrow.Table as ours: with a name for each column, structs with dots, and an index said in our way.

    What pandas calls by names of its own gets names that people say.
    """
    if _is_plain(table.schema):
        return table
    arrow = import_module("pyarrow")
    while any(arrow.types.is_struct(field.type) for field in table.schema):
        table = table.flatten()
    names = [str(one) for one in table.column_names]
    held = {*named(table), *_of_pandas(table)}
    titles = [_title(table, place) if _UNNAMED.fullmatch(one) else one for place, one in enumerate(names)]
    found = list(distinct(titles)) if titles != names or len(set(names)) < len(names) else names
    kept = [new for old, new in zip(names, found, strict=True) if old in held or _UNNAMED.fullmatch(old)]
    columns = [usual(column) for column in table.columns]
    return marked(arrow.table(columns, found), kept)


def _is_plain(schema: Any) -> bool:
    """Whether there is nothing to change: looked at without the columns, of which there may be ten thousand."""
    lib, names = import_module("pyarrow").lib, schema.names
    if (schema.metadata or {}).keys() - {KEY} or len(set(names)) < len(names):
        return False
    odd = {getattr(lib, f"Type_{name}") for name in ODD}
    is_odd = any(kind.id in odd or isinstance(kind, lib.BaseExtensionType) for kind in schema.types)
    return not is_odd and not any(map(_UNNAMED.fullmatch, names))


def _title(table: Any, place: int) -> str:
    is_counted = import_module("pyarrow").types.is_integer(table.schema.field(place).type)
    is_alone = sum(bool(_UNNAMED.fullmatch(one)) for one in table.column_names) == 1
    return ROW if is_counted and is_alone else INDEX


def _of_pandas(table: Any) -> Iterable[str]:
    """The columns that pandas says are an index; a mere count is no column."""
    said = (table.schema.metadata or {}).get(OF_PANDAS)
    about = json.loads(said) if said else {}
    return [one for one in about.get("index_columns", ()) if isinstance(one, str)]


def usual(column: Any) -> Any:
    """A column without what few functions of Arrow take: views of text, runs, types of its users."""
    arrow = import_module("pyarrow")
    types, kind = arrow.types, column.type
    if isinstance(kind, arrow.BaseExtensionType):
        return usual(arrow.chunked_array([chunk.storage for chunk in column.chunks], kind.storage_type))
    if types.is_interval(kind):
        return arrow.chunked_array([arrow.array([None if one is None else str(one) for one in column.to_pylist()])])
    if types.is_run_end_encoded(kind):
        return import_module("pyarrow.compute").run_end_decode(column)
    if (types.is_string_view(kind) or types.is_binary_view(kind)) and column.nbytes < spill.LARGE_BYTES:
        return column.cast(arrow.large_string() if types.is_string_view(kind) else arrow.large_binary())
    if types.is_dictionary(kind) and types.is_string_view(kind.value_type):
        parts = [(chunk.indices, chunk.dictionary.cast(arrow.large_string())) for chunk in column.chunks]
        packed = [arrow.DictionaryArray.from_arrays(*part, ordered=kind.ordered) for part in parts]
        empty = arrow.dictionary(kind.index_type, arrow.large_string(), kind.ordered)
        return arrow.chunked_array(packed, empty)
    return column
