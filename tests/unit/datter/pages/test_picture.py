"""Pictures without a browser: the SVG beside a page, the PNG made of it, the films of an animation."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image, ImageSequence

from plotter2.datter.context import Context
from plotter2.datter.figures import drawing, figure, looks, ticks
from plotter2.datter.figures.figure import Axis, Figure, Layer, Panel
from plotter2.datter.figures.frame import Frame
from plotter2.datter.pages import canvas, compose, picture, redraw
from plotter2.errors import UsageError
from tests.unit.datter.figures.test_figures import VALUES
from tests.unit.datter.figures.test_shapes import CALLS
from tests.unit.datter.kit import Bench, written

TEN = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10">'
SPACE = "{http://www.w3.org/2000/svg}"

TIMES = "\N{MULTIPLICATION SIGN}10"


def svg_of(found: Figure) -> bytes:
    paper = canvas.Svg(*picture.size_of(found))
    picture.draw(found, paper)
    return paper.encode()


def pixels(png: bytes, path: Path) -> Any:
    path.write_bytes(png)
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int)


@pytest.mark.parametrize("name", sorted(set(VALUES) - {"tall"}))
def test_every_value_has_a_picture_beside_its_page(context: Context, name: str, tmp_path: Path) -> None:
    made = drawing.plotme(VALUES[name])
    svg = (context.run.output_dir / f"{made.path}.svg").read_bytes()
    root = ET.fromstring(svg)  # noqa: S314 -- our own
    assert root.tag == f"{SPACE}svg"
    assert b"nan" not in svg
    assert b"<script" not in svg
    shown = pixels(redraw.png(svg), tmp_path / "again.png")
    assert shown.shape[:2] == (int(root.get("height", "0")), int(root.get("width", "0")))
    assert (shown != 255).any()


@pytest.mark.parametrize("name", sorted(CALLS))
def test_every_shape_is_in_the_picture(context: Context, name: str, tmp_path: Path) -> None:
    frame = looks.frame()
    CALLS[name](frame)
    (found,) = [compose.figure_of(context, frame)]
    bare = Figure(found.title, tuple(figure.Panel(one.visual) for one in found.panels), columns=found.columns)
    with_it, without = (pixels(redraw.png(svg_of(one)), tmp_path / "p.png") for one in (found, bare))
    assert (with_it != without).any()


def test_a_png_made_of_the_svg_is_the_one_drawn_at_once(context: Context, tmp_path: Path) -> None:
    found = compose.figure_of(context, Frame(items=[VALUES["clusters"]]))
    paper = canvas.Raster(*picture.size_of(found))
    picture.draw(found, paper)
    at_once, later = pixels(paper.encode(), tmp_path / "a.png"), pixels(redraw.png(svg_of(found)), tmp_path / "b.png")
    assert (np.abs(at_once - later).max(axis=2) > 40).mean() < 0.01  # places are rounded to a tenth of a pixel


def test_a_png_can_be_drawn_larger(context: Context, tmp_path: Path) -> None:
    svg = svg_of(compose.figure_of(context, Frame(items=[[1, 2, 3]])))
    assert pixels(redraw.png(svg, 2), tmp_path / "p.png").shape == (652, 960, 3)


@pytest.mark.parametrize(
    ("svg", "words"),
    [
        (b"<svg>", "no picture of a figure"),
        (b"\xff\xfe", "damaged"),
        (b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9999 10"', "up to 2,000 pixels"),
        (TEN + b'<path fill="none"/>', "damaged"),
        (
            TEN + b'<image x="0" y="0" width="1" height="1" href="http://elsewhere/a.png"/>',
            "none of ours",
        ),
        (
            TEN + b'<image x="0" y="0" width="1" height="1" href="data:image/png;base64,AAAA"/>',
            "no PNG",
        ),
    ],
)
def test_what_is_none_of_our_pictures_is_refused(svg: bytes, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        redraw.png(svg)


def test_a_picture_of_many_panels_says_how_many_more_there_are() -> None:
    many = Figure("Many", tuple(Panel("text", text=f"panel {place}") for place in range(14)), columns=3)
    assert b"(+5 more)" in svg_of(many)


def test_words_of_strangers_stay_words() -> None:
    found = Figure('<b a="x">', (Panel("text", text="<script>alert(1)</script>\x00\x1b"),))
    svg = svg_of(found)
    ET.fromstring(svg)  # noqa: S314 -- our own
    assert b"<script" not in svg


def line_of(found: Figure) -> list[tuple[float, float]]:
    """The places of the longest line in a figure's picture."""
    path = max(re.findall(r' d="M([^"]*)"', svg_of(found).decode()), key=len)
    return [(float(x), float(y)) for x, y in (place.split(" ") for place in path.split("L"))]


