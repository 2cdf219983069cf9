"""Shapes and pictures of a chosen kind: where they go, what they hold, what is refused and how."""

from __future__ import annotations

import inspect
import json
import re
from typing import Any

import numpy as np
import pytest
from bokeh.document import Document

from plotter2.datter.builtins import TABLE
from plotter2.datter.context import Context
from plotter2.datter.figures import drawing, looks, placing, shapes, spread
from plotter2.datter.figures.extent import extents
from plotter2.datter.figures.figure import Panel
from plotter2.datter.figures.frame import Frame
from plotter2.datter.mathematics import geometry
from plotter2.datter.pages import compose
from plotter2.datter.values.group import DataGroup
from plotter2.datter.values.points import Points
from plotter2.datter.values.table import Table
from plotter2.errors import ScriptError, UsageError
from tests.unit.datter.kit import Bench

CHANCE = np.random.default_rng(3)
ROWS = CHANCE.normal(size=(300, 2))
TABLE_OF_THREE = Table({"x": ROWS[:, 0], "y": ROWS[:, 1], "kind": ["a", "b", "c"] * 100}, name="rows")
GRID = np.add.outer(np.arange(6.0), np.arange(8.0))
CALLS: dict[str, Any] = {
    "point": lambda f: shapes.point(f, [1, 2], [3, 4]),
    "line": lambda f: drawing.line(f, 0, 0, 1, 2),
    "circle": lambda f: shapes.circle(f, 0, 0, 2, name="round", colour="red"),
    "ellipse": lambda f: shapes.ellipse(f, 0, 0, 2, 1, angle=30),
    "rect": lambda f: shapes.rect(f, 0, 0, 2, 1, fill=False),
    "polygon": lambda f: shapes.polygon(f, [[0, 0], [1, 0], [0, 1]]),
    "arrow": lambda f: shapes.arrow(f, 0, 0, 1, 1),
    "arc": lambda f: shapes.arc(f, 0, 0, 1, 0, 90),
    "path": lambda f: shapes.path(f, [0, 1, 0], [0, 1, 2]),
    "band": lambda f: shapes.band(f, [0, 1], [1, 2]),
    "image": lambda f: shapes.image(f, np.zeros((4, 5, 3), np.uint8)),
    "quiver": lambda f: shapes.quiver(f, GRID, GRID),
    "contour": lambda f: shapes.contour(f, GRID),
    "density": lambda f: shapes.contour(f, TABLE_OF_THREE),
    "hexbin": lambda f: shapes.hexbin(f, ROWS),
    "bars": lambda f: shapes.bars(f, ["a", "b"], [1, 2]),
    "histogram": lambda f: shapes.histogram(f, ROWS[:, 0], bins=7),
    "heatmap": lambda f: shapes.heatmap(f, Table({"who": ["u", "v"], "a": [1.0, 2.0], "b": [2.0, 1.0]})),
    "box": lambda f: shapes.box(f, TABLE_OF_THREE),
    "violin": lambda f: shapes.violin(f, TABLE_OF_THREE),
    "text": lambda f: drawing.text(f, "here", 0.5, 0.5, rel=True),
}
WRITTEN = re.compile(r'<script type="application/json" id="doc">(.*?)</script>', re.DOTALL)


def panels(context: Context, frame: Frame) -> tuple[Panel, ...]:
    return compose.figure_of(context, frame).panels


