"""Ranges of values, written in one word."""

from __future__ import annotations

import itertools
import json
import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as some

from plotter2.errors import UsageError
from plotter2.model.spread import VALUES_MAX, values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1..3", ["1", "2", "3"]),
        ("5..3", ["5", "4", "3"]),
        ("4..4", ["4"]),
        ("1..10..3", ["1", "4", "7", "10"]),
        ("0.10..0.30..0.1", ["0.10", "0.2", "0.30"]),
        ("lin:0:1:5", ["0", "0.25", "0.5", "0.75", "1"]),
        ("lin:1:10:4", ["1", "4", "7", "10"]),
        ("log:1e-4:1e-1:4", ["1e-4", "0.001", "0.01", "1e-1"]),
        ("log:1e-4:1e-1:5", ["1e-4", "0.000562341", "0.00316228", "0.0177828", "1e-1"]),
        ("log:-1:-100:3", ["-1", "-10", "-100"]),
        ("log:1:8:4", ["1", "2", "4", "8"]),
    ],
)
@pytest.mark.req("r018")
def test_a_range_stands_for_its_values_in_order_and_its_ends_keep_their_spelling(
    text: str, expected: list[str]
) -> None:
    assert values(text) == expected


@pytest.mark.parametrize("text", ["adam", "0.1", "1...3", "a..b", "2024-01-01", "", "..", "login:1", "1..", '"1..3"'])
def test_what_does_not_look_like_a_range_is_none(text: str) -> None:
    assert values(text) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("log:0:1:3", "greater than 0"),
        ("log:-1:1:3", "greater than 0"),
        ("log:1:2", "log:FROM:TO:COUNT"),
        ("lin:a:b:c", "lin:FROM:TO:COUNT"),
        ("lin:0:1:1", "from 2 to 10,000"),
        ("lin:0:1:10001", "from 2 to 10,000"),
        ("lin:1:1:3", "too near"),
        ("log:1:1.00000000000000000001:5", "too near"),
        ("0.1..0.5", "the step must be given, as 0.1..0.5..0.1"),
        ("1..3..0", "step is 0"),
        ("1..100000", "more than 10,000 values"),
        ("1e999..2", "more than 10,000 values"),
    ],
)
@pytest.mark.req("r018")
def test_a_range_that_is_none_is_a_usage_error_that_says_how_to_write_it(text: str, says: str) -> None:
    with pytest.raises(UsageError) as wrong:
        values(text)
    assert says in wrong.value.message


numbers = some.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15)


@given(numbers, numbers, some.integers(2, 50))
def test_a_linear_range_has_so_many_even_steps_between_its_ends(first: float, last: float, count: int) -> None:
    assume(abs(last - first) > 1e-3 * max(1.0, abs(first), abs(last)))
    found = values(f"lin:{first!r}:{last!r}:{count}")
    assert found is not None
    read = [json.loads(one) for one in found]
    assert (len(read), read[0], read[-1]) == (count, first, last)
    step = (last - first) / (count - 1)
    assert all(math.isclose(b - a, step, rel_tol=0.05) for a, b in itertools.pairwise(read))


@given(some.floats(1e-12, 1e12), some.floats(1.5, 1e6), some.integers(2, 50))
def test_a_logarithmic_range_grows_by_the_same_factor(first: float, reach: float, count: int) -> None:
    found = values(f"log:{first!r}:{first * reach!r}:{count}")
    assert found is not None
    read = [json.loads(one) for one in found]
    factor = reach ** (1 / (count - 1))
    assert len(read) == count
    assert all(math.isclose(b / a, factor, rel_tol=1e-4) for a, b in itertools.pairwise(read))


@given(some.integers(-5000, 5000), some.integers(-5000, 5000))
def test_whole_numbers_are_counted_up_and_down(first: int, last: int) -> None:
    assume(abs(last - first) < VALUES_MAX)
    way = 1 if last >= first else -1
    assert values(f"{first}..{last}") == [str(one) for one in range(first, last + way, way)]
