"""Render templates: read, checked with file, line and key, resolved, and seen in what is drawn."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from plotter2.datter import additions
from plotter2.datter.pages import styling, templates
from plotter2.datter.run import execute
from plotter2.datter.runs import RunInput
from plotter2.datter.scope import Scope
from plotter2.datter.template import NONE
from plotter2.datter.vocabulary import Additions
from plotter2.errors import ConfigError, TaskFailedError
from plotter2.model import package

PAPER = """\
description = "For print"
page = "paper.html"

[colours]
palette = ["red", "#010203"]
gradient = ["white", "blue"]
ink = "#000000"
paper = "#fffff8"

[font]
family = "serif"
size = 17

[size]
height = 300

[axes]
grid = false
count = 1

[legend]
show = false
"""
PAGE = "<!doctype html><html><head>{{head}}</head><body><b>Institute</b>{{ title }}{{content}}</body></html>"


def of(**files: str) -> Additions:
    """Templates and pages by file name, `_` for the dot."""
    return additions.read({f"templates/{name.replace('_', '.')}": text.encode() for name, text in files.items()})


@pytest.mark.req("r009")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[font\n", r"^templates/x\.toml is not TOML: .*line 1"),
        ("\n[font]\nsiez = 3\n", r"^templates/x\.toml, line 3, 'font\.siez' is no key.*the nearest is 'size'\.$"),
        ("colour = 3\n", r"toml, line 1, 'colour' is no key of a template here; the nearest is 'colours'"),
        ("[font]\nsize = 'big'\n", r"line 2, 'font\.size' cannot be so: expected `int`, got `str`"),
        ("[colours]\npalette = ['bleu']\n", r"line 2, 'colours\.palette' has the colour 'bleu'.*nearest is 'blue'"),
        ("[colours]\ngradient = ['blue']\n", r"line 2, 'colours\.gradient' has 1 colours; between 2 and 16"),
        ("[dark]\nink = '#12'\n", r"line 2, 'dark\.ink' has the colour '#12'"),
        ("[font]\nfamily = 'serf'\n", r"line 2, 'font\.family' is 'serf'; the nearest is 'serif'"),
        ("[size]\n\nwidth = 9999\n", r"line 3, 'size\.width' is 9999; it lies between 80 and 4,000"),
        ("page = '../x.html'\n", r"line 1, 'page' is '\.\./x\.html'; it names a \.html file beside"),
        ("page = 'x.html'\n", r"'page' names 'x\.html'; of the pages in templates/ there are none"),
        ("extends = 'papr'\n", r"'extends' names the template 'papr'"),
        ("extends = 'x'\n", r"'extends' leads back to 'x', by way of x"),
        ("digest = 'x'\n", r"line 1, 'digest' is given by plotter2"),
    ],
)  # fmt: skip
def test_a_fault_names_file_line_and_key_and_leaves_the_others(text: str, said: str) -> None:
    found = of(x_toml=text, good_toml="[font]\nsize = 14\n")
    assert list(found.templates) == ["good"]
    assert re.search(said, found.faults["templates/x.toml"]), found.faults


@pytest.mark.req("r009")
@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("<p>\n{{haed}}", r"^templates/p\.html, line 2: there is no slot 'haed'; the nearest is 'head'\.$"),
        ("{{head}}", r"the page has no \{\{content\}\}"),
        ("{{head}}{{content}}\n\n{{head}}", r"line 3: the slot 'head' stands here a second time"),
    ],
)
def test_a_page_must_have_its_slots(page: str, said: str) -> None:
    assert re.search(said, of(p_html=page).faults["templates/p.html"])


@pytest.mark.req("r009")
def test_what_a_template_extends_holds_where_it_says_nothing() -> None:
    found = of(paper_toml=PAPER, talk_toml="extends = 'paper'\n[font]\nsize = 20\n", paper_html=PAGE)
    talk, paper = found.templates["talk"], found.templates["paper"]
    assert (talk.font.family, talk.font.size, talk.page, talk.colours.palette) == (
        "serif", 20, PAGE, ("#D55E00", "#010203"),
    )  # fmt: skip
    assert talk.digest != paper.digest
    assert not found.faults


@pytest.mark.req("r009")
def test_a_digest_changes_with_the_page_and_with_what_is_extended_and_with_nothing_else() -> None:
    def digest(paper: str = PAPER, page: str = PAGE) -> str:
        made = of(paper_toml=paper, talk_toml="extends = 'paper'\n", paper_html=page)
        return made.templates["talk"].digest

    assert digest() == digest()
    assert digest(PAPER + "\n# a remark\n") == digest()
    assert len({digest(), digest(page=PAGE + "\n"), digest(PAPER.replace("17", "18"))}) == 3


@pytest.mark.parametrize("path", [("a",), ("font", "size")])
def test_where_a_key_cannot_be_seen_its_table_or_the_first_line_is_named(path: tuple[str, ...]) -> None:
    assert templates.line_of("b = 1\n[font]\nfont = { size = 3 }\n", path) == (1 if len(path) == 1 else 2)


def drawn(folder: Path, own: Additions, source: str, kind: Any = "script", **scope: Any) -> tuple[str, Any, str]:
    """Page, sidecar and picture of the first thing that is drawn."""
    run = RunInput("req-1.0", "t", kind, source, "work.py", {}, 7, Scope(**scope), folder, additions=own)
    page = execute(run, lambda _: None).made[-1].path
    return (folder / page).read_text(), json.loads((folder / f"{page}.json").read_text()), (
        folder / f"{page}.svg"
    ).read_text()  # fmt: skip


@pytest.mark.req("r009", "r012")
def test_a_figure_is_drawn_as_its_template_says_and_its_sidecar_says_by_which(tmp_path: Path) -> None:
    own = of(paper_toml=PAPER, paper_html=PAGE)
    source = "def task():\n    f = frame('T', template='paper')\n    plot(f, [1.0, 3.0], [2.0, 1.0])\n    plotme(f)\n"
    page, side, picture = drawn(tmp_path, own, source)
    assert side["template"] == {"name": "paper", "digest": own.templates["paper"].digest}
    assert side["config"] == own.digest.hex()
    assert page.startswith("<!doctype html><html><head><meta")
    assert "<b>Institute</b>T<main>" in page
    assert '"axis_label_text_font_size":"17px"' in page
    assert '"height":300' in page
    assert "Georgia" in page
    assert '"Grid"' not in page
    assert "#D55E00" in page
    assert '"day":{"#1c2733":"#000000"}' in page
    assert "#1c2733" not in picture
    assert 'fill="#000000"' in picture


@pytest.mark.req("r009")
@pytest.mark.parametrize("named", ["default", "config"])
def test_a_default_template_and_that_of_a_bundle_hold_where_none_is_named(tmp_path: Path, named: str) -> None:
    own = of(default_toml="[font]\nsize = 21\n", thin_toml="[font]\nsize = 9\n")
    declared = package.parse(json.dumps({"config": {"template": "thin"}} if named == "config" else {}))
    page, side, _ = drawn(tmp_path, own, "def task():\n    plotme([1.0, 2.0])\n", bundle="b", package=declared)
    assert side["template"]["name"] == ("thin" if named == "config" else "default")
    assert f'"{9 if named == "config" else 21}px"' in page


@pytest.mark.req("r009")
def test_reports_and_pipelines_name_templates_and_unknown_ones_are_taught(tmp_path: Path) -> None:
    own = of(paper_toml="[layout]\ncolumns = 3\n")
    source = "def task():\n    report('R', [1.0, 2.0], template='paper')\n"
    assert drawn(tmp_path, own, source)[1]["template"]["name"] == "paper"
    steps = [["expr", "y = 2x", {"x": [0, 1, 5]}], {"frame": {"template": "paper"}}, "plotme"]
    assert drawn(tmp_path, own, json.dumps(steps), "pipeline")[1]["template"]["name"] == "paper"
    with pytest.raises(TaskFailedError, match=r"There is no template 'papr'; the nearest is 'paper'"):
        drawn(tmp_path, own, source.replace("'paper'", "'papr'"))
    nested = "def task():\n    frame(frame(), template='paper')\n"
    with pytest.raises(TaskFailedError, match="name it at the outermost frame"):
        drawn(tmp_path, own, nested)


@pytest.mark.req("r009")
def test_what_a_script_says_goes_before_its_template(tmp_path: Path) -> None:
    own = of(default_toml=PAPER.replace('page = "paper.html"', ""))
    source = """
def task():
    f = frame()
    plot(f, line([1.0, 2.0]))
    colour(f, "green")
    axis(f, size=(0, 222), count=2)
    plotme(f)
"""
    page, _, _ = drawn(tmp_path, own, source)
    assert "#009E73" in page
    assert '"height":222' in page
    assert "#D55E00" not in page.split('id="shades"')[0]


def test_without_a_template_nothing_of_a_page_is_other_than_before() -> None:
    assert styling.css(NONE) == ""
    assert styling.shades(NONE).startswith('{"day":{},"night":{"#1c2733"')
    assert styling.of_picture(b"#1c2733", NONE) == b"#1c2733"


def test_a_file_that_is_no_text_or_too_long_is_left_out() -> None:
    found = additions.read({"templates/x.toml": b"\xff", "operations/y.py": b"#" * (300 << 10)})
    assert set(found.faults) == {"templates/x.toml", "operations/y.py"}
    assert (found.digest, found.files) == (b"", {})
    with pytest.raises(ConfigError):
        templates.check_page("", "p.html")
