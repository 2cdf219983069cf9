"""Documents from outside: flaws are named before a decoder sees them, places are found."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2.clock import SystemClock
from plotter2.model import document
from plotter2.model.document import DEPTH_MAX, TOKENS_MAX, Flaw

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(values, st.sampled_from([None, 2]))
def test_what_a_json_library_writes_has_no_flaw(value: Any, indent: int | None) -> None:
    assert document.flaw(json.dumps(value, indent=indent)) is None
    assert document.flaw(json.dumps(value, indent=indent, ensure_ascii=False)) is None


@given(st.text(alphabet='{}[]:,"\\ \n1eau0N-'))
def test_no_text_whatever_ends_the_scanner(text: str) -> None:
    found = document.flaw(text)
    assert found is None or 1 <= found.line <= text.count("\n") + 1
    assert document.line_of(text, ("a", 0)) >= 1


@given(values)
def test_each_value_is_found_on_the_line_on_which_it_stands(value: Any) -> None:
    text = json.dumps({"before": 1, "value": {"at": value}, "after": 2}, indent=1)
    line = text.splitlines()[document.line_of(text, ("value", "at")) - 1]
    assert line.strip().startswith('"at":')


@pytest.mark.req("r069")
@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ('{"a": 1,\n"a": 2}', Flaw("stands twice; each key may stand once", 2, ("a",))),
        ('{"a": 1,\n"\\u0061": 2}', Flaw("stands twice; each key may stand once", 2, ("a",))),
        ('{"x": [1,\n\n1e999]}', Flaw("is 1e999, which is no finite number", 3, ("x", 1))),
        ("[NaN]", Flaw("is NaN, which is no finite number", 1, (0,))),
        ('{"a": {"b": -Infinity}}', Flaw("is -Infinity, which is no finite number", 1, ("a", "b"))),
        ('{"a": "\\ud800"}', Flaw("contains half of a surrogate pair, which is no text", 1, ("a",))),
        ("\ufeff{}", Flaw("begins with a byte order mark; save it as UTF-8 without one", 1)),
    ],
)
def test_a_flaw_is_named_with_its_line_and_path(text: str, flaw: Flaw) -> None:
    assert document.flaw(text) == flaw


@pytest.mark.parametrize(
    "text", ['{"a": "\\ud83d\\ude00"}', '{"a": {"b": 1}, "b": {"b": 1}}', '{"a": "NaN"}', "[1e308]"]
)
def test_what_only_looks_like_a_flaw_is_none(text: str) -> None:
    assert document.flaw(text) is None


def test_a_number_that_no_float_holds_is_refused_however_it_is_spelled() -> None:
    found = document.flaw("[" + "9" * 400 + "]")
    assert found is not None
    assert "is no finite number" in found.reason
    assert len(found.reason) < 150


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":'])
def test_nesting_is_refused_one_level_too_deep(opening: str) -> None:
    levels = opening.count("[") + opening.count("{")
    assert document.flaw(opening * (DEPTH_MAX // levels)) is None
    found = document.flaw(opening * 100_000)
    assert found is not None
    assert found.reason == f"is nested deeper than {DEPTH_MAX} levels"


@pytest.mark.parametrize(
    "text",
    [
        '"' + '\\"' * 500_000,
        "[" + "1," * 500_000,
        '"\\' * 300_000,
        "-" * 1_000_000,
        '{"a":' * 200_000,
        '{"' + "a" * 1_000_000,
    ],
    ids=["open string", "wide list", "escapes", "signs", "deep", "long key"],
)
def test_a_megabyte_made_to_be_slow_is_read_in_linear_time(text: str) -> None:
    clock = SystemClock()
    began = clock.monotonic()
    document.flaw(text)
    assert clock.monotonic() - began < 10, "generous: what is quadratic takes minutes"


def test_a_document_with_too_many_words_is_refused() -> None:
    found = document.flaw("[" + "1," * TOKENS_MAX + "1]")
    assert found is not None
    assert found.reason == f"has more than {TOKENS_MAX} words and signs"


def test_a_place_that_is_not_there_is_the_line_of_what_lies_around_it() -> None:
    text = '{"a": {"b": [1,\n2, {"c":\n3}]}}'
    assert document.line_of(text, ("a", "b", 2, "c")) == 2
    assert document.line_of(text, ("a", "b", 2, "missing")) == 2
    assert document.line_of(text, ("missing",)) == 1
    assert document.spell(("a", "b", 2, "c")) == "a.b[2].c"
