"""Redo: values bound and checked, keys that compare by value, names that are folders."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manager import plans
from manager.events import PlannedChild
from manager.experiment import Experiment
from manager.plans import Axis, child_name, plan_points
from plotter2.errors import RefusedError
from plotter2.model.bundle import BundleVersion, Contents, FileEntry
from plotter2.model.paths import BundlePath, bundle_path
from tests.unit.manager.kit import DIGITS, FILES


def contents(package_json: str = DIGITS, files: tuple[FileEntry, ...] = FILES) -> Contents:
    version = BundleVersion(BundlePath("experiments/digits"), 1, bytes(32), len(files), 1, package_json=package_json)
    return Contents(version, files)


def plan(found: Contents, axes: list[Axis]) -> tuple[PlannedChild, ...]:
    return plans.plan(Experiment.of(found), axes)


@pytest.mark.req("r018")
def test_values_are_kept_in_the_order_given_and_as_they_were_spelled() -> None:
    children = plan(contents(), [Axis("lr", ("0.10", "1e-3", "0.2"))])
    assert [child.parameters_json for child in children] == [
        '{"lr": 0.10, "seed": 0}', '{"lr": 1e-3, "seed": 0}', '{"lr": 0.2, "seed": 0}',
    ]  # fmt: skip
    assert children[0].bundle == "experiments/digits/bundles/lr=0.10"


@pytest.mark.req("r018")
def test_several_axes_make_a_grid_and_the_last_one_is_fastest() -> None:
    children = plan(contents(), [Axis("lr", ("0.1", "0.2")), Axis("seed", ("1", "2"))])
    assert [json.loads(child.parameters_json) for child in children] == [
        {"lr": 0.1, "seed": 1}, {"lr": 0.1, "seed": 2}, {"lr": 0.2, "seed": 1}, {"lr": 0.2, "seed": 2},
    ]  # fmt: skip


def test_a_key_compares_numbers_by_value_and_changes_with_code_and_parameters() -> None:
    def key(value: str, files: tuple[FileEntry, ...] = FILES) -> bytes:
        return plan(contents(files=files), [Axis("lr", (value,))])[0].run_key

    changed = (FileEntry("code_sources/train.py", 3, b"x" * 32), *FILES[1:])
    assert key("0.1") == key("0.10")
    assert len({key("0.1"), key("0.2"), key("0.1", changed)}) == 3


def test_a_change_of_tasks_alone_leaves_the_key_of_a_run_as_it_was() -> None:
    redrawn = DIGITS.replace('"curve"', '"bow"')
    edited = tuple(FileEntry(one.path, 9, b"n" * 32) if one.path.startswith("tasks/") else one for one in FILES)
    first = plan(contents(), [Axis("lr", ("1",))])[0].run_key
    assert first == plan(contents(files=edited), [Axis("lr", ("1",))])[0].run_key
    assert plan(contents(), [Axis("lr", ("1",))])[0].run_key == plan(contents(redrawn), [Axis("lr", ("1",))])[0].run_key


@pytest.mark.parametrize(
    ("axis", "says"),
    [
        (Axis("rate", ("1",)), "no parameter 'rate'; the declared parameters are: lr, seed"),
        (Axis("sed", ("1",)), "no parameter 'sed'; the declared parameters are: lr, seed; did you mean 'seed'?"),
        (Axis("lr", ("NaN",)), "'NaN' is not a JSON value"),
        (Axis("lr", ("1e999",)), "'1e999' is not a JSON value"),
        (Axis("lr", ("[" * 100_000,)), "is not a JSON value"),
        (Axis("lr", ("high",)), "'high' is not a JSON value"),
        (Axis("lr", ('"high"',)), 'declared float; "high" is not'),
        (Axis("lr", ("true",)), "declared float; true is not"),
        (Axis("seed", ("0.5",)), "declared int; 0.5 is not"),
        (Axis("lr", ()), "was given no value"),
    ],
)
@pytest.mark.req("r018")
def test_what_makes_no_sense_is_refused_with_what_would(axis: Axis, says: str) -> None:
    with pytest.raises(RefusedError) as refused:
        plan(contents(), [axis])
    assert says in refused.value.message


def test_a_parameter_that_is_given_twice_is_refused() -> None:
    with pytest.raises(RefusedError, match="'lr' is given twice"):
        plan(contents(), [Axis("lr", ("1",)), Axis("lr", ("2",))])


@pytest.mark.parametrize(
    ("package_json", "files", "says"),
    [
        ("", FILES, "declares no 'service'"),
        (DIGITS, FILES[1:], "has no code_sources/"),
    ],
)
@pytest.mark.req("r018")
def test_what_is_no_runnable_leaf_is_refused(package_json: str, files: tuple[FileEntry, ...], says: str) -> None:
    with pytest.raises(RefusedError) as refused:
        plan(contents(package_json, files), [Axis("lr", ("1",))])
    assert says in refused.value.message


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=300), max_size=4))
def test_a_childs_name_is_always_a_folder_and_different_values_have_different_names(given_: dict[str, str]) -> None:
    spelled = {key: json.dumps(value) for key, value in given_.items()}
    name = child_name(spelled)
    assert bundle_path(f"a/bundles/{name}").endswith(name)
    other = child_name({**spelled, "more": '"x"'})
    assert other != name


@pytest.mark.req("r018")
def test_a_point_is_run_again_with_the_parameters_it_had_and_new_ones_at_their_default() -> None:
    experiment = Experiment.of(contents())
    first = plan(contents(), [Axis("lr", ("0.10",)), Axis("seed", ("3",))])[0]
    assert plan_points(experiment, [(first.bundle, first.parameters_json)]) == (first,)
    assert plan_points(experiment, [("a", '{"lr": 0.10}')])[0].parameters_json == '{"lr": 0.10, "seed": 0}'
    with pytest.raises(RefusedError, match="no parameter 'old'"):
        plan_points(experiment, [("a", '{"old": 1}')])


def test_a_choice_that_is_nearly_one_is_named() -> None:
    offered = DIGITS.replace(
        '"seed": {"type": "int", "default": 0}', '"opt": {"type": "str", "choices": ["adam", "sgd"]}'
    )
    with pytest.raises(RefusedError, match=r'one of \["adam", "sgd"\]; "adm" is not; did you mean \'adam\'\?'):
        plan(contents(offered), [Axis("opt", ('"adm"',))])
