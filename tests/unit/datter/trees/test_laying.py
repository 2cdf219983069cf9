"""References to values: what one process lays down, another takes up; and what cannot be laid down at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2 import files
from plotter2.datter.context import Context, KeyOf, enter, leave
from plotter2.datter.runs import RunInput
from plotter2.datter.scope import Scope
from plotter2.datter.scripting import reading
from plotter2.datter.trees import laying, refs
from plotter2.datter.values import spill
from plotter2.datter.values.group import DataGroup
from plotter2.datter.values.points import Labels, Points
from plotter2.datter.values.table import Table
from plotter2.errors import CorruptionError, UsageError
from tests.unit.datter.kit import scope_of


def context(scope: Scope | None = None) -> Context:
    given_run = RunInput("r", "t", "script", "", "t.py", {}, 1, scope or Scope(), Path())
    return Context(given_run, print)


def again(value: Any, folder: Path) -> Any:
    """The value as another process gets it."""
    ref, path = laying.lay(context(), value, folder)
    assert (path is None) == (not refs.digest_of(ref))
    return laying.take_up(ref, lambda _: path or folder, "x")


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9) | st.binary(max_size=9)
    | st.complex_numbers(allow_nan=False),
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner, inner) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=12,
)  # fmt: skip


@given(plain)
def test_plain_values_come_out_as_they_went_in(tmp_path_factory: pytest.TempPathFactory, value: Any) -> None:
    found = again(value, tmp_path_factory.getbasetemp() / "plain")
    assert found == value
    assert type(found) is type(value)


def test_small_plain_values_need_no_file_and_large_ones_one(tmp_path: Path) -> None:
    assert laying.lay(context(), {"a": [1, None, "b"]}, tmp_path) == ('json:{"a":[1,null,"b"]}', None)
    ref, path = laying.lay(context(), "x" * 5_000, tmp_path)
    assert path is not None
    assert files.digest(path).hex() == refs.digest_of(ref) == ref.removeprefix("blob:pack:")
    other = laying.lay(context(), "x" * 5_000, tmp_path)
    assert (other[0], other[1] != path) == (ref, True), "whoever keeps one file may move it"


@pytest.mark.req("r093")
@pytest.mark.parametrize(
    "value",
    [
        np.arange(6.0).reshape(2, 3),
        np.array([], dtype=np.int16),
        np.array(3 + 4j),
        np.array(["a", "bcd"]),
        np.array(["2026-01-01"], dtype="datetime64[D]"),
        np.asfortranarray(np.arange(6).reshape(2, 3)),
    ],
    ids=["matrix", "empty", "complex", "texts", "dates", "fortran"],
)
def test_arrays_come_out_as_they_went_in_and_cannot_be_written_to(tmp_path: Path, value: Any) -> None:
    found = again(value, tmp_path)
    np.testing.assert_array_equal(found, value)
    assert found.dtype == value.dtype
    assert not found.flags.writeable


@pytest.mark.req("r093")
def test_a_large_array_is_mapped_and_not_read(tmp_path: Path) -> None:
    found = again(np.ones((1 << 17) + 1), tmp_path)
    assert spill.file_of(found)


def test_tables_keep_columns_and_take_the_name(tmp_path: Path) -> None:
    found = again(Table({"a": [1, 2], "b": ["x", None]}, name="was"), tmp_path)
    assert (found.name, found.rows()) == ("x", [{"a": 1, "b": "x"}, {"a": 2, "b": None}])


def test_values_within_values_come_out_as_well(tmp_path: Path) -> None:
    points = Points(np.ones((2, 1)), ("a",), "rows", Labels("g", ("one",), np.zeros(2, int)), ("a note",))
    group = DataGroup.of([np.arange(3), np.arange(4)], ["p", "q"], "both", keys=[(1, "x"), (2, "y")])
    mixed = np.array(["a", None, 3], dtype=object)
    key = KeyOf("step_1", "k")
    assert (again((key, "x" * 5_000), tmp_path)[0], type(again([key], tmp_path)[0])) == ("step_1", str)
    value = {"points": points, "group": group, "table": Table({"a": [1]}, name="t", label="a"), "s": {1, 2}}
    found = again([value, mixed, np.float32(1.5), 1 << 70], tmp_path)
    assert found[1].tolist() == ["a", None, 3]
    assert (found[2], type(found[2]), found[3]) == (1.5, np.float32, 1 << 70)
    assert (found[0]["points"].groups.names, found[0]["points"].notes) == (("one",), ("a note",))
    assert (found[0]["group"].names, found[0]["group"].keys) == (["p", "q"], [(1, "x"), (2, "y")])
    assert (found[0]["table"].name, found[0]["table"].label, found[0]["s"]) == ("t", "a", {1, 2})


def test_what_cannot_be_written_down_is_refused_in_a_sentence(tmp_path: Path) -> None:
    looped: list[Any] = []
    looped.append(looped)
    with (tmp_path / "f").open("w") as file:
        for value, said in [(lambda: 0, "A function cannot be given"), (file, "A TextIOWrapper cannot be given"),
                            (looped, "holds itself"), ({(1, 2): 3}, "keys that are tuple")]:  # fmt: skip
            with pytest.raises(UsageError, match=said):
                laying.lay(context(), value, tmp_path)
    with pytest.raises(CorruptionError, match="leads to no value"):
        laying.take_up("elsewhere", lambda digest: tmp_path / digest, "x")


@pytest.mark.req("r093")
def test_what_came_straight_from_a_file_is_not_written_again(tmp_path: Path) -> None:
    folder = tmp_path / "blobs"
    folder.mkdir()
    np.save(folder / "part.npy", np.arange(4))
    digest = files.digest(folder / "part.npy").hex()
    blob = (folder / "part.npy").rename(folder / digest)
    declared = scope_of(tmp_path, declared={"data": {"m": {"path": "m.npy", "type": "vector"}}})
    scope = Scope("experiments/demo", 3, {"m.npy": blob}, declared.package)
    run = context(scope)
    token = enter(run)
    try:
        value = reading.access("m")
        made = reading.copy("m")
    finally:
        leave(token)
    ref, path = laying.lay(run, value, tmp_path / "out")
    assert (ref, path) == (f"file:experiments/demo@3/m.npy#{digest}=vector", None)
    np.testing.assert_array_equal(laying.take_up(ref, lambda one: folder / one, "m"), np.arange(4))
    assert laying.lay(run, made, tmp_path / "out")[0].startswith("blob:npy:")
