"""Spans of time and times of a day are quantities, not categories."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from plotter2.datter.context import Context
from plotter2.datter.figures import automatic, looks, ticks
from plotter2.datter.figures.drawing import plot
from plotter2.datter.figures.figure import Axis, Panel
from plotter2.datter.figures.frame import Frame, Report
from plotter2.datter.pages import compose
from plotter2.datter.values.group import DataGroup
from plotter2.datter.values.ordering import ordered
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError

TIMES = [dt.time(8, 30), dt.time(9), dt.time(12), dt.time(16), None, dt.time(23, 59, 30, 500_000)]
SPANS = [dt.timedelta(minutes=one) if one else None for one in (90, 3, 60, 120, 0, 240)]
BOTH = Table({"at": TIMES, "took": SPANS}, name="runs")


def made(value: Any, visual: str = "") -> Panel:
    (panel,) = automatic.panels_of(value, "", visual)
    return panel


@pytest.mark.req("r137")
@pytest.mark.parametrize(
    "table",
    [
        BOTH, Table(pa.table({"at": pa.array(TIMES, pa.time64("us")), "took": pa.array(SPANS, pa.duration("ms"))})),
        Table(pd.DataFrame({"at": TIMES, "took": pd.to_timedelta(SPANS)})),
    ],
    ids=["python", "arrow", "pandas"],
)  # fmt: skip
def test_a_clock_and_a_span_lie_along_two_axes_whoever_holds_them(table: Table) -> None:
    assert (table.kind("at"), table.is_span("took")) == ("clock", True)
    panel = made(table)
    assert (panel.visual, panel.x.scale, panel.x.label, panel.y.label) == ("scatter", "clock", "at", "took [h]")
    (dots,) = (layer for layer in panel.layers if layer.mark == "points")
    assert dots.columns["x"].tolist() == [30_600_000, 32_400_000, 43_200_000, 57_600_000, 86_370_500]
    assert dots.columns["y"] == pytest.approx([1.5, 0.05, 1, 2, 4])


@pytest.mark.parametrize(
    ("typical", "label"),
    [(np.timedelta64(3, "D"), "days"), (np.timedelta64(90, "m"), "h"), (np.timedelta64(90, "s"), "min"),
     (np.timedelta64(900, "ms"), "ms"), (np.timedelta64(7, "ns"), "µs")],
)  # fmt: skip
def test_a_span_is_told_in_the_unit_that_the_typical_one_has(typical: np.timedelta64, label: str) -> None:
    rows = np.array([typical, typical, np.timedelta64(400, "D")]).astype("timedelta64[ns]")
    assert made(rows).y.label == f"span [{label}]"
    assert made(Table({"took": rows})).x.label == f"took [{label}]"


@pytest.mark.parametrize(
    ("table", "visual", "along"),
    [
        (Table({"at": TIMES}), "histogram", "x"),
        (Table({"kind": list("ababab") * 4, "at": TIMES * 4}), "box", "y"),
        (Table({"time": [dt.time(hour) for hour in range(5)], "load": range(5)}), "line", "x"),
    ],
)
def test_each_picture_has_its_clock(table: Table, visual: str, along: str) -> None:
    panel = made(table)
    assert (panel.visual, getattr(panel, along).scale) == (visual, "clock")


def test_the_tables_of_a_group_share_the_unit_of_the_first() -> None:
    tables = [Table({"step": [1, 2], "took": [by, by]}) for by in (dt.timedelta(seconds=2), dt.timedelta(hours=1))]
    panel = made(DataGroup.of(tables, ["quick", "slow"]))
    assert panel.y.label == "took [s]"
    slow = next(layer for layer in panel.layers if layer.name == "slow")
    assert slow.columns["y"].tolist() == [3600, 3600]


def test_as_a_table_they_stay_what_they_are() -> None:
    assert made(BOTH, "table").rows[0] == (dt.time(8, 30), 5400.0), "seconds, as everywhere else"


def test_marks_of_a_clock_are_hours() -> None:
    axis = Axis("at", "clock")
    assert [word for _, word in ticks.marks(axis, 0, 86_400_000)] == ["00:00", "06:00", "12:00", "18:00", "00:00"]
    assert [word for _, word in ticks.marks(axis, 0, 3_600_000)][1] == "00:15"


def test_a_clock_has_no_logarithm_and_rows_go_by_it(context: Context) -> None:
    frame = Frame()
    plot(frame, BOTH)
    looks.axis(frame, xscale="log")
    with pytest.raises(UsageError, match="axis: 'at' holds clock values, which have no logarithm"):
        compose.figure_of(context, frame)
    assert ordered(BOTH.take([1, 0, 5]), "at")["at"].tolist() == [TIMES[0], TIMES[1], TIMES[5]]


@pytest.mark.req("r137")
def test_a_report_takes_frames_of_pandas_as_tables(context: Context) -> None:
    page = Report("r")
    page.add(pd.DataFrame({"took": pd.to_timedelta(SPANS), "x": range(6)}))
    page.table(pd.DataFrame({"a": [1]}))
    first, second = (compose.figure_of(context, frame).panels[0] for frame in page.frames)
    assert (first.visual, first.x.label) == ("scatter", "took [h]")
    assert (second.visual, second.heads) == ("table", ("a",))
