"""What other libraries hold goes into every word as the values that it stands for, or one sentence says why not."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from plotter2.datter.builtins import TABLE
from plotter2.datter.context import Context
from plotter2.datter.mathematics.trigonometry import TRIGONOMETRY
from plotter2.datter.results import summary, to_json
from plotter2.datter.trees import laying
from plotter2.datter.values.group import DataGroup
from plotter2.datter.values.table import Table
from plotter2.errors import Plotter2Error
from tests.unit.datter.foreign import FRAMES, NO_NUMBERS, SERIES
from tests.unit.datter.kit import Bench

SEVERAL: dict[str, Callable[[Any], Any]] = {
    "atan2": lambda one: TABLE["atan2"].call(one, 2.0), "product by": lambda one: TABLE["product"].call(one, one),
    "mean along": lambda one: TABLE["mean"].call(one, axis=0), "pca of one": lambda one: TABLE["pca"].call(one, 1),
    "kmean of two": lambda one: TABLE["kmean"].call(one, 2), "minmax": lambda one: TABLE["scale"].call(one, "minmax"),
    "bins": lambda one: TABLE["boxer"].call(one, bins=2), "poly": lambda one: TABLE["fit"].call(one, model="poly:2"),
}  # fmt: skip
OVER = {"derivative", "integral", "fit", "poly"}
"""Words for which an index or a column of times says where values lie."""
LYING = {"pandas other rows", "pandas days", "pandas months"}
WORDS = [
    "mean", "median", "mode", "stddev", "product", "l2norm", "l1norm", "cosine_simularity", "pca", "boxer",
    "scale", "sin", "acosh", "deg", *sorted({*SEVERAL, *OVER}),
]  # fmt: skip
COMPLEX_TOO = {"mean", "mean along", "stddev", "product", "product by", "l2norm", "l1norm", "derivative", "integral"}


def plain(found: Any) -> Any:
    """An answer as an array of numpy."""
    if isinstance(found, DataGroup):
        return np.concatenate([np.ravel(plain(one)) for one in found])
    if hasattr(found, "params"):
        return np.array([*found.params, *found.errors])
    return np.asarray(found.extents if hasattr(found, "extents") else getattr(found, "matrix", found))


def check(said: str, about: object) -> None:
    """A sentence, without a riddle of numpy or Arrow."""
    assert said.endswith("."), (about, said)
    assert len(said.split()) > 3, (about, said)
    for riddle in ("ndarray", "NoneType", "object at", "dtype", "Unsupported", "Error"):
        assert riddle not in said, (about, said)


def answer(word: str, value: Any) -> Any:
    """What a word makes of a value, as plain numbers; the sentence where it refuses."""
    try:
        return plain(SEVERAL[word](value) if word in SEVERAL else TABLE[word].call(value))
    except Plotter2Error as wrong:
        check(str(wrong), word)
        return str(wrong)


@pytest.mark.req("r093", "r111", "r112", "r113", "r114", "r115", "r116", "r117", "r118", "r122", "r123", "r124", "r125")
@pytest.mark.parametrize("word", WORDS)
def test_each_word_answers_for_what_others_hold_as_for_the_plain_values(word: str, context: object) -> None:
    """Warnings are errors in this suite, so nothing warns either."""
    assert context
    for kind, (value, same) in {**SERIES, **FRAMES}.items():
        if word in OVER and kind in LYING:
            continue  # see below
        found = answer(word, Table(value) if kind == "a column masked" else value)
        wanted = answer(word, Table(same) if isinstance(same, dict) else same)
        if isinstance(wanted, str) or isinstance(found, str):
            assert isinstance(wanted, str) == isinstance(found, str), (kind, found, wanted)
        elif wanted.dtype.kind in "iufbc":
            assert found.shape == wanted.shape, (kind, found, wanted)
            assert found == pytest.approx(wanted, nan_ok=True), kind


@pytest.mark.parametrize("word", WORDS)
def test_each_word_refuses_what_holds_no_numbers_with_a_sentence_that_teaches(word: str, context: object) -> None:
    assert context
    for kind, value in NO_NUMBERS.items():
        found = answer(word, value)
        has_numbers = kind.endswith(("MultiIndex", "grouped")) or word == "mode"
        is_complex = "complex" in kind and (word in COMPLEX_TOO or word in TRIGONOMETRY)
        assert isinstance(found, str) or has_numbers or is_complex, (kind, found)


@pytest.mark.req("r125", "r126", "r122")
def test_a_series_lies_where_its_index_says(context: object) -> None:
    assert context
    steps = pd.Series([0.0, 1, 9, 4], index=[0, 1, 3, 2], name="loss")
    assert plain(TABLE["derivative"].call(steps)).tolist() == [1, 2, 4, 5]
    assert plain(TABLE["integral"].call(steps))[-1] == 0.5 + 2.5 + 6.5
    days = pd.Series([0.0, 1, 3], index=pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-04"]))
    assert TABLE["fit"].call(days).params[1] * 86_400 == pytest.approx(1)
    months = pd.Series([0.0, 31, 60], index=pd.period_range("2024-01", periods=3, freq="M"))
    assert TABLE["derivative"].call(months) * 86_400 == pytest.approx([1, 1, 1])
    frame = pd.DataFrame({"loss": [0.0, 2, 6]}, index=pd.Index([0, 1, 3], name="step"))
    assert TABLE["fit"].call(frame).params == pytest.approx((0, 2))
    assert TABLE["mean"].call(frame) == pytest.approx(8 / 3)


def laid(context: Any, folder: Path) -> Callable[[Any], Any]:
    """A value as another process gets it."""

    def back(value: Any) -> Any:
        ref, path = laying.lay(context, value, folder)
        return laying.take_up(ref, lambda _: path or folder, "x")

    return back


def test_words_about_data_take_it_or_teach(context: Context, tmp_path: Path) -> None:
    number, fit, boxer = count(), TABLE["fit"].call, TABLE["boxer"].call
    words: dict[str, Callable[[Any], Any]] = {
        "order": TABLE["order"].call, "order by": lambda one: TABLE["order"].call(one, 0), "copy": TABLE["copy"].call,
        "result": to_json, "summary": summary, "label": lambda one: TABLE["label"].call(one, "n"),
        "lay": laid(context, tmp_path), "export": lambda one: TABLE["export"].call(one, "lab/x", f"n{next(number)}"),
        "group": lambda one: DataGroup.of([one, one]).to_arrow(), "list": lambda one: TABLE["mean"].call([one, one]),
        "group's mean": lambda one: TABLE["mean"].call(DataGroup.of([one, one])),
        "weights": lambda one: fit([1.0, 2, 4, 4], weights=one),
        "by": lambda one: boxer([1.0, 2, 3, 4], by=one), "by name": lambda one: boxer(one, by="y"),
        "columns": lambda one: [Table(one).codes(name) for name in Table(one).names],
        "rows": lambda one: [Table(one).take([0, 1]).rows(), Table(one)[0:2].to_pandas(), Table(one).to_polars()],
        "table": lambda one: TABLE["table"].call({"a": one}),
    }  # fmt: skip
    for word, call in words.items():
        for kind, value in {**{name: one for name, (one, _) in {**SERIES, **FRAMES}.items()}, **NO_NUMBERS}.items():
            try:
                call(value)
            except Plotter2Error as wrong:
                check(str(wrong), (word, kind))


@pytest.mark.req("r093", "r137")
def test_a_series_is_drawn_over_its_index_and_a_count_of_words_as_bars(bench: Bench) -> None:
    source = """
