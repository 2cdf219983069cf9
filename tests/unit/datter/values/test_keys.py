from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2.datter.scope import Scope
from plotter2.datter.values import keys
from plotter2.model import package
from tests.unit.datter.kit import Bench, written


@given(st.lists(st.integers(0, 10**6), unique=True, min_size=1))
def test_numbers_in_names_count_as_numbers(places: list[int]) -> None:
    names = [f"step{place}.npy" for place in places]
    assert sorted(names, key=keys.natural) == [f"step{place}.npy" for place in sorted(places)]


@given(st.lists(st.text()))
def test_any_names_have_an_order(names: list[str]) -> None:
    ordered = sorted(names, key=keys.natural)
    assert all(keys.natural(one) <= keys.natural(other) for one, other in itertools.pairwise(ordered))


@pytest.mark.parametrize(
    ("pattern", "path", "is_found"),
    [
        ("out/*.csv", "out/a.csv", True),
        ("out/*.csv", "out/deep/a.csv", False),
        ("out/**/*", "out/deep/a.csv", True),
        ("out/**/*", "out/a.csv", True),
        ("out/**", "out/deep/a.csv", True),
        ("out/step_[0-9].npy", "out/step_1.npy", True),
        ("out/a.csv", "out/a_csv", False),
    ],
)
def test_a_pattern_finds_what_it_says(pattern: str, path: str, is_found: bool) -> None:
    assert bool(keys.matcher(pattern).match(path)) is is_found


@pytest.mark.parametrize(
    ("path", "name"),
    [("a/flights.csv.zip", "flights"), ("x.npy", "x"), ("a.b.csv.gz", "a.b"), ("code.py", "code.py"), ("y", "y")],
)
def test_a_key_is_the_name_without_its_endings(path: str, name: str) -> None:
    assert keys.stem(path) == name


def scope(*paths: str, declared: str = "") -> Scope:
    return Scope("b", 1, {path: Path(path) for path in paths}, package.parse(declared) if declared else None)


def test_code_and_papers_are_no_data() -> None:
    found = keys.catalog(scope("metrics.csv", "package.json", "manifest.json", "code_sources/x.csv", "tasks/t.json"))
    assert list(found) == ["metrics"]


@pytest.mark.req("r069")
def test_declared_keys_come_first_and_groups_are_in_natural_order() -> None:
    declared = '{"data": {"weights": {"path": "w/step*.npy"}, "loss": {"path": "metrics.csv"}}}'
    found = keys.catalog(scope("w/step10.npy", "w/step9.npy", "metrics.csv", "more.csv", declared=declared))
    assert list(found) == ["weights", "loss", "more"]
    assert found["weights"].paths == ("w/step9.npy", "w/step10.npy")
    assert found["weights"].is_group


def test_two_files_of_one_name_are_told_apart_by_path() -> None:
    assert list(keys.catalog(scope("a/x.csv", "b/x.csv"))) == ["x", "b/x.csv"]


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    assert str(keys.unknown("op", "mena", ["mean", "plot"])) == "There is no op 'mena'; the nearest is 'mean'."


def test_the_place_on_an_axis_is_read_from_the_name() -> None:
    assert keys.ordinal("step_00020") == ("step", 20.0)
    assert keys.ordinal("readme") is None


@pytest.mark.req("r163")
def test_the_choice_among_very_many_keys_is_said_in_a_sentence_that_can_be_read(bench: Bench, tmp_path: Path) -> None:
    folder = written(tmp_path, {f"{name}{place}.csv": "x,y\n1,2\n" for place in range(30) for name in "ab"})
    files = {one.name: one for one in sorted(folder.glob("*.csv"))}
    bench.run("def task():\n    access()\n", Scope("lab", 1, files))
    [said] = [line for line in bench.lines if "the largest is taken" in line]
    assert said.count(",") == keys.NAMED_MAX - 1
    assert f"and {60 - keys.NAMED_MAX} more the largest is taken: " in said
