"""A search as one SQL statement. Every value goes in as an argument; the text is made of our own words only (pure).

A query is mostly facts that must all be there, sorted by one of them. Those are joined, each field once, and their
values serve the order: the database puts together the few entries that have them all, and looks nothing up again.
"""

from __future__ import annotations

from collections.abc import Sequence

from plotter2.errors import UsageError
from plotter2.model.entry import Space
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

ARGUMENTS_MAX = 2_000
JOINED_MAX = 6
"""Of so many facts the database finds the best order to join them in; of more it would try no other than ours."""
OWN = {Own.PATH: "path", Own.STATE: "state", Own.TIME: "at", Own.VERSION: "version"}
SIGNS = {
    Operator.EQUAL: "=",
    Operator.OTHER: "is distinct from",
    Operator.BELOW: "<",
    Operator.AT_MOST: "<=",
    Operator.ABOVE: ">",
    Operator.AT_LEAST: ">=",
    Operator.LIKE: "like",
}
THERE = "(number is not null or word is not null)"


class Statement:
    """The text of a search and its arguments, in order."""

    def __init__(self, search: Search, offset: int, limit: int) -> None:
        self.arguments: list[object] = []
        joined, rest = _parted(search.where)
        conditions = [self._scope(search), *map(self._condition, rest)]
        facts = {field: self._fact(field, tests) for field, tests in joined.items()}
        names = {field: f"fact_{number}" for number, field in enumerate(facts)}
        tables = "".join(
            f" join {facts[field]} as {name} on {name}.entry = entries.id" for field, name in names.items()
        )
        for key in search.order:
            if isinstance(key.field.of, Space) and key.field not in names:
                names[key.field] = name = f"fact_{len(names)}"
                tables += f" left join {self._fact(key.field, ())} as {name} on {name}.entry = entries.id"
        keys = [*(one for key in search.order for one in _keys(key, names.get(key.field, ""))), ("entries.path", "asc")]
        columns = "".join(f", {column} as key_{number}" for number, (column, _) in enumerate(keys))
        order = ", ".join(f"key_{number} {direction}" for number, (_, direction) in enumerate(keys))
        window = f"offset {self._put(offset)}::bigint limit {self._put(limit)}::bigint"
        self.text = (  # columns, signs and $n only; whatever the user wrote is an argument
            f"with chosen as (select entries.id{columns} from entries{tables} where {' and '.join(conditions)}), "  # noqa: S608 -- so
            f"page as (select * from chosen order by {order} {window}) "
            "select counted.rows_in_all, entries.* from (select count(*) as rows_in_all from chosen) as counted "
            f"left join (page join entries using (id)) on true order by {order}"
        )

    def _put(self, value: object) -> str:
        if len(self.arguments) >= ARGUMENTS_MAX:
            raise UsageError(f"A query holds at most {ARGUMENTS_MAX:,} values.")
        self.arguments.append(value)
        return f"${len(self.arguments)}"

    def _value(self, value: float | str) -> str:
        return f"{self._put(value)}::{'text' if isinstance(value, str) else 'float8'}"

    def _scope(self, search: Search) -> str:
        conditions = ["true"] if search.archived else ["not entries.archived"]
        if search.under:
            at = self._put(search.under)
            conditions.append(f"(path = {at}::text or (path >= {at}::text || '/' and path < {at}::text || '0'))")
        return " and ".join(conditions)

    def _condition(self, expression: Expression) -> str:
        match expression:
            case All(parts):
                return "(" + " and ".join(map(self._condition, parts)) + ")"
            case Either(parts):
                return "(" + " or ".join(map(self._condition, parts)) + ")"
            case Negation(inner):
                return f"not {self._condition(inner)}"
            case Missing(field):
                return f"not {self._holds(field, THERE)}" if isinstance(field.of, Space) else "false"
            case Among(field) | Comparison(field):
                return self._holds(field, self._passes(expression))

    def _holds(self, field: Field, test: str) -> str:
        """The test of a fact is one of entries: those that have such a fact. Never null, so `not` is its opposite."""
        if isinstance(field.of, Own):
            return f"({test})"
        return f"(entries.id in (select entry from facts where {self._place(field)} and {test}))"  # noqa: S608 -- $n only

    def _place(self, field: Field) -> str:
        assert isinstance(field.of, Space)  # noqa: S101 -- an entry's own field is no fact
        return f"space = {self._put(field.of.value)} and name = {self._put(field.name)}"

    def _fact(self, field: Field, tests: Sequence[Comparison | Among]) -> str:
        """The facts of a field that pass all these: at most one of each entry."""
        conditions = [self._place(field), *map(self._passes, tests)]
        return f"(select entry, number, word from facts where {' and '.join(conditions)})"  # noqa: S608 -- $n only

    def _passes(self, expression: Comparison | Among) -> str:
        if isinstance(expression, Comparison):
            return self._test(expression.field, expression.operator, expression.value)
        tests = [self._test(expression.field, Operator.EQUAL, value) for value in expression.values]
        return "(" + " or ".join(tests) + ")"

    def _test(self, field: Field, operator: Operator, value: float | str) -> str:
        if isinstance(field.of, Own):
            column, there = OWN[field.of], ""
        else:
            column = "word" if isinstance(value, str) else "number"
            there = f"{THERE} and " if operator is Operator.OTHER else ""
        if operator is Operator.LIKE:
            value = like(str(value))
        return f"{there}{column} {SIGNS[operator]} {self._value(value)}"


def _parted(where: Expression | None) -> tuple[dict[Field, list[Comparison | Among]], list[Expression]]:
    """What must hold, in two: of some fields what their facts must pass, and the rest."""
    joined: dict[Field, list[Comparison | Among]] = {}
    rest: list[Expression] = []
    parts = where.parts if isinstance(where, All) else (where,) if where is not None else ()
    for part in parts:
        if not isinstance(part, Comparison | Among) or isinstance(part.field.of, Own):
            rest.append(part)
        elif part.field in joined or len(joined) < JOINED_MAX:
            joined.setdefault(part.field, []).append(part)
        else:
            rest.append(part)
    return joined, rest


def _keys(key: Order, fact: str) -> list[tuple[str, str]]:
    """What to sort by, with direction: an entry's own column, or number and then word of a fact, missing ones last."""
    direction = "desc" if key.is_descending else "asc"
    if isinstance(key.field.of, Own):
        return [(f"entries.{OWN[key.field.of]}", direction)]
    return [(f"{fact}.{column}", f"{direction} nulls last") for column in ("number", "word")]


def like(pattern: str) -> str:
    """A pattern with `*` and `?` in SQL's words."""
    for char in "\\%_":
        pattern = pattern.replace(char, "\\" + char)
    return pattern.replace("*", "%").replace("?", "_")
