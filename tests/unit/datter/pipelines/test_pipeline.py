from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plotter2.datter.builtins import TABLE
from plotter2.datter.pipelines import pipeline
from plotter2.errors import ScriptError, TaskFailedError
from tests.unit.datter.kit import Bench, scope_of, written

SEED = ["access", "label", "pca", "scale", "frame", "colour", "axis", "legend", "plot", "handoff"]


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ("{", "work.json, line 1: .*a pipeline is a JSON list"),
        ([], "JSON list of steps"),
        ({"a": 1}, "JSON list of steps"),
        (["access", "pcaa"], "step 2: unknown op 'pcaa'; the nearest is 'pca'"),
        (["access", "giveup"], "step 2: 'giveup' works in scripts only"),
        (["access", "release"], "step 2: 'release' works in scripts only"),
        (["access", "mean", "pca"], r"step 3 \(pca\): it needs rows of numbers, but step 2 \(mean\) gives one value"),
        (["access", "fit", "mean"], r"step 3 \(mean\): it needs numbers, but step 2 \(fit\) gives a fit"),
        (["pca"], r"step 1 \(pca\): there is no data yet"),
        (["access", "plot"], r"step 2 \(plot\): there is no frame yet"),
        (["access", {"pca": {"n": 3}}], r"step 2 \(pca\): there is no argument 'n'; there are 'k', 'standardise'"),
        (["access", 3], "step 2: a step is a name"),
        (["access", {"pca": {}, "mean": {}}], "step 2: each step is an object of its own, but here are 'pca', 'mean'"),
        (["frame", "axis"] * 501, "1,002 steps are too many"),
    ],
)
@pytest.mark.req("r098", "r105", "r185")
def test_a_pipeline_is_checked_before_it_runs(steps: Any, words: str) -> None:
    source = steps if isinstance(steps, str) else json.dumps(steps)
    with pytest.raises(ScriptError, match=words):
        pipeline.parsed(source, "work.json")


def test_the_ways_to_write_a_step_mean_the_same() -> None:
    forms = [
        '["access", {"pca": {"k": 3}}]',
        '["access", {"pca": 3}]',
        '["access", {"pca": [3]}]',
        '["access", ["pca", 3]]',
    ]
    found = [pipeline.parsed(form, "w.json")[1] for form in [*forms, '["access", ["pca", {"k": 3}]]']]
    assert {(step.args, tuple(step.kwargs.items())) for step in found} == {((3,), ()), ((), (("k", 3),))}
    assert len(pipeline.parsed('{"pipeline": ["access"]}', "w.json")) == 1


@pytest.fixture
def flowers(tmp_path: Path) -> Any:
    chance = np.random.default_rng(5)
    rows = "".join(
        f"{','.join(f'{value:.3f}' for value in chance.normal(place, 1, 3))},{'abc'[place]}\n"
        for place in [0, 1, 2] * 40
    )
    return scope_of(written(tmp_path / "in", {"flowers.csv": "x,y,z,kind\n" + rows + "NA,1,1,a\n"}), "data/flowers")


@pytest.mark.req("r098", "r099", "r085")
def test_the_ten_steps_of_the_seed_draw_labelled_components(bench: Bench, flowers: Any) -> None:
    result = bench.run(SEED, flowers)
    assert result.state == "done"
    assert result.results["rows"] == 120
    side = bench.sidecar(result)
    assert (side["kind"], side["title"]) == ("figure", "flowers: principal components")
    assert side["panels"][0]["visual"] == "pca"
    assert "1 of 121 rows left out: a value is missing." in side["panels"][0]["notes"]
    assert side["inputs"]["files"][0]["path"] == "flowers.csv"
    assert "of variance" in bench.page(result)


def test_a_step_that_goes_wrong_is_named_with_its_place(bench: Bench, flowers: Any) -> None:
    with pytest.raises(TaskFailedError, match=r"step 2 \(pca\): pca: 9 components need at least 9 columns"):
        bench.run(["access", {"pca": 9}], flowers)
    with pytest.raises(TaskFailedError, match=r"step 1 \(access\): There is no data in data/flowers called 'nothing'"):
        bench.run([["access", "nothing"]], flowers)


def test_small_values_are_the_result_and_large_ones_are_summed_up(bench: Bench, tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", np.arange(20_000.0))
    scope = scope_of(tmp_path)
    assert bench.run(["access", "mean"], scope).results == 9999.5
    assert bench.run(["access"], scope).results == {"kind": "array", "shape": [20_000]}


@pytest.mark.parametrize("name", sorted(TABLE))
def test_every_row_of_the_table_is_there_and_documented(name: str) -> None:
    row = TABLE[name]
    assert callable(row.call)
    assert row.doc.endswith(".") or row.doc.endswith(":")
    assert row.signature.startswith(name + "(")


def test_a_report_and_an_animation_end_a_pipeline(bench: Bench, tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", np.arange(24.0).reshape(3, 2, 4))
    scope = scope_of(tmp_path)
    assert bench.sidecar(bench.run(["access", "animateme"], scope))["panels"][0]["frames"] == 3
    made = bench.run(["access", "frame", "animate", {"report": {"title": "All"}}], scope).made
    assert [one.kind for one in made] == ["asset", "report"]


@pytest.mark.req("r105")
def test_what_goes_wrong_in_a_member_of_a_group_is_told_of_the_step_that_makes_it(bench: Bench, tmp_path: Path) -> None:
    scope = scope_of(written(tmp_path / "own", {"m/a.json": "[[1, 2], [3, 4]]", "m/b.json": "[[1, 2], [3, 5]]"}), "e")
    with pytest.raises(TaskFailedError, match=r"^step 2 \(derivative\): .*no axis 7"):
        bench.run([["access", "m/*.json"], {"derivative": {"axis": 7}}, "l2norm", "plotme"], scope)
