"""Axes: how many instances a script has, and with which keys (R1)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2.datter.scope import Scope
from plotter2.datter.scripting.axes import Axis, BoundKey, chosen, declared, keys_of, planned
from plotter2.datter.scripting.script import compiled
from plotter2.errors import LimitError, UsageError
from plotter2.model import package


def keys(base: str, count: int) -> tuple[BoundKey, ...]:
    return tuple(BoundKey(base, f"{base}_{place}", "b", f"{base}_{place}.npy", place) for place in range(count))


def scope(bundle: str, *paths: str, below: tuple[Scope, ...] = (), data: str = "") -> Scope:
    said = package.parse(f'{{"data": {{"matrix": {{"path": "{data}"}}}}}}') if data else None
    return Scope(bundle, 1, {path: Path(path) for path in paths}, said, {}, list(below))


@pytest.mark.req("r129", "r177", "r194")
def test_axes_are_read_from_the_module_level_without_running() -> None:
    found = compiled(
        "expose(m)\nimpose(k as datter.keytype(m), lr as float)\nimpose(j as datter.keytype(n))\n"
        "def task():\n    impose(x as datter.keytype(m))\n",
        "a.py",
    )
    assert found.axes == (Axis("k", "m"), Axis("j", "n"))
    assert declared(ast.parse("print(1)\nx = 2")) == ()


@pytest.mark.req("r129")
@given(counts=st.lists(st.integers(0, 5), max_size=4), doubled=st.booleans())
def test_different_data_give_every_combination_and_the_same_data_go_in_step(counts: list[int], doubled: bool) -> None:
    axes = [Axis(f"k{place}", f"d{place}") for place in range(len(counts))]
    axes += [Axis(f"again{place}", f"d{place}") for place in range(len(counts)) if doubled]
    plan = planned(axes, lambda base: keys(base, counts[int(base[1:])]))
    wanted = 1
    for count in counts:
        wanted *= count
    assert len(plan.instances) == wanted
    assert bool(plan.warning) == (wanted == 0)
    assert len({tuple(sorted((name, key.name) for name, key in one.items())) for one in plan.instances}) == wanted
    for one in plan.instances:
        assert set(one) == {axis.name for axis in axes}
        assert all(one[axis.name] is one[other.name] for axis in axes for other in axes if axis.base == other.base)


@pytest.mark.req("r129")
def test_a_folder_and_a_pattern_have_keys_though_nothing_declares_them() -> None:
    lower = scope("lab/bundles/low", "m/step_9.npy")
    seen = scope("lab", "m/step_10.npy", "m/step_2.npy", "m/notes", "tasks/m.py", "x.csv", below=(lower,))
    assert [(key.name, key.place) for key in keys_of(seen, "m")] == [("step_2", 2), ("step_10", 10), ("low", 9)]
    assert [key.path for key in keys_of(seen, "m/*_2.npy")] == ["m/step_2.npy"]
    assert [key.path for key in keys_of(seen, "x.csv")] == ["x.csv"]
    assert keys_of(seen, "n") == ()


def test_a_script_without_axes_has_one_instance() -> None:
    assert planned((), lambda _: ()).instances == ({},)


def test_a_parameter_chooses_a_key_by_name_or_place() -> None:
    for wanted in ("m_2", 2, 2.0):
        plan = planned([Axis("k", "m")], lambda base: keys(base, 4), {"k": wanted})
        assert [plan.parameters(place) for place in range(len(plan.instances))] == [{"k": "m_2"}]
    with pytest.raises(UsageError, match="'m' has no key 'm_22'; the nearest"):
        planned([Axis("k", "m")], lambda base: keys(base, 4), {"k": "m_22"})
    assert chosen(keys("m", 3), "m_1", "m").place == 1


def test_more_instances_than_the_limit_are_refused_with_how_they_come_about() -> None:
    with pytest.raises(LimitError, match="4 keys of 'a' x 4 keys of 'b' are 16 instances, more than the 15"):
        planned([Axis("i", "a"), Axis("j", "b")], lambda base: keys(base, 4), limit=15)


@pytest.mark.req("r194")
def test_keys_of_the_bundle_itself_come_in_natural_order() -> None:
    found = keys_of(scope("e", "m/step_10.npy", "m/step_9.npy", "other.csv", data="m/*.npy"), "matrix")
    assert [(key.name, key.place, key.path) for key in found] == [
        ("step_9", 9.0, "m/step_9.npy"),
        ("step_10", 10.0, "m/step_10.npy"),
    ]
    assert keys_of(scope("e", "x.csv"), "matrix") == ()


def test_keys_of_bundles_below_are_called_by_their_bundle_and_stay_apart() -> None:
    below = (scope("e/b1", "matrix.npy"), scope("e/b2", "matrix.npy", below=(scope("e/b2/c", "matrix.npy"),)))
    assert [key.name for key in keys_of(scope("e", below=below), "matrix")] == ["b1", "b2", "c"]
    alike = (scope("e/x/b", "matrix.npy"), scope("e/y/b", "matrix.npy"))
    assert [key.name for key in keys_of(scope("e", below=alike), "matrix")] == [
        "e/x/b/matrix.npy",
        "e/y/b/matrix.npy",
    ]