@pytest.mark.parametrize("name", sorted(CALLS))
@pytest.mark.req("r143", "r144", "r145", "r146", "r147", "r148")
def test_every_shape_becomes_a_page_that_bokeh_understands(
    context: Context, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    frame = looks.frame()
    CALLS[name](frame)
    made = drawing.plotme(frame)
    found = WRITTEN.search((context.run.output_dir / made.path).read_text())
    assert found
    config = {"type": "object", "name": "DocumentConfig", "id": "config"}
    assert Document.from_json({"config": config, **json.loads(found[1])}) is not None
    assert caplog.records == []


@pytest.mark.parametrize("name", sorted(shapes.KINDS))
def test_every_shape_is_a_word_and_has_a_name_for_shape(name: str) -> None:
    assert inspect.unwrap(TABLE[name].call) is shapes.KINDS[name]


@pytest.mark.req("r144")
def test_shape_draws_by_name(context: Context) -> None:
    frame = looks.frame()
    shapes.shape(frame, "circle", 1, 2, 0.5, name="spot")
    (panel,) = panels(context, frame)
    (layer,) = panel.layers
    assert np.allclose(np.hypot(layer.columns["xs"][0] - 1, layer.columns["ys"][0] - 2), 0.5)
    assert (panel.has_legend, layer.name) == (True, "spot")


@pytest.mark.parametrize(
    ("make", "count"),
    [
        (lambda: drawing.text("words"), 1),
        (lambda: drawing.line([1, 2, 3]), 1),
        (lambda: drawing.table([{"a": 1}]), 1),
        (lambda: shapes.circle(0, 0, 1), 1),
    ],
)
@pytest.mark.req("r148", "r150", "r145")
def test_without_a_frame_the_last_one_is_meant(context: Context, make: Any, count: int) -> None:
    looks.frame()
    last = looks.frame()
    make()
    assert len(last.items) == count
    assert context.roots[0].items == []


def test_what_lay_loosely_moves_to_the_frame_it_is_given_to(context: Context) -> None:
    first, second = looks.frame(title="first"), looks.frame(title="second")
    curve = drawing.line([1, 2, 3])
    drawing.plot(first, curve)
    assert (first.items, second.items) == ([curve], [])
    drawing.plotme(drawing.text("alone"))
    assert second.items == []
    assert len(context.made) == 2  # Bokeh's script and one page


def test_a_loose_curve_keeps_its_place_when_it_is_coloured(context: Context) -> None:
    frame = looks.frame()
    looks.colour(drawing.line([1, 2, 3]), "red")
    (panel,) = panels(context, frame)
    assert {layer.colour for layer in panel.layers} == {"#D55E00"}


def test_what_a_report_draws_is_not_drawn_again(bench: Bench) -> None:
    result = bench.run("def task():\n    frame()\n    report('R').add(line([1, 2, 3]))\n")
    assert [made.kind for made in result.made] == ["asset", "report"]


def test_shapes_lie_on_what_is_drawn_and_do_not_change_its_axes(context: Context) -> None:
    frame = drawing.plot(looks.frame(), Points(ROWS, ("length", "width")))
    shapes.circle(frame, 0, 0, 1, name="within", colour="red")
    (panel,) = panels(context, frame)
    assert (panel.visual, panel.x.label, panel.has_legend) == ("scatter", "length", True)
    assert [layer.mark for layer in panel.layers] == ["points", "polygons"]
    before = looks.frame()
    shapes.rect(before, 0, 0, 1, 1)
    drawing.plot(before, Points(ROWS, ("length", "width")))
    (panel,) = panels(context, before)
    assert (panel.visual, panel.x.label, panel.layers[0].mark) == ("scatter", "length", "polygons")


def test_chosen_colours_stay_and_others_differ(context: Context) -> None:
    frame = looks.frame()
    for colour in ("blue", "blue", "", ""):
        shapes.point(frame, 1, 1, name=f"p{len(frame.items)}", colour=colour)
    (panel,) = panels(context, frame)
    found = [layer.colour for layer in panel.layers]
    assert found[0] == found[1] == "#0072B2"
    assert len({found[0], found[2], found[3]}) == 3


@pytest.mark.req("r142")
def test_a_gradient_colours_what_is_coloured_by_value(context: Context) -> None:
    frame = looks.frame()
    looks.gradient(frame, "white", "blue", low=0, high=2)
    drawing.plot(frame, GRID)
    (panel,) = panels(context, frame)
    assert panel.colours is not None
    assert (panel.colours.stops, panel.colours.low, panel.colours.high) == (("#ffffff", "#0072B2"), 0, 2)
    assert looks.gradient("#000000", "#ffffff", low=0, high=2)(1) == "#808080"
    assert TABLE["graident"].place == TABLE["gradient"].place


@pytest.mark.parametrize(
    ("by", "names"),
    [("kind", ["a", "b", "c"]), ("cluster", None), (["u", "v"] * 150, ["u", "v"])],
)
@pytest.mark.req("r139")
def test_rows_are_coloured_by_a_column_a_cluster_or_one_word_each(context: Context, by: Any, names: Any) -> None:
    (panel,) = panels(context, drawing.plot(looks.frame(), looks.colour(TABLE_OF_THREE, by=by)))
    found = [layer.name for layer in panel.layers if layer.name and layer.name != "centre"]
    assert found == names if names else len(found) > 1


@pytest.mark.req("r139")
def test_rows_are_coloured_by_a_number(context: Context) -> None:
    speed = CHANCE.normal(size=300)
    table = Table({"x": ROWS[:, 0], "y": ROWS[:, 1], "speed": speed}, name="rows")
    frame = looks.frame()
    looks.colour(frame, by="speed")
    drawing.plot(frame, table)
    (panel,) = panels(context, frame)
    assert panel.colours is not None
    assert panel.colours.title == "speed"
    assert np.array_equal(panel.layers[0].columns["colour"], speed)
    assert (panel.x.label, panel.y.label) == ("x", "y")


def test_many_rows_coloured_by_a_number_are_means_and_none_is_lost(context: Context) -> None:
    many = Points(CHANCE.normal(size=(20_000, 2)), ("x", "y"))
    (panel,) = panels(context, drawing.plot(looks.frame(), looks.colour(many, by=np.ones(20_000))))
    shown = panel.layers[0].columns["image"]
    assert set(np.unique(shown[np.isfinite(shown)])) == {1.0}
    assert "20,000 rows as the mean" in panel.notes[0]


@pytest.mark.req("r149")
def test_a_font_holds_for_the_words_that_follow_in_its_frame(context: Context) -> None:
    frame = looks.frame()
    drawing.text(frame, "before", 0, 0)
    looks.font(frame, size=20, family="mono", bold=True)
    drawing.text(frame, "after", 1, 1)
    drawing.text(frame, "paragraph")
    shape, paragraph = panels(context, frame)
    assert [(layer.font.size, layer.font.is_bold) for layer in shape.layers] == [(13, False), (20, True)]
    assert (paragraph.font.family, paragraph.text) == ("mono", "paragraph")


@pytest.mark.req("r140")
def test_axes_are_counted_sized_and_made_equal(context: Context) -> None:
    frame = looks.axis(looks.frame(), count=1, size=(300, 200), equal=True)
    shapes.rect(frame, 0, 0, 4, 2)
    (panel,) = panels(context, frame)
    assert (panel.x.is_shown, panel.y.is_shown, panel.size) == (True, False, (300, 200))
    assert panel.aspect == pytest.approx(0.5)


@pytest.mark.req("r173")
def test_things_come_in_pages() -> None:
    first, *_, last = drawing.page(list(range(25)), size=10)
    assert (first.items, first.offset, first.limit, first.total) == (list(range(10)), 0, 10, 25)
    assert last.items == [20, 21, 22, 23, 24]
    assert len(drawing.page(TABLE_OF_THREE)[1].items) == 100


def test_a_report_begins_a_new_page_where_it_is_told(bench: Bench) -> None:
    result = bench.run("def task():\n    report('R').add([1, 2]).add(page()).add([2, 1])\n")
    assert bench.page(result).count('<div class="break"></div>') == 1


@pytest.mark.req("r147")
def test_boxes_agree_with_a_published_example() -> None:
    values = np.array([7.0, 15, 36, 39, 40, 41])  # Wikipedia, "Quartile", example 2
    found = geometry.box(values)
    assert (found.low, found.median, found.high) == (7, 37.5, 41)
    assert (found.first, found.third) == tuple(np.quantile(values, [0.25, 0.75]))
    assert found.outside.tolist() == []
    assert geometry.box(np.array([1.0, 2, 3, 4, 100])).outside.tolist() == [100]


def test_a_kernel_density_agrees_with_scipy() -> None:
    from scipy.stats import gaussian_kde  # noqa: PLC0415 -- the reference, wanted here only

    values = CHANCE.normal(size=500)
    at, found = geometry.density(values)
    expected = gaussian_kde(values, bw_method=len(values) ** -0.2 * np.std(values) / np.std(values, ddof=1))(at)
    assert np.abs(found - expected).max() < 0.01 * expected.max()


@pytest.mark.parametrize("count", [1, 10, 10_000])
def test_every_point_lies_in_one_cell_of_the_honeycomb(count: int) -> None:
    places = CHANCE.normal(size=(2, count))
    cells = geometry.hexagons(*places)
    assert cells.count.sum() == count
    distance = np.abs(places[0][:, None] - cells.x).min(axis=1)
    assert distance.max() <= cells.half * 1.001 * 2


def test_a_violin_of_few_values_shows_them() -> None:
    panel = spread.violins([("few", np.array([1.0, 2.0])), ("many", CHANCE.normal(size=50))], "", "v")
    assert [layer.mark for layer in panel.layers] == ["polygons", "segments", "points", "points"]
    assert panel.layers[2].columns["y"].tolist() == [1.0, 2.0]


def test_members_of_a_group_lie_side_by_side(context: Context) -> None:
    group = DataGroup.of([CHANCE.normal(size=9), CHANCE.normal(size=5)], ["left", "right"], "runs")
    frame = looks.frame()
    shapes.box(frame, group)
    (panel,) = panels(context, frame)
    assert [word for _, word in panel.x.ticks] == ["left", "right"]


def test_more_columns_than_panels_are_told(context: Context) -> None:
    wide = Table({f"c{place}": CHANCE.normal(size=20) for place in range(15)}, name="wide")
    frame = looks.frame()
    shapes.histogram(frame, wide)
    found = panels(context, frame)
    assert len(found) == 12
    assert found[-1].notes[-1].startswith("12 of 15 columns are drawn")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: shapes.circle(1, 2), "circle needs x, y, radius; 2 values"),
        (lambda: shapes.circle(1, 2, -1), "more than 0"),
        (lambda: shapes.circle(1, 2, 3, color="gren"), "no colour 'gren'"),
        (lambda: shapes.circle(1, 2, 3, colr="red"), "argument of circle called 'colr'; the nearest"),
        (lambda: shapes.circle(1, 2, 3, alpha=2), "alpha is 0"),
        (lambda: shapes.rect("a", 2, 3, 4), "each one number"),
        (lambda: shapes.shape("cirqle", 1, 2, 3), "no shape called 'cirqle'"),
        (lambda: shapes.polygon([0, 1], [0, 1]), "at least 3 corners"),
        (lambda: shapes.point([1, 2], [1]), "equally many"),
        (lambda: shapes.band([1, 2], [1]), "as many are needed"),
        (lambda: shapes.quiver(np.zeros((3, 3)), np.zeros((3, 3))), "length 0"),
        (lambda: shapes.contour(np.ones((3, 3))), "no line between"),
        (lambda: shapes.contour([1, 2], [1, 2, 3], np.eye(2)), "as many y and x"),
        (lambda: shapes.hexbin([1.0, 2.0]), "two columns"),
        (lambda: shapes.histogram([1, 2], bins=0), "1 to 1000 bins"),
        (lambda: shapes.bars(["a"], [1, 2]), "1 names for 2 heights"),
        (lambda: shapes.box([np.nan]), "missing or infinite"),
        (shapes.image, "once; 0 values"),
        (lambda: looks.gradient("red"), "2 to 16 colours"),
        (lambda: looks.gradient("red", "blue", low=3, high=1), "the smaller first"),
        (lambda: looks.font(size=3), "6 to 96 pixels"),
        (lambda: looks.font("comic"), "no font called 'comic'"),
        (lambda: looks.axis(count=3), "colour\\(by=...\\)"),
        (lambda: looks.axis(size=3), "80 to 4,000 pixels"),
        (drawing.text, "needs words"),
        (lambda: drawing.text("a", x=3), "one of them is missing"),
        (lambda: drawing.page(3), "a list, a table or a group"),
        (lambda: drawing.page([1], size=0), "1 to 10,000"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(context: Context, call: Any, words: str) -> None:
    assert context.made == []
    with pytest.raises(UsageError, match=words):
        call()


@pytest.mark.req("r147")
def test_shapes_are_steps_of_pipelines(bench: Bench) -> None:
    steps = [["expr", "y = x^2", {"x": [0, 3, 20]}], "frame", {"circle": {"name": "a"}}, "plotme"]
    with pytest.raises(Exception, match="circle needs x, y, radius"):
        bench.run(steps)
    steps[2] = ["circle", 1, 1, 0.5]
    (panel,) = bench.sidecar(bench.run(steps))["panels"]
    assert panel["visual"] == "line"
    with pytest.raises(ScriptError, match="no data yet"):
        bench.run(["frame", "histogram"])


@pytest.mark.req("r143")
def test_a_colour_is_a_name_or_hexadecimal_of_three_or_six_digits() -> None:
    assert [placing.checked(one) for one in ("#0a0", "#00AA7f", "Sky")] == ["#00aa00", "#00AA7f", "#56B4E9"]
    with pytest.raises(UsageError, match=r"no colour 'rgb\(1,2,3\)'; one that has no name is written #rrggbb"):
        placing.checked("rgb(1,2,3)")
    with pytest.raises(UsageError, match="no colour 'ornage'; the nearest is 'orange'"):
        placing.checked("ornage")


@pytest.mark.req("r143")
@pytest.mark.parametrize(
    "draw",
    [
        lambda frame, days: shapes.polygon(frame, days, [1, 2, 1]),
        lambda frame, days: shapes.point(frame, days, [1, 2, 1]),
        lambda frame, days: shapes.path(frame, list(days), [1, 2, 1]),
        lambda frame, days: shapes.band(frame, days, [0, 0, 0], [1, 2, 1]),
    ],
    ids=["polygon", "point", "path", "band"],
)  # fmt: skip
def test_shapes_lie_along_times_with_curves_over_times(draw: Any, context: Context) -> None:
    days = np.array(["2024-01-01", "2024-02-01", "2024-03-01"], "datetime64[D]")
    frame = Frame()
    drawing.line(frame, days, [1, 3, 2])
    draw(frame, days)
    (panel,) = compose.figure_of(context, frame).panels
    assert panel.x.scale == "datetime"
    alone = Frame()
    draw(alone, days)
    (panel,) = compose.figure_of(context, alone).panels
    assert (panel.visual, panel.x.scale) == ("shape", "datetime")
    low, high = extents(panel, panel.x, "x", air=0.0)
    assert (low, high) == (
        days[0].astype("datetime64[ms]").astype(float),
        days[2].astype("datetime64[ms]").astype(float),
    )


def test_shapes_over_numbers_have_a_panel_beside_curves_over_times(context: Context) -> None:
    frame = Frame()
    drawing.line(frame, np.array(["2024-01-01", "2024-02-01"], "datetime64[D]"), [1, 3])
    shapes.circle(frame, 0, 0, 1)
    assert [panel.visual for panel in compose.figure_of(context, frame).panels] == ["line", "shape"]


@pytest.mark.req("r143")
def test_more_curves_than_colours_are_told_apart_by_their_strokes(context: Context) -> None:
    frame = Frame()
    for place in range(20):
        drawing.line(frame, [0, 1], [place, place + 1], name=f"curve {place}")
    (panel,) = compose.figure_of(context, frame).panels
    looks = {layer.name: (layer.colour, layer.pattern) for layer in panel.layers if layer.mark == "line"}
    assert len(set(looks.values())) == 20
    assert [pattern for _, pattern in looks.values()] == [0] * 8 + [1] * 8 + [2] * 4
