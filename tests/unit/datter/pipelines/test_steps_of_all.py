"""Every op of every pipeline: the ways to write it, and what is refused before anything runs, with the step."""

from __future__ import annotations

import json
from inspect import Parameter, signature
from typing import Any

import numpy as np
import pytest

from plotter2.datter.builtins import TABLE
from plotter2.datter.pipelines import pipeline
from plotter2.datter.pipelines.register import Step
from plotter2.datter.vocabulary import Builtin, Role
from plotter2.errors import ScriptError, UsageError

OPS = {name: row for name, row in TABLE.items() if not row.is_script_only and name != "repeat"}
SCRIPTS = sorted(set(TABLE) - set(OPS) - {"repeat"})
"""But repeat, which a pipeline writes out: see test_steps."""
GIVERS: dict[str, Any] = {"fit": "fit", "value": "mean", "boxes": "boxer", "expr": {"expr": "y = 2x"}}
"""A step that leaves each kind of data."""
FRAMED = {Role.FRAME, Role.DRAW}
GIVEN: dict[str, Any] = {
    "access": "t", "expr": "y = 2x", "load": ["b", "k"], "atan2": 2.0, "through": "smooth", "script": "s.py",
    "export": "lab/x", "loggy": "said",
}  # fmt: skip
"""What ops that need an argument are given."""


def before(row: Builtin) -> list[Any]:
    """The steps that stand before an op."""
    if row.role in {Role.SOURCE, Role.CONTRACT}:
        return []
    return ["access", "frame"] if row.role in FRAMED else ["access"]


def parsed(steps: list[Any]) -> Step:
    return pipeline.parsed(json.dumps(steps), "p.json")[-1]


def refused(steps: list[Any]) -> str:
    with pytest.raises(ScriptError) as wrong:
        pipeline.parsed(json.dumps(steps), "p.json")
    return str(wrong.value)


@pytest.mark.req("r098", "r099")
@pytest.mark.parametrize("name", sorted(OPS))
def test_every_op_may_be_written_in_every_way(name: str) -> None:
    row, given = OPS[name], GIVEN.get(name)
    listed = given if isinstance(given, list) else [] if given is None else [given]
    forms: list[Any] = [[name, *listed], {name: listed}, [name, *listed, {}]]
    forms += [] if listed else [name, {name: None}, {name: {}}]
    forms += [{name: given}] if len(listed) == 1 else []
    found = [parsed([*before(row), form]) for form in forms]
    assert {(one.builtin.name, one.args, tuple(one.kwargs)) for one in found} == {(name, tuple(listed), ())}


@pytest.mark.req("r098")
@pytest.mark.parametrize("name", sorted(OPS))
def test_every_op_is_refused_with_its_step_and_what_is_near(name: str) -> None:
    row = OPS[name]
    steps = before(row)
    where = f"p.json, step {len(steps) + 1}"
    assert refused([*steps, f"{name}z"]).startswith(f"{where}: unknown op '{name}z'; the nearest")
    takes_all = any(one.kind is Parameter.VAR_KEYWORD for one in signature(row.call).parameters.values())
    if not takes_all:
        said = refused([*steps, {name: {"kk9": 1}}])
        assert said.startswith(f"{where} ({name}): there is no argument 'kk9'")
        assert f"it is {name}(" in said


@pytest.mark.req("r098")
@pytest.mark.parametrize("name", sorted(name for name, row in OPS.items() if row.role is Role.DATA))
def test_every_op_on_data_is_refused_what_it_cannot_work_on(name: str) -> None:
    row = OPS[name]
    own = {name: GIVEN[name]} if name in GIVEN else name
    for kind, giver in GIVERS.items():
        steps = [giver, own] if kind == "expr" else ["access", giver, own]
        if kind in row.takes:
            assert parsed(steps).builtin is row
        else:
            said = refused(steps)
            assert said.startswith(f"p.json, step {len(steps)} ({name}): it needs ")
            assert f"but step {len(steps) - 1} (" in said
    assert "there is no data yet; put 'access' before it" in refused([own])


@pytest.mark.req("r098", "r185")
@pytest.mark.parametrize("name", SCRIPTS)
def test_a_word_of_scripts_is_refused_with_its_step(name: str) -> None:
    said = f"p.json, step 2: '{name}' works in scripts only, because it decides while running."
    assert refused(["access", name]) == said


def test_a_formula_stays_one_through_its_derivative() -> None:
    source = {"expr": {"text": "y = x^3", "x": [0, 1]}}
    assert parsed([source, "derivative", "derivative", "integral", "mean"]).builtin.name == "mean"
    assert "it needs numbers, but step 1 (expr) gives expr" in refused([source, "derivative", "mean"])
    assert "step 1 (expr): '2x +' is not a formula: it is wrong at character" in refused([{"expr": "y = 2x +"}])


@pytest.mark.parametrize(
    ("word", "args", "given", "said"),
    [
        ("mean", ([1.0],), {"axis": "x"}, "mean: 'axis' is a whole number, not 'x'."),
        ("mean", ([1.0],), {"axis": True}, "mean: 'axis' is a whole number, not True."),
        ("median", ([1.0],), {"axis": 0.5}, "median: 'axis' is a whole number, not 0.5."),
        ("mode", ([1.0],), {"over": "item"}, "mode: 'over' cannot be 'item'; the nearest is 'items'."),
        ("stddev", ([1.0],), {"ddof": "1"}, "stddev: 'ddof' is a whole number, not '1'."),
        ("stddev", ([1.0],), {"ddof": -1}, "stddev: ddof is 0 (of a population) or 1 (of a sample) or more, not -1."),
        ("pca", (np.eye(3), "2"), {}, "pca: 'k' is a whole number, not '2'."),
        ("pca", (np.eye(3), 2.0), {}, "pca: 'k' is a whole number, not 2.0."),
        ("kmean", (np.eye(3),), {"starts": "all"}, "kmean: 'starts' is a whole number, not 'all'."),
        ("kmean", (np.eye(3),), {"standardise": "yes"}, "kmean: 'standardise' is true or false, not 'yes'."),
        ("boxer", ([1.0, 2.0],), {"bins": 2.5}, "boxer: 'bins' is a whole number, not 2.5."),
        ("derivative", ([1.0, 2.0],), {"axis": "x"}, "derivative: 'axis' is a whole number, not 'x'."),
        ("integral", ([1.0, 2.0],), {"axis": None}, "integral: 'axis' is a whole number, not None."),
        ("expr", (2,), {}, "expr: 'text' is a text, not 2."),
    ],
)
def test_scripts_are_told_what_an_argument_is_as_pipelines_are(
    word: str, args: tuple[Any, ...], given: dict[str, Any], said: str, context: object
) -> None:
    assert context
    with pytest.raises(UsageError) as wrong:
        TABLE[word].call(*args, **given)
    assert str(wrong.value) == said


def test_numbers_of_numpy_are_numbers_for_arguments(context: object) -> None:
    assert context
    assert TABLE["mean"].call(np.eye(2), axis=np.int64(0)).tolist() == [0.5, 0.5]
    assert len(TABLE["pca"].call(np.eye(4), np.uint8(2), standardise=np.True_).names) == 2
