"""What one plain picture cannot hold, and what an expert draws instead; scenes of things that move."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import coo_array, random_array

from plotter2.datter.context import Context
from plotter2.datter.figures import automatic, drawing, looks, many, simulation
from plotter2.datter.pages import compose, film
from plotter2.datter.scripting.script import compiled
from plotter2.datter.values import spill
from plotter2.datter.values.group import DataGroup
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError
from tests.unit.datter.kit import Bench

ROOT = Path(__file__).parents[4]
CHANCE = np.random.default_rng(5)
MOVE = np.array([[1, 0], [0, 2]])
CURVES = DataGroup.of([np.arange(6.0) * place for place in range(30)], [f"run {place}" for place in range(30)], "speed")
AIRPORTS = Table({"lon": [-74.0, -118.4, 2.5], "lat": [40.6, 33.9, 49.0], "name": ["JFK", "LAX", "CDG"]}, name="ports")


@pytest.mark.req("r135", "r137")
def test_more_than_24_curves_become_small_multiples_on_one_scale() -> None:
    panels = automatic.panels_of(CURVES)
    assert [panel.title for panel in panels][::11] == ["run 0", "run 29"]
    assert len({(panel.x.low, panel.x.high, panel.y.low, panel.y.high) for panel in panels}) == 1
    ground, *_ = panels[3].layers
    assert (ground.mark, ground.columns["high"].tolist()) == ("band", (np.arange(6.0) * 29).tolist())
    assert panels[-1].notes[-1].startswith("12 of 30 curves, evenly chosen")


def test_up_to_24_curves_stay_together() -> None:
    (panel,) = automatic.panels_of(CURVES[:24])
    assert len({layer.name for layer in panel.layers}) == 24


def test_many_runs_are_their_median_and_spread() -> None:
    tables = [Table({"epoch": np.arange(4), "loss": np.arange(4.0) + place}) for place in range(31)]
    (panel,) = automatic.panels_of(DataGroup.of(tables, name="runs"))
    median = next(layer for layer in panel.layers if layer.name == "median" and layer.mark == "line")
    assert median.columns["y"].tolist() == [15, 16, 17, 18]
    assert "31 curves as their median and spread" in panel.notes[-1]


@pytest.mark.req("r137")
def test_longitude_and_latitude_are_a_map_in_true_proportion() -> None:
    assert automatic.visual_of(AIRPORTS) == "map"
    (panel,) = automatic.panels_of(AIRPORTS)
    assert (panel.x.label, panel.y.label) == ("longitude [°]", "latitude [°]")
    across, up = (axis.high - axis.low for axis in (panel.x, panel.y) if axis.high is not None and axis.low is not None)
    middle = np.cos(np.deg2rad((panel.y.low + panel.y.high) / 2))  # type: ignore[operator] # both are set by a map
    assert panel.aspect == pytest.approx(max(up / (across * middle), 0.2))


@pytest.mark.parametrize(
    ("table", "visual"),
    [
        (Table({"lon": [400.0, 2], "lat": [1.0, 2]}), "scatter"),
        (Table({"kind": ["a", "b"] * 20, "value": CHANCE.normal(size=40)}), "box"),
        (Table({"kind": ["a", "b"], "value": [1.0, 2.0]}), "bars"),
        (Table({"kind": ["a", "a", "b"], "x": [1.0, 2, 3], "y": [1.0, 2, 3]}), "scatter"),
        (Table({"when": np.array(["2020-01-02", "2020-01-01"], "datetime64[D]"), "value": [1.0, 2.0]}), "line"),
    ],
)
@pytest.mark.req("r137")
def test_the_picture_is_the_one_an_expert_would_choose(table: Table, visual: str) -> None:
    assert automatic.visual_of(table) == visual


def test_rows_are_drawn_in_the_order_of_their_time() -> None:
    days = np.array(["2020-01-03", "2020-01-01", "2020-01-02"], "datetime64[D]")
    (panel,) = automatic.panels_of(Table({"day": days, "value": [3.0, 1.0, 2.0]}))
    assert panel.layers[0].columns["y"].tolist() == [1, 2, 3]


def test_a_sparse_matrix_shows_what_is_not_zero() -> None:
    (panel,) = automatic.panels_of(coo_array(([5.0, 7.0], ([0, 2], [1, 3])), shape=(3, 4)))
    columns = panel.layers[0].columns
    assert (columns["x"].tolist(), columns["y"].tolist(), columns["colour"].tolist()) == ([1, 3], [0, 2], [5, 7])
    assert "2 of 12 values are not zero" in panel.notes[0]
    large = random_array((900, 900), density=0.02, rng=CHANCE)
    (panel,) = automatic.panels_of(large)
    assert np.nansum(panel.layers[0].columns["image"]) == large.nnz


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: automatic.panels_of(np.eye(3), visual="map"), "lon and lat"),
        (lambda: many.sparse(np.eye(3)), "Only a sparse matrix"),
        (lambda: many.sparse(coo_array((3, 3))), "is zero"),
        (simulation.simulate, "needs states"),
        (lambda: simulation.simulate(np.zeros((3, 2, 4))), "steps x objects x 2 or 3"),
        (lambda: simulation.simulate(lambda state: state), "state that it begins with"),
        (lambda: simulation.simulate(lambda state: state[:1], state=np.zeros((2, 2))), "step 1 gave the shape"),
        (lambda: simulation.simulate(np.zeros((3, 2)), dt=0), "more than 0"),
        (lambda: simulation.simulate(np.zeros((3, 2)), steps=0), "1 to 10,000 steps"),
        (lambda: simulation.simulate(np.zeros((3, 2, 2)), names=["a"]), "1 names for 2 objects"),
    ],
)
def test_what_does_not_fit_is_refused(context: Context, call: Any, words: str) -> None:
    assert context.made == []
    with pytest.raises(UsageError, match=words):
        call()


@pytest.mark.req("r156")
def test_a_simulation_plays_and_is_written_for_others(context: Context) -> None:
    frame = looks.frame()
    scene = simulation.simulate(
        frame, lambda state: state + MOVE, state=np.zeros((2, 2)), steps=5, dt=0.5, names=["a", "b"]
    )
    assert scene.states[-1].tolist() == [[5, 0], [0, 10]]
    made = drawing.plotme(frame)
    told = json.loads((context.run.output_dir / f"{made.path}.scene.json").read_text())
    (one,) = told["scenes"]
    assert (one["objects"], one["times"][-1], one["states"][-1]) == (["a", "b"], "2.5", [[5, 0], [0, 10]])
    assert made.kind == "animation"
    assert (context.run.output_dir / f"{made.path}.gif").exists()


def test_a_frame_of_a_scene_has_each_object_at_its_place(context: Context) -> None:
    scene = simulation.simulate(np.arange(12.0).reshape(3, 2, 2))
    (panel,) = compose.figure_of(context, drawing.plot(looks.frame(), scene)).panels
    columns = film.at_frame(panel, 2).layers[0].columns
    assert (columns["x"].tolist(), columns["y"].tolist()) == ([8, 10], [9, 11])


def test_a_simulation_without_a_frame_is_drawn_when_the_task_ends(bench: Bench) -> None:
    source = "import numpy as np\ndef task():\n    simulate(np.zeros((4, 3, 2)) + np.arange(4)[:, None, None])\n"
    assert [made.kind for made in bench.run(source).made] == ["animation"]


def test_the_gallery_is_a_script_that_can_run_and_shows_each_visual() -> None:
    source = (ROOT / "examples/gallery.py").read_text()
    assert compiled(source, "gallery.py")
    words = "hexbin violin contour quiver heatmap image simulate animate fit expr pca kmean colour circle font text"
    for word in words.split():
        assert f"{word}(" in source


@pytest.mark.req("r137")
def test_the_spread_of_many_runs_is_worked_out_by_few_places_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    values = CHANCE.normal(size=(40, 50))
    values[3, 7], values[:, 9] = np.nan, np.nan
    tables = [Table({"epoch": np.arange(50), "loss": one}) for one in values]
    monkeypatch.setattr(spill, "BLOCK_BYTES", 40 * 8 * 3)
    held: list[int] = []
    empty = np.empty

    def watched(shape: Any, *more: Any) -> Any:
        held.append(int(np.prod(shape)))
        return empty(shape, *more)

    monkeypatch.setattr(np, "empty", watched)
    (panel,) = automatic.panels_of(DataGroup.of(tables, name="runs"))
    band = next(layer for layer in panel.layers if layer.name == "10 to 90 % of them")
    kept = np.delete(values, 9, axis=1)
    assert np.allclose(band.columns["high"], np.nanpercentile(kept, 90, axis=0))
    assert max(held) == 40 * 3, "three places of all curves"
