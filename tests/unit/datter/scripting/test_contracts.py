"""Values against types: what fits, and what is said of what does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2.datter.scripting import contracts
from plotter2.datter.values.group import DataGroup
from plotter2.datter.values.table import Table
from plotter2.model import types
from plotter2.model.types import Mode

TABLE = Table({"x": np.arange(3.0), "name": ["a", "b", "c"]})
FITS: list[tuple[str, Any]] = [
    ("any", object()),
    ("vector[float64, 3]", np.zeros(3)),
    ("vector[float64, 3]", [1, 2.5, 3]),
    ("vector[float64, 2]", [np.float64(1), np.float64(2)]),
    ("matrix[float32, *, 2]", np.zeros((7, 2), np.float32)),
    ("scalar[int64]", 7),
    ("scalar[float64]", np.float64(7)),
    ("scalar[text]", "seven"),
    ("text", "seven"),
    ("bytes", b"seven"),
    ("image[uint8, *, *, 3]", np.zeros((4, 5, 3), np.uint8)),
    ("table{name: text, x: float64}", TABLE),
    ("table{x: float64, *}", TABLE),
    ("vector[text]", np.array(["a", "b"])),
    ("vector[time, *]", np.array(["2026-01-01"], "datetime64[D]")),
    ("vector[bool, *]", np.array([True])),
]
MISFITS: list[tuple[str, Any, str]] = [
    ("vector[float64, 3]", np.zeros(3, np.int64), "this is vector[int64, 3]: another dtype"),
    ("vector[float64, 3]", np.zeros(4), "this is vector[float64, 4]: another shape"),
    ("vector[float64, 3]", np.zeros((3, 1)), "this is matrix[float64, 3, 1]: another rank"),
    ("vector[int64, 2]", [1, 2.5], "this is vector[float64, 2]: another dtype"),
    ("vector", TABLE, "this is table{name: text, x: float64}: another kind"),
    ("table{x: int64, *}", TABLE, "this is table{name: text, x: float64}: another columns"),
    ("table", np.zeros(3), "this is vector[float64, 3]: another kind"),
    ("image", np.zeros(3), "this is vector[float64, 3]: another kind"),
    ("vector", None, "this is nothing"),
    ("vector", {"x": 1}, "this is an object"),
    ("vector", [[1, 2], [3]], "this is a list whose rows are not all of one length"),
    ("table", [[1, 2], [3]], "this is a list whose members are not of one shape"),
    ("bytes", "text", "this is text: another kind"),
    ("scalar", contracts, "this is a module"),
]


@pytest.mark.req("r046", "r047")
@pytest.mark.parametrize(("text", "value"), FITS)
def test_what_is_what_it_should_be_fits(text: str, value: Any) -> None:
    assert contracts.misfit(types.parse(text), value) == ""


@pytest.mark.req("r047")
@pytest.mark.parametrize(("text", "value", "words"), MISFITS)
def test_what_is_something_else_is_named_by_its_type(text: str, value: Any, words: str) -> None:
    assert contracts.misfit(types.parse(text), value) == words


@pytest.mark.req("r046")
@given(st.integers(0, 6), st.integers(0, 6))
def test_a_mutable_link_takes_every_size_and_no_other_dtype(wanted: int, come: int) -> None:
    expected = types.array("float64", wanted)
    assert contracts.misfit(expected, np.zeros(come), Mode.MUTABLE) == ""
    assert contracts.misfit(expected, np.zeros(come, np.int64), Mode.MUTABLE).endswith("another dtype")
    assert bool(contracts.misfit(expected, np.zeros(come))) == (wanted != come)


@pytest.mark.req("r045")
def test_what_is_lent_cannot_be_written_and_what_is_sealed_by_nobody() -> None:
    mine = np.zeros(3)
    with pytest.raises(ValueError, match="read-only"):
        contracts.lent(mine)[0] = 1
    mine[0] = 2  # the lender still may
    kept = np.zeros(3)
    view = contracts.sealed(kept[:2])
    kept[0] = 5
    assert view[0] == 0
    for one in (contracts.sealed(kept), view):
        with pytest.raises(ValueError, match="read-only"):
            one[0] = 1
    kept[0] = 6  # its maker may use the same memory for the next call
    assert contracts.sealed(view) is view
    numbers = [1, [2]]
    contracts.lent(numbers)[1].append(3)
    assert numbers == [1, [2]]


@pytest.mark.req("r045", "r046")
def test_what_is_made_ones_own_may_be_written_and_changes_nothing_else() -> None:
    stored = contracts.sealed(np.zeros(3))
    mine = contracts.own(stored)
    mine[0] = 1
    assert stored[0] == 0
    group = contracts.own(DataGroup.of([stored, stored]))
    group.values[0][0] = 7
    assert stored[0] == 0


def test_of_a_table_only_the_declared_columns_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    read = Table.column

    def column(self: Table, name: str) -> Any:
        seen.append(name)
        return read(self, name)

    monkeypatch.setattr(Table, "column", column)
    table = Table({"x": np.arange(3.0), "y": np.arange(3), "z": np.arange(3)})
    assert contracts.misfit(types.parse("table"), table) == ""
    assert contracts.misfit(types.parse("table{x: float64, y: *, z: *}"), table) == ""
    assert seen == ["x"]
    assert contracts.misfit(types.parse("table{y: float64, *}"), table).startswith("this is table{x: float64, y: int64")


def test_of_a_group_each_member_is_looked_at_when_it_is_used() -> None:
    seen: list[Any] = []
    group = contracts.each(DataGroup.of([1, 2, 3]), seen.append)
    assert seen == []
    assert group.values == [1, 2, 3]
    assert seen == [1, 2, 3]
