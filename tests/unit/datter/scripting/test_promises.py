"""`expose(x as float)`: the value is brought to its type, or refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2.datter.scripting import promises
from plotter2.datter.values.table import Table
from plotter2.errors import TaskFailedError, UsageError
from tests.unit.datter.kit import Bench


@pytest.mark.req("r178")
@pytest.mark.parametrize(
    ("wanted", "value", "made"),
    [
        (float, 3, 3.0), (float, np.float32(0.5), 0.5), (int, 4.0, 4), (complex, 2, 2 + 0j), (bool, np.True_, True),
        (str, "x", "x"), (list, (1, 2), [1, 2]), (tuple, np.arange(2), (0, 1)), (dict, {"a": 1}, {"a": 1}),
    ],
)  # fmt: skip
def test_what_fits_without_loss_becomes_the_promised_type(wanted: type, value: Any, made: Any) -> None:
    found = promises.held("x", wanted, value)
    assert found == made
    assert type(found) is wanted


@pytest.mark.req("r178")
@pytest.mark.parametrize(
    ("wanted", "value", "said"),
    [
        (float, "3", "exposes 'x' as float, but gives str '3'"), (float, True, "bool True"), (int, 2.5, "float 2.5"),
        (int, float("nan"), "float nan"), (bool, 1, "int 1"), (float, 1j, "complex 1j"), (str, 3, "int 3"),
        (int, np.array([0.5]), "an array of float64"), (float, np.array(["a"]), "an array of <U1"),
        (float, 2**60 + 1, "int 1152921504606846977"), (dict, Table({"a": [1]}), "a table"), (list, 3, "int 3"),
    ],
)  # fmt: skip
def test_what_would_lose_something_is_refused_with_both_types(wanted: type, value: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said.replace("(", r"\(")):
        promises.held("x", wanted, value)


@pytest.mark.req("r178")
def test_arrays_are_held_element_by_element() -> None:
    whole = promises.held("x", float, np.arange(3))
    assert (whole.dtype, whole.tolist()) == (np.float64, [0.0, 1.0, 2.0])
    narrow = np.ones(2, np.float32)
    assert promises.held("x", float, narrow) is narrow
    assert promises.held("x", int, np.array([2.0, 3.0])).dtype == np.int64
    assert promises.held("x", float, 2**60) == 2**60


@given(st.integers(-(2**53), 2**53))
def test_a_number_that_is_brought_there_and_back_is_the_same(number: int) -> None:
    assert promises.held("x", int, promises.held("x", float, number)) == number


@pytest.mark.req("r178")
def test_a_script_holds_what_it_promises_by_exposing_or_returning(bench: Bench) -> None:
    assert bench.run("expose(loss as float)\ndef task():\n    return 3\n").results == 3.0
    said = bench.run("expose(loss as float)\ndef task():\n    expose(loss as 3)\n    return access('loss') / 2\n")
    assert said.results == 1.5
    both = "expose(a as float, b as int)\ndef task():\n    return {'a': 1, 'b': 2.0, 'c': 'x'}\n"
    assert bench.run(both).results == {"a": 1.0, "b": 2, "c": "x"}
    assert bench.run("expose(loss as float)\ndef task():\n    giveup()\n").state == "gaveup"


@pytest.mark.req("r178")
def test_a_broken_promise_names_the_line_or_what_to_do(bench: Bench) -> None:
    with pytest.raises(TaskFailedError, match=r'(?s)"work.py", line 3.*as float, but gives str'):
        bench.run("expose(loss as float)\ndef task():\n    expose(loss as 'low')\n")
    with pytest.raises(TaskFailedError, match=r"gives no value for it: return it, or say expose\(loss as value\)"):
        bench.run("expose(loss as float)\ndef task():\n    pass\n")
