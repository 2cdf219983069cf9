"""What several pipelines begin with is worked out once: in one process, and by many beside one another."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plotter2.datter import additions
from plotter2.datter.context import Datum
from plotter2.datter.mathematics import cluster
from plotter2.datter.pipelines import pipeline, prefix, sealed
from plotter2.datter.run import RunInput, RunResult, execute
from plotter2.datter.scope import Scope
from plotter2.datter.values.points import Labels, Points
from tests.unit.datter.kit import scope_of, written

ROWS = 4_000


@pytest.fixture
def scope(tmp_path: Path) -> Scope:
    folder = written(tmp_path / "bundle", {"t.csv": "a,b\n1,2\n3,5\n4,9\n"})
    np.save(folder / "x.npy", np.random.default_rng(0).normal(size=(ROWS, 4)))
    return scope_of(folder, declared={"data": {"x": {"path": "x.npy"}, "t": {"path": "t.csv"}}})


@pytest.fixture(autouse=True)
def work(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What of the mathematics was truly done."""
    done: list[str] = []

    def counted(name: str) -> Any:
        call = getattr(cluster, name)

        def worked(*args: Any, **kwargs: Any) -> Any:
            done.append(name)
            return call(*args, **kwargs)

        return worked

    for name in ("pca", "kmean"):
        monkeypatch.setattr(cluster, name, counted(name))
    monkeypatch.setattr(prefix, "SEALED_S_MIN", 0.0)
    prefix.KNOWN.clear()
    yield done
    prefix.KNOWN.clear()


def ran(steps: Any, scope: Scope, folder: Path, lines: list[str] | None = None, **about: Any) -> RunResult:
    given = {"seed": 7, "parameters": {}, "task_name": "t", **about}
    run = RunInput("req-1.0", kind="pipeline", source=json.dumps(steps), filename="p.json", scope=scope,
                   output_dir=folder / "out", common=folder / "steps", **given)  # fmt: skip
    return execute(run, ([] if lines is None else lines).append)


@pytest.mark.req("r104")
def test_two_pipelines_that_begin_alike_work_it_out_once(scope: Scope, tmp_path: Path, work: list[str]) -> None:
    start = [["access", "x"], {"pca": {"k": 2}}]
    first = ran([*start, "mean"], scope, tmp_path)
    again = ran([*start, {"kmean": {"k": 2}}, "loggy"], scope, tmp_path, task_name="another")
    assert work == ["pca", "kmean"]
    assert ran([*start, "mean"], scope, tmp_path).results == first.results
    assert again.results["kind"] == "clusters"
    ran([["access", "x"], {"pca": {"k": 3}}, "mean"], scope, tmp_path)
    assert work == ["pca", "kmean", "pca"]


@pytest.mark.req("r104")
def test_repeating_over_values_of_a_later_step_works_the_earlier_ones_out_once(
    scope: Scope, tmp_path: Path, work: list[str]
) -> None:
    both = [["access", "x"], {"pca": {"k": 2}}, {"kmean": {"k": 2}}, {"fit": {"model": "linear"}}]
    ran(both[:3], scope, tmp_path)
    ran([*both[:2], {"kmean": {"k": 3}}], scope, tmp_path)
    assert work == ["pca", "kmean", "kmean"]


@pytest.mark.req("r104")
def test_another_seed_counts_where_choices_are_random_and_nowhere_else(
    scope: Scope, tmp_path: Path, work: list[str]
) -> None:
    steps = [["access", "x"], {"pca": {"k": 2}}, {"kmean": {"k": 2}}]
    for seed in (1, 2, 1):
        ran(steps, scope, tmp_path, seed=seed)
    assert work == ["pca", "kmean", "kmean"]


