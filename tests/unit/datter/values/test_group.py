from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2.datter.context import Context
from plotter2.datter.scripting.reading import order
from plotter2.datter.values.group import DataGroup, Member
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError
from tests.unit.datter.kit import Bench, scope_of

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


@pytest.mark.req("r133")
def test_order_goes_by_key_tuple_then_origin_then_name() -> None:
    def member(name: str, key: object, origin: str = "") -> Member:
        return Member(name, key, lambda: name, origin)

    group = DataGroup(
        [member("d", (2, "b")), member("c", (2, "a"), "y"), member("b10", (2, "a"), "x"), member("b9", (2, "a"), "x"),
         member("e", (10, "a")), member("f", "text"), member("a", 1.5)], "runs", "step"
    )  # fmt: skip
    assert order(group).names == ["a", "b9", "b10", "c", "d", "e", "f"]
    assert order(order(group)).names == order(group).names
    assert order(group).axis == "step"


@pytest.mark.req("r133")
@given(st.permutations(list(range(12))))
def test_order_does_not_depend_on_how_members_came(places: list[int]) -> None:
    members = [Member(f"m{place % 3}", place % 4, lambda: 0, f"b/{place % 2}") for place in range(12)]
    mixed = DataGroup([members[place] for place in places])
    assert [(one.key, one.origin, one.name) for one in mixed.ordered().members] == sorted(
        (one.key, one.origin, one.name) for one in members
    )


@pytest.mark.req("r179")
def test_a_name_or_key_that_several_members_have_gives_them_all() -> None:
    group = DataGroup.of([1, 2, 3], ["a", "a", "b"], "g", [(1, "x"), (2, "y"), (1, "x")])
    assert group["a"].values == [1, 2]
    assert group["b"] == 3
    assert group.at((2, "y")) == 2
    assert group[1, "x"].values == [1, 3]
    with pytest.raises(UsageError, match=r"'g' has no key .\(3, 'z'\)"):
        group.at((3, "z"))


def test_a_value_that_nobody_holds_is_let_go_and_loaded_again() -> None:
    loaded: list[int] = []

    def load() -> object:
        loaded.append(1)
        return np.zeros(3)

    group = DataGroup([Member("a", 0, load)])
    held = group[0]
    assert group[0] is held
    assert held in group
    assert len(loaded) == 1
    del held
    gc.collect()
    assert len(loaded) == 1
    assert group[0].tolist() == [0, 0, 0]
    assert len(loaded) == 2


def test_what_was_made_of_a_value_is_made_once() -> None:
    made: list[int] = []
    group = DataGroup.of([np.ones(2)]).map(lambda value: made.append(1) or value * 2)
    assert [group[0].tolist(), group[0].tolist()] == [[2, 2], [2, 2]]
    assert made == [1]


@pytest.mark.req("r004", "r103")
def test_a_run_may_go_over_more_files_than_memory_holds(bench: Bench, tmp_path: Path) -> None:
    for place in range(40):
        np.save(tmp_path / f"step_{place}.npy", np.full(1000, place))
    source = """
import gc, weakref
def task():
    group = access("step_*.npy")
    seen = []
    total = 0
    for value in group:
        total += int(value[0])
        seen.append(weakref.ref(value))
    del value
    gc.collect()
    held = group[7]
    return [total, sum(one() is not None for one in seen), held in group, held is group[7]]
"""
    assert bench.run(source, scope_of(tmp_path)).results == [sum(range(40)), 0, True, True]


@pytest.mark.req("r004")
def test_what_is_said_of_a_value_keeps_it(context: Context) -> None:
    value = np.zeros(3)
    context.meet(value, "a", "digest")
    assert context.name_of(value) == "a"
    context.datum(value).visual = "line"
    place = id(value)
    del value
    gc.collect()
    assert context.data[place].visual == "line"
    context.meet(np.zeros(3), "b", "digest")
    gc.collect()
    assert [one.name for one in context.data.values()] == ["a"]
    assert context.meet("text", "c", "digest") == "text"


@pytest.mark.req("r182")
@pytest.mark.parametrize(
    ("values", "total"),
    [
        ([np.array([200], np.uint8)] * 2, [400]), ([np.array([True, False])] * 2, [2, 0]), ([[1, 2], [3, 4]], [4, 6]),
        ([np.array([2**62])] * 2, [2.0**63]), ([np.array([2**64 - 1], np.uint64)] * 2, [2.0**65]), ([1, 2.5], 3.5),
        ([np.array([0.1], np.float32)] * 3, [3 * float(np.float32(0.1))]), ([2**70, 1], 2**70 + 1), ([1j, 2], 2 + 1j),
    ],
)  # fmt: skip
def test_a_total_never_wraps_around_and_lists_are_arrays(values: list[Any], total: Any) -> None:
    group = DataGroup.of(values)
    assert np.asarray(sum([group])).tolist() == total
    assert np.asarray(sum([group, group])).tolist() == np.asarray(np.asarray(total) * 2).tolist()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([np.ones(2), np.ones(3)], r"their shapes are \(2,\) and \(3,\)"),
        (["a", "b"], "of the kinds str; take numbers"),
        ([Table({"a": [1]})] * 2, "of the kinds Table; take numbers of each first"), ([np.ones(2), "b"], "kinds str"),
        ([np.array(["a"])] * 2, "text has no sum"), ([{"a": 1}] * 2, "of the kinds dict"),
    ],
)  # fmt: skip
def test_what_has_no_total_says_why(values: list[Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        DataGroup.of(values).total()
