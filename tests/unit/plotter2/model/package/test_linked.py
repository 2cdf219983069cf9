"""Tasks that tasks are linked to: what one package can say of them, and circles."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2.errors import PackageError
from plotter2.model import package
from plotter2.model.package import linked

NAMES = st.sampled_from("abcdef")
GRAPHS = st.dictionaries(NAMES, st.lists(NAMES, max_size=3).map(tuple))


def tasks(**linked_to: Any) -> str:
    declared = [{"name": name, "pipeline": ["access"], "linked": some} for name, some in linked_to.items()]
    return json.dumps({"tasks": declared}, indent=1)


@pytest.mark.req("r068")
def test_one_name_or_many_are_the_same_list() -> None:
    found = package.parse(tasks(plot=[], meta="plot", all=["plot", "meta", "elsewhere"])).tasks
    assert [one.linked_to for one in found] == [(), ("plot",), ("plot", "meta", "elsewhere")]


@pytest.mark.req("r068")
@pytest.mark.parametrize(
    ("declared", "says"),
    [
        (tasks(meta=""), "line 8: 'tasks[0].linked' is an empty name"),
        (tasks(meta=["a", " "]), "'tasks[0].linked[1]' is an empty name"),
        (tasks(meta="meta"), "'tasks[0].linked' is 'meta', the task itself"),
        (tasks(meta=["a", "a"]), "'tasks[0].linked[1]' names 'a' a second time"),
        (tasks(a="b", b="c", c=["a"], d=[]), "goes round: "),
    ],
)
def test_names_that_cannot_be_are_refused_with_their_place(declared: str, says: str) -> None:
    with pytest.raises(PackageError) as wrong:
        package.parse(declared)
    assert says in wrong.value.message


def test_a_circle_is_told_as_a_chain_of_what_is_linked() -> None:
    assert linked.circle({"a": ("b",), "b": ("c", "out"), "c": ("b",)}) in (["b", "c", "b"], ["c", "b", "c"])
    assert linked.chain(["b", "c", "b"]) == "'b' -> 'c' -> 'b'"


@given(GRAPHS)
def test_a_circle_is_found_exactly_where_there_is_one(graph: dict[str, tuple[str, ...]]) -> None:
    found = linked.circle(graph)
    reached = {name: set(some) for name, some in graph.items()}
    for _ in graph:
        for some in reached.values():
            some |= {one for inner in list(some) for one in reached.get(inner, ())}
    assert bool(found) == any(name in some for name, some in reached.items())
    assert all(after in graph[before] for before, after in pairwise(found))
    assert not found or found[0] == found[-1]


def test_ten_thousand_tasks_in_a_row_are_looked_at_without_going_deep() -> None:
    assert linked.circle({str(number): (str(number + 1),) for number in range(10_000)}) == []
