"""Frames and series of pandas, polars and Arrow go in everywhere, and come out again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from plotter2.datter.builtins import TABLE
from plotter2.datter.context import Context
from plotter2.datter.mathematics import cluster, fitting, stats
from plotter2.datter.values.group import DataGroup
from plotter2.datter.values.incoming import taken_in
from plotter2.datter.values.points import numbers, points
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError
from tests.unit.datter.kit import Bench

COLUMNS: dict[str, list[Any]] = {"x": [1.0, 2.0, 4.0, 8.0], "n": [1, None, 3, 5], "who": ["a", "b", None, "a"]}
FRAMES: list[Callable[[Any], Any]] = [pd.DataFrame, pl.DataFrame, pa.table, pa.RecordBatch.from_pydict]
SERIES: list[Callable[[Any], Any]] = [pd.Series, pl.Series, pa.array, lambda v: pa.chunked_array([v[:1], v[1:]])]


@pytest.mark.parametrize("frame", FRAMES)
def test_a_frame_is_a_table_with_its_names_and_text(frame: Callable[[Any], Any]) -> None:
    table = Table(frame(COLUMNS))
    assert table.names == ("x", "n", "who")
    assert [table.kind(name) for name in table.names] == ["number", "number", "text"]
    assert np.isnan(table["n"][1])
    assert table["who"].tolist() == ["a", "b", None, "a"]
    assert points(frame(COLUMNS)).names == ("x", "n")
    assert table.select(["x", "who"]).codes("who")[1] == ["(missing)", "a", "b"]


@pytest.mark.parametrize("series", SERIES)
def test_a_series_is_an_array_where_missing_numbers_are_nan(series: Callable[[Any], Any]) -> None:
    assert numbers(series([1, 2, 6])).tolist() == [1, 2, 6]
    assert np.isnan(numbers(series([1.0, None, 3.0]))).tolist() == [False, True, False]
    assert stats.mean(series([1, 2, 6])) == 3
    with pytest.raises(UsageError, match="Numbers are needed"):
        numbers(series(["a", "b"]))


@pytest.mark.parametrize("frame", FRAMES)
def test_mathematics_takes_any_frame(context: Context, frame: Callable[[Any], Any]) -> None:
    assert context
    rows = {"a": [0.0, 1, 2, 3, 4, 9], "b": [1.0, 3, 5, 7, 9, 1]}
    assert fitting.fit(frame({"a": rows["a"][:5], "b": rows["b"][:5]})).params == pytest.approx((1, 2))
    assert cluster.pca(frame(rows), 1).loadings == ("a", "b")
    assert TABLE["scale"].call(frame(rows), "minmax").names == ("a", "b")


def test_an_index_that_says_something_is_a_column() -> None:
    frame = pd.DataFrame({"x": [1, 2]}, index=pd.Index(["a", "b"], name="run"))
    assert Table(frame)["run"].tolist() == ["a", "b"]
    assert Table(pd.DataFrame({"x": [1, 2]})).names == ("x",)
    assert Table(pd.DataFrame({0: [1, 2], 1: [3, 4]})).names == ("0", "1")
    assert Table(pd.DataFrame({"c": pd.Categorical(["u", "v", "u"])}))["c"].tolist() == ["u", "v", "u"]


def test_what_is_no_frame_stays_what_it_is() -> None:
    for value in (1, "text", [1, 2], np.ones(3), DataGroup.of([1])):
        assert taken_in(value) is value
    with pytest.raises(UsageError, match="or of a frame, not of a list"):
        Table([1, 2])


@pytest.mark.parametrize("frame", FRAMES)
def test_a_table_comes_out_as_it_went_in(frame: Callable[[Any], Any]) -> None:
    table = Table(frame(COLUMNS))
    assert table.to_arrow().to_pydict() == COLUMNS
    assert table.to_polars().to_dict(as_series=False) == COLUMNS
    assert table.to_pandas()["x"].tolist() == COLUMNS["x"]
    assert pl.DataFrame(table).columns == ["x", "n", "who"]
    assert table.to_numpy().shape == (4, 2)
    assert Table({"t": np.array(["a", "b"])}).to_arrow().to_pydict() == {"t": ["a", "b"]}


def test_clusters_come_out_with_the_cluster_of_each_row() -> None:
    found = cluster.kmean(Table({"x": [0.0, 1, 100], "y": [0.0, 1, 100]}), 2)
    out = found.to_pandas()
    assert list(out.columns) == ["x", "y", "cluster"]
    assert out["cluster"].tolist() == ["1 (n = 2)", "1 (n = 2)", "2 (n = 1)"]
    assert found.to_polars().shape == (3, 3)
    assert found.to_numpy() is found.matrix


def test_a_group_comes_out_as_one_frame_that_says_whose_rows_are_whose() -> None:
    tables = [Table({"loss": [1.0, 0.5]}), Table({"loss": [2.0]})]
    group = DataGroup.of(tables, ["step_1", "step_2"], "losses", [1, 2])
    group.axis = "step"
    assert group.to_arrow().to_pydict() == {
        "name": ["step_1", "step_1", "step_2"], "step": [1, 1, 2], "loss": [1.0, 0.5, 2.0],
    }  # fmt: skip
    assert group.to_numpy().tolist() == [[1.0], [0.5], [2.0]]
    arrays = DataGroup.of([np.array([1, 2]), np.array([3, 4])], ["a", "b"])
    assert arrays.to_polars().rows() == [("a", 1, 2), ("b", 3, 4)]
    assert arrays.to_pandas().shape == (2, 3)
    assert arrays.to_numpy().tolist() == [[1, 2], [3, 4]]
    assert DataGroup.of([1.5, 2.5], name="lr").to_arrow().to_pydict()["lr"] == [1.5, 2.5]


@pytest.mark.parametrize(
    ("values", "said"),
    [([], "is empty"), ([Table({"a": [1]}), Table({"b": [1]})], "do not fit"), ([[1, 2], [1]], "do not fit")],
)
def test_what_does_not_fit_together_has_no_frame(values: list[object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        DataGroup.of(values, name="g").to_arrow()


def test_a_script_draws_and_orders_a_frame(bench: Bench, tmp_path: Path) -> None:
    assert tmp_path
    source = """
import pandas as pd
import polars as pl
def task():
    frame = pd.DataFrame({"step": [2, 1], "loss": [0.5, 1.0]})
    plotme(frame)
    plotme(pl.DataFrame({"step": [1, 2], "loss": [1.0, 0.5]}))
    return [order(frame, "step")["loss"].tolist(), mean(frame["loss"]), frame]
"""
    found = bench.run(source)
    assert found.results == [[1.0, 0.5], 0.75, {"step": [2, 1], "loss": [0.5, 1.0]}]
    assert [panel["visual"] for place in (0, 1) for panel in bench.sidecar(found, place)["panels"]] == [
        "scatter",
        "line",
    ]
