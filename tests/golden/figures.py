"""Figures whose specification is kept beside this file; `python -m tests.golden.figures` writes them anew.

Only what is computed exactly on every machine: the digests of what is drawn are part of it.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from plotter2.datter.context import Context, enter, leave
from plotter2.datter.figures import drawing, looks
from plotter2.datter.figures.figure import describe
from plotter2.datter.figures.frame import Frame
from plotter2.datter.pages import compose
from plotter2.datter.run import RunInput, Scope
from plotter2.datter.values.group import DataGroup, Member
from plotter2.datter.values.points import Labels, Points
from plotter2.datter.values.table import Table

HERE = Path(__file__).parent


def metrics(scale: float) -> Table:
    steps = np.arange(1, 6)
    return Table(
        {"epoch": steps, "train_loss": scale / steps, "test_loss": 2 * scale / steps, "accuracy": steps / 8},
        name="metrics",
    )


def _step(place: int) -> Member:
    return Member(f"step_{place}", float(place), lambda: np.arange(6.0).reshape(2, 3) * place - 4)


def _styled() -> Frame:
    frame = looks.frame(title="Styled")
    looks.colour(frame, "red", "#123456")
    looks.axis(frame, x="time", y="height", yscale="log", xrange=(0, 4))
    looks.legend(frame, title="curves")
    drawing.plot(frame, drawing.line([1.0, 2.0, 4.0], name="up"), drawing.line([4.0, 2.0, 1.0], name="down"))
    drawing.text(frame, "crossing", x=1, y=2)
    return frame


def _nested() -> Frame:
    window = looks.frame(title="Window")
    drawing.plot(looks.frame(window, title="left"), np.eye(3))
    drawing.plot(looks.frame(window, title="right"), drawing.table([{"a": 1, "b": None}]))
    return window


def _points() -> Points:
    return Points(
        np.arange(12.0).reshape(6, 2), ("x", "y"), "six", Labels("kind", ("a", "b"), np.array([0, 1, 0, 1, 0, 1]))
    )


FIGURES: dict[str, Any] = {
    "loss": lambda: Frame(items=[metrics(1.0)]),
    "runs": lambda: Frame(items=[DataGroup.of([metrics(1.0), metrics(2.0)], ["lr = 0.1", "lr = 0.2"], "metrics")]),
    "animation": lambda: drawing.animate(Frame(), DataGroup([_step(2), _step(10)], "weights", "step")),
    "matrix": lambda: Frame(items=[np.arange(6).reshape(2, 3)]),
    "points": lambda: Frame(items=[_points()]),
    "bars": lambda: Frame(items=[Table({"carrier": ["UA", "AA"], "flights": [3, 2]}, name="carriers")]),
    "styled": _styled,
    "nested": _nested,
}


def specification(name: str) -> Any:
    run = RunInput(
        "r", "t", "script", "", "s.py", {"lr": 0.1}, 7, Scope("experiments/demo", 3), Path(tempfile.gettempdir())
    )
    context = Context(run, lambda _: None)
    token = enter(context)
    try:
        return json.loads(json.dumps(describe(compose.figure_of(context, FIGURES[name]()))))
    finally:
        leave(token)


def main() -> None:
    for name in FIGURES:
        (HERE / f"{name}.json").write_text(json.dumps(specification(name), indent=1) + "\n")


if __name__ == "__main__":
    main()
