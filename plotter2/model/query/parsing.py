"""From text to tree: the grammar, and sentences for what does not fit it.

lark reads the text and gives each place its column. Its parser keeps its own stack, and what is built here is limited
in depth and size, so no query can exhaust anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from typing import Any, cast

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from plotter2.errors import UsageError
from plotter2.model.entry import Space
from plotter2.model.query.names import nearest
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
)
from plotter2.model.service import ServiceState

QUERY_CHARS_MAX = 4_000
DEPTH_MAX = 40
TESTS_MAX = 100
KEYS_MAX = 8

GRAMMAR = r"""
where: either
?either: both | both (OR both)+
?both: negation | negation (AND negation)+
?negation: NOT negation -> negated
         | "(" either ")"
         | test
?test: field OPERATOR value -> compared
     | field IN "(" value ("," value)* ")" -> among
     | field IS MISSING -> missing
     | field IS NOT MISSING -> present

sort: key ("," key)*
key: field -> rising
   | "-" field -> falling

field: FIELD
value: NUMBER | TEXT | TRUE | FALSE

AND.2: /and(?![\w.-])/i
OR.2: /or(?![\w.-])/i
NOT.2: /not(?![\w.-])/i
IN.2: /in(?![\w.-])/i
IS.2: /is(?![\w.-])/i
MISSING.2: /missing(?![\w.-])/i
TRUE.2: /true(?![\w.-])/i
FALSE.2: /false(?![\w.-])/i
OPERATOR: "==" | "=" | "!=" | "<=" | "<" | ">=" | ">" | "~"
NUMBER: /[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?(?![\w.])/
TEXT: /"(\\.|[^"\\])*"|'(\\.|[^'\\])*'/s
FIELD: /[A-Za-z_]\w*(\.("(\\.|[^"\\])*"|[\w-]+))*/
%ignore /\s+/
"""
OWN = tuple(Own)
SPACES = tuple(Space)
WORD = re.compile(r"[\w.-]+|.", re.DOTALL)
TEXT = re.compile(r""""(\\.|[^"\\])*"|'(\\.|[^'\\])*'""", re.DOTALL)
CLASSES = {
    "FIELD": "a field, as param.lr, metric.loss, tag.model, path, time, state or version",
    "OPERATOR": "a comparison, as = != < <= > >= or ~",
    "NUMBER": "a number, a text in quotes, true or false",
    "AND": "'and' or 'or'",
    "MISSING": "'missing'",
    "LPAR": "'('",
    "COMMA": "a comma",
    "RPAR": "')'",
}  # fmt: skip
"""What can be expected, most telling first."""


def parse(text: str) -> Expression | None:
    """Read a condition; None for an empty one, which everything fulfils.

    Raises:
        UsageError: it is no query; the sentence names the column and what would be right.
    """
    return _read(text, "where") if text.strip() else None


def parse_sort(text: str) -> tuple[Order, ...]:
    """Read an order: fields divided by commas, `-` before one turns it round.

    Raises:
        UsageError: it is no order; the sentence names the column and what would be right.
    """
    return _read(text, "sort") if text.strip() else ()


def _read(text: str, rule: str) -> Any:
    if len(text) > QUERY_CHARS_MAX:
        raise UsageError(f"A query has at most {QUERY_CHARS_MAX:,} characters; this one has {len(text):,}.")
    if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise UsageError("A query is plain text; this one holds characters that no text can hold.")
    try:
        return _parser(rule).parse(text)
    except UnexpectedInput as wrong:
        raise UsageError(f"In {rule!r}, {_sentence(text, wrong)}") from None
    except UsageError as wrong:
        raise UsageError(f"In {rule!r}, {wrong.message}") from None


@cache
def _parser(rule: str) -> Lark:
    return Lark(GRAMMAR, parser="lalr", start=rule, transformer=_Builder(), maybe_placeholders=False)


def _sentence(text: str, wrong: UnexpectedInput) -> str:
    expected = _expected(wrong)
    at = cast("int", wrong.pos_in_stream)
    if isinstance(wrong, UnexpectedToken) and wrong.token.type == "$END":
        return f"column {len(text.rstrip()) + 1}: the query ends where {expected} should follow."
    column, word = at + 1, WORD.match(text, at)
    found = word[0] if word else ""
    if found in {'"', "'"} and not TEXT.match(text, at):
        return f"column {column}: this text has no closing {found}."
    if "NUMBER" in _types(wrong) and (found[0].isalpha() or found[0] == "_"):
        return f'column {column}: {found!r} is no value; text stands in quotes, as "{found}".'
    return f"column {column}: {found!r} cannot stand here; {expected} should."


def _types(wrong: UnexpectedInput) -> set[str]:
    if isinstance(wrong, UnexpectedToken):
        return set(wrong.expected)
    return set(wrong.allowed or ()) if isinstance(wrong, UnexpectedCharacters) else set()


def _expected(wrong: UnexpectedInput) -> str:
    types = _types(wrong)
    return next((words for name, words in CLASSES.items() if name in types), "nothing more")


# --- the tree, built from below -------------------------------------------------------------------------------------


class _Sized:
    """An expression with its depth and the number of its tests, while it is built."""

    __slots__ = ("depth", "expression", "tests")

    def __init__(self, expression: Expression, depth: int = 1, tests: int = 1) -> None:
        if depth > DEPTH_MAX:
            raise UsageError(
                f"more than {DEPTH_MAX} tests lie in one another; write it with fewer brackets and 'not's."
            )
        if tests > TESTS_MAX:
            raise UsageError(f"there are more than {TESTS_MAX} tests; a query has at most so many.")
        self.expression, self.depth, self.tests = expression, depth, tests


