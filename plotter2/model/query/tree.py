"""What a query is once it is read. A test of a missing value is false, its negation true."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from typing_extensions import override

from plotter2.model.entry import Space


class Own(StrEnum):
    """The fields that every entry has."""

    PATH = "path"
    STATE = "state"
    TIME = "time"
    VERSION = "version"


class Operator(StrEnum):
    """How a value is compared. `~` is a pattern: `*` stands for any characters, `?` for one."""

    EQUAL = "="
    OTHER = "!="
    BELOW = "<"
    AT_MOST = "<="
    ABOVE = ">"
    AT_LEAST = ">="
    LIKE = "~"


@dataclass(frozen=True, slots=True)
class Field:
    """What is looked at: a field of the entry's own, or a name in a space. `column` is where it stands, from 1."""

    of: Own | Space
    name: str = ""
    column: int = field(default=0, compare=False)

    @override
    def __str__(self) -> str:
        return f"{self.of}.{self.name}" if self.name else str(self.of)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The field has a value, and it compares so. A number is only compared with numbers, a word with words."""

    field: Field
    operator: Operator
    value: float | str


@dataclass(frozen=True, slots=True)
class Among:
    """The field's value is one of these."""

    field: Field
    values: tuple[float | str, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """The field has no value."""

    field: Field


@dataclass(frozen=True, slots=True)
class Negation:
    """Not so."""

    inner: Expression


@dataclass(frozen=True, slots=True)
class All:
    """All of these."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """At least one of these."""

    parts: tuple[Expression, ...]


Expression = Comparison | Among | Missing | Negation | All | Either


@dataclass(frozen=True, slots=True)
class Order:
    """One key of an order. Numbers come before words, and what is missing or NaN last, in both directions."""

    field: Field
    is_descending: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """A whole question. Entries that are equal in all keys follow by path, so pages never overlap.

    Attributes:
        under: only this bundle and what is below it.
        archived: also what was put aside.
    """

    where: Expression | None = None
    order: tuple[Order, ...] = ()
    under: str = ""
    archived: bool = False


def fields(expression: Expression | None) -> Iterator[Field]:
    """Every field that an expression looks at, in the order in which they stand."""
    match expression:
        case None:
            return
        case Negation(inner):
            yield from fields(inner)
        case All(parts) | Either(parts):
            for part in parts:
                yield from fields(part)
        case _:
            yield expression.field
