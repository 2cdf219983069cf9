"""boxer: what is in each box, its five numbers, its rectangle, and its picture."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from plotter2.datter.mathematics.boxes import boxer
from plotter2.datter.mathematics.cluster import kmean
from plotter2.datter.values.group import DataGroup
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError
from tests.unit.datter.kit import Bench

TABLE = Table({"loss": [1.0, 2, 3, 4, 100, None], "lr": [1.0, 1, 2, 2, 2, 1], "who": ["a", "a", "b", "b", "b", "a"]})


@pytest.mark.req("r153")
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50))
def test_five_numbers_are_scipys_and_whiskers_are_tukeys(values: list[float]) -> None:
    box = boxer(values)[0]
    found, spread = box.summary, scipy.stats.iqr(values)
    assert (found.low, found.high) == (min(values), max(values))
    assert found.median == pytest.approx(float(np.median(values)), abs=1e-9)
    assert found.third - found.first == pytest.approx(spread, abs=1e-9)
    assert found.bottom >= found.first - 1.5 * spread - 1e-6
    assert len(found.outside) + int(np.sum((box.values >= found.bottom) & (box.values <= found.top))) == len(values)
    assert box.rectangle == (-0.5, min(values), 1.0, max(values) - min(values))


@pytest.mark.req("r153")
def test_a_box_for_each_value_of_a_column() -> None:
    found = boxer(TABLE, by="who")
    assert (found.names, found.title, found.label) == (["a", "b"], "who", "loss")
    assert [one.values.tolist() for one in found.boxes] == [[1, 2], [3, 4, 100]]
    assert found["b"].extent == (3, 100, 2, 2)
    assert found.notes == ("1 values are missing and left out.",)
    assert found.table["median"].tolist() == [1.5, 4]
    assert boxer(TABLE, by="who", of="lr").table["count"].tolist() == [3, 3]
    assert boxer(TABLE, by="lr").names == ["1.0", "2.0"]


@pytest.mark.req("r153")
def test_a_box_for_each_interval_of_the_first_column() -> None:
    x, y = np.arange(10.0), np.arange(10.0) ** 2
    found = boxer(np.column_stack([x, y]), edges=[0, 5, 8, 20, 30])
    assert [one.values.tolist() for one in found.boxes] == [[0, 1, 4, 9, 16], [25, 36, 49], [64, 81]]
    assert found.extents.tolist() == [[0, 5, 0, 16], [5, 8, 25, 49], [8, 20, 64, 81]]
    assert found.notes == ("Without any value and left out: 20 to 30.",)
    places = boxer(y, bins=3)
    assert places.extents[:, :2].tolist() == [[0, 3], [3, 6], [6, 9]]
    assert sum(one.summary.count for one in places.boxes) == 10
    assert boxer(np.column_stack([x, y]), edges=[2, 4]).notes == ("7 rows lie in no interval and are left out.",)


@pytest.mark.req("r153")
def test_a_box_for_each_column_item_or_cluster() -> None:
    assert boxer(Table({"a": [1, 2], "b": [3, 4]})).names == ["a", "b"]
    group = boxer(DataGroup.of([[1, 2, 3], [4]], ["x", "y"], "runs"))
    assert (group.names, group.label) == (["x", "y"], "runs")
    clusters = kmean(np.array([[0.0, 0], [1, 1], [50, 50], [51, 52], [51, 51]]), 2)
    assert boxer(clusters).extents.tolist() == [[50, 51, 50, 52], [0, 1, 0, 1]]
    assert boxer([1, 2, 3, 4], by=["u", "v", "u", "v"])["v"].values.tolist() == [2, 4]
    assert boxer([5, 5, 5])[0].summary.outside.tolist() == []


@pytest.mark.parametrize(
    ("data", "given_", "said"),
    [
        ([np.nan], {}, "every value is missing"),
        ([], {}, "the data is empty"),
        (TABLE, {"by": "whom"}, "no column of the table 'whom'"),
        (TABLE, {"by": "who", "bins": 3}, "say one of by, bins and edges"),
        (TABLE, {"of": "who"}, "no column of numbers 'who'"),
        ([1, 2], {"by": "who"}, "names a column, so it needs a table"),
        ([1, 2], {"by": ["a"]}, "1 labels for 2 rows"),
        ([1, 2], {"bins": 0}, "bins must be between 1 and 1,000"),
        ([1, 2], {"edges": [2, 1]}, "numbers that rise"),
    ],
)
def test_what_has_no_boxes_says_why(data: object, given_: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        boxer(data, **given_)


@pytest.mark.req("r153")
def test_boxes_are_drawn_as_a_box_plot_and_their_extents_over_other_drawings(bench: Bench) -> None:
    source = """
def task():
    found = boxer([1.0, 2, 3, 40, None], edges=[0, 2, 5])
    plotme(found)
    window = frame("boxes")
    for one in found.boxes:
        rect(window, *one.rectangle)
    plotme(window)
    return found
"""
    made = bench.run(source)
    assert made.results["boxes"][0] == {
        "name": "0 to 2", "extent": [0.0, 2.0, 1.0, 2.0], "count": 2, "low": 1.0, "bottom": 1.0, "first": 1.25,
        "median": 1.5, "third": 1.75, "top": 2.0, "high": 2.0,
    }  # fmt: skip
    assert bench.sidecar(made)["panels"][0]["visual"] == "box"
    assert "1 values are missing" in bench.page(made)
    assert len(made.made) >= 2
    piped = bench.run([{"expr": {"text": "x", "x": [0, 1, 9]}}, "integral", "boxer", "plotme"])
    assert bench.sidecar(piped)["panels"][0]["visual"] == "box"
