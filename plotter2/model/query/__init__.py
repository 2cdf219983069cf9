"""The language of search: `param.lr < 0.1 and metric.accuracy > 0.9 and tag.model = "mlp"` (pure).

`parse` reads a condition, `parse_sort` an order such as `-metric.accuracy, path`; both give trees of `plotter2.model.
query.tree`, which one store compiles to SQL and the other evaluates. `check_names` says which names nobody has.
"""

from __future__ import annotations

from plotter2.model.query.names import check_names
from plotter2.model.query.parsing import parse, parse_sort
from plotter2.model.query.tree import (
    All,
    Among,
    Comparison,
    Either,
    Expression,
    Field,
    Missing,
    Negation,
    Operator,
    Order,
    Own,
    Search,
    fields,
)

__all__ = [
    "All",
    "Among",
    "Comparison",
    "Either",
    "Expression",
    "Field",
    "Missing",
    "Negation",
    "Operator",
    "Order",
    "Own",
    "Search",
    "check_names",
    "fields",
    "parse",
    "parse_sort",
]
