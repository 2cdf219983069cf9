"""The worked example of the design, verbatim, as a tree in one process: from both ends, and when it breaks."""

from __future__ import annotations

import resource
from pathlib import Path

import numpy as np
import pytest

from plotter2.datter.figures import total
from plotter2.datter.figures.figure import digest
from plotter2.datter.ledger import Ledger
from plotter2.datter.pages import page, writing
from plotter2.datter.trees.hub import Definition
from plotter2.datter.values.group import DataGroup, Member
from plotter2.errors import UsageError
from tests.unit.datter.sample import MATRIX_PLOT, META, META_SUM_MATRIX, TASK1, Tree, defined, visuals

MANY = 400


def without(*lines: str) -> str:
    """The meta script without the lines that hold these words."""
    return "".join(one for one in META_SUM_MATRIX.splitlines(keepends=True) if not any(word in one for word in lines))


@pytest.fixture
def unrendered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages are not written, only their sidecars, which are what is looked at."""
    monkeypatch.setattr(page, "page", lambda *_: "")
    monkeypatch.setattr(writing, "_picture", lambda _: b"")


@pytest.mark.req("r181", "r186", "r188", "r194", "r195")
@pytest.mark.parametrize("count", [3, MANY])
@pytest.mark.usefixtures("unrendered")
def test_task1_alone_draws_one_plain_figure_each(tmp_path: Path, count: int) -> None:
    tree = Tree(tmp_path, count, defined())
    ended = tree.run(TASK1)
    assert [(one.definition, one.label, one.state) for one in ended] == [
        (TASK1, f"step_{step}", "gaveup") for step in range(count)
    ]
    for step, one in enumerate(ended):
        (side,) = tree.sidecars(one)
        assert visuals(side) == ["matrix"]
        assert side["inputs"]["files"][0]["path"] == f"m/step_{step}.npy"
    assert Ledger.replayed(tree.journal, tree.local.ledger.book.secret).book == tree.local.ledger.book


@pytest.mark.req("r184", "r187", "r189", "r190", "r191", "r192", "r193", "r196", "r197")
@pytest.mark.parametrize("count", [3, MANY])
@pytest.mark.usefixtures("unrendered")
def test_the_meta_task_gives_every_matrix_its_place_in_the_total(tmp_path: Path, count: int) -> None:
    tree = Tree(tmp_path, count, defined())
    *tasks, meta = tree.run(META)
    assert [one.state for one in tasks] == ["done"] * count
    assert (meta.definition, meta.state, tree.local.parked_max) == (META, "done", count)
    values = [np.load(tmp_path / "in" / "m" / f"step_{step}.npy") for step in range(count)]
    total, running = np.sum(values, axis=0), np.cumsum([one.sum() for one in values])
    for step, one in enumerate(tasks):
        (side,) = tree.sidecars(one)
        assert visuals(side) == ["matrix", "series_total"]
        own, series = side["panels"]
        assert own["data"][0]["digest"] == side["inputs"]["files"][0]["digest"]
        assert series["total"] == {"digest": digest(total), "sum": total.sum()}
        assert series["over_time"]["order"] == [f"step_{place}" for place in range(count)]
        np.testing.assert_allclose(series["over_time"]["running"], running)
        assert series["marker"] == [step]
        assert series["shared"]["cells"] == 10
    (side,) = tree.sidecars(meta)
    assert visuals(side) == ["matrix"]
    assert side["panels"][0]["data"][0]["digest"] == digest(total)


def test_the_pages_are_whole_and_two_trees_of_one_journal_are_the_same(tmp_path: Path) -> None:
    trees = [Tree(tmp_path / name, 3, defined()) for name in ("a", "b")]
    ended = [tree.run(META) for tree in trees]
    assert trees[0].journal == trees[1].journal
    for one, other in zip(*ended, strict=True):
        assert one.result
        assert other.result
        pages = [tree.folder / f"{one.number:05d}" / one.result.made[0].path for tree in trees]
        assert pages[0].read_text() == pages[1].read_text()
        assert "series_total" in pages[0].with_name(f"{pages[0].name}.json").read_text() or one.definition == META
    book = trees[0].local.ledger.book
    assert Ledger.replayed(trees[0].journal, book.secret).book == book
    assert all(not one.loans for one in book.data.values())


@pytest.mark.req("r187", "r193")
@pytest.mark.usefixtures("unrendered")
def test_two_metas_on_one_task1_each_get_every_matrix(tmp_path: Path) -> None:
    tree = Tree(tmp_path, 3, defined(metas=2))
    ended = tree.run(META, f"{META}_2")
    assert [one.state for one in ended] == ["done"] * 5
    sums = [tree.sidecars(one)[0]["panels"][0]["data"][0]["digest"] for one in ended[3:]]
    assert sums[0] == sums[1]
    assert [visuals(tree.sidecars(one)[0]) for one in ended[:3]] == [["matrix", "series_total"]] * 3


@pytest.mark.req("r110", "r132", "r193", "r195")
@pytest.mark.parametrize(
    ("meta", "state"),
    [
        (META_SUM_MATRIX.replace("#results", "raise RuntimeError('crashed')"), "failed"),
        (without("handin"), "done"),
        (without("handin", "release()"), "done"),
        (without("collect", "handin", "copy", "exposed"), "done"),
        (META_SUM_MATRIX.replace("#results", "giveup()"), "gaveup"),
    ],
    ids=["crashes after collecting", "never returns the data", "never releases", "never collects", "gives up"],
)
@pytest.mark.usefixtures("unrendered")
def test_whatever_becomes_of_the_meta_every_matrix_still_gets_its_plain_plot(
    tmp_path: Path, meta: str, state: str
) -> None:
    meta = meta.replace("sum(result)", "[[sum(map(len, result))]]")
    tree = Tree(tmp_path, 3, defined(meta=meta))
    *tasks, last = tree.run(META)
    assert (last.state, [one.state for one in tasks]) == (state, ["gaveup"] * 3), last.error
    assert [visuals(tree.sidecars(one)[0]) for one in tasks] == [["matrix"]] * 3
    assert all(not one.loans for one in tree.local.ledger.book.data.values())


@pytest.mark.req("r167", "r195")
@pytest.mark.usefixtures("unrendered")
def test_one_matrix_that_fails_is_named_to_the_meta_and_the_others_fall_back(tmp_path: Path) -> None:
    broken = MATRIX_PLOT.replace(
        "    #section", "    if data[2, 3] == 24:\n        raise ValueError('odd')\n    #section"
    )
    tree = Tree(tmp_path, 3, defined(task1=broken))
    first, second, third, meta = tree.run(META)
    assert [one.state for one in (first, second, third, meta)] == ["gaveup", "failed", "gaveup", "failed"]
    assert "CollectError: 1 of 3 tasks that were waited for failed: plot_matrix's[step_1]" in meta.error
    assert "ValueError: odd" in meta.error
    assert [visuals(tree.sidecars(one)[0]) for one in (first, third)] == [["matrix"]] * 2


@pytest.mark.req("r177", "r194")
@pytest.mark.usefixtures("unrendered")
def test_a_parameter_starts_one_instance_and_unknown_names_are_taught(tmp_path: Path) -> None:
    tree = Tree(tmp_path, 3, defined())
    assert [one.label for one in tree.run(TASK1, matrix_step_key="step_1")] == ["step_1"]
    with pytest.raises(UsageError, match="no task 'plot_matrices' in this run; the nearest are"):
        Tree(tmp_path, 1, defined()).run("plot_matrices")


def test_no_data_is_no_instances_and_a_warning(tmp_path: Path) -> None:
    tree = Tree(tmp_path, 0, defined())
    assert tree.run(TASK1) == []
    assert tree.lines == ["warning: plot_matrix's: There is no data called 'matrix' here, so no instance is started."]


@pytest.mark.req("r184")
@pytest.mark.usefixtures("context")
def test_what_each_figure_carries_of_all_has_an_end_however_many_there_are() -> None:
    count = 10_000
    ones = np.ones((2, 2))
    members = [Member.numbered(f"step_{at}", float(at), lambda: ones, at + 1) for at in range(count)]
    heat, curve = total.panels(DataGroup(members, "matrix", "step"), "matrix", ())
    (line,) = curve.layers
    assert len(line.columns["x"]) <= 2 * total.STRETCHES
    assert (line.columns["y"].min(), line.columns["y"].max()) == (4, 4 * count)
    assert curve.notes == ("Drawn by the extremes of each of 500 stretches: all (10,000 values).",)
    assert {"order", "running"}.isdisjoint(heat.about["over_time"])
    assert heat.about["over_time"]["count"] == count


WAITING = """
impose(k as datter.keytype(matrix))
expose(own)
def task():
    data = access(k)
    expose(own as data)
    release()
"""
PARKER = """
def task():
    tasks = gather_tasks("waiting")
    link(me, tasks)
    return len(collect(tasks)["released"])
"""


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


@pytest.mark.req("r199", "r103")
def test_thousands_of_instances_wait_at_once_in_little_memory(tmp_path: Path) -> None:
    count = 1_000
    definitions = [
        Definition("waiting", WAITING, "waiting.py"),
        Definition("parker", PARKER, "parker.py", linked=("waiting",)),
    ]
    tree = Tree(tmp_path, count, definitions)
    before = resident()
    *tasks, meta = tree.run("parker")
    assert meta.result
    assert meta.result.results == count
    assert tree.local.parked_max == count
    assert {one.state for one in tasks} == {"done"}
    assert (resident() - before) / count < 64 << 10
