"""Records of JSON into columns: names inside one another get dots, what is of two kinds is text, ISO times are times.

What a column is, is learnt from all records, some at a time; then they are written, some at a time too. Knows no file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from importlib import import_module
from typing import Any, Literal

from plotter2.datter.values.table import nearest_float

Kind = Literal["null", "bool", "int", "float", "time", "zoned", "text", "list", "mixed"]
_BITS = 63
_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?"
_ISO = re.compile(rf"\d{{4}}-\d\d-\d\d(?:[T ]{_CLOCK}(Z|[+-]\d\d(?::?\d\d)?)?)?\Z", re.ASCII)
_FINER = re.compile(r"(\.\d{6})\d+")
"""Than a microsecond."""
_PYTHON: Mapping[type, Kind] = {type(None): "null", bool: "bool", float: "float", list: "list", dict: "mixed"}


_PLAIN: frozenset[Kind] = frozenset({"null", "bool", "int", "text"})
"""Values of these are what Arrow takes."""


class Columns:
    """What the columns of many records are.

    Attributes:
        kinds: of each column, in the order in which they come.
    """

    def __init__(self) -> None:
        """None are known yet."""
        self.kinds: dict[str, Kind] = {}

    def learn(self, records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Take these records into account; they come back without names inside one another."""
        plain = [flat(one) for one in records]
        for name in dict.fromkeys(name for one in plain for name in one):
            found: set[Kind] = _kinds([one[name] for one in plain if name in one])
            self.kinds[name] = _together({self.kinds.get(name, "null"), *found})
        return plain

    @property
    def schema(self) -> Any:
        """The columns as Arrow has them."""
        arrow = import_module("pyarrow")
        types = {
            "null": arrow.null(), "bool": arrow.bool_(), "int": arrow.int64(), "float": arrow.float64(),
            "time": arrow.timestamp("us"), "zoned": arrow.timestamp("us", "UTC"), "list": arrow.list_(arrow.float64()),
        }  # fmt: skip
        return arrow.schema([(name, types.get(kind, arrow.string())) for name, kind in self.kinds.items()])

    def batch(self, plain: Sequence[Mapping[str, Any]]) -> Any:
        """Records that were learnt as a pyarrow.RecordBatch."""
        arrow = import_module("pyarrow")
        columns = []
        for field in self.schema:
            kind = self.kinds[field.name]
            values = [one.get(field.name) for one in plain]
            if kind not in _PLAIN:
                values = [_as(kind, one) for one in values]
            made = arrow.array(values, arrow.string() if kind in {"time", "zoned"} else field.type)
            columns.append(made.cast(field.type))
        return arrow.record_batch(columns, schema=self.schema)

    def notes(self, name: str) -> Iterator[str]:
        """What was done to columns of two kinds."""
        mixed = [column for column, kind in self.kinds.items() if kind == "mixed"]
        if mixed:
            yield f"{name}: {', '.join(mixed)}: text, as the values are of several kinds."


def flat(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record whose records inside it are columns: {"a": {"b": 1}} is {"a.b": 1}."""
    return dict(_leaves(record, "")) if dict in map(type, record.values()) else dict(record)


def _leaves(record: Mapping[str, Any], before: str) -> Iterable[tuple[str, Any]]:
    for name, value in record.items():
        if type(value) is dict and value:
            yield from _leaves(value, f"{before}{name}.")
        else:
            yield before + name, value


def _kinds(values: list[Any]) -> set[Kind]:
    """The kinds of one column's values; those of which the type says all are not looked at one by one."""
    types = set(map(type, values))
    if types <= _PYTHON.keys() - {list}:
        return {_PYTHON[one] for one in types}
    return set(map(_kind, values))


def _kind(value: Any) -> Kind:
    if isinstance(value, str):
        found = _ISO.match(value)
        if found is None or not _is_day(value[:10]):
            return "text"
        return "zoned" if found[1] else "time"
    if isinstance(value, int) and not isinstance(value, bool):
        return "int" if value.bit_length() <= _BITS else "float"
    if isinstance(value, list):
        is_plain = all(one is None or (isinstance(one, int | float) and not isinstance(one, bool)) for one in value)
        return "list" if is_plain else "mixed"
    return _PYTHON[type(value)]


def _is_day(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


def _together(kinds: set[Kind]) -> Kind:
    found = kinds - {"null"}
    if len(found) < 2:  # noqa: PLR2004 -- one kind, or none
        return found.pop() if found else "null"
    if found <= {"int", "float"}:
        return "float"
    return "text" if found <= {"text", "time", "zoned"} else "mixed"


def _as(kind: Kind, value: Any) -> Any:
    if value is None:
        return None
    if kind == "float":
        return nearest_float(value)
    if kind == "list":
        return [None if one is None else nearest_float(one) for one in value]
    if kind in {"time", "zoned"}:
        return _FINER.sub(r"\1", value)
    return value if kind != "mixed" or isinstance(value, str) else json.dumps(value, ensure_ascii=False)