@pytest.mark.req("r104")
def test_other_data_under_the_same_name_is_other_data(scope: Scope, tmp_path: Path, work: list[str]) -> None:
    steps = [["access", "x"], {"pca": {"k": 2}}]
    ran(steps, scope, tmp_path)
    folder = tmp_path / "other"
    folder.mkdir()
    np.save(folder / "x.npy", np.random.default_rng(1).normal(size=(ROWS, 4)))
    ran(steps, scope_of(folder, declared={"data": {"x": {"path": "x.npy"}}}), tmp_path)
    assert work == ["pca", "pca"]


@pytest.mark.req("r104")
def test_who_goes_on_from_a_known_value_reads_the_same_files_and_draws_the_same_page(
    scope: Scope, tmp_path: Path, work: list[str]
) -> None:
    steps = [["access", "x"], {"pca": {"k": 2}}, "scale", "plotme"]
    told: list[Any] = []
    for _ in range(2):
        made = ran(steps, scope, tmp_path).made
        page = next(one for one in made if one.kind == "figure")
        told.append(json.loads((tmp_path / "out" / f"{page.path}.json").read_text()))
    assert work == ["pca"]
    assert told[0] == told[1]
    assert [one["path"] for one in told[0]["inputs"]["files"]] == ["x.npy"]


@pytest.mark.req("r104")
def test_processes_beside_one_another_wait_for_the_first_and_take_what_it_sealed(
    scope: Scope, tmp_path: Path, work: list[str]
) -> None:
    with multiprocessing.get_context("fork").Pool(3) as pool:
        found = pool.map(_counted, [(scope, tmp_path)] * 6, chunksize=1)
    assert sum(count for count, _ in found) == 1
    assert len({result for _, result in found}) == 1
    assert work == []


def _counted(given: tuple[Scope, Path]) -> tuple[int, Any]:
    """In a process of its own: how often it worked out the components, and what came of it."""
    scope, folder = given
    prefix.KNOWN.clear()
    before = _done()
    result = ran([["access", "x"], {"pca": {"k": 2}}, "mean"], scope, folder).results
    return _done() - before, result


def _done() -> int:
    """How often this process has called the counted function."""
    closure = cluster.pca.__closure__
    assert closure is not None
    return next(len(cell.cell_contents) for cell in closure if isinstance(cell.cell_contents, list))


@pytest.mark.req("r104")
def test_what_was_little_work_is_kept_by_its_process_and_written_for_nobody(
    scope: Scope, tmp_path: Path, work: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prefix, "SEALED_S_MIN", 1e9)
    steps = [["access", "x"], {"pca": {"k": 2}}, "mean"]
    first = ran(steps, scope, tmp_path).results
    assert ran(steps, scope, tmp_path).results == first
    assert work == ["pca"]
    assert not list((tmp_path / "steps").glob("*.value"))


@pytest.mark.req("r104")
def test_a_script_may_write_into_what_it_gets_and_nobody_else_sees_it(scope: Scope, tmp_path: Path) -> None:
    (tmp_path / "bundle" / "up.py").write_text("def task(data):\n    data += 1\n    return float(data.sum())\n")
    scope.files["up.py"] = tmp_path / "bundle" / "up.py"
    steps = [["access", "x"], "sine", ["script", "up.py"]]
    first = ran(steps, scope, tmp_path).results
    assert ran(steps, scope, tmp_path).results == first
    prefix.KNOWN.clear()  # from here on it is the sealed one
    assert ran(steps, scope, tmp_path).results == first


@pytest.mark.req("r104")
def test_what_others_hold_is_written_into_by_nobody(scope: Scope, tmp_path: Path) -> None:
    ran([["access", "x"], "sine", {"pca": {"k": 2}}, "mean"], scope, tmp_path)
    kept = [one.value for one in prefix.KNOWN._kept.values()]
    arrays = [value if isinstance(value, np.ndarray) else value.matrix for value in kept if not np.isscalar(value)]
    assert len(arrays) == 3
    assert not any(one.flags.writeable for one in arrays)


