from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2.datter.group import DataGroup, Member
from plotter2.errors import UsageError

NUMBERS = st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=8)


@given(NUMBERS)
@pytest.mark.req("r182")
def test_sum_of_a_list_with_a_group_is_its_total(values: list[int]) -> None:
    group = DataGroup.of([np.array([value, 1]) for value in values])
    for found in (sum([group]), sum(group), group.total()):
        assert found.tolist() == [sum(values), len(values)]


@given(NUMBERS, NUMBERS)
def test_adding_groups_adds_all_their_values(one: list[int], other: list[int]) -> None:
    groups = [DataGroup.of([np.array([value]) for value in values]) for values in (one, other)]
    assert sum(groups).tolist() == [sum(one) + sum(other)]
    assert (np.array([5]) + groups[0]).tolist() == [5 + sum(one)]


def test_values_are_loaded_when_they_are_looked_at_and_only_once() -> None:
    loaded: list[int] = []
    group = DataGroup(
        [Member(str(place), place, lambda place=place: loaded.append(place) or place) for place in range(3)]
    )
    assert group.names == ["0", "1", "2"]
    assert loaded == []
    assert group[1] == 1
    assert group["1"] == 1
    assert loaded == [1]


def test_a_slice_and_a_map_are_groups_with_the_same_keys() -> None:
    group = DataGroup.of([1, 2, 3], ["a", "b", "c"]).map(lambda value: value * 10)
    assert group[1:].items() == [("b", 20), ("c", 30)]
    assert group[1:].keys == [1, 2]


def test_membership_is_identity() -> None:
    one = np.array([1])
    assert one in DataGroup.of([one])
    assert np.array([1]) not in DataGroup.of([one])


@pytest.mark.parametrize(
    ("group", "words"),
    [(DataGroup.of([]), "empty"), (DataGroup.of([np.ones(2), np.ones(3)], name="w"), "'w' cannot be added")],
)
def test_what_has_no_total_says_so(group: DataGroup, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        sum([group])


def test_an_unknown_member_is_named() -> None:
    with pytest.raises(UsageError, match="no member of 'runs' 'c'"):
        DataGroup.of([1], ["a"], "runs")["c"]
