"""What a file holds, guessed from its beginning: the guess is what datter then reads, or nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2.model import types
from plotter2.model.types import Type
from plotter2.project import tables


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("epoch,loss,name\n1,0.5,a\n2,1e-3,b\n", "table{epoch: int64, loss: float64, name: text}"),
        ("a;b\n1;x\n", "table{a: int64, b: text}"),
        ("# a remark\n\na,b\n1,NA\n2,3\n", "table{a: int64, b: float64}"),
        ("when,ok\n2013-01-01 05:00,true\n2013-01-02,false\n", "table{ok: bool, when: time}"),
        ("a,b\n1,\n2,\n", "table{a: int64, b: *}"),
        ("my column,a\n1,2\n", 'table{a: int64, "my column": int64}'),
        ("a,a\n1,2\n", "table"),
        ("569,30,benign\n1,2,3,4\n1,2,3,4\n", "table"),
        (",b\n1,2\n", "table"),
        ("a\n", "table{a: *}"),
    ],
)
def test_the_columns_of_a_csv_file_are_guessed(text: str, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text)
    assert str(tables.guess(path)) == kind


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\0\0,\0\n1,2"])
def test_what_is_no_table_is_not_guessed(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    assert tables.guess(path) is None


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.zeros((3, 32)), "matrix[float64, 3, 32]"),
        (np.zeros(4, np.uint8), "vector[uint8, 4]"),
        (np.zeros((2, 3, 4), np.float32), "array[float32, 2, 3, 4]"),
        (np.array(1 + 2j), "scalar[complex128]"),
        (np.array([True]), "vector[bool, 1]"),
        (np.array(["text"]), None),
    ],
)
def test_the_shape_of_an_array_is_read_from_its_header(values: object, kind: str | None, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", values)
    found = tables.guess(tmp_path / "a.npy")
    assert (str(found) if found else None) == kind


@given(head=st.binary(max_size=200), ending=st.sampled_from([".csv", ".npy", ".tsv", ".txt"]))
def test_no_file_whatever_breaks_the_guess(head: bytes, ending: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("guess") / f"a{ending}"
    path.write_bytes(b"\x93NUMPY\x01\x00v\x00" + head if ending == ".npy" else head)
    found = tables.guess(path)
    assert found is None or isinstance(found, Type)
    assert found is None or types.parse(str(found)) == found


def test_a_long_file_is_judged_by_its_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text("a,b\n" + "1,2.5\n" * 100_000)
    assert str(tables.guess(path)) == "table{a: int64, b: float64}"