class _Value:
    """A value and where it stands."""

    __slots__ = ("column", "text", "value")

    def __init__(self, value: float | str, token: Token) -> None:
        self.value, self.text, self.column = value, str(token), _column(token)


def _column(token: Token) -> int:
    return (token.start_pos or 0) + 1


def _joined(kind: Callable[[tuple[Expression, ...]], Expression], parts: list[Any]) -> _Sized:
    inner = [part for part in parts if isinstance(part, _Sized)]
    expression = kind(tuple(part.expression for part in inner))
    return _Sized(expression, max(part.depth for part in inner) + 1, sum(part.tests for part in inner))


class _Builder(Transformer[Token, Any]):
    """Called by the parser for each rule that it has read; each method has the name of its rule."""

    def where(self, parts: list[Any]) -> Expression:
        return parts[0].expression  # type: ignore[no-any-return]  # lark's children are Any

    def either(self, parts: list[Any]) -> _Sized:
        return _joined(Either, parts)

    def both(self, parts: list[Any]) -> _Sized:
        return _joined(All, parts)

    def negated(self, parts: list[Any]) -> _Sized:
        inner: _Sized = parts[1]
        return _Sized(Negation(inner.expression), inner.depth + 1, inner.tests)

    def compared(self, parts: list[Any]) -> _Sized:
        field, sign, given = parts
        operator = Operator.EQUAL if sign == "==" else Operator(str(sign))
        return _Sized(Comparison(field, operator, _fitting(field, operator, given)))

    def among(self, parts: list[Any]) -> _Sized:
        values = tuple(_fitting(parts[0], Operator.EQUAL, given) for given in parts[2:])
        return _Sized(Among(parts[0], values), tests=len(values))

    def missing(self, parts: list[Any]) -> _Sized:
        return _Sized(Missing(parts[0]))

    def present(self, parts: list[Any]) -> _Sized:
        return _Sized(Negation(Missing(parts[0])))

    def sort(self, parts: list[Any]) -> tuple[Order, ...]:
        if len(parts) > KEYS_MAX:
            raise UsageError(f"there are {len(parts)} keys; an order has at most {KEYS_MAX}.")
        return tuple(parts)

    def rising(self, parts: list[Any]) -> Order:
        return Order(parts[0])

    def falling(self, parts: list[Any]) -> Order:
        return Order(parts[0], is_descending=True)

    def field(self, parts: list[Any]) -> Field:
        return _field(parts[0])

    def value(self, parts: list[Any]) -> _Value:
        token: Token = parts[0]
        match token.type:
            case "NUMBER":
                return _Value(float(token), token)
            case "TEXT":
                return _Value(_unquoted(str(token)), token)
            case _:
                return _Value(str(token).lower(), token)


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)


def _field(token: Token) -> Field:
    root, dot, rest = str(token).partition(".")
    column = _column(token)
    if root in SPACES and dot:
        parts = re.findall(r'"(?:\\.|[^"\\])*"|[^.]+', rest, flags=re.DOTALL)
        return Field(Space(root), ".".join(_unquoted(one) if one[0] == '"' else one for one in parts), column)
    if root in OWN and not dot:
        return Field(Own(root), "", column)
    raise UsageError(f"column {column}: there is no field {str(token)!r}; {_better(root, rest)}.")


def _better(root: str, rest: str) -> str:
    near = nearest(root, [*SPACES, *OWN])
    if near in SPACES:
        return f"did you mean {near}.{rest}" if rest else f"did you mean {near}.NAME"
    if near:
        return f"did you mean {near}"
    if not rest:
        return f"did you mean param.{root}, metric.{root} or tag.{root}"
    return "a field is param.NAME, metric.NAME, tag.NAME, path, time, state or version"


def _fitting(field: Field, operator: Operator, given: _Value) -> float | str:
    """The value as the field is compared with it."""
    is_text = isinstance(given.value, str)
    if operator is Operator.LIKE and (not is_text or field.of in {Own.TIME, Own.VERSION, Own.STATE}):
        raise UsageError(f"column {given.column}: '~' compares text with a pattern in quotes, as path ~ \"lab/*\".")
    match field.of:
        case Own.PATH if not is_text:
            raise UsageError(f'column {given.column}: a path is a text in quotes, as "{given.text}".')
        case Own.VERSION if is_text:
            raise UsageError(f"column {given.column}: a version is a number, not {given.text}.")
        case Own.STATE:
            return _state(operator, given)
        case Own.TIME:
            return _time(given)
        case _:
            return given.value


def _state(operator: Operator, given: _Value) -> str:
    states = [state.value for state in ServiceState]
    if operator not in {Operator.EQUAL, Operator.OTHER}:
        raise UsageError(f"column {given.column}: a state is compared by =, != or in.")
    if given.value not in states:
        near = nearest(str(given.value), states)
        hint = f'did you mean "{near}"' if near else "states are " + ", ".join(f'"{state}"' for state in states)
        raise UsageError(f"column {given.column}: {given.text} is no state; {hint}.")
    return str(given.value)


def _time(given: _Value) -> float:
    with suppress(ValueError, OverflowError):
        if isinstance(given.value, str):
            at = datetime.fromisoformat(given.value)
            return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    raise UsageError(
        f"column {given.column}: {given.text} is no time; write a date or a moment in quotes, in UTC unless it says "
        'otherwise, as "2026-11-21" or "2026-11-21T12:00".'
    )
