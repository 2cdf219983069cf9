"""Values that are JSON, against declared types."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2.model import values
from plotter2.model.types import Mode, array, parse

numbers = st.lists(st.lists(st.floats(allow_nan=False), min_size=2, max_size=2), min_size=1, max_size=4)


@pytest.mark.req("r046", "r047")
@pytest.mark.parametrize(
    ("expected", "value", "said"),
    [
        ("any", {"a": 1}, ""),
        ("image", None, ""),
        ("text", "a", ""),
        ("text", 1, "this is scalar[int64]"),
        ("scalar", 1, ""),
        ("scalar[float64]", 1, ""),
        ("scalar[int64]", 1.5, "this is scalar[float64]: another dtype"),
        ("scalar[bool]", True, ""),
        ("scalar[int64]", True, "this is scalar[bool]: another dtype"),
        ("scalar", [1], "this is vector[int64, 1]: another rank"),
        ("vector[float64, 3]", [1, 2.5, 3], ""),
        ("vector[float64, 3]", [1, 2], "this is vector[int64, 2]: another shape"),
        ("vector[float64, *]", [], ""),
        ("vector", None, "this is nothing"),
        ("vector", {"a": 1}, "this is an object"),
        ("matrix[*, *, 2]", [[1, 2], [3, 4]], ""),
        ("matrix", [[1, 2], [3]], "this is a list whose rows are not all of one length"),
        ("array", [[[1]]], ""),
        ("vector[text]", ["a", 1], "this is vector[text, 2]: another dtype"),
    ],
)
def test_a_value_is_what_is_promised_or_is_named(expected: str, value: Any, said: str) -> None:
    assert values.misfit(parse(expected), value) == said


@pytest.mark.req("r046")
def test_a_mutable_link_lets_sizes_vary() -> None:
    assert values.misfit(parse("vector[float64, 3]"), [1.5], Mode.MUTABLE) == ""
    assert "rank" in values.misfit(parse("vector[float64, 3]"), [[1.5]], Mode.MUTABLE)


@pytest.mark.req("r047")
@given(numbers)
def test_a_value_fits_its_own_type(value: list[list[float]]) -> None:
    assert values.misfit(array("float64", len(value), 2), value) == ""
    assert values.misfit(parse(values.spelled(value)), value) == ""
