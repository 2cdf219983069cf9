"""What --set means."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from plotter2.cli.values import as_json, axes, divide, parameters
from plotter2.errors import UsageError


@pytest.mark.req("r018")
def test_values_keep_the_order_and_the_spelling_that_the_user_gave_them() -> None:
    assert axes(["lr=0.10,0.2,1e-3", "seed=1,2"]) == {"lr": ["0.10", "0.2", "1e-3"], "seed": ["1", "2"]}


@pytest.mark.req("r018")
def test_a_range_stands_for_its_values_also_beside_others_and_not_in_quotes() -> None:
    assert axes(["lr=log:1e-4:1e-1:4,0.5", "seed=1..3", 'name="1..3",lin']) == {
        "lr": ["1e-4", "0.001", "0.01", "1e-1", "0.5"], "seed": ["1", "2", "3"], "name": ['"1..3"', '"lin"'],
    }  # fmt: skip
    with pytest.raises(UsageError, match="log:FROM:TO:COUNT"):
        axes(["lr=log:1"])


def test_commas_inside_brackets_braces_and_quotes_do_not_divide() -> None:
    assert divide('[1,2],{"a":[3,4]},"x,y",z') == ["[1,2]", '{"a":[3,4]}', '"x,y"', "z"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("adam", '"adam"'),
        ("true", "true"),
        ("null", "null"),
        (".5", "0.5"),
        ("5.", "5.0"),
        ("+1", "1.0"),
        ("007", '"007"'),
        ("NaN", '"NaN"'),
        ("a=b", '"a=b"'),
        ('"0.1"', '"0.1"'),
        ("Größe", '"Größe"'),
        ("[1, 2]", "[1, 2]"),
    ],
)
def test_a_value_is_json_where_it_is_json_and_text_where_it_is_not(text: str, expected: str) -> None:
    assert as_json(text) == expected


@given(some.text(max_size=40))
def test_every_text_becomes_a_json_value(text: str) -> None:
    json.loads(as_json(text))


@given(some.lists(some.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=8))
def test_numbers_come_through_exactly(numbers: list[float]) -> None:
    texts = axes(["x=" + ",".join(repr(number) for number in numbers)])["x"]
    assert [json.loads(text) for text in texts] == numbers


@pytest.mark.parametrize("setting", ["lr", "=0.1", "lr=", "lr=,", " =1"])
def test_what_is_no_setting_is_a_usage_error_that_quotes_it(setting: str) -> None:
    with pytest.raises(UsageError, match="--set"):
        axes([setting])


def test_a_parameter_given_twice_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="'lr' twice"):
        axes(["lr=0.1", "lr=0.2"])
    with pytest.raises(UsageError, match="'k' twice"):
        parameters(["k=1", "k=2"])


def test_the_value_of_a_run_parameter_may_contain_commas() -> None:
    assert parameters(["title=a, b", "k=3"]) == {"title": '"a, b"', "k": "3"}
