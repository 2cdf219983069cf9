"""Every word that draws beside every kind of value that people hold: a figure, or a sentence that teaches."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plotter2.datter.builtins import TABLE
from plotter2.datter.context import Context, enter, leave
from plotter2.datter.figures.automatic import VISUALS, visual_of
from plotter2.datter.figures.frame import Frame
from plotter2.datter.pages import compose
from plotter2.datter.run import RunInput, Scope
from plotter2.datter.values.group import DataGroup
from plotter2.datter.values.table import Table
from plotter2.errors import Plotter2Error, UsageError
from tests.unit.datter.foreign import FRAMES, NO_NUMBERS, SERIES
from tests.unit.datter.test_inputs import VALUES as PLAIN

CUBE = np.full((3, 4, 5), [1e308, -1e308, 1, 2, 3])
ELSE = {
    "pandas Int64", "pandas boolean", "pandas lists", "pandas named rows", "polars decimals", "polars lists",
    "arrow runs", "arrow dictionary", "scipy csr", "scipy dia", "scipy dok", "pandas frame of steps",
    "pandas frame of texts", "pandas frame of days", "pandas frame of levels", "pandas intervals",
    "pandas mixed objects", "polars lazy",
    "polars of all kinds", "arrow of all kinds", "numpy masked records", "numpy matrix",
}  # fmt: skip
FAR, NAMED = [1e308, -1e308, 3.0], {"a": 3, "b": 5}
VALUES: dict[str, Any] = {
    **PLAIN, "far apart": FAR, "far rows": np.array([[1e308, -1e308], [-1e308, 1e308], [0, 1.0]]), "far cube": CUBE,
    "far table": Table({"x": FAR, "y": FAR[::-1]}), "far group": DataGroup.of([np.array(FAR), np.array(FAR[::-1])]),
    "tiny rows": np.array([[5e-324, 1e-320], [0, 5e-324], [1e-320, 0]]), "objects": [object(), object()],
    "object": object(), "flag": True, "infinite": [math.inf] * 3, "four axes": np.zeros((2, 3, 4, 5)),
    "mixed group": DataGroup.of([1.0, "a", np.arange(3.0)]), "no column": np.empty((3, 0)),
    "half a group of tables": DataGroup.of([Table({"x": [1.0]}), np.arange(3.0)]), "empty dictionary": {},
    "group of nothing": DataGroup.of([None, 1.0]), "group of empty": DataGroup.of([np.empty(0), np.empty(0)]),
    "group of days": DataGroup.of([dt.date(2024, 1, 1)]), "group of no rows": DataGroup.of([Table({"x": []})]),
    "missing rows": np.full((4, 2), np.nan), "missing cube": np.full((4, 2, 3), np.nan), "numbers by name": NAMED,
    "missing table": Table({"x": [math.nan] * 3, "who": list("abc")}), "words by name": {"a": 1, "b": "x", "c": [1]},
    "columns of two lengths": {"a": [1, 2], "b": [3]}, "deep": {"a": {"b": 1}}, "half records": [{"a": 1}, 3],
    "day": dt.date(2024, 1, 1), "complex number": 1j, "missing": math.nan, "beyond": 10**400, "no words": "",
    **{kind: one for kind, (one, _) in {**SERIES, **FRAMES}.items() if kind in ELSE}, **NO_NUMBERS,
    "list of empty": [[]], "list of nothing": [None, None], "function": len, "generator": None,
}  # fmt: skip
SHAPES = {"circle": 3, "ellipse": 4, "rect": 4, "arrow": 4, "arc": 5}
PAIRS = ("line", "point", "polygon", "path", "band", "hexbin", "bars", "quiver", "contour")
BARE = ("report", "page", "visualtype", "label", "scale", "frame")
ARGUMENTS: dict[str, tuple[str, ...]] = {
    "axis": ("x", "xscale", "xrange", "count", "size", "equal"), "legend": ("show", "title"),
    "font": ("size", "family", "colour", "bold"), "colour": ("by",), "text": ("x", "colour", "rel"),
    "histogram": ("bins",), "table": ("columns", "title"), "simulate": ("state", "steps", "dt", "names"),
    "report": ("title", "template"), "line": ("name", "colour"), "circle": ("colour", "alpha", "size", "fill"),
    "label": ("by",), "gradient": ("low",), "frame": ("title", "columns", "template"), "page": ("size",),
}  # fmt: skip
GOOD: dict[str, tuple[Any, ...]] = {
    "text": ("words",), "histogram": ([1.0, 2.0],), "table": (Table({"x": [1.0]}),), "line": ([1, 2],),
    "circle": (1, 1, 1), "simulate": (lambda state: state,), "page": ([1, 2],), "gradient": ("red", "blue"),
    "label": (Table({"x": [1.0]}),),
}  # fmt: skip
WORDS = [
    *PAIRS, *SHAPES, *BARE, "plotme", "animateme", "plot", "automatic", "animate", "simulate", "table", "text", "image",
    "heatmap", "box", "histogram", "violin", "axis", "legend", "colour", "font", "gradient",
]  # fmt: skip


def calls(word: str, value: Any) -> Iterator[Callable[[Frame], Any]]:
    call = TABLE[word].call
    many = SHAPES.get(word, 1)
    yield lambda frame: call(*([] if word in BARE else [frame]), *[value] * many)
    if word in PAIRS:
        yield lambda frame: call(frame, value, value)
        yield lambda frame: call(frame, value, [1.0, 2.0, 3.0])
        yield lambda frame: call(frame, value, value, *[value] * (1 + (word == "quiver")))
    if word in {"visualtype", "scale", "label", "text"}:
        more = (value, value) if word == "text" else (value,)
        yield lambda _: call(np.eye(3) if word != "text" else "words", *more)
    for argument in ARGUMENTS.get(word, ()):
        given = {"state": np.eye(2), "high": 1} if word in {"simulate", "gradient"} else {}
        known = {name: one for name, one in given.items() if (name == "high") == (word == "gradient")}
        yield lambda frame, known=known, argument=argument: call(  # type: ignore[misc] # bound at once
            *([] if word in BARE or word == "gradient" else [frame]), *GOOD.get(word, ()), **known | {argument: value}
        )


def drawn(folder: Path, call: Callable[[Frame], Any]) -> str:
    """What is said when it is called and all that it left is made a figure; "" when nothing is."""
    made = Context(RunInput("r", "t", "script", "", "s.py", {}, 7, Scope(), folder), lambda _: None)
    token = enter(made)
    try:
        frame = TABLE["frame"].call()
        call(TABLE["frame"].call(frame))  # into a child plotme queues
        for one in (frame, *(part for report in made.reports for part in report.frames)):
            if not one.is_empty:
                compose.figure_of(made, one)
    except Plotter2Error as wrong:
        return str(wrong)
    finally:
        leave(token)
    return ""


def check(said: str, about: object) -> None:
    if said:
        assert said.endswith("."), (about, said)
        assert len(said.split()) > 3, (about, said)
        for riddle in ("ndarray", "NoneType", "object at"):
            assert riddle not in said, (about, said)


@pytest.mark.req("r137", "r138", "r140", "r142", "r143", "r144", "r145", "r146", "r147", "r148", "r149", "r150")
@pytest.mark.parametrize("word", WORDS)
def test_each_word_draws_or_teaches_whatever_it_is_given(word: str, tmp_path: Path) -> None:
    """Warnings are errors in this suite, so nothing warns either."""
    for kind, value in VALUES.items():
        for place in range(sum(1 for _ in calls(word, value))):
            given = (one for one in [1, 2]) if kind == "generator" else value
            check(drawn(tmp_path, list(calls(word, given))[place]), (word, kind, place))


@pytest.mark.req("r137")
@pytest.mark.parametrize("visual", sorted(VISUALS))
def test_each_picture_is_drawn_of_what_it_can_show_and_refuses_the_rest(visual: str, tmp_path: Path) -> None:
    for kind, value in VALUES.items():
        said = drawn(tmp_path, lambda frame, value=value: frame.items.append(TABLE["visualtype"].call(value, visual)))  # type: ignore[misc] # bound at once
        check(said, (visual, kind))


@pytest.mark.req("r137")
@pytest.mark.parametrize(
    ("word", "given", "said"),
    [
        ("plotme", (FAR,), r"The axis .* reaches from -1e\+308 to 1e\+308, .* divide the values by a unit first"),
        ("histogram", (FAR,), "too large to be drawn, or too far apart"), ("violin", (DataGroup.of([]),), "is empty"),
        ("page", ({1, 2},), r"not a set; list\(...\) makes a list"), ("page", (np.array(3.0),), "not an array"),
        ("bars", (3.0, [1]), "names are a list of texts, not 3.0"), ("histogram", ([1], "a"), "needs the data"),
        ("text", ("a", "b", 1), "a place is two numbers"), ("frame", ([1],), "lies in a frame, not in a list"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_said_with_what_could_be(
    word: str, given: tuple[Any, ...], said: str, context: Context
) -> None:
    assert context.run.seed
    with pytest.raises(UsageError, match=said):
        TABLE[word].call(*given)


@pytest.mark.parametrize(
    ("word", "argument", "given", "said"),
    [
        ("axis", "xrange", (2, "a"), r"a range is \(smaller, larger\), two numbers up to 1e\+307, not \(2, 'a'\)"),
        ("axis", "size", np.eye(2), "a size is a height or .*, not an array"),
        ("axis", "count", "two", "axis: 'count' is a whole number, not 'two'"),
        ("font", "size", [1], "font: 'size' is a number, not a list"),
    ],
)
def test_an_argument_of_another_kind_is_said_by_its_name(
    word: str, argument: str, given: Any, said: str, context: Context
) -> None:
    assert context.run.seed
    with pytest.raises(UsageError, match=said):
        TABLE[word].call(**{argument: given})


@pytest.mark.req("r137")
def test_numbers_by_name_are_bars_and_a_table_where_it_is_asked_for(context: Context) -> None:
    assert visual_of(NAMED) == "bars"
    assert visual_of({"a": 1, "b": "x"}) == "table"
    frame = TABLE["frame"].call()
    TABLE["plot"].call(frame, NAMED)
    (panel,) = compose.figure_of(context, frame).panels
    assert (panel.x.factors, panel.layers[0].columns["top"].tolist()) == (("a", "b"), [3, 5])
    window = TABLE["frame"].call()
    TABLE["table"].call(window, NAMED)
    (panel,) = compose.figure_of(context, window).panels
    assert (panel.visual, panel.rows) == ("table", (("a", 3), ("b", 5)))


def test_days_may_stand_along_a_line(context: Context) -> None:
    frame = TABLE["frame"].call()
    TABLE["line"].call(frame, [dt.date(2024, 1, 1), dt.date(2024, 1, 3)], [1, 2])
    (panel,) = compose.figure_of(context, frame).panels
    assert panel.x.scale == "datetime"
