"""A search evaluated on entries in memory: what `manager.store.search` asks of PostgreSQL, word for word (pure)."""

from __future__ import annotations

import operator as signs
import re
from collections.abc import Callable, Iterable
from typing import Any

from plotter2.model.entry import Entry, Fact, Space, facts
from plotter2.model.paths import is_below
from plotter2.model.query import (
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
)

SIGNS: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQUAL: signs.eq,
    Operator.BELOW: signs.lt,
    Operator.AT_MOST: signs.le,
    Operator.ABOVE: signs.gt,
    Operator.AT_LEAST: signs.ge,
}
ABSENT = Fact(Space.PARAM, "")


class _Row:
    """An entry with its facts by name."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self._facts = {(one.space, one.name): one for one in facts(entry)}

    def fact(self, field: Field) -> Fact:
        """The fact that a field means; an entry's own field as one. Without number and word: there is none."""
        entry = self.entry
        match field.of:
            case Own.PATH:
                return Fact(Space.PARAM, "", None, entry.path)
            case Own.STATE:
                return Fact(Space.PARAM, "", None, entry.state.value)
            case Own.TIME:
                return Fact(Space.PARAM, "", entry.at)
            case Own.VERSION:
                return Fact(Space.PARAM, "", entry.version)
            case space:
                return self._facts.get((space, field.name), ABSENT)


def search(entries: Iterable[Entry], wanted: Search) -> list[Entry]:
    """The entries that a search finds, in its order."""
    rows = [
        row
        for row in map(_Row, entries)
        if (wanted.archived or not row.entry.archived)
        and (not wanted.under or is_below(row.entry.path, wanted.under))
        and (wanted.where is None or _matches(wanted.where, row))
    ]
    rows.sort(key=lambda row: row.entry.path)
    for key in reversed(wanted.order):
        rows = _sorted(rows, key)
    return [row.entry for row in rows]


def _matches(expression: Expression, row: _Row) -> bool:
    match expression:
        case All(parts):
            return all(_matches(part, row) for part in parts)
        case Either(parts):
            return any(_matches(part, row) for part in parts)
        case Negation(inner):
            return not _matches(inner, row)
        case Missing(field):
            return not _is_there(row.fact(field))
        case Among(field, values):
            return any(_compares(row.fact(field), Operator.EQUAL, value) for value in values)
        case Comparison(field, operator, value):
            return _compares(row.fact(field), operator, value)


def _is_there(fact: Fact) -> bool:
    return fact.number is not None or fact.word is not None


def _compares(fact: Fact, operator: Operator, value: float | str) -> bool:
    mine = fact.word if isinstance(value, str) else fact.number
    if operator is Operator.OTHER:
        return _is_there(fact) and mine != value
    if mine is None:
        return False
    if operator is Operator.LIKE:
        return _pattern(str(value)).fullmatch(str(mine)) is not None
    return SIGNS[operator](mine, value)


def _pattern(text: str) -> re.Pattern[str]:
    """Each `*` takes as little as will do and never reconsiders, so no pattern takes for ever."""
    first, *more = (".".join(map(re.escape, part.split("?"))) for part in text.split("*"))
    if not more:
        return re.compile(first, re.DOTALL)
    *between, last = more
    return re.compile(first + "".join(f"(?>.*?{part})" for part in between) + f".*{last}", re.DOTALL)


def _sorted(rows: list[_Row], key: Order) -> list[_Row]:
    """By number, then by word, what is missing last; rows that are equal keep their order."""

    def by(rows: list[_Row], value: Callable[[Fact], float | str | None]) -> list[_Row]:
        there = [row for row in rows if value(row.fact(key.field)) is not None]
        rest = [row for row in rows if value(row.fact(key.field)) is None]
        there.sort(key=lambda row: value(row.fact(key.field)), reverse=key.is_descending)  # type: ignore[arg-type, return-value]  # no None among them
        return [*there, *rest]

    return by(by(rows, lambda fact: fact.word), lambda fact: fact.number)
