"""A search as one SQL statement. Every value goes in as an argument; the text is made of our own words only (pure)."""

from __future__ import annotations

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
        conditions = [self._scope(search)]
        if search.where is not None:
            conditions.append(self._condition(search.where))
        joins, keys = self._order(search.order)
        columns = "".join(f", {one}.number as {one}_number, {one}.word as {one}_word" for one in joins)
        own = "".join(f", entries.{name}" for name in OWN.values())
        order = ", ".join([*keys, "path"])
        window = f"offset {self._put(offset)}::bigint limit {self._put(limit)}::bigint"
        self.text = (  # columns, signs and $n only; whatever the user wrote is an argument
            f"with chosen as (select entries.id{own}{columns} from entries{''.join(joins.values())} "  # noqa: S608 -- so
            f"where {' and '.join(conditions)}), "
            f"page as (select *, row_number() over (order by {order}) as place from chosen order by {order} {window}) "
            "select counted.rows_in_all, entries.* from (select count(*) as rows_in_all from chosen) as counted "
            "left join (page join entries using (id)) on true order by page.place"
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
            case Among(field, values):
                tests = [self._test(field, Operator.EQUAL, value) for value in values]
                return self._holds(field, "(" + " or ".join(tests) + ")")
            case Comparison(field, operator, value):
                return self._holds(field, self._test(field, operator, value))

    def _holds(self, field: Field, test: str) -> str:
        """The test of a fact is one of entries: those that have such a fact. Never null, so `not` is its opposite."""
        if isinstance(field.of, Own):
            return f"({test})"
        place = f"space = {self._put(field.of.value)} and name = {self._put(field.name)}"
        return f"(entries.id in (select entry from facts where {place} and {test}))"  # noqa: S608 -- $n only

    def _test(self, field: Field, operator: Operator, value: float | str) -> str:
        if isinstance(field.of, Own):
            column, there = OWN[field.of], ""
        else:
            column = "word" if isinstance(value, str) else "number"
            there = f"{THERE} and " if operator is Operator.OTHER else ""
        if operator is Operator.LIKE:
            value = like(str(value))
        return f"{there}{column} {SIGNS[operator]} {self._value(value)}"

    def _order(self, order: tuple[Order, ...]) -> tuple[dict[str, str], list[str]]:
        joins: dict[str, str] = {}
        keys: list[str] = []
        for number, key in enumerate(order):
            direction = "desc" if key.is_descending else "asc"
            if isinstance(key.field.of, Own):
                keys.append(f"{OWN[key.field.of]} {direction}")
                continue
            name = f"key_{number}"
            joins[name] = (
                f" left join facts as {name} on {name}.entry = entries.id and {name}.space = "
                f"{self._put(key.field.of.value)} and {name}.name = {self._put(key.field.name)}"
            )
            keys += [f"{name}_number {direction} nulls last", f"{name}_word {direction} nulls last"]
        return joins, keys


def like(pattern: str) -> str:
    """A pattern with `*` and `?` in SQL's words."""
    for char in "\\%_":
        pattern = pattern.replace(char, "\\" + char)
    return pattern.replace("*", "%").replace("?", "_")