@pytest.mark.req("r104")
def test_whoever_runs_code_of_users_gets_a_value_of_its_own() -> None:
    own = additions.read({"operations/up.py": b"def up(data):\n    data += 1\n    return data\n"})
    steps = pipeline.parsed('["access", "mean", ["script", "x.py"], ["through", "f"], "up", "plotme"]', "p.json", own)
    assert [prefix.is_users(one) for one in steps] == [False, False, True, True, True, False]


@pytest.mark.req("r104")
def test_what_is_kept_and_sealed_stays_within_bounds(
    scope: Scope, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = ROWS * 4 * 8
    monkeypatch.setattr(prefix, "KEPT_BYTES_MAX", size * 2)
    monkeypatch.setattr(sealed, "BYTES_MAX", size * 3)
    for factor in range(2, 8):
        ran([["access", "x"], "sine", {"pca": {"k": factor % 4 + 1}}, "mean"], scope, tmp_path)
        ran([["access", "x"], ["scale", "minmax"] if factor % 2 else "cos", "tan", "mean"], scope, tmp_path)
    assert sum(one.size for one in prefix.KNOWN._kept.values()) <= size * 2
    assert sum(one.stat().st_size for one in (tmp_path / "steps").iterdir()) <= size * 3


@pytest.mark.req("r104")
def test_all_that_is_sealed_is_looked_at_only_where_it_may_be_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    look = sealed._swept
    monkeypatch.setattr(sealed, "BYTES_MAX", 200_000)
    monkeypatch.setattr(sealed, "_swept", lambda folder, limit: looks.append(limit) or look(folder, limit))
    beside = sealed.Sealed(None, Datum("x"), [], [], [])
    for number in range(60):
        sealed.write(tmp_path, f"{number:032x}", np.zeros(1_000), beside)
        assert sum(one.stat().st_size for one in tmp_path.iterdir()) <= 200_000
    assert len(looks) < 20
    sealed.write(tmp_path, "f" * 32, np.zeros(26_000), beside)
    assert sealed.read(tmp_path, "f" * 32) is None, "it is more than there may ever be"
    assert sealed.read(tmp_path, f"{59:032x}") is not None


@pytest.mark.req("r104")
def test_what_a_crash_left_half_sealed_is_never_read(scope: Scope, tmp_path: Path, work: list[str]) -> None:
    steps = [["access", "x"], {"pca": {"k": 2}}, "mean"]
    result = ran(steps, scope, tmp_path).results
    [whole] = (tmp_path / "steps").glob("*.value")
    for length in (0, 1, 100, whole.stat().st_size - 1):
        whole.write_bytes(whole.read_bytes()[:length])
        prefix.KNOWN.clear()
        assert ran(steps, scope, tmp_path).results == result
    assert work == ["pca"] * 5


@pytest.mark.req("r104")
@pytest.mark.parametrize(
    "array",
    [
        np.arange(12.0).reshape(3, 4),
        np.asfortranarray(np.arange(12.0).reshape(3, 4)),
        np.arange(24, dtype=">i4").reshape(2, 3, 4)[:, ::2],
        np.zeros((0, 3)),
        np.array(5.0),
        np.array([(1, 2.5)], dtype=[("a", "i8"), ("b", "f4")]),
        np.array(["a", "long"]),
        np.array(["2026-01-02"], dtype="datetime64[D]"),
    ],
)
def test_an_array_comes_out_of_its_seal_as_it_went_in(array: np.ndarray, tmp_path: Path) -> None:
    beside = sealed.Sealed(None, Datum("x"), [], [], ["said"])
    sealed.write(tmp_path, "a" * 32, Points(np.ones((2, 2)), ("p", "q"), groups=Labels("g", ("u",), array)), beside)
    found = sealed.read(tmp_path, "a" * 32)
    assert found is not None
    value, about = found
    assert (value.names, about.lines) == (("p", "q"), ["said"])
    again = value.groups.codes
    assert (again.dtype, again.shape, again.flags.writeable) == (array.dtype, array.shape, False)
    np.testing.assert_array_equal(again, array)
    np.testing.assert_array_equal(value.matrix, np.ones((2, 2)))
