"""Values of every kind lead to pandas, polars, Arrow and numpy and back, and others take them as they are."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from plotter2.datter.builtins import TABLE
from plotter2.datter.loading import load_file
from plotter2.datter.values.array import Array, array
from plotter2.datter.values.incoming import taken_in
from plotter2.datter.values.points import Points
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError
from tests.unit.datter.kit import Bench, scope_of

WAYS: dict[str, Callable[[Any], Any]] = {
    "arrow": lambda one: one.to_arrow(), "pandas": lambda one: one.to_pandas(), "polars": lambda one: one.to_polars(),
    "numpy": lambda one: one.to_numpy(),
}  # fmt: skip
SOME = {"min_size": 1, "max_size": 6}
SERIES = st.one_of(
    st.lists(st.floats(), **SOME), st.lists(st.integers(-(2**63), 2**63 - 1), **SOME), st.lists(st.booleans(), **SOME),
    st.lists(st.dates(dt.date(1700, 1, 1), dt.date(2200, 1, 1)), **SOME).map(lambda days: np.array(days, "M8[us]")),
).map(np.asarray)  # fmt: skip
TEXTS = st.lists(st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]), max_size=4)), **SOME)
COLUMNS: Any = st.integers(1, 5).flatmap(
    lambda rows: st.fixed_dictionaries({
        "x": st.lists(st.one_of(st.none(), st.floats(allow_nan=False)), min_size=rows, max_size=rows),
        "n": st.lists(st.integers(-(2**53), 2**53), min_size=rows, max_size=rows),
        "who": st.lists(st.one_of(st.none(), st.sampled_from("ab")), min_size=rows, max_size=rows),
        "on": st.lists(st.booleans(), min_size=rows, max_size=rows),
        "t": st.lists(st.one_of(st.none(), st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2200, 1, 1))),  # noqa: DTZ001 -- of no zone
                      min_size=rows, max_size=rows),
    })
)  # fmt: skip


@pytest.mark.req("r093")
@pytest.mark.parametrize("way", WAYS)
@given(values=SERIES)
def test_a_series_comes_back_as_it_was(way: str, values: np.ndarray[Any, Any]) -> None:
    back = taken_in(WAYS[way](array(values)))
    assert back.dtype.kind == values.dtype.kind
    assert np.array_equal(back, values, equal_nan=values.dtype.kind == "f")


@pytest.mark.req("r093")
@pytest.mark.parametrize("way", WAYS)
@given(columns=st.lists(st.lists(st.floats(), min_size=3, max_size=3), **SOME))
def test_a_matrix_comes_back_with_a_name_for_each_column(way: str, columns: list[list[float]]) -> None:
    matrix = array(np.array(columns))
    found = taken_in(WAYS[way](matrix))
    if way != "numpy":
        assert found.names == ("column 0", "column 1", "column 2")
        found = found.to_numpy()
    assert np.array_equal(found, matrix, equal_nan=True)


@pytest.mark.req("r093")
@pytest.mark.parametrize("way", ["arrow", "pandas", "polars"])
@given(columns=COLUMNS)
def test_a_table_comes_back_with_names_kinds_and_what_is_missing(way: str, columns: dict[str, list[Any]]) -> None:
    table = Table(pa.table(columns, schema=SCHEMA))
    back = Table(WAYS[way](table))
    assert back.names == table.names
    for name in table.names:
        assert back.kind(name) == table.kind(name)
        was, found = table[name].tolist(), back[name].tolist()
        assert found == (pytest.approx(was, nan_ok=True) if name == "x" else was)
    if any(columns["who"]):  # else nothing says that it is text
        assert taken_in(table["who"].to_pandas()).tolist() == columns["who"]
        assert taken_in(table["who"].to_polars()).tolist() == columns["who"]


SCHEMA = pa.schema([
    ("x", pa.float64()), ("n", pa.int64()), ("who", pa.string()), ("on", pa.bool_()), ("t", pa.timestamp("us")),
])  # fmt: skip


@given(texts=TEXTS)
def test_texts_keep_what_is_missing(texts: list[str | None]) -> None:
    column = Table({"who": np.array(texts, object)})["who"]
    assert column.to_arrow().to_pylist() == texts
    assert column.to_polars().to_list() == texts


@pytest.mark.req("r093", "r103")
def test_nothing_is_copied_on_the_way(tmp_path: Path) -> None:
    np.save(tmp_path / "big.npy", np.arange(1 << 18, dtype=float))
    series = load_file(tmp_path / "big.npy", "big.npy")
    for other in (
        series.to_numpy(),
        series.to_pandas().to_numpy(),
        series.to_polars().to_numpy(),
        taken_in(series.to_arrow()),
    ):
        assert np.shares_memory(other, series)
    matrix = array(np.asfortranarray(np.eye(3)))
    assert np.shares_memory(matrix.to_pandas().to_numpy(), matrix)
    assert np.shares_memory(taken_in(matrix.to_arrow())["column 1"], matrix)
    table = Table(pa.table({"x": [1.0, 2.0]}))
    assert np.shares_memory(table.to_polars()["x"].to_numpy(), table["x"])
    assert table.to_arrow() is table.to_arrow()


@pytest.mark.req("r093")
def test_an_array_is_numpys_in_all_else() -> None:
    one = array(np.arange(6.0).reshape(2, 3))
    for made in (one + 1, one[0], one.T, np.sqrt(one), one.mean(axis=0), one[one > 1]):
        assert type(made) is Array
    assert type(one.sum()) is np.float64
    assert type(np.asarray(one)) is np.ndarray
    assert array(one) is one
    assert (len(one), [row.tolist() for row in one]) == (2, [[0, 1, 2], [3, 4, 5]])
    assert array(np.float64(3)) == 3
    for image in (np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2, 2))):
        with pytest.raises(UsageError, match=r"not 3 axes; take a part, a\[0\], or"):
            array(image).to_pandas()
    with pytest.raises(UsageError, match=r"take their \.real and \.imag"):
        array(np.array([1j])).to_polars()
    assert array(np.array([1, 2], ">i4")).to_polars().to_list() == [1, 2]
    assert array(np.array([1, 2], np.longdouble)).to_arrow().to_pylist() == [1, 2]


@pytest.mark.req("r093")
def test_sklearn_and_numpy_take_values_as_they_are(context: object) -> None:
    assert context
    rows = [[0.0, 1], [0, 2], [9, 9], [9, 8]]
    table = Table(pd.DataFrame(rows, columns=["a", "b"], index=[4, 5, 6, 7]))
    points = Points(np.array(rows), ("a", "b"))
    for value in (table, points, array(np.array(rows)), TABLE["kmean"].call(table, 2)):
        assert np.asarray(value).tolist() == rows
        assert sorted(np.bincount(KMeans(2, n_init=1).fit(value).labels_)) == [2, 2]
        assert value.to_pandas().shape[0] == value.to_polars().shape[0] == len(value) == 4
    assert np.asarray(table, np.float32).dtype == np.float32
    for group in (np.asarray(table["a"] * 2 + points["b"]), table["a"] + table["b"]):
        assert group.shape == (4,)


def test_a_script_has_them_of_what_it_reads_and_computes(bench: Bench, tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", np.arange(6.0).reshape(3, 2))
    (tmp_path / "t.csv").write_text("x,y\n1,2\n2,4\n4,8\n")
    source = """
def task():
    m, t = access("m"), access("t")
    return [m.to_pandas().sum().tolist(), m.to_polars().columns, t["x"].to_polars().to_list(),
            derivative(t).to_pandas().tolist(), copy(m).to_arrow().num_rows, scale(m).to_pandas().shape[0],
            sin(t["x"]).to_arrow().type.bit_width]
"""
    found = bench.run(source, scope_of(tmp_path))
    assert found.results == [[6, 9], ["column 0", "column 1"], [1, 2, 4], [2, 2, 2], 3, 3, 64]
    assert math.isfinite(found.results[0][0])
