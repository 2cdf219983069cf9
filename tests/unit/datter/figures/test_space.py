from __future__ import annotations

import base64
import json
import re
import zlib
from typing import Any

import numpy as np
import pytest

from plotter2.datter.context import Context
from plotter2.datter.figures import automatic, drawing, looks, shapes, simulation, space
from plotter2.datter.figures.figure import Panel
from plotter2.datter.mathematics.expression import expr
from plotter2.datter.pages import compose, film, reel
from plotter2.datter.values.points import Points
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError
from tests.unit.datter.kit import Bench

CUBE = np.array([[x, y, z] for x in (0.0, 1.0) for y in (0.0, 1.0) for z in (0.0, 1.0)])
NAMED = ("a", "b", "c")


def panel_of(value: Any, visual: str) -> Panel:
    (panel,) = automatic.panels_of(value, "thing", visual)
    return panel


def seen(panel: Panel, mark: str) -> Any:
    """The layer of the still picture with this mark, the last of them."""
    return [layer for layer in space.still(panel).layers if layer.mark == mark][-1]


@pytest.mark.req("r137")
def test_three_columns_are_points_in_a_box_when_that_is_asked_for() -> None:
    panel = panel_of(Points(CUBE, NAMED), "scene")
    assert panel.space is not None
    assert [axis.label for axis in panel.space.axes] == list(NAMED)
    assert all((axis.low or 0) < 0 and (axis.high or 0) > 1 for axis in panel.space.axes)
    assert automatic.visual_of(Points(CUBE, NAMED)) == "pairs", "only when asked"


def test_what_is_near_is_drawn_last_and_larger_and_what_is_high_is_above() -> None:
    panel = panel_of(Points(CUBE, NAMED), "scene")
    dots = seen(panel, "points").columns
    first, last = (np.array([dots["x"][at], dots["y"][at]]) for at in (0, -1))
    # From -60 degrees and above: (0, 1, 0) is farthest, (1, 0, 1) nearest.
    order = [tuple(CUBE[at]) for at in np.argsort(space._Eye(panel.space).see(CUBE)[1], kind="stable")]  # type: ignore[arg-type] -- it has one
    assert (order[0], order[-1]) == ((0, 1, 0), (1, 0, 1))
    eye = space._Eye(panel.space)  # type: ignore[arg-type] -- it has one
    (low, high), _ = eye.see(np.array([[0.5, 0.5, 0.0], [0.5, 0.5, 1.0]]))
    assert high[1] > low[1]
    assert low[0] == pytest.approx(high[0], abs=1e-9), "what is upright stays upright"
    assert np.hypot(*(last - eye.see(CUBE[[5]])[0][0])) < 1e-9
    assert np.hypot(*(first - eye.see(CUBE[[2]])[0][0])) < 1e-9
    assert np.abs(eye.see(np.array([[0.5, 0.5, 0.5]]))[0]).max() < 1e-9, "the middle is in the middle"


@pytest.mark.req("r137")
def test_a_way_is_coloured_from_its_begin_to_its_end_and_keeps_its_order() -> None:
    turns = np.linspace(0, 20, 5_000)
    panel = panel_of(np.column_stack([np.cos(turns), np.sin(turns), turns]), "trajectory")
    pieces = seen(panel, "curves").columns
    assert len(pieces["xs"]) <= space.STILL_PIECES_MAX
    assert (np.diff(pieces["colour"]) > 0).all()
    assert all(one[1] == other[0] for one, other in zip(pieces["xs"], pieces["xs"][1:], strict=False))
    assert panel.colours is not None
    assert (panel.colours.low, panel.colours.high) == (0, 4_999)


@pytest.mark.req("r137")
def test_a_surface_is_drawn_from_back_to_front_and_says_what_it_leaves_out() -> None:
    heights = np.add.outer(np.linspace(0, 1, 300), np.linspace(0, 2, 500))
    heights[0, 0] = np.nan
    panel = panel_of(heights, "surface")
    assert panel.notes == ("Every 3th row and 5th column of 300 x 500 heights.",)
    tiles = seen(panel, "polygons").columns
    assert 900 < len(tiles["xs"]) <= space.STILL_SIDE_MAX**2
    assert all(np.isfinite(one).all() for one in tiles["xs"])
    formula = panel_of(expr("z = x + 2y", x=(0, 1, 4), y=(5, 6, 3)), "surface")
    assert formula.space is not None
    columns = formula.space.layers[0].columns
    np.testing.assert_allclose(columns["z"], columns["x"] + 2 * columns["y"])
    assert [axis.label for axis in formula.space.axes] == ["x", "y", "z"]


