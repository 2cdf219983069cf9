"""Settings of a bundle, its own and inherited ones, as parameters of every task on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from plotter2.clock import Instant
from plotter2.datter.run import Scope
from plotter2.model import inheritance, package
from plotter2.model.inheritance import Kin, inherit
from tests.unit.datter.kit import Bench

TASK = "def task(bins, lr=1, mode='x'):\n    return [bins, lr, mode]\n"


@pytest.mark.req("r034")
def test_settings_are_parameters_and_what_the_run_gives_goes_first(tmp_path: Path) -> None:
    base = package.read('{"config": {"bins": 10, "lr": 0.5, "mode": "base"}}')
    own = package.read('{"parents": ["base"], "config": {"lr": 0.1}}')
    snapshot = inherit("x", own, [Kin("base", 1, Instant(0.0), base)])
    scope = Scope("x", 1, {}, inheritance.effective(own, snapshot))
    assert Bench(tmp_path).run(TASK, scope).results == [10, 0.1, "base"]
    assert Bench(tmp_path).run(TASK, scope, bins=3, lr=2).results == [3, 2, "base"]


def test_what_the_bundle_was_made_with_goes_before_its_settings(tmp_path: Path) -> None:
    scope = Scope("x", 1, {}, package.read('{"config": {"bins": 10, "lr": 0.5}}'), {"lr": 0.2})
    assert Bench(tmp_path).run(TASK, scope).results == [10, 0.2, "x"]
