"""What a version measured: the last value and the extremes of each column."""

from __future__ import annotations

import json
from typing import Any

import pytest

from manager import measures
from plotter2.model.package import DataKey, Package


def measured(text: str, path: str = "metrics.csv", **keys: str) -> Any:
    declared = Package(data={name: DataKey(path=key) for name, key in keys.items()})
    found = measures.read(declared, {path: len(text), "other.csv": 3}, lambda _: text.encode("utf-8", "surrogatepass"))
    return json.loads(found) if found else None


def test_the_last_value_of_each_column_and_its_extremes() -> None:
    text = "epoch,loss,note\n1,2.50,begin\n2,0.25,\n3,0.5,end\n"
    assert measured(text) == {
        "epoch": 3.0, "epoch.min": 1.0, "epoch.max": 3.0, "loss": 0.5, "loss.min": 0.25, "loss.max": 2.5,
    }  # fmt: skip


def test_values_stand_together_and_whole_numbers_are_written_as_such() -> None:
    found = measures.read(Package(), {"metrics.csv": 1}, lambda _: b"a,b\n2,1e300\n-0,0.5\n")
    assert found == '{"a": 0, "a.min": 0, "a.max": 2, "b": 0.5, "b.min": 0.5, "b.max": 1e+300}'


def test_a_cell_without_a_number_keeps_the_value_before() -> None:
    assert measured("a,b\n1,2\n3,\n,x\n") == {"a": 3, "a.min": 1, "a.max": 3, "b": 2, "b.min": 2, "b.max": 2}


def test_what_is_not_finite_is_a_word_and_extremes_leave_nan_out() -> None:
    assert measured("a,b,c\n1,nan,1e999\nnan,NaN,-inf\n") == {
        "a": "nan", "a.min": 1, "a.max": 1, "b": "nan", "c": "-inf", "c.min": "-inf", "c.max": "inf",
    }  # fmt: skip


def test_json_is_a_row_and_names_inside_one_another_get_dots() -> None:
    text = '{"loss": {"train": 0.5, "test": NaN}, "ok": true, "curve": [1, 2], "name": "x", "n": 3}'
    lasts = {"loss.train": 0.5, "loss.test": "nan", "n": 3}
    found = measured(text, "out/summary.json", metrics="out/summary.json")
    assert {name: found[name] for name in lasts} == lasts
    assert set(found) == {*lasts, "loss.train.min", "loss.train.max", "n.min", "n.max"}


def test_json_lines_are_rows_and_half_a_line_is_left_out() -> None:
    found = measured('{"a": 2}\n[1]\nx\n{"a": 1}\n{"a"', "metrics.jsonl")
    assert found == {"a": 1, "a.min": 1, "a.max": 2}
    assert measured('[{"a": 2}, {"a": 1}]', "metrics.json") == found


def test_a_column_with_the_name_of_an_extreme_keeps_its_value() -> None:
    assert measured("loss,loss.min\n1,7\n")["loss.min"] == 7


@pytest.mark.parametrize("text", ["", "a,b\n", "a\nx\n", "\0\n\0", '"', "a\n" + "x" * 200_000 + "\n"])
def test_what_has_no_numbers_is_nothing(text: str) -> None:
    assert measured(text) is None


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "1", "null", '{"a": 1' + "0" * 5000 + "}", '{"a":' * 500 + "1" + "}" * 500]
)
def test_strange_json_is_nothing(text: str) -> None:
    assert measured(text, "metrics.json") is None


def test_only_the_metrics_file_is_read_and_only_so_much() -> None:
    assert measured("a\n1\n", "loss.csv") is None
    assert measured("a\n1\n", "loss.csv", metrics="gone.csv") is None
    assert measured("a\n1\n", "loss.csv", metrics="loss.csv") is not None
    sizes = {"metrics.csv": measures.BYTES_MAX + 1}
    assert measures.read(Package(), sizes, lambda _: b"a\n1\n") == ""
    many = ",".join(f"c{number}" for number in range(2 * measures.COLUMNS_MAX))
    assert len(measured(f"{many}\n{many.replace('c', '')}\n")) == 3 * measures.COLUMNS_MAX
