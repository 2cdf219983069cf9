"""What is drawn of what: choices, panels, pages, sidecars. Bokeh reads the pages back and refuses wrong names."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bokeh.document import Document

from plotter2.datter.context import Context
from plotter2.datter.figures import automatic, curves, drawing, kinds, looks, thinning, visuals
from plotter2.datter.figures.figure import Colours
from plotter2.datter.figures.frame import Frame
from plotter2.datter.mathematics.cluster import kmean, pca
from plotter2.datter.mathematics.expression import expr
from plotter2.datter.mathematics.fitting import fit
from plotter2.datter.pages import assets, compose, render
from plotter2.datter.pages.sheet import Sheet
from plotter2.datter.run import RunInput, Scope, execute
from plotter2.datter.values.group import DataGroup
from plotter2.datter.values.points import Labels, Points
from plotter2.datter.values.table import Table
from plotter2.errors import TaskFailedError, UsageError
from tests.unit.datter.kit import Bench, scope_of, written

CHANCE = np.random.default_rng(2)
STEPS = Table({"epoch": [1, 2, 3], "loss": [3.0, 2.0, 1.0]}, name="m")
DAYS = Table({"date": np.array(["2020-01-01", "2020-01-02"], "datetime64[D]"), "value": [1.0, 2.0]}, name="days")
MANY = Points(
    CHANCE.normal(size=(12_000, 2)), ("x", "y"), "many", Labels("kind", ("a", "b"), CHANCE.integers(0, 2, 12_000))
)
VALUES: dict[str, Any] = {
    "line": STEPS,
    "time": DAYS,
    "runs": DataGroup.of([STEPS, STEPS], ["a", "b"], "runs"),
    "many runs": DataGroup.of([np.arange(3) * place for place in range(30)], name="runs"),
    "numbers": DataGroup.of([1.0, 2.0, 3.0], name="scores"),
    "series": np.arange(20_000.0),
    "matrix": CHANCE.normal(size=(5, 7)),
    "tall": np.ones((3_000, 2_500)),
    "matrices": DataGroup.of([np.eye(3)] * 14, name="eyes"),
    "cloud": MANY,
    "few": Points(MANY.matrix[:50], ("x", "y")),
    "pca": pca(CHANCE.normal(size=(60, 5))),
    "clusters": kmean(CHANCE.normal(size=(60, 4)), 3),
    "fit": fit(np.arange(9.0), np.arange(9.0) ** 2),
    "exponential": fit(np.arange(1.0, 9.0), np.exp(-np.arange(1.0, 9.0)) + 0.01, model="exp"),
    "formula": expr("y = 2x^2", x=(0, 3, 20)),
    "surface": expr("z = x y", x=(0, 3, 20), y=(1, 2, 5)),
    "bars": {"who": 1, "what": 2},
    "table": [{"a": 1, "b": "<script>alert(1)</script>", "c": None}],
    "text": "two\n\nparagraphs & <b>",
    "stack": CHANCE.normal(size=(14, 6, 6)),
    "archive": {"weights": np.eye(3), "bias": np.arange(3.0)},
}


def document(page: str) -> Any:
    found = re.search(r'<script type="application/json" id="doc">(.*?)</script>', page, re.DOTALL)
    assert found
    return {"config": {"type": "object", "name": "DocumentConfig", "id": "config"}, **json.loads(found[1])}


@pytest.mark.parametrize("name", sorted(VALUES))
def test_every_value_becomes_a_page_that_bokeh_understands(
    context: Context, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    made = drawing.plotme(VALUES[name])
    page = (context.run.output_dir / made.path).read_text()
    assert Document.from_json(document(page)) is not None
    assert caplog.records == []  # a name that Bokeh does not know is a warning there
    assert "<script>alert" not in page
    HTMLParser().feed(page)
    assert (context.run.output_dir / context.made[0].path).stat().st_size > 100_000


@pytest.mark.parametrize(
    ("value", "visual"),
    [
        (STEPS, "line"), (DAYS, "line"), (np.arange(3), "line"), (np.eye(3), "matrix"), (np.ones((9, 2)), "scatter"),
        (VALUES["matrices"], "matrices"), ({"a": 1}, "bars"), ({"a": True}, "table"), ("words", "text"),
        (VALUES["pca"], "pca"),
        (VALUES["fit"], "fit"),
        (Table({"a": CHANCE.normal(size=99)}), "histogram"), (Table({"w": ["a", "b"], "n": [1, 2]}), "bars"),
        (Table({"a": CHANCE.normal(size=99), "b": CHANCE.normal(size=99)}), "scatter"),
        (Table({"w": ["a", "b"]}), "table"), (np.ones((9, 8, 3), np.uint16), "picture"),
    ],
)  # fmt: skip
@pytest.mark.req("r137", "r172")
def test_the_picture_suits_the_value(value: Any, visual: str) -> None:
    assert automatic.visual_of(value) == visual


@pytest.mark.parametrize("light", [np.uint8(255), 1.0, np.uint16(65_535), np.float64(65_535)])
def test_full_light_is_white_whatever_the_depth(light: Any) -> None:
    layer = kinds.picture(np.full((1, 2, 3), light) * np.array([1, 0, 1], np.asarray(light).dtype), "", ())[0].layers[0]
    assert layer.columns["image"].view(np.uint8).tolist() == [[255, 0, 255, 255] * 2]


def test_rows_are_coloured_by_a_text_column_with_few_values() -> None:
    table = Table({"x": np.arange(60.0), "y": np.arange(60.0) ** 2, "kind": ["a", "b", "c"] * 20})
    (panel,) = automatic.panels_of(table, visual="scatter")
    assert (panel.legend_title, [layer.name for layer in panel.layers]) == ("kind", ["a", "b", "c"])


@pytest.mark.parametrize(("columns", "side"), [(2, "right"), (3, "below")])
def test_a_long_legend_lies_under_a_narrow_panel(columns: int, side: str) -> None:
    (panel,) = automatic.panels_of(fit(np.arange(9.0), np.arange(9.0) ** 2))
    sheet = Sheet([])
    render.add(sheet, panel, columns)
    assert "Legend" in [one["name"] for one in sheet.roots[0]["attributes"][side]]


def test_a_short_logarithmic_axis_has_ticks_all_along(context: Context) -> None:
    made = looks.axis(drawing.plot(looks.frame(), 1 / np.arange(1.0, 51.0)), yscale="log")
    (panel,) = compose.figure_of(context, made).panels
    sheet = Sheet([])
    render.add(sheet, panel)
    ticks = sheet.roots[0]["attributes"]["left"][0]["attributes"]["ticker"]["attributes"]["ticks"]
    assert {0.02, 0.05, 0.1, 0.2, 0.5, 1.0} <= set(ticks)


def test_curves_in_one_frame_differ_and_their_dots_are_of_their_colour(context: Context) -> None:
    made = looks.frame()
    for name in ("a", "b", "c"):
        drawing.line(made, np.arange(5), np.arange(5.0) * len(name), name=name)
    (panel,) = compose.figure_of(context, made).panels
    colours = {name: {layer.colour for layer in panel.layers if layer.name == name} for name in ("a", "b", "c")}
    assert all(len(found) == 1 for found in colours.values())
    assert len(set.union(*colours.values())) == 3


def test_a_title_names_the_data_where_panels_have_nothing_in_common(context: Context) -> None:
    value = context.know({"weights": np.eye(3), "bias": np.arange(3.0)}, "model")
    assert drawing.plotme(value).title == "model"


def test_metrics_of_one_kind_share_a_panel(context: Context) -> None:
    table = Table({"epoch": [1, 2], "train_loss": [2.0, 1], "test_loss": [2.0, 1], "accuracy": [0.1, 0.2]})
    panels = automatic.panels_of(table)
    assert [panel.y.label for panel in panels] == ["loss", "accuracy"]
    assert [layer.name for layer in panels[0].layers if layer.mark == "line"] == ["train_loss", "test_loss"]
    assert context.made == []


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.full(5, np.nan), "no finite value"),
        (np.full((2, 2), np.nan), "missing or infinite"),
        ([], "empty"),
        (np.ones((2, 2)) * 1j, "Complex"),
        (DataGroup.of([], name="runs"), "'runs' is empty"),
        (Table({"a": []}), None),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_a_sentence(value: Any, words: str | None) -> None:
    if words is None:
        assert automatic.visual_of(value) == "table"
        return
    with pytest.raises(UsageError, match=words):
        automatic.panels_of(value)


def test_constant_values_are_drawn() -> None:
    assert automatic.panels_of(np.zeros((3, 3)))[0].colours == Colours("sequential", -0.5, 0.5)
    assert automatic.panels_of(np.zeros(9), visual="histogram")[0].layers[0].columns["top"].sum() == 9


def test_long_series_keep_their_extremes_and_say_so() -> None:
    values = np.zeros(1_000_000)
    values[[123_456, 654_321]] = [9, -9]
    panel = curves.lines([("", np.arange(len(values)), values)], "place", "v")
    drawn = panel.layers[0].columns["y"]
    assert (drawn.min(), drawn.max()) == (-9, 9)
    assert len(drawn) <= 2 * thinning.LINE_BUCKETS
    assert "1,000,000 values" in panel.notes[0]


def test_missing_values_break_the_line_and_are_counted() -> None:
    panel = curves.lines([("", np.arange(4), np.array([1, np.nan, 3, np.inf]))], "x", "v")
    assert panel.notes == ("Missing or infinite values, where the line is broken: v (2).",)


def test_every_row_of_a_cloud_is_counted_somewhere() -> None:
    panel = visuals.scatter(MANY)
    image, *outside = panel.layers
    far = sum(int(np.isfinite(layer.columns["x"]).sum()) for layer in outside)
    assert int(image.columns["count"].sum()) + far == len(MANY)
    assert "12,000 rows as a density" in panel.notes[0]


def test_one_colour_scale_for_all_frames_and_all_small_multiples() -> None:
    group = DataGroup.of([np.ones((2, 2)), np.full((2, 2), -3.0)])
    for panels in (automatic.panels_of(group), automatic.panels_of(group, visual="animation")):
        assert {(panel.colours.low, panel.colours.high) for panel in panels} == {(-3.0, 3.0)}


@pytest.mark.req("r157")
@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([np.ones(3)], "at least two frames"),
        ([np.ones(3), np.ones(4)], "of one shape"),
        ([np.full(3, np.nan)] * 2, "missing"),
    ],
)
def test_frames_that_do_not_fit_are_refused(value: list[Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        automatic.panels_of(DataGroup.of(value), visual="animation")


def test_frames_and_data_come_in_either_order(context: Context) -> None:
    window = looks.frame()
    left, right = looks.frame(window), looks.frame(window)
    drawing.plotme([1, 2, 3], left)
    drawing.plotme(right, np.eye(2))
    assert context.made == []
    made = drawing.plotme(window)
    side = json.loads((context.run.output_dir / f"{made.path}.json").read_text())
    assert [panel["visual"] for panel in side["panels"]] == ["line", "matrix"]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: looks.colour(looks.frame(), "gren"), "no colour 'gren'; the nearest"),
        (lambda: looks.axis(looks.frame(), xscale="lg"), "'lg'"),
        (lambda: looks.axis(looks.frame(), yrange=(3, 1)), "smaller, larger"),
        (lambda: drawing.visualtype([1, 2], "matrx"), "no visual type 'matrx'"),
        (lambda: drawing.line([1], [2, 3]), "equally many"),
        (drawing.plotme, "needs data"),
        (lambda: drawing.table(3, 4), "once"),
        (lambda: drawing.label(np.eye(3), ["a"]), "1 labels for 3 rows"),
        (lambda: looks.frame(3), "a frame lies in a frame"),
        (lambda: drawing.plot(looks.frame(), looks.frame()), "into one frame"),
    ],
)
def test_words_that_do_not_fit_are_refused(context: Context, call: Any, words: str) -> None:
    assert context.roots == []
    with pytest.raises(UsageError, match=words):
        call()


def test_labels_are_found_by_themselves(context: Context) -> None:
    table = Table(
        {"n": CHANCE.normal(size=30), "tail": [str(n) for n in range(30)], "origin": ["a", "b", "c"] * 10}, name="f"
    )
    assert drawing.label(table).label == "origin"
    assert drawing.label(CHANCE.normal(size=(30, 2))).groups.title == "cluster"
    named = drawing.label(np.arange(3), "speed")
    assert context.name_of(named) == "speed"


@pytest.mark.req("r158")
def test_a_report_has_contents_sections_and_where_it_came_from(bench: Bench, tmp_path: Path) -> None:
    children = [
        scope_of(
            written(tmp_path / str(lr), {"m.csv": f"epoch,loss\n1,{lr}\n2,0\n"}), f"e/b{lr}", parameters={"lr": lr}
        )
        for lr in (0.2, 0.1)
    ]
    source = """