@pytest.mark.parametrize("rough", [0.0, 0.1, 30.0])
def test_of_a_long_line_a_picture_keeps_what_is_seen_of_it(rough: float, monkeypatch: pytest.MonkeyPatch) -> None:
    places = np.linspace(0, 9, 20_000)
    drawn = np.sin(places) * 20 + np.random.default_rng(3).normal(size=places.size) * rough
    found = Figure("", (Panel("line", layers=(Layer("line", {"x": places, "y": drawn}),)),))
    short = line_of(found)
    monkeypatch.setattr(picture, "LONG", places.size)
    whole = line_of(found)
    assert len(whole) == places.size
    assert len(short) < 480 * 4
    assert (short[0], short[-1], set(short) <= set(whole)) == (whole[0], whole[-1], True)
    heights: dict[int, list[float]] = {}
    for x, y in short:
        for column in (int(x) - 1, int(x), int(x) + 1):
            heights.setdefault(column, []).append(y)
    assert all(min(heights[int(x)]) <= y <= max(heights[int(x)]) for x, y in whole)


def test_gaps_of_a_long_line_stay_gaps_in_its_picture() -> None:
    values = np.tile([1.0, 2.0, np.nan], 400)
    found = svg_of(Figure("", (Panel("line", layers=(Layer("line", {"x": np.arange(1_200), "y": values}),)),)))
    assert max(map(str.__len__, re.findall(r'd="([^"]*)"', found.decode()))) < 30_000
    assert found.count(b"M") > 100


@pytest.mark.parametrize(
    ("axis", "ends", "words"),
    [
        (Axis(), (0, 10), ["0", "2", "4", "6", "8", "10"]),
        (
            Axis(),
            (0, 1e9),
            ["0", *(f"{one}\N{MULTIPLICATION SIGN}10⁸" for one in (2, 4, 6, 8)), "1\N{MULTIPLICATION SIGN}10⁹"],
        ),
        (Axis(), (-0.2, 0.2), ["\N{MINUS SIGN}0.2", "\N{MINUS SIGN}0.1", "0", "0.1", "0.2"]),
        (Axis(is_whole=True), (0, 2), ["0", "1", "2"]),
        (Axis(scale="log"), (1, 100), ["1", "2", "5", "10", "20", "50", "100"]),
        (Axis(scale="log"), (1e-6, 1e3), None),
        (Axis(scale="category", factors=("a", "b")), (-0.5, 1.5), ["a", "b"]),
        (Axis(ticks=((0.0, "zero"), (5.0, "five"))), (-1, 2), ["zero"]),
        (Axis(scale="datetime"), (0, 86_400_000), ["00:00", "06:00", "12:00", "18:00", "00:00"]),
        (
            Axis(scale="datetime"),
            (0, 3 * 31_557_600_000),
            [f"{month} {year}" for year in range(1970, 1973) for month in ("Jan", "Jul")],
        ),
    ],
)
def test_marks_lie_at_round_places(axis: Axis, ends: tuple[float, float], words: list[str] | None) -> None:
    found = ticks.marks(axis, *ends)
    assert all(ends[0] <= at <= ends[1] for at, _ in found)
    assert words is None or [word for _, word in found] == words
    assert 1 <= len(found) <= 10


@pytest.mark.req("r136", "r157")
def test_an_animation_is_a_film_too(bench: Bench) -> None:
    result = bench.run("import numpy as np\ndef task():\n    animateme(np.random.rand(12, 6, 6))\n")
    page = next(made.path for made in result.made if made.kind == "animation")
    with Image.open(bench.folder / f"{page}.gif") as moving:
        frames = [np.asarray(one.convert("RGB")) for one in ImageSequence.Iterator(moving)]
    assert len(frames) == 12
    assert (frames[0] != frames[6]).any()


@pytest.mark.req("r158")
def test_tables_of_a_report_are_files_with_all_their_rows(bench: Bench) -> None:
    source = "def task():\n    report('R').table({'n': list(range(300)), 'w': ['a,b'] * 300}, title='Rows')\n"
    result = bench.run(source)
    (table,) = [made for made in result.made if made.kind == "table"]
    assert table.title == "Rows"
    lines = (bench.folder / table.path).read_text().splitlines()
    assert (lines[0], lines[1], len(lines)) == ("n,w", '0,"a,b"', 301)
    assert f'href="{table.path}"' in bench.page(result)


@pytest.mark.req("r012")
def test_many_files_are_one_group_of_a_sidecar(context: Context, tmp_path: Path) -> None:
    one = written(tmp_path, {"x": "same"}) / "x"
    context.reads = {("b", 1, f"steps/{place}.txt"): one for place in range(1_200)} | {("b", 1, "notes.txt"): one}
    made = drawing.plotme([1, 2])
    side = json.loads((context.run.output_dir / f"{made.path}.json").read_text())
    assert [row["path"] for row in side["inputs"]["files"]] == ["notes.txt"]
    (group,) = side["inputs"]["groups"]
    assert (group["first"], group["last"], group["count"]) == ("steps/0.txt", "steps/1199.txt", 1_200)
    assert len(group["digest"]) == 64
    assert side["request"] == side["run"].partition(".")[0]
    assert len(json.dumps(side)) < 2_000
