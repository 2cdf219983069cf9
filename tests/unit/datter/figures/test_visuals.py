"""Values look as an expert would draw them, and what cannot be shown is said."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest

from plotter2.datter.context import Context
from plotter2.datter.figures import automatic, curves, drawing, looks, palette, shapes, visuals
from plotter2.datter.figures.figure import NIGHT_PALETTE, PALETTE, Axis, Layer, Panel
from plotter2.datter.pages import beside, compose, page, render, ruler, strokes
from plotter2.datter.pages.sheet import Sheet
from plotter2.datter.values.group import DataGroup, Member
from plotter2.datter.values.table import Table

PAPER, NIGHT = "#ffffff", "#161b22"


def drawn(panel: Panel, columns: int = 1) -> Any:
    sheet = Sheet([])
    render.add(sheet, panel, columns)
    return json.loads(sheet.to_json("t"))["roots"][0]["attributes"]


def brightness(colour: str) -> float:
    """Relative luminance by WCAG 2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    plain = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * plain[0] + 0.7152 * plain[1] + 0.0722 * plain[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((brightness(one), brightness(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.req("r139")
def test_colours_of_lines_are_seen_by_day_and_by_night() -> None:
    assert all(contrast(one, PAPER) > 2 for one in PALETTE)
    assert all(contrast(one, NIGHT) > 4.5 for one in NIGHT_PALETTE)
    assert all(contrast(one, ground) > 2 for one in palette.ANCHORS["strokes"] for ground in (PAPER, NIGHT))


def test_more_curves_than_colours_differ_by_their_strokes() -> None:
    series = [(f"run {at}", np.arange(50), np.arange(50.0) * at) for at in range(20)]
    panel = curves.lines(series, "place", "v")
    assert len({(one.colour, one.pattern) for one in panel.layers}) == 20
    glyphs = [
        one["attributes"]["glyph"]["attributes"] for one in drawn(curves.lines(series, "place", "v"))["renderers"]
    ]
    assert {one.get("line_dash", "solid") for one in glyphs} == {"solid", "dashed", "dotted"}


def test_curves_that_a_number_tells_apart_walk_through_one_sequence() -> None:
    group = DataGroup([Member.holding(str(at), at, np.arange(9.0) * at) for at in range(12)], "w", "step")
    (panel,) = automatic.panels_of(group)
    assert [layer.colour for layer in panel.layers if layer.mark == "line"] == palette.walk(12)


def test_a_dashed_line_is_dashed_where_no_browser_draws() -> None:
    way = strokes.dashed(np.array([[0.0, 0.0], [100.0, 0.0], [100.0, 50.0]]), 1)
    there = np.isfinite(way[:, 0])
    assert 0.5 < there.mean() < 0.7
    assert np.count_nonzero(np.diff(there.astype(int)) == 1) == pytest.approx(150 / 10, abs=1)


@pytest.mark.req("r140")
@pytest.mark.parametrize(
    ("times", "unit"),
    [
        (["2024-03-01T12:00:00", "2024-03-01T12:00:09"], "2024-03-01"),
        (["2024-03-01", "2024-09-01"], "2024"),
        (["1990-01-01", "2024-01-01"], ""),
    ],
)
def test_an_axis_of_time_says_the_day_or_the_year_that_its_marks_leave_out(times: list[str], unit: str) -> None:
    panel = curves.lines([("", np.array(times, "datetime64[s]"), np.arange(2.0))], "time", "v")
    assert panel.x.unit == unit


def test_whole_numbers_are_counted_around_themselves() -> None:
    panel = visuals.histogram(np.array([0, 1, 1, 3, 5]), "n")
    (layer,) = panel.layers
    assert layer.columns["left"].tolist() == [-0.5, 0.5, 1.5, 2.5, 3.5, 4.5]
    assert layer.columns["top"].tolist() == [1, 2, 0, 1, 0, 1]


def test_of_many_categories_the_largest_are_bars_that_stand_on_zero() -> None:
    table = Table({"name": [f"c{at:03d}" for at in range(200)], "count": np.arange(200)})
    (panel,) = automatic.panels_of(table)
    assert panel.visual == "bars"
    assert panel.x.factors[:2] == ("c199", "c198")
    assert (panel.y.low, len(panel.x.factors)) == (0, visuals.BARS_MAX)
    assert panel.notes == ("The 40 largest of 200 categories, by size.",)


def test_a_stripe_of_a_matrix_is_drawn_with_room_and_its_gaps_are_said() -> None:
    values = np.zeros((3, 200))
    values[1, 4] = np.nan
    panel = visuals.matrix(values)
    assert panel.aspect == visuals.FLAT
    assert panel.notes == ("1 of 600 values are missing or infinite: clear cells.",)
    assert visuals.matrix(np.zeros((200, 3))).aspect == visuals.UPRIGHT


def test_what_a_logarithmic_axis_has_no_place_for_is_said(context: Context) -> None:
    made = looks.axis(drawing.plot(looks.frame(), np.array([1.0, -2, 0, 30])), yscale="log")
    (panel,) = compose.figure_of(context, made).panels
    assert panel.notes == ("Not above 0, so without a place on the logarithmic axis of value: 2 values.",)


@pytest.mark.parametrize("value", [3.7, -2.0, 0.0, 1e12, 1e-9])
def test_an_axis_of_what_is_constant_has_a_little_on_both_sides(value: float) -> None:
    found = drawn(curves.lines([("", np.arange(50), np.full(50, value))], "place", "v"))["y_range"]["attributes"]
    assert found["start"] < value < found["end"]
    assert found["end"] - found["start"] <= max(abs(value), 1) * 0.11


def test_long_words_have_their_room() -> None:
    label = "what is measured in this experiment, in units that nobody has ever heard of before"
    panel = curves.lines([("a" * 50, np.arange(9), np.arange(9.0)), ("b", np.arange(9), np.arange(9.0))], "x", label)
    made = drawn(panel)
    assert "\n" in made["left"][0]["attributes"]["axis_label"]
    assert "Legend" in [one["name"] for one in made["below"]]
    assert made["height"] > render.HEIGHT_ALONE
    assert beside.is_under(panel, 1)


@pytest.mark.parametrize(("words", "is_tilted"), [(["9E", "AA", "AS"] * 4, False), (["a long name of one"] * 12, True)])
def test_words_at_an_axis_are_turned_only_where_they_would_meet(words: list[str], is_tilted: bool) -> None:
    ticks = tuple((float(at), word) for at, word in enumerate(words))
    layer = Layer("points", {"x": np.arange(3.0), "y": np.arange(3.0)})
    made = drawn(Panel("box", x=Axis(ticks=ticks), layers=(layer,)))["below"][0]["attributes"]
    assert (made.get("major_label_orientation") == ruler.TILT) == is_tilted


def test_the_page_has_the_functions_that_its_document_calls() -> None:
    panel = visuals.scatter(automatic.points(np.random.default_rng(0).random((30, 2))))
    sheet = Sheet([])
    render.add(sheet, panel)
    written = sheet.to_json("t").decode()
    script = (page.HERE / "page.js").read_text()
    called = set(re.findall(r"return (plotter2\w+)\(", written))
    assert called == {"plotter2Tick", "plotter2Value"}
    assert all(f"window.{one} =" in script for one in called)
    assert written.count("return plotter2Tick") == 1


def test_bars_on_a_logarithmic_axis_stand_on_a_decade(context: Context) -> None:
    made = looks.frame()
    shapes.bars(made, ["a", "b", "c"], [10, 1_000, 200_000])
    (panel,) = compose.figure_of(context, looks.axis(made, yscale="log")).panels
    assert (panel.y.low, set(panel.layers[0].columns["bottom"].tolist())) == (1, {1})


def test_a_long_category_is_cut_at_the_axis_and_told_whole_under_the_pointer() -> None:
    panel = visuals.bars(["x" * 80, "short"], np.array([1, 2]), "name", "v")
    (layer,) = panel.layers
    assert max(map(len, panel.x.factors)) == visuals.LETTERS_MAX
    assert layer.columns["name"] == ["x" * 80, "short"]
    assert layer.hover[0] == ("name", "name")
