"""Rows of 3 to 6 numbers: each column against each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from plotter2.datter.context import Context
from plotter2.datter.figures import automatic, looks, pairs
from plotter2.datter.figures.drawing import plot
from plotter2.datter.figures.figure import Layer, Panel
from plotter2.datter.figures.frame import Frame
from plotter2.datter.pages import compose
from plotter2.datter.values.group import DataGroup
from plotter2.datter.values.points import Points
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError

MINUS = "\N{MINUS SIGN}"
A = np.array([1.0, 2.0, 3.0, 4.0])
ROWS = Table({"a": A, "b": -A, "c": A**2, "kind": list("uvuv")}, name="rows")


def made(value: object, visual: str = "") -> Panel:
    (panel,) = automatic.panels_of(value, "", visual)
    return panel


def layers(panel: Panel, mark: str) -> list[Layer]:
    return [one for one in panel.layers if one.mark == mark]


@pytest.mark.req("r137")
@pytest.mark.parametrize(("columns", "visual"), [(2, "scatter"), (3, "pairs"), (6, "pairs"), (7, "scatter")])
def test_three_to_six_columns_are_seen_each_against_each(columns: int, visual: str) -> None:
    rows = np.random.default_rng(0).random((9, columns))
    assert automatic.visual_of(Table({f"c{place}": one for place, one in enumerate(rows.T)})) == visual
    assert automatic.visual_of(Points(rows, tuple("abcdefg"[:columns]))) == visual
    tables = [Table({f"c{place}": one for place, one in enumerate(rows.T)})] * 2
    assert automatic.visual_of(DataGroup.of(tables)) == visual


def test_more_than_memory_is_for_is_drawn_on_its_principal_components() -> None:
    assert pairs.suits(10_000, 6)
    assert not pairs.suits(10_000_000, 6)


@pytest.mark.req("r137", "r140")
def test_each_cell_below_the_diagonal_has_all_rows_with_their_own_values_under_the_pointer() -> None:
    panel = made(ROWS)
    dots = layers(panel, "points")
    assert [one.hover for one in dots][::2] == [
        (("a", "across"), ("b", "down")), (("a", "across"), ("c", "down")), (("b", "across"), ("c", "down")),
    ]  # fmt: skip
    first = dots[0]
    assert (first.name, first.columns["across"].tolist(), first.columns["down"].tolist()) == ("u", [1, 3], [-1, -3])
    assert 0 < first.columns["x"].min() < first.columns["x"].max() < 1, "column 0"
    assert 1 < first.columns["y"].min() < first.columns["y"].max() < 2, "row 1"
    assert first.columns["y"][0] < first.columns["y"][1], "counted downwards, so the larger value stands higher"


def test_the_diagonal_counts_every_row_and_the_upper_half_says_how_far_columns_go_together() -> None:
    panel = made(ROWS)
    for place in range(3):
        bars = [one for one in layers(panel, "bars") if one.hover[0][0] == f"{'abc'[place]} from"]
        assert sum(int(one.columns["count"].sum()) for one in bars) == len(A)
    words = [one.columns["text"] for one in layers(panel, "text")]
    r = np.corrcoef(A, A**2)[0, 1]
    assert words == [["a", "b", "c"], [f"r = {MINUS}1.00", f"r = {r:.2f}", f"r = {MINUS}{r:.2f}"]]


def test_marks_of_an_axis_are_those_of_the_columns() -> None:
    panel = made(ROWS)
    assert [word for at, word in panel.x.ticks if at < 1] == ["1", "2.5", "4"]
    assert all(at > 1 for at, _ in panel.y.ticks), "the first row is a count, not a column"


def test_many_rows_are_a_density_of_all_of_them() -> None:
    panel = made(Points(np.random.default_rng(0).normal(size=(5_000, 3)), tuple("abc")))
    assert [int(one.columns["count"].sum()) for one in layers(panel, "rgba")] == [5_000] * 3
    assert panel.notes == ("5,000 rows as a density in each of 72 x 72 cells.",)


def test_a_column_that_never_varies_has_no_correlation_and_is_drawn_all_the_same() -> None:
    panel = made(Table({"a": A, "b": A * 0 + 7, "c": -A}))
    assert layers(panel, "text")[1].columns["text"] == [f"r = {MINUS}1.00"]
    assert len(layers(panel, "points")) == 3


def test_more_than_six_columns_are_refused_where_they_are_asked_for() -> None:
    with pytest.raises(UsageError, match="pairs shows up to 6 columns of numbers each against each, not 7"):
        made(Points(np.eye(7), tuple("abcdefg")), "pairs")


@pytest.mark.req("r137")
def test_who_says_something_of_the_axes_gets_a_picture_that_has_two(context: Context) -> None:
    assert context.run.seed
    frame = Frame()
    looks.axis(frame, x="across")
    plot(frame, ROWS)
    (panel,) = compose.figure_of(context, frame).panels
    assert (panel.visual, panel.x.label) == ("pca", "across")
    plain = Frame()
    plot(plain, ROWS)
    looks.colour(plain, by="kind")
    (panel,) = compose.figure_of(context, plain).panels
    assert (panel.visual, panel.legend_title) == ("pairs", "kind")


def test_it_is_one_drawing_that_keeps_its_width_on_a_phone(context: Context, tmp_path: Path) -> None:
    assert tmp_path.exists()
    frame = Frame()
    plot(frame, ROWS)
    sent = compose.send(context, frame)
    written = (context.run.output_dir / sent.path).read_text()
    assert written.count('"keeps its width"') == 2, "of the drawing, and of the page's script"
