"""What a task was told must hold, and what it lets through while it runs (requirements 097, 180)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plotter2.datter.check import outline
from plotter2.datter.scripting.contract import unmet
from plotter2.datter.trees.hub import Definition
from plotter2.errors import ScriptError, TaskFailedError
from tests.unit.datter.kit import Bench, scope_of
from tests.unit.datter.sample import Tree

DECLARED = {"data": {"m": {"path": "m/*.npy"}, "fine": {"path": "fine.npy"}, "coarse": {"path": "coarse.npy"}}}
IMPOSING = """\
impose(seed, lr as float, mode as ["fast", "exact"], size as 4, k as datter.keytype(m))
def task():
    told = imposed()
    impose(late as int)
    return [told, list(imposed())]
"""
GATE = """\
impose(k as datter.keytype(m))
def task():
    values = access(k)
    if values.max() > limit():
        giveup()
    other = access("fine" if values.max() < 2 else "coarse")
    plotme(values + other)

def limit():
    return 3
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "m").mkdir(parents=True)
    for place in (1, 2, 9):
        np.save(folder / "m" / f"step_{place}.npy", np.full((2, 2), place))
    np.save(folder / "fine.npy", np.ones((2, 2)))
    np.save(folder / "coarse.npy", np.zeros((2, 2)))
    return folder


@pytest.mark.req("r180")
def test_imposed_tells_everything_with_what_must_hold_and_what_was_given(files: Path, tmp_path: Path) -> None:
    given: dict[str, Any] = {"seed": 3, "lr": 0.5, "mode": "fast", "size": 4, "k": 2, "late": 7, "free": 1}
    told, names = Bench(tmp_path / "out").run(IMPOSING, scope_of(files, declared=DECLARED), **given).results
    assert told == {
        "seed": ["given", None, 3],
        "lr": ["type", "float", 0.5],
        "mode": ["one of", ["fast", "exact"], "fast"],
        "size": ["value", 4, 4],
        "k": ["key of", "m", "step_2"],
    }
    assert names == [*told, "late"], "what is imposed while it runs counts from then on"


@pytest.mark.req("r180")
def test_each_instance_is_told_its_own_key_and_one_without_has_all(tmp_path: Path) -> None:
    source = "impose(k as datter.keytype(matrix))\ndef task():\n    return list(imposed()['k'])\n"
    tree = Tree(tmp_path, 2, [Definition("plot", source, "plot.py")])
    told = [one.result.results for one in tree.run("plot") if one.result]
    assert told == [["key of", "matrix", "step_0"], ["key of", "matrix", "step_1"]]
    assert Bench(tmp_path / "alone").run(source, tree.scope).results == ["key of", "matrix", None]


@pytest.mark.req("r180")
def test_nothing_imposed_is_nothing_told(tmp_path: Path) -> None:
    assert Bench(tmp_path).run("def task():\n    return imposed()\n", lr=1).results == {}


@pytest.mark.req("r177")
def test_a_truth_value_is_no_number(tmp_path: Path) -> None:
    with pytest.raises(TaskFailedError, match="'n' is True, but the script imposes int"):
        Bench(tmp_path).run("impose(n as int)\ndef task():\n    pass\n", n=True)
    assert Bench(tmp_path).run("impose(n as bool)\ndef task():\n    return n\n", n=True).results is True


IMPOSES = "impose(seed, lr as float, mode as ['a', 'b'], size as 4, k as datter.keytype(m), late as abs(-7))"


@pytest.mark.req("r177")
@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, ""),
        ({"seed": None}, "imposes the parameter 'seed', which was not given."),
        ({"late": None}, "imposes the parameter 'late', which was not given."),
        ({"lr": "x"}, "The parameter 'lr' is 'x', but the script imposes float."),
        ({"lr": True}, "The parameter 'lr' is True, but the script imposes float."),
        ({"mode": "c"}, "The parameter 'mode' is 'c', but the script imposes ['a', 'b']."),
        ({"size": 5}, "The parameter 'size' is 5, but the script imposes 4."),
    ],
)
def test_what_is_imposed_is_looked_at_before_anything_runs(given: dict[str, Any], says: str) -> None:
    held = {"seed": 1, "lr": 2, "mode": "a", "size": 4, "late": "only known when it runs", **given}
    source = f"{IMPOSES}\ndef task():\n    pass\n"
    said = unmet(
        outline(source, "t.py", "script").imposes, {name: one for name, one in held.items() if one is not None}
    )
    assert said.endswith(says)
    assert bool(said) is bool(says)


@pytest.mark.req("r097")
def test_a_script_lets_inputs_through_by_what_it_finds_in_them(files: Path, tmp_path: Path) -> None:
    scope, read = scope_of(files, declared=DECLARED), {}
    for place in (1, 2, 9):
        bench = Bench(tmp_path / str(place))
        result = bench.run(GATE, scope, k=place)
        read[place] = (result.state, [one["path"] for one in bench.sidecar(result)["inputs"]["files"]] if result.made
                       else [])  # fmt: skip
    assert read == {
        1: ("done", ["fine.npy", "m/step_1.npy"]),
        2: ("done", ["coarse.npy", "m/step_2.npy"]),
        9: ("gaveup", []),
    }


@pytest.mark.req("r097")
def test_whose_data_is_needed_is_decided_while_it_runs(tmp_path: Path) -> None:
    """The other giver is held until nobody can ask it any more: what is not let through is not waited for."""
    chooser = 'def task(which):\n    got = access(which)\n    loggy("chosen")\n    return got\n'
    giver = 'expose({0})\ndef task():\n    loggy("{0} runs")\n    expose({0} as "{0}")\n'
    for which, other in (("low", "high"), ("high", "low")):
        tree = Tree(tmp_path / which, 1, [
            Definition("chooser", chooser, "chooser.py", linked=("low", "high")),
            *(Definition(name, giver.format(name), f"{name}.py") for name in ("low", "high")),
        ])  # fmt: skip
        [chosen] = [one for one in tree.run("chooser", which=which) if one.definition == "chooser"]
        assert chosen.result is not None, chosen.error
        assert chosen.result.results == which
        assert [line.split(": ")[-1] for line in tree.lines] == [f"{which} runs", "chosen", f"{other} runs"]


@pytest.mark.req("r097")
@pytest.mark.parametrize("word", ["giveup", "imposed", "exposed", "collect", "release"])
def test_a_pipeline_has_no_word_that_gates(word: str, tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match=rf"step 2: .{word}. works in scripts only, because it decides while running"):
        Bench(tmp_path).run(json.loads(f'["access", "{word}", "plotme"]'))
