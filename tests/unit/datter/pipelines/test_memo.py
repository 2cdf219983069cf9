"""Which pipelines come out the same each time, and what makes two of them the same."""

from __future__ import annotations

import json

import pytest

from plotter2.datter.pipelines import memo, pipeline
from plotter2.datter.pipelines.register import Step

STEADY = "import numpy as np\ndef task(data):\n    return np.mean(data)"


def steps(*written: object) -> tuple[Step, ...]:
    return pipeline.parsed(json.dumps(written), "p.json")


def scripted(source: str) -> str:
    return memo.why_not(steps("access", ["script", "x.py"]), {"x.py": source}.get)


@pytest.mark.req("r022")
def test_what_is_written_otherwise_and_means_the_same_is_the_same() -> None:
    same = [
        steps("access", {"pca": {"k": 2}}, {"kmean": {"k": 3, "starts": 2}}),
        steps(["access"], ["pca", {"k": 2}], {"kmean": {"starts": 2, "k": 3}}),
        steps({"access": {}}, {"pca": {"k": 2}}, {"kmean": {"starts": 2, "k": 3}}),
    ]
    assert len({memo.said(one) for one in same}) == 1
    assert memo.said(steps("access", {"pca": {"k": 3}})) != memo.said(steps("access", {"pca": {"k": 2}}))
    assert memo.engine().encode() in memo.said(same[0])


@pytest.mark.req("r022")
def test_a_pipeline_of_mathematics_and_drawing_comes_out_the_same() -> None:
    assert memo.why_not(steps("access", "pca", "frame", "axis", "plot", "handoff"), {}.get) == ""
    assert scripted(STEADY) == ""
    assert memo.why_not(steps("access", {"script": {"source": "x.py", "bins": 3}}), {"x.py": STEADY}.get) == ""


@pytest.mark.req("r022")
def test_code_behind_a_link_and_a_script_that_is_not_there_are_named_with_their_step() -> None:
    assert memo.why_not(steps("access", ["through", "smooth"]), {}.get) == (
        "step 2 (through): the code behind a link is not looked into"
    )
    assert memo.why_not(steps("access", ["script", "x.py"]), {}.get) == "step 2 (script): there is no script 'x.py'"


@pytest.mark.req("r022")
@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("import time", "line 1: it imports time, which may differ each time"),
        ("from os import path", "line 1: it imports os, which may differ each time"),
        ("from .mine import f", "line 1: it imports .mine, which may differ each time"),
        ("from random import SystemRandom", "line 1: it uses SystemRandom"),
        ("import datetime; x = datetime.datetime.now()", "line 1: it uses now"),
        ("import numpy as np; r = np.random.default_rng()", "line 1: it calls default_rng() without a seed"),
        ("x = open('f')", "line 1: it uses open"),
        ("def f(): return me.run", "line 1: it uses me"),
    ],
)
def test_a_script_that_asks_for_what_changes_by_itself_is_found_out(line: str, why: str) -> None:
    assert scripted(f"{line}\ndef task(data):\n    return data") == f"step 2 (script): x.py, {why}"


@pytest.mark.req("r022")
def test_a_script_with_a_seed_of_its_own_or_the_runs_is_steady() -> None:
    lines = ["import random", "import numpy as np", "def task(data):", "    g = np.random.default_rng(7)"]
    assert scripted("\n".join([*lines, "    return g.random() + random.random()"])) == ""
