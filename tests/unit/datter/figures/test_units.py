"""Units that keys declare, at the axes of what is drawn of their data."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plotter2.datter.context import Context, enter, leave
from plotter2.datter.figures.automatic import panels_of
from plotter2.datter.figures.drawing import label, scaled
from plotter2.datter.figures.figure import Panel
from plotter2.datter.figures.frame import Frame
from plotter2.datter.figures.units import measured
from plotter2.datter.pages.compose import figure_of
from plotter2.datter.runs import RunInput
from plotter2.datter.scope import Scope
from plotter2.datter.scripting.reading import access, copy, order
from plotter2.errors import PackageError
from plotter2.model import package
from tests.unit.datter.kit import scope_of, written

CURVES = "epoch,train_loss,test_loss,accuracy\n1,0.9,1.0,0.1\n2,0.5,0.7,0.6\n3,0.4,0.6,0.7\n"


def drawn(scope: Scope, *items: Callable[[], Any]) -> list[Panel]:
    """What plotme draws of what these give."""
    made = Context(RunInput("r", "t", "script", "", "s.py", {}, 7, scope, Path()), lambda _: None)
    token = enter(made)
    try:
        return list(figure_of(made, Frame(items=[one() for one in items])).panels)
    finally:
        leave(token)


@pytest.fixture
def scope(tmp_path: Path) -> Scope:
    files: dict[str, Any] = {"curves.csv": CURVES}
    folder = written(tmp_path, files)
    np.save(folder / "loss.npy", np.arange(9.0))
    np.save(folder / "field.npy", np.arange(12.0).reshape(3, 4))
    for step in range(3):
        np.save(folder / f"m{step}.npy", np.arange(5.0) + step)
    return scope_of(folder, declared={"data": {
        "curves": {"path": "curves.csv", "units": {"train_loss": "nats", "test_loss": "nats", "epoch": "1"}},
        "loss": {"path": "loss.npy", "description": "loss of the last run [nats]"},
        "field": {"path": "field.npy", "unit": "T"},
        "m": {"path": "m*.npy", "unit": "mV"},
    }})  # fmt: skip


@pytest.mark.req("r172")
def test_axes_of_a_table_say_what_its_columns_are_measured_in(scope: Scope) -> None:
    loss, accuracy = drawn(scope, lambda: access("curves"))
    assert (loss.x.words, loss.y.words) == ("epoch [1]", "loss [nats]")
    assert (accuracy.y.words, accuracy.layers[0].hover) == ("accuracy", (("epoch [1]", "x"), ("accuracy", "y")))


@pytest.mark.req("r172")
@pytest.mark.parametrize(
    "how",
    [lambda: access("loss"), lambda: copy("loss"), lambda: order(copy("loss")), lambda: label(access("loss"), "x")],
    ids=["access", "copy", "order", "label"],
)
def test_a_unit_holds_for_the_values_themselves_and_for_copies(scope: Scope, how: Callable[[], Any]) -> None:
    (panel,) = drawn(scope, how)
    assert panel.y.unit == "nats"


@pytest.mark.req("r172")
def test_matrices_and_groups_say_their_unit_and_what_is_computed_has_none(scope: Scope) -> None:
    (field,) = drawn(scope, lambda: access("field"))
    assert field.colours
    assert field.colours.title == "field [T]"
    (group,) = drawn(scope, lambda: access("m"))
    assert group.y.words == "m [mV]"
    (scored,) = drawn(scope, lambda: scaled(access("loss")))
    assert "nats" not in scored.y.words


@pytest.mark.req("r172")
def test_of_two_curves_on_one_axis_the_unit_stays_where_it_is_the_same(scope: Scope) -> None:
    (same,) = drawn(scope, lambda: access("loss"), lambda: copy("loss"))
    assert same.y.unit == "nats"
    (mixed,) = drawn(scope, lambda: access("loss"), lambda: access("m")[0])
    assert mixed.y.unit == ""


def test_what_has_no_axes_is_left_as_it_is() -> None:
    (panel,) = panels_of("words")
    assert measured(panel, {"": "m"}, "x") is panel


@pytest.mark.req("r066")
@pytest.mark.parametrize(
    ("key", "said"),
    [
        ({"unit": "[m]"}, r"'data\.x\.unit'.*must be a unit of at most 40 letters, without brackets"),
        ({"units": {"a": ""}}, r"'data\.x\.units\.a'.*must be a unit"),
        ({"visual": " "}, r"'data\.x\.visual'.*is an empty name"),
    ],
)
def test_a_unit_that_is_none_is_refused_with_its_key(key: dict[str, Any], said: str) -> None:
    with pytest.raises(PackageError, match=said):
        package.parse(json.dumps({"data": {"x": {"path": "x.csv", **key}}}))


@pytest.mark.parametrize(
    ("description", "unit"),
    [("loss [nats]", "nats"), ("speed [m/s].", "m/s"), ("share [%]", "%"), ("in [0, 1]", ""), ("[rows by columns]", ""),
     ("[m] of it", ""), ("x [3]", "")],
)  # fmt: skip
def test_a_unit_at_the_end_of_a_description_is_taken(description: str, unit: str) -> None:
    found = package.parse(json.dumps({"data": {"x": {"path": "x.csv", "description": description}}})).data["x"]
    assert dict(found.measured_in).get("", "") == unit
