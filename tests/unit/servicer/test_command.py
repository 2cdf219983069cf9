"""How parameters reach a program that knows nothing of plotter2."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2.model.package import Service
from servicer import command
from servicer.command import Places, Start

PLACES = Places("/env/python", "/run/output", "/home/source/digits", "/run/work")
WORDS = st.text(st.characters(exclude_categories=["Cs"]))
NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True).filter(
    lambda name: name not in {"python", "output", "bundle", "work"}
)


def build(parameters: str = "{}", words: list[str] | None = None, **service: Any) -> Start:
    return command.build(Service(words or ["{python}"], **service), parameters, PLACES, {"HOME": "/root"})


@pytest.mark.req("r018", "r074")
def test_a_flag_a_position_and_a_value_inside_an_argument() -> None:
    start = build(
        '{"lr": 0.1, "data": "flights 2013", "trainer": {"a": 1}}',
        ["{python}", "-m", "lib", "{data}", "--lr", "{lr}", "lr:{lr},seed:7", "--out={output}", "{bundle}", "{work}"],
    )
    assert start.argv == [
        "/env/python", "-m", "lib", "flights 2013", "--lr", "0.1", "lr:0.1,seed:7",
        "--out=/run/output", "/home/source/digits", "/run/work",
    ]  # fmt: skip


@pytest.mark.req("r018")
@pytest.mark.parametrize(
    "spelled", ["0.10", "1e-3", "1E5", "-0.0", "100000000000000000000001", "0.1000000000000000055"]
)
def test_a_number_arrives_as_it_was_spelled(spelled: str) -> None:
    start = build(f'{{"lr": {spelled}}}', ["{lr}"], env={"LR": "{lr}"}, files={"a.txt": "lr={lr}"})
    assert start.argv == [spelled]
    assert start.env["LR"] == spelled
    assert start.files["a.txt"] == f"lr={spelled}"


@pytest.mark.parametrize(
    ("value", "text"),
    [("true", "true"), ("false", "false"), ("null", ""), ('"as is"', "as is"), ('{"b": "ü"}', '{"b": "ü"}')],
)
def test_other_values_as_text(value: str, text: str) -> None:
    assert command.texts(f'{{"v": {value}}}') == {"v": text}


def test_numbers_inside_a_list_are_spelled_as_given_too() -> None:
    assert command.texts('{"v": [0.10, 1e-3, "0.10", {"k": 2.50}]}') == {"v": '[0.10, 1e-3, "0.10", {"k": 2.50}]'}


def test_the_environment_has_what_is_declared_over_what_is_inherited() -> None:
    start = build('{"lr": 0.5}', env={"LR": "{lr}", "HOME": "{work}"})
    assert start.env["LR"] == "0.5"
    assert start.env["HOME"] == "/run/work"
    assert start.env["PYTHONUNBUFFERED"] == "1"
    assert (start.env["PLOTTER2_OUTPUT"], start.env["PLOTTER2_BUNDLE"]) == ("/run/output", "/home/source/digits")


@pytest.mark.req("r018")
def test_a_json_file_holds_typed_values_where_a_string_is_one_placeholder() -> None:
    body = {"optim": {"lr": "{lr}", "name": "sgd-{lr}"}, "layers": "{layers}", "on": ["{flag}", 3], "to": "{output}"}
    start = build('{"lr": 0.10, "layers": [8, 16], "flag": true}', files={"conf/run.json": body})
    assert json.loads(start.files["conf/run.json"]) == {
        "optim": {"lr": 0.1, "name": "sgd-0.10"}, "layers": [8, 16], "on": [True, 3], "to": "/run/output",
    }  # fmt: skip


def test_numbers_in_a_json_file_are_spelled_as_given() -> None:
    start = build('{"lr": 1e-3, "n": 0.10}', files={"run.json": {"lr": "{lr}", "all": ["{n}"]}})
    assert '"lr": 1e-3' in start.files["run.json"]
    assert "0.10" in start.files["run.json"]


def test_unknown_braces_stay() -> None:
    start = build('{"lr": 1}', ["{python}", "{{lr}}", "{x}", "{}", "${HOME}", '{"a": {lr}}'], files={"f": "{0} {lr} {"})
    assert start.argv[1:] == ["{1}", "{x}", "{}", "${HOME}", '{"a": 1}']
    assert start.files["f"] == "{0} 1 {"


def test_the_declared_interpreter_is_the_one_that_python_names() -> None:
    assert build(words=["{python}"], python="/opt/venv/bin/python").argv == ["/opt/venv/bin/python"]


def test_a_value_that_looks_like_a_placeholder_is_not_filled_again() -> None:
    assert build('{"a": "{b}", "b": "no"}', ["{a}"]).argv == ["{b}"]


@given(st.dictionaries(NAMES, WORDS))
def test_any_string_arrives_unchanged(values: dict[str, str]) -> None:
    start = build(json.dumps(values), ["x", *(f"k:{{{name}}}" for name in values)])
    assert start.argv[1:] == [f"k:{text}" for text in values.values()]


@given(st.dictionaries(NAMES, st.none() | st.booleans() | st.integers() | WORDS | st.lists(WORDS), max_size=5))
def test_any_value_keeps_its_type_in_a_json_file(values: dict[str, Any]) -> None:
    start = build(json.dumps(values), files={"all.json": {name: f"{{{name}}}" for name in values}})
    assert json.loads(start.files["all.json"]) == values
