"""Pipelines before they run: arguments by name, type and value, and repeat written out (requirements 098, 174)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2.datter.builtins import TABLE
from plotter2.datter.pipelines import pipeline
from plotter2.datter.pipelines.arguments import _RULES
from plotter2.errors import ScriptError
from tests.unit.datter.kit import Bench, scope_of, written


def parsed(steps: list[Any]) -> list[tuple[str, tuple[Any, ...], dict[str, Any]]]:
    return [(one.builtin.name, one.args, one.kwargs) for one in pipeline.parsed(json.dumps(steps), "p.json")]


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ({"fit": {"model": "bogus"}}, "step 2 (fit): fit: the models are linear, poly:1 to poly:"),
        (
            {"fit": {"models": "linear"}},
            "step 2 (fit): there is no argument 'models'; the nearest is 'model'; it is fit(",
        ),
        ({"pca": {"k": "x"}}, "step 2 (pca): 'k' is a whole number, not 'x'; it is pca("),
        ({"pca": {"k": True}}, "step 2 (pca): 'k' is a whole number, not True"),
        ({"pca": {"k": 0}}, "step 2 (pca): 'k' is at least 1, not 0"),
        ({"pca": 1.5}, "step 2 (pca): 'k' is a whole number, not 1.5"),
        ({"kmean": {"k": -3}}, "step 2 (kmean): 'k' is at least 1, not -3"),
        ({"scale": "zcore"}, "step 2 (scale): 'how' cannot be 'zcore'; the nearest is 'zscore'"),
        ({"visualtype": "matrx"}, "step 2 (visualtype): 'kind' cannot be 'matrx'; the nearest are 'matrix'"),
        ({"mean": {"over": "item"}}, "step 2 (mean): 'over' cannot be 'item'; the nearest is 'items'"),
        ({"mean": {"axis": "0"}}, "step 2 (mean): 'axis' is a whole number, not '0'"),
        ({"pca": [2, 3, 4]}, "step 2 (pca): too many positional arguments; it is pca("),
    ],
)
@pytest.mark.req("r098")
def test_arguments_are_refused_before_anything_runs_with_the_step_and_what_is_right(step: Any, words: str) -> None:
    with pytest.raises(ScriptError) as wrong:
        parsed(["access", step])
    assert words in str(wrong.value)


@pytest.mark.req("r098")
def test_arguments_that_fit_are_taken() -> None:
    steps = ["access", {"scale": "log"}, {"kmean": {"k": 3}}, {"fit": {"model": "poly:3"}}, "plotme"]
    assert [name for name, _, _ in parsed(steps)] == ["access", "scale", "kmean", "fit", "plotme"]


def test_each_rule_is_about_an_argument_that_is_there() -> None:
    from inspect import signature  # noqa: PLC0415 -- only here

    for name, argument in _RULES:
        assert not name or argument in signature(TABLE[name].call).parameters


@pytest.mark.req("r174")
@given(times=st.integers(1, 20))
def test_repeat_does_what_stands_before_it_so_often_but_reads_once(times: int) -> None:
    found = parsed(["access", "order", {"scale": "log"}, {"repeat": times}, "plotme"])
    assert [name for name, _, _ in found] == ["access", *["order", "scale"] * times, "plotme"]


@pytest.mark.req("r174")
def test_repeat_over_values_does_all_of_it_again_with_each() -> None:
    steps = ["access", {"pca": {"k": 2}}, "plotme", {"repeat": {"over": {"k": [3, 4]}}}]
    found = [(name, kwargs) for name, _, kwargs in parsed(steps)]
    assert found == [one for k in (2, 3, 4) for one in (("access", {}), ("pca", {"k": k}), ("plotme", {}))]


@pytest.mark.req("r174")
def test_a_repeated_pipeline_draws_once_for_each_value(tmp_path: Path) -> None:
    table = "a,b,c\n" + "\n".join(f"{i},{i * i},{-i}" for i in range(9))
    scope = scope_of(written(tmp_path / "d", {"t.csv": table}))
    (tmp_path / "o").mkdir()
    result = Bench(tmp_path / "o").run(["access", {"pca": {"k": 1}}, "plotme", {"repeat": {"over": {"k": [2]}}}], scope)
    assert len([one for one in result.made if one.kind == "figure"]) == 2


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([{"repeat": 3}], "p.json, step 1 (repeat): there is nothing before it to repeat."),
        (["access", "repeat"], "step 2 (repeat): it is written {"),
        (["access", {"repeat": 0}], "step 2 (repeat): times is a whole number from 1 to 1,000"),
        (["access", {"repeat": {"tims": 2}}], "step 2 (repeat): it is written {"),
        (["access", "order", {"repeat": 1000}], "step 3 (repeat): with it they are 1,001 steps; at most 1,000"),
        (["access", {"pca": {"k": 2}}, {"repeat": {"over": {"kk": [1]}}}], "no step before it is given 'kk' by name;"),
        (["access", {"repeat": {"over": {"k": 3}}}], "over is one argument with a list of values"),
        (["access", {"pca": {"k": 2}}, {"repeat": {"over": {"k": ["x"]}}}], "step 2 (pca): 'k' is a whole number"),
    ],
)
@pytest.mark.req("r174")
def test_a_repeat_that_makes_no_sense_is_refused_with_its_step(steps: list[Any], words: str) -> None:
    with pytest.raises(ScriptError) as wrong:
        parsed(steps)
    assert words in str(wrong.value)