def test_more_columns_are_seen_by_three_components_and_groups_keep_their_colours() -> None:
    chance = np.random.default_rng(2)
    table = Table({**{name: chance.normal(size=40) for name in "abcd"}, "kind": ["u", "v"] * 20})
    panel = panel_of(table, "scene")
    assert panel.space is not None
    assert [layer.name for layer in panel.space.layers] == ["u", "v"]
    assert len({layer.colour for layer in panel.space.layers}) == 2
    assert "first three principal components of 4 columns" in " ".join(panel.notes)
    many = panel_of(chance.normal(size=(30_000, 3)), "scene")
    assert many.notes == ("10,000 of 30,000 rows, evenly chosen.",)


@pytest.mark.parametrize(
    ("value", "visual", "words"),
    [
        (np.ones((4, 2)), "scene", "three columns of numbers; this has 2"),
        (np.arange(4.0), "surface", "rows and columns"),
        (np.ones((1, 9)), "surface", "at least 2 x 2"),
        (np.full((3, 3), np.nan), "surface", "missing or infinite"),
    ],
)
def test_what_has_no_three_dimensions_is_refused(value: Any, visual: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        automatic.panels_of(value, "", visual)


def test_equal_axes_and_names_are_the_frames_to_say(context: Context) -> None:
    frame = looks.frame()
    looks.axis(frame, x="length [cm]", equal=True)
    data = drawing.visualtype(Points(CUBE * [4, 2, 1], NAMED), "scene")
    (panel,) = compose.figure_of(context, drawing.plot(frame, data)).panels
    assert panel.space is not None
    assert panel.space.axes[0].label == "length [cm]"
    assert space.proportions(panel.space) == pytest.approx((1, 0.5, 0.25), rel=0.01)
    assert space.proportions(panel_of(Points(CUBE, NAMED), "scene").space) == (1.0, 1.0, 0.8)  # type: ignore[arg-type] -- it has one
    logarithmic = looks.frame()
    looks.axis(logarithmic, xscale="log")
    with pytest.raises(UsageError, match="every axis is linear"):
        compose.figure_of(context, drawing.plot(logarithmic, data))


def test_flat_things_are_not_drawn_over_a_box(context: Context) -> None:
    frame = looks.frame()
    drawing.plot(frame, drawing.visualtype(Points(CUBE, NAMED), "scene"))
    shapes.circle(frame, 0, 0, 1)
    assert len(compose.figure_of(context, frame).panels) == 2


@pytest.mark.req("r137", "r200")
def test_a_page_holds_the_numbers_and_turns_them_without_any_address(bench: Bench) -> None:
    source = """
import numpy as np
def task():
    w = frame(title="</script>")
    for kind, data in (("scene", np.eye(3)), ("trajectory", np.eye(3)), ("surface", np.outer([1, 2, 4], [1, 3]))):
        plotme(visualtype(data, kind), frame(w))
"""
    written = bench.page(bench.run(source))
    spaces = [json.loads(one) for one in re.findall(r'class="about">([^<]+)<', written)]
    assert [one["layers"][0]["mark"] for one in spaces] == ["points", "line", "surface"]
    layer = spaces[2]["layers"][0]
    values = np.frombuffer(zlib.decompress(base64.b64decode(layer["data"])), "<f4").reshape(4, -1)
    assert (layer["rows"], values[2].tolist()) == (3, [1, 3, 2, 6, 4, 12])
    assert len(re.findall("data-space=", written)) == 3
    assert written.count("plotter2Spaces = shown") == 1
    assert not re.findall(r"https?://", re.sub(r"<script type=.*?</script>", "", written, flags=re.DOTALL))


@pytest.mark.req("r156", "r157")
def test_a_simulation_in_three_dimensions_plays_and_can_be_turned(bench: Bench) -> None:
    source = """
import numpy as np
def task():
    simulate(np.arange(60.0).reshape(5, 4, 3), dt=0.5)
"""
    result = bench.run(source)
    assert [one.kind for one in result.made] == ["animation"]
    page = bench.folder / result.made[0].path
    told = json.loads(page.with_name(f"{page.name}.scene.json").read_text())
    assert told["scenes"][0]["states"] == np.arange(60).reshape(5, 4, 3).tolist()
    assert page.with_name(f"{page.name}.gif").exists()
    written = page.read_text()
    names = re.findall(r'"name":"(motion-[^"]+)"', written)
    assert len(names) == 2, "of the box and of the player"
    assert len(set(names)) == 1


def test_a_frame_of_a_moving_box_has_each_object_at_its_place(context: Context) -> None:
    assert not context.made
    (panel,) = automatic.panels_of(simulation.simulate(np.arange(24.0).reshape(4, 2, 3)))
    moved = film.at_frame(reel.wound(panel), 2)
    assert moved.space is not None
    columns = moved.space.layers[0].columns
    assert [columns[side].tolist() for side in "xyz"] == [[12, 15], [13, 16], [14, 17]]
