"""How far a run is: progress and track."""

from __future__ import annotations

from pathlib import Path

import pytest

from plotter2.datter.run import execute
from plotter2.datter.runs import RunInput
from plotter2.datter.scope import Scope
from plotter2.errors import ScriptError, TaskFailedError
from tests.unit.datter.kit import Bench


def shown(source: str, folder: Path) -> list[tuple[float, float]]:
    said: list[tuple[float, float]] = []
    run = RunInput(
        "req-1.0", "t", "script", source, "t.py", {}, 7, Scope(), folder,
        show=lambda done, total: said.append((done, total)),
    )  # fmt: skip
    execute(run, lambda _: None)
    return said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("progress(3, 10)", [(3, 10)]),
        ("progress(3)", [(3, 0)]),
        ("list(track('ab'))", [(0, 2), (1, 2), (2, 2)]),
        ("list(track(iter('ab')))", [(0, 0), (1, 0), (2, 0)]),
        ("list(track(iter('ab'), 2))", [(0, 2), (1, 2), (2, 2)]),
        ("next(track(range(9)))", [(0, 9)]),
    ],
)
@pytest.mark.req("r130")
def test_a_script_says_how_far_it_is(line: str, said: list[tuple[float, float]], tmp_path: Path) -> None:
    assert shown(f"def task():\n    {line}", tmp_path) == said


@pytest.mark.parametrize("given", ["'x'", "-1", "float('nan')", "1, None", "float('inf')"])
@pytest.mark.req("r130")
def test_progress_takes_numbers_from_0_on(given: str, tmp_path: Path) -> None:
    with pytest.raises(TaskFailedError, match="progress takes"):
        shown(f"def task():\n    progress({given})", tmp_path)


@pytest.mark.req("r130")
def test_a_pipeline_has_no_way_to_say_how_far_it_is(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match="'progress' works in scripts only"):
        Bench(tmp_path).run(["access", "progress"])
