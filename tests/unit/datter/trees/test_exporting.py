"""export writes what a run gives to bundles into its own folder, in forms that access reads again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from plotter2.datter import loading
from plotter2.datter.run import RunResult
from plotter2.errors import TaskFailedError
from plotter2.model import output
from tests.unit.datter.kit import Bench, scope_of, written


def exported(bench: Bench, result: RunResult) -> dict[tuple[str, str], Path]:
    """What goes where, by bundle and name there."""
    found = [one for one in result.made if one.kind == output.EXPORT]
    return {(one.title, one.path.partition("/files/")[2]): bench.folder / one.path for one in found}


@pytest.mark.req("r176")
def test_each_kind_of_value_is_written_so_that_it_is_read_as_the_same(bench: Bench) -> None:
    source = """
import numpy as np
def task():
    export(np.arange(6.0).reshape(3, 2), "lab/out", "grid")
    export(datter.Table({"a": [1, 2], "b": ["x", "y"]}), "lab/out", "table")
    export(pca(np.random.default_rng(0).normal(size=(9, 4)), 2), "lab/out", "low")
    export("words", "lab/out/", "note")
    export({"loss": 0.5}, "lab/other", "deep/summary")
    return export(datter.group([np.zeros(2), np.ones(2)], ["a", "b"], "steps"), "lab/other")
"""
    result = bench.run(source)
    found = exported(bench, result)
    assert result.results == "lab/other"
    assert [name for bundle, name in found if bundle == "lab/out"] == [
        "grid.npy",
        "table.arrow",
        "low.arrow",
        "note.txt",
    ]
    assert [name for bundle, name in found if bundle == "lab/other"] == [
        "deep/summary.json", "steps/a.npy", "steps/b.npy",
    ]  # fmt: skip
    assert loading.load_file(found["lab/out", "grid.npy"], "grid.npy").tolist() == [[0, 1], [2, 3], [4, 5]]
    table = loading.load_file(found["lab/out", "table.arrow"], "table.arrow")
    assert [table.column(name).tolist() for name in table.names] == [[1, 2], ["x", "y"]]
    assert len(loading.load_file(found["lab/out", "low.arrow"], "low.arrow")) == 9
    assert found["lab/out", "note.txt"].read_text() == "words"
    assert json.loads(found["lab/other", "deep/summary.json"].read_text()) == {"loss": 0.5}
    assert np.load(found["lab/other", "steps/b.npy"]).tolist() == [1, 1]


@pytest.mark.req("r176")
def test_a_pipeline_exports_under_the_name_of_its_data(bench: Bench, tmp_path: Path) -> None:
    scope = scope_of(written(tmp_path / "b", {"points.csv": "a,b\n1,2\n3,5\n4,1\n"}))
    steps = [
        ["access", "points"],
        {"pca": {"k": 1}},
        {"export": {"bundle": "lab/low"}},
        ["export", "lab/low", "again"],
        "mean",
    ]
    found = exported(bench, bench.run(steps, scope))
    assert list(found) == [("lab/low", "points.arrow"), ("lab/low", "again.arrow")]


@pytest.mark.req("r176")
@pytest.mark.parametrize(
    ("call", "why"),
    [
        ('export([1.0], "lab/out")', "export: the value has no name of its own; say one"),
        ('export(print, "lab/out", "f")', "export: 'f' cannot be written: the result is of type"),
        ('export(1, "../out", "f")', "may not"),
        ('export(1, "lab", "../f")', "may not"),
        ('(export(1, "lab", "f"), export(2, "lab", "f"))', "export: 'f.json' was exported to 'lab' before in this run"),
    ],
)
def test_what_cannot_be_exported_is_refused_where_it_is_asked(bench: Bench, call: str, why: str) -> None:
    with pytest.raises(TaskFailedError, match="line 2") as caught:
        bench.run(f"def task():\n    {call}\n")
    assert why in str(caught.value)
