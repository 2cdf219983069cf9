"""repeat in scripts: what a run asks for when it has ended."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from plotter2.datter.scope import Scope
from plotter2.errors import ScriptError, TaskFailedError
from plotter2.model import rounds
from plotter2.model.package import Package, StandingOrder
from plotter2.model.rounds import Again
from tests.unit.datter.kit import Bench


def asked(bench: Bench, call: str) -> Again:
    return rounds.decode(bench.run(f"def task():\n    {call}\n").again)


@pytest.mark.req("r174")
def test_a_run_asks_for_values_in_their_order_the_last_parameter_fastest(bench: Bench) -> None:
    again = bench.run('def task(lr=0.3, seed=1):\n    repeat(over={"lr": [0.1, 0.2], "seed": [1, 2]})\n').again
    found = rounds.decode(again)
    assert [json.loads(one) for one in found.over] == [
        {"lr": 0.1, "seed": 1}, {"lr": 0.1, "seed": 2}, {"lr": 0.2, "seed": 1}, {"lr": 0.2, "seed": 2},
    ]  # fmt: skip


@pytest.mark.req("r174")
def test_values_of_a_parameter_that_the_script_does_not_take_are_refused_with_the_nearest(bench: Bench) -> None:
    with pytest.raises(TaskFailedError, match=r"repeat: work\.py takes no parameter 'lrr'; the nearest is 'lr'"):
        bench.run('def task(lr=0.3):\n    repeat(over={"l" + "rr": [0.1]})\n')
    for takes in ("lr=0.3", "**given"):
        assert bench.run(f'def task({takes}):\n    repeat(over={{"lr": [0.1], "shared_threshold": [1]}})\n').again


@pytest.mark.req("r174")
def test_a_run_asks_for_a_count_or_until_something_is_so(bench: Bench) -> None:
    assert asked(bench, "repeat(times=3)") == Again(times=3)
    assert asked(bench, "repeat(until=0.5 < 0.1)") == Again()
    assert asked(bench, "repeat(until=False, times=5)") == Again(times=5)
    assert bench.run("def task():\n    repeat(until=0.5 > 0.1)\n").again == ""
    assert bench.run("def task():\n    repeat(times=2)\n    giveup()\n").again


@pytest.mark.req("r174")
@pytest.mark.parametrize(
    ("call", "why"),
    [
        ("repeat()", "repeat is called as repeat(over="),
        ('repeat(over={"a": [1]}, times=2)', "repeat is called as repeat(over="),
        ("repeat(times=0)", "times is a whole number from 1 to 1,000"),
        ("repeat(over=[1, 2])", "over is a dictionary of parameters with values"),
        ('repeat(over={"a": 3})', "'a' has no list of values, but 3"),
        ('repeat(over={"a": list(range(40)), "b": list(range(40))})', "1,600 combinations; at most 1,000"),
        ("(repeat(times=2), repeat(times=2))", "it was called before in this run"),
        ('repeat(on="version")', "this run is on no bundle, so 'version' never happens to it; name one"),
        ("repeat(on=3)", "on is the name of something that happens, 'version', 'child', 'settled'; not 3"),
        ('repeat(on="version", over={"a": [1]})', "repeat is called as repeat(over="),
        ('repeat(of="data")', "repeat is called as repeat(over="),
    ],
)
def test_what_makes_no_sense_is_refused_in_its_line(bench: Bench, call: str, why: str) -> None:
    with pytest.raises(TaskFailedError, match="line 2") as caught:
        asked(bench, call)
    assert why in str(caught.value)


@pytest.mark.req("r174")
def test_a_text_that_is_none_of_ours_asks_for_nothing() -> None:
    assert rounds.decode("{").times == 1
    assert rounds.decode(rounds.encode(Again(("{}",)))) == Again(("{}",))


@pytest.fixture
def lab(tmp_path: Path) -> Scope:
    (tmp_path / "x.csv").write_text("a\n1\n2\n")
    package = Package(standing=[StandingOrder("nightly", "version")])
    return Scope("lab", 1, {"x.csv": tmp_path / "x.csv"}, package)


@pytest.mark.req("r174")
@pytest.mark.parametrize(
    ("call", "found"),
    [
        ('repeat(on="version")', Again(on="version", of="lab")),
        ('repeat(on="settled", of="exp/x", times=4)', Again(times=4, on="settled", of="exp/x")),
        ('repeat(on="nightly")', Again(on="nightly", of="lab")),
        ('repeat(on="weekly", of="elsewhere")', Again(on="weekly", of="elsewhere")),
    ],
)
def test_a_run_asks_to_be_done_when_something_happens_to_its_bundle_or_to_another(
    bench: Bench, lab: Scope, call: str, found: Again
) -> None:
    assert rounds.decode(bench.run(f"def task():\n    {call}\n", lab).again) == found


@pytest.mark.req("r174")
def test_what_nothing_is_called_that_happens_is_refused_with_the_nearest(bench: Bench, lab: Scope) -> None:
    with pytest.raises(TaskFailedError, match=r"'nightli'; the nearest is 'nightly'.*orders of 'lab': 'nightly'"):
        bench.run('def task():\n    repeat(on="nightli")\n', lab)


@pytest.mark.req("r174", "r099")
def test_a_pipeline_asks_to_be_done_again_when_something_happens(bench: Bench, lab: Scope) -> None:
    found = bench.run(["access", "mean", {"repeat": {"on": "version", "times": 3}}], lab)
    assert rounds.decode(found.again) == Again(times=3, on="version", of="lab")
    with pytest.raises(TaskFailedError, match=r"step 3 \(repeat\): repeat: nothing that happens is called 'chld'"):
        bench.run(["access", "mean", {"repeat": {"on": "chld"}}], lab)
    with pytest.raises(ScriptError, match=r"step 1 \(repeat\): there is no data yet"):
        bench.run([{"repeat": {"on": "version"}}], lab)
    with pytest.raises(ScriptError, match=r"step 2 \(repeat\): .*'off'"):
        bench.run(["access", {"repeat": {"on": "version", "off": 3}}], lab)
