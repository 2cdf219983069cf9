"""The examples' scripts that work with each other, in one process, from both ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plotter2.datter.figures.figure import digest
from plotter2.datter.pages import page, writing
from plotter2.datter.runs import RunInput
from plotter2.datter.scope import Scope
from plotter2.datter.trees.hub import Definition, Ended, Local
from plotter2.model import package

HERE = Path(__file__).resolve().parents[3] / "examples" / "matrices"
STEPS = [f"step_{place}" for place in range(8)]


def run(folder: Path, name: str) -> list[Ended]:
    """Start one of the tasks that the example declares."""
    declared = package.parse((HERE / "package.json").read_text())
    files = {path.relative_to(HERE).as_posix(): path for path in HERE.rglob("*") if path.is_file()}
    definitions = [
        Definition(one.name, (HERE / one.task_src).read_text(), one.task_src, linked=tuple(one.linked_to))
        for one in declared.tasks
    ]
    ground = RunInput("req-1", "", "script", "", "", {}, 7, Scope("lab/matrices", 1, files, declared), folder, "../")
    return Local(definitions, ground, lambda _: None).run(name)


def panels(folder: Path, one: Ended) -> list[Any]:
    """What the page of an instance shows."""
    assert one.result, one.error
    [made] = [made for made in one.result.made if made.kind == "figure"]
    found: list[Any] = json.loads((folder / f"{one.number:05d}" / f"{made.path}.json").read_text())["panels"]
    return found


@pytest.fixture
def unrendered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "page", lambda *_: "")
    monkeypatch.setattr(writing, "_picture", lambda _: b"")


@pytest.mark.req("r127", "r188", "r195")
@pytest.mark.usefixtures("unrendered")
def test_the_matrices_of_the_example_are_drawn_plainly_by_themselves(tmp_path: Path) -> None:
    ended = run(tmp_path, "plot matrices")
    assert [(one.label, one.state) for one in ended] == [(step, "gaveup") for step in STEPS]
    assert [[panel["visual"] for panel in panels(tmp_path, one)] for one in ended] == [["matrix"]] * len(STEPS)


@pytest.mark.req("r127", "r184", "r187", "r189", "r193", "r196", "r197")
@pytest.mark.usefixtures("unrendered")
def test_the_matrices_of_the_example_stand_beside_their_total_where_they_are_gathered(tmp_path: Path) -> None:
    *plots, meta = run(tmp_path, "plot total")
    assert [one.state for one in (*plots, meta)] == ["done"] * (len(STEPS) + 1), meta.error
    total = np.sum([json.loads((HERE / f"matrices/{step}.json").read_text()) for step in STEPS], axis=0)
    for place, one in enumerate(plots):
        own, series = panels(tmp_path, one)
        assert [own["visual"], series["visual"], series["marker"]] == ["matrix", "series_total", [place]]
        assert series["total"]["sum"] == pytest.approx(total.sum())
    [whole] = panels(tmp_path, meta)
    assert (whole["visual"], whole["data"][0]["digest"]) == ("matrix", digest(total))
