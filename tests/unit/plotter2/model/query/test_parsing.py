"""What is written becomes a tree, or one sentence that says where it stops and what would be right."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2.errors import NotFoundError, UsageError
from plotter2.model.entry import Space
from plotter2.model.query import (
    All,
    Among,
    Comparison,
    Either,
    Field,
    Missing,
    Negation,
    Operator,
    Order,
    Own,
    check_names,
    parse,
    parse_sort,
)
from plotter2.model.query.parsing import DEPTH_MAX, QUERY_CHARS_MAX, TESTS_MAX
from plotter2.model.query.tree import fields

LR = Field(Space.PARAM, "lr")
BEST = Comparison(Field(Space.METRIC, "accuracy"), Operator.ABOVE, 0.9)
KNOWN = {Space.PARAM: ("lr", "epochs", "val loss"), Space.METRIC: ("accuracy", "loss")}


def test_the_query_of_the_issue_is_read() -> None:
    found = parse('param.lr < 0.1 and metric.accuracy > 0.9 and tag.model = "mlp"')
    tag = Comparison(Field(Space.TAG, "model"), Operator.EQUAL, "mlp")
    assert found == All((Comparison(LR, Operator.BELOW, 0.1), BEST, tag))
    assert parse_sort("-metric.accuracy") == (Order(Field(Space.METRIC, "accuracy"), is_descending=True),)


def test_not_binds_closer_than_and_and_that_closer_than_or() -> None:
    a, b, c = (Comparison(Field(Space.PARAM, name), Operator.EQUAL, 1.0) for name in "abc")
    assert parse("param.a = 1 or not param.b = 1 AND param.c == 1") == Either((a, All((Negation(b), c))))
    assert parse("(param.a = 1 or param.b = 1) and (param.c = 1)") == All((Either((a, b)), c))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("param.lr in (1, 'x', true)", Among(LR, (1.0, "x", "true"))),
        ("param.lr is missing", Missing(LR)),
        ("param.lr is not missing", Negation(Missing(LR))),
        ('param."a.b c".d-e > -1.5e-3', Comparison(Field(Space.PARAM, "a.b c.d-e"), Operator.ABOVE, -0.0015)),
        (r'tag.a = "say \"hi\" \\"', Comparison(Field(Space.TAG, "a"), Operator.EQUAL, 'say "hi" \\')),
        ('state != "failed"', Comparison(Field(Own.STATE), Operator.OTHER, "failed")),
        ('time < "1970-01-02"', Comparison(Field(Own.TIME), Operator.BELOW, 86_400.0)),
        ('time < "1970-01-01T01:00+01:00"', Comparison(Field(Own.TIME), Operator.BELOW, 0.0)),
        ("version >= 2", Comparison(Field(Own.VERSION), Operator.AT_LEAST, 2.0)),
        ('path ~ "lab/*"', Comparison(Field(Own.PATH), Operator.LIKE, "lab/*")),
        ("param.in = 1", Comparison(Field(Space.PARAM, "in"), Operator.EQUAL, 1.0)),
    ],
)
def test_each_form_is_read(text: str, tree: object) -> None:
    assert parse(text) == tree


def test_nothing_asked_is_fulfilled_by_everything() -> None:
    assert parse("  ") is None
    assert parse_sort("") == ()


@pytest.mark.parametrize(
    ("text", "column", "part"),
    [
        ("param.lr < adam", 12, 'text stands in quotes, as "adam"'),
        ("params.lr < 1", 1, "did you mean param.lr."),
        ("stat = 1", 1, "did you mean state"),
        ("lr < 1", 1, "did you mean param.lr, metric.lr or tag.lr"),
        ("param.lr", 9, "comparison"),
        ("param.lr <", 11, "a number"),
        ("(param.lr = 1", 14, "')'"),
        ("param.lr = 'x", 12, "no closing '"),
        ("param.lr = 1 param.b = 2", 14, "'and' or 'or'"),
        ("param.lr = 1)", 13, "')' cannot stand here"),
        ("param.lr ! 3", 10, "comparison"),
        ('"a" = path', 1, "a field"),
        ("path = 3", 8, "a path is a text in quotes"),
        ('version = "3"', 11, "a version is a number"),
        ('state = "finished"', 9, 'did you mean "failed"'),
        ('state < "done"', 9, "compared by ="),
        ('state = "xyzzy"', 9, '"queued"'),
        ('time > "yesterday"', 8, "2026-11-21"),
        ("time > 3", 8, "2026-11-21"),
        ("param.lr ~ 3", 12, "pattern in quotes"),
        ("param.lr in 3", 13, "'('"),
    ],
)
def test_what_is_wrong_is_said_with_its_column(text: str, column: int, part: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    said = caught.value.message
    at = column if f"In 'where', column {column}:" in said else said
    assert (at, part in said) == (column, True), said
    assert "\n" not in said


@pytest.mark.parametrize(("text", "part"), [("path;", "comma"), ("path path", "comma"), ("-", "a field")])
def test_a_wrong_order_is_said_as_well(text: str, part: str) -> None:
    with pytest.raises(UsageError, match=part):
        parse_sort(text)


def test_a_query_has_limits() -> None:
    for text in (
        "not " * DEPTH_MAX + "path = 'a'",
        " or ".join(["param.a = 1"] * (TESTS_MAX + 1)),
        "param.a in (" + ", ".join(["1"] * (TESTS_MAX + 1)) + ")",
        "path = '" + "a" * QUERY_CHARS_MAX + "'",
        "path = 'a\0'",
        "path = '\ud800'",
    ):
        with pytest.raises(UsageError):
            parse(text)
    with pytest.raises(UsageError, match="keys"):
        parse_sort(",".join(["path"] * 9))
    assert parse("(" * 500 + "path = 'a'" + ")" * 500) == Comparison(Field(Own.PATH), Operator.EQUAL, "a")


WORDS = [
    "and", "or", "not", "in", "is", "missing", "true", "(", ")", ",", "=", "!=", "<", "~", "1", "-2.5e3", "param.a",
    "tag.d", "path", "state", "time", "lr", '"x"', "'y", '"', 'metric."b c"',
]  # fmt: skip


@given(st.text() | st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join))
def test_any_text_is_read_or_refused_in_a_sentence(text: str) -> None:
    with suppress(UsageError):
        assert parse(text) is not None or not text.strip()


def test_a_name_that_nobody_has_is_said_with_the_nearest() -> None:
    check_names("where", fields(parse("param.lr < 1 and not metric.loss is missing and path = 'x'")), KNOWN)
    for text, part in {
        "path = 'x' and metric.accurazy > 1": "no run has a metric 'accurazy'; did you mean metric.accuracy?",
        "param.valloss = 1": 'did you mean param."val loss"?',
        "param.zzz = 1": 'there are epochs, lr, "val loss".',
        "tag.model = 'm'": "no run has any tag yet",
    }.items():
        with pytest.raises(NotFoundError) as caught:
            check_names("where", fields(parse(text)), KNOWN)
        assert part in caught.value.message