import pandas as pd

def task():
    days = pd.date_range("2024-01-01", periods=4, tz="UTC")
    plotme(pd.Series([3.0, 1, 2, 2], index=days[::-1], name="loss"))
    plotme(pd.Series(list("abca"), name="who").value_counts())
    plotme(pd.Series([3.0, 1, 2, 2], name="loss"))
    plotme(pd.DataFrame({"loss": [3.0, 1], "acc": [0.5, 1]}, index=pd.Index([5, 7], name="run")))
    plotme(pd.DataFrame({"x": [3.0, 1, 4], "y": [0.5, 1, 2]})[lambda one: one.x > 1])
"""
    found = bench.run(source)
    panels = [bench.sidecar(found, place)["panels"] for place in range(5)]
    assert [[one["visual"] for one in figure] for figure in panels] == [
        ["line"], ["bars"], ["line"], ["line", "line"], ["scatter"],
    ]  # fmt: skip


@pytest.mark.req("r093")
def test_an_index_goes_along_and_is_not_computed_with() -> None:
    frame = pd.DataFrame({"x": [1.0, 2, 4]}, index=pd.Index([5, 3, 9], name="run"))
    for table in (
        Table(frame),
        Table(frame)[["run", "x"]],
        Table(frame).take([0, 1, 2]),
        Table(Table(frame).to_arrow()),
    ):
        assert table.index == ("run",)
        pd.testing.assert_frame_equal(table.to_pandas(), frame)
        assert table.to_numpy().tolist() == [[1], [2], [4]]
    rows = frame.rename_axis(None)
    assert Table(rows).names == ("row", "x")
    pd.testing.assert_frame_equal(Table(rows).to_pandas(), rows)
    months = rows.set_axis(pd.period_range("2024-01", periods=3, freq="M"))
    assert Table(months).kind("index") == "time"
    levels = pd.DataFrame({"x": [1.0, 2]}, index=pd.MultiIndex.from_tuples([(1, "a"), (2, "b")], names=["k", None]))
    pd.testing.assert_frame_equal(Table(levels).to_pandas(), levels)
    assert [table["x"].tolist() for table in Table(frame).batches(2)] == [[1, 2], [4]]
    assert Table(frame).labelled("x").index == ("run",)