def task():
    page = report("Compared")
    page.text("Both <runs>.", title="Summary")
    page.table([{"lr": r.parameters["lr"]} for r in datter.runs()], title="Values")
    page.add(datter.runs().access("m"), title="Curves")
"""
    result = bench.run(source, scope_of(written(tmp_path / "e", {}), "e", descendants=children))
    assert [made.kind for made in result.made] == ["asset", "report", "table"]
    side, page = bench.sidecar(result), bench.page(result)
    assert [panel["visual"] for panel in side["panels"]] == ["text", "table", "line"]
    assert [one["bundle"] for one in side["inputs"]["files"]] == ["e/b0.1", "e/b0.2"]
    assert page.index("#s1") < page.index('id="s3"') < page.index("<footer>")
    assert "Both &lt;runs&gt;." in page


@pytest.mark.req("r012")
def test_a_sidecar_says_of_what_and_how_it_was_made(bench: Bench, tmp_path: Path) -> None:
    scope = scope_of(written(tmp_path / "in", {"m.csv": "epoch,loss\n1,2\n2,1\n"}))
    result = bench.run("def task():\n    plotme(access('m'))\n", scope, lr=0.5)
    side = bench.sidecar(result)
    digest = side["inputs"]["files"][0]["digest"]
    assert side["panels"] == [{"visual": "line", "title": "", "data": [{"key": "m", "digest": digest}]}]
    assert (side["parameters"], side["task"], side["run"], side["seed"]) == ({"lr": 0.5}, "a task", "req-1.0", 7)
    assert len(digest) == len(side["code"]) == 64
    assert side["inputs"]["bundle"] == "experiments/demo"


def test_an_empty_report_and_an_empty_frame_say_so(bench: Bench) -> None:
    with pytest.raises(TaskFailedError, match="The report 'x' is empty"):
        bench.run("def task():\n    report('x')\n")
    with pytest.raises(TaskFailedError, match="This frame is empty"):
        bench.run("def task():\n    plotme(frame())\n")
    assert bench.run("def task():\n    frame()\n").made == []


@pytest.mark.req("r134", "r155")
def test_what_waits_is_sent_at_the_end_once(bench: Bench) -> None:
    result = bench.run(
        "def task():\n    f = frame(title='A')\n    plot(f, [1, 2])\n"
        "    plot(frame(title='B'), [2, 1])\n    plotme(f)\n"
    )
    assert [made.path for made in result.made] == ["_assets/" + result.made[0].path[8:], "01-a.html", "02-b.html"]
    assert Frame().is_empty


def test_pages_of_an_installation_share_one_script(tmp_path: Path) -> None:
    source = "def task():\n    plotme([1, 2])\n"
    given = RunInput("req-1.0", "a", "script", source, "a.py", {}, 1, Scope(), tmp_path, "../../../")
    (made,) = execute(given, lambda _: None).made
    assert f'<script src="../../../_assets/{assets.script_name()}">' in (tmp_path / made.path).read_text()
    assert not (tmp_path / "_assets").exists()
