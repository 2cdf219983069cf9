"""The bundles that a definition loads from are found in its text."""

from __future__ import annotations

import json

import pytest

from plotter2 import loads
from plotter2.model.task import TaskKind


@pytest.mark.req("r175")
def test_a_script_names_what_it_loads_from_and_each_counts_once() -> None:
    source = """
def task():
    a = load("data/flights", "arrivals")
    b = load( bundle='lab@3', key="x")
    return load("data/flights", "departures"), json.load("no"), payload("no"), load(name, "y")
"""
    assert loads.of(source, TaskKind.SCRIPT) == ("data/flights", "lab@3")
    assert loads.of("def task(): pass", TaskKind.SCRIPT) == ()


@pytest.mark.req("r175")
@pytest.mark.parametrize(
    "step",
    [
        ["load", "lab", "x"],
        {"load": ["lab", "x"]},
        {"load": {"bundle": "lab", "key": "x"}},
        ["load", {"bundle": "lab"}],
    ],
)
def test_a_pipeline_names_it_however_the_step_is_written(step: object) -> None:
    assert loads.of(json.dumps([step, "mean"]), TaskKind.PIPELINE) == ("lab",)
    assert loads.of(json.dumps({"pipeline": [step]}), TaskKind.PIPELINE) == ("lab",)


@pytest.mark.req("r175")
def test_what_is_no_pipeline_and_what_names_very_many_holds_up_nothing() -> None:
    assert loads.of('["load", ', TaskKind.PIPELINE) == ()
    assert loads.of('["load", 3, {"load": 4}, ["load"]]', TaskKind.PIPELINE) == ()
    assert loads.of('{"load": "x"}', TaskKind.PIPELINE) == loads.of("3", TaskKind.PIPELINE) == ()
    source = "".join(f'load("b{place}", "x")\n' for place in range(2 * loads.BUNDLES_MAX))
    assert len(loads.of(source, TaskKind.SCRIPT)) == loads.BUNDLES_MAX
