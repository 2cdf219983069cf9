"""Trees of instances over a whole installation: the design's own sample from both ends, whoever is killed meanwhile."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

import plotter2
from plotter2.datter.figures.figure import digest
from plotter2.datter.figures.total import LISTED_MAX
from tests.system.installation import Installation, until
from tests.unit.datter.sample import MATRIX_PLOT, META, META_SUM_MATRIX, TASK1, matrices, visuals

FEW, MANY = 3, 400
HUGE = pytest.param(10_000, marks=[pytest.mark.long, pytest.mark.timeout(3_600)])
"""Minutes on two cores, so only `make test-long` runs it; the same assertions hold."""
BEGUN_S_MAX = 1_200.0
"""Until the first figure of the largest tree is there, however busy the machine."""
META_2 = f"{META}_2"
SCRIPTS = {
    "matrix_plot": MATRIX_PLOT,
    "meta": META_SUM_MATRIX,
    "both": """
def task():
    metas = [*gather_tasks("plot_meta_matrix"), *gather_tasks("plot_meta_matrix_2")]
    link(me, metas)
    found = collect(metas)
    return sorted(how for how, some in found.items() for one in some)
""",
    "one": """
def task():
    other = gather_tasks("two")
    link(me, other)
    collect(other)
""",
    "two": """
def task():
    collect(islinked(me))
""",
    "giver": """
import os
import numpy as np
impose(step as datter.keytype(matrix))
expose(big, table, rest)
def task():
    large = np.arange(300_000.0) * (1 + int(step[-1]))
    expose(big as large)
    expose(table as datter.Table({"a": [1, 2], "b": ["x", None]}))
    expose(rest as {"step": step, "pair": (1, 2j), "child": os.getpid()})
    handin(large, islinked(me))
    release()
""",
    "taker": """
def task():
    givers = gather_tasks("giver")
    link(me, givers)
    collect(givers)
    big, table, rest = access("big"), access("table"), access("rest")
    children = len({one["child"] for one in rest})
    return [[float(one[-1]) for one in big], table[2].rows(), [one["step"] for one in rest], children,
            any(one.flags.writeable for one in big)]
""",
    "hard": """
import os
impose(step as datter.keytype(matrix))
expose(x)
def task():
    expose(x as step)
    if step == "step_1":
        os._exit(3)
    while step == "step_2":
        pass
    release()
""",
    "boss": """
def task():
    tasks = gather_tasks("hard")
    link(me, tasks)
    found = collect(tasks, strict=False)
    return {how: [one.label for one in some] for how, some in found.items() if some}
""",
}
TASKS = [
    {"name": TASK1, "task_src": "code_sources/matrix_plot.py"},
    {"name": META, "task_src": "code_sources/meta.py", "linked": [TASK1]},
    {"name": META_2, "task_src": "code_sources/meta.py", "linked": [TASK1]},
    {"name": "both", "task_src": "code_sources/both.py", "linked": [META, META_2]},
    {"name": "one", "task_src": "code_sources/one.py", "linked": ["two"]},
    {"name": "two", "task_src": "code_sources/two.py"},
    {"name": "giver", "task_src": "code_sources/giver.py"},
    {"name": "taker", "task_src": "code_sources/taker.py", "linked": ["giver"]},
    {"name": "hard", "task_src": "code_sources/hard.py", "limits": {"cpu_s": 1}},
    {"name": "boss", "task_src": "code_sources/boss.py", "linked": ["hard"]},
]


class Lab:
    """Two workers, and bundles with as many matrices as a test wants, asked by the SDK."""

    def __init__(self, installation: Installation, p2: plotter2.Client) -> None:
        self.installation, self.p2 = installation, p2

    def bundle(self, count: int) -> str:
        """A bundle with so many matrices and all tasks."""
        root = self.root(count)
        if not root.exists():
            matrices(root, count)
            (root / "code_sources").mkdir()
            for script, source in SCRIPTS.items():
                (root / "code_sources" / f"{script}.py").write_text(source)
            declared = {"data": {"matrix": {"path": "m/*.npy"}}, "tasks": TASKS}
            (root / "package.json").write_text(json.dumps(declared))
            self.p2.push(root, f"lab/{count}")
        return f"lab/{count}"

    def root(self, count: int) -> Path:
        return self.installation.home.parent / str(count)

    def values(self, count: int) -> list[Any]:
        return [np.load(self.root(count) / "m" / f"step_{step}.npy") for step in range(count)]

    def folder(self, bundle: str, task: str) -> Path:
        """Where the runs of a task leave their files."""
        return self.installation.home / "output" / bundle / task.replace("'", "-")

    def sidecars(self, bundle: str, task: str, request: str) -> list[Any]:
        """What programs are told of the pages that runs of a task made for a request."""
        found = self.folder(bundle, task).glob("*/*.html.json")
        return [json.loads(path.read_text()) for path in found if f"-{request[-6:]}-" in path.parent.name]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    home = tmp_path_factory.mktemp("trees") / "home"
    installation = Installation(home, workers=2)
    try:
        installation.start()
        with plotter2.connect(home=home) as p2:
            yield Lab(installation, p2)
        installation.stop()
    finally:
        installation.end()


def states(request: plotter2.Request) -> dict[tuple[str, str], int]:
    return dict(Counter((run.task, str(run.state)) for run in request.runs))


@pytest.mark.req("r181", "r186", "r188", "r194", "r195")
@pytest.mark.parametrize("count", [FEW, HUGE])
def test_task1_alone_draws_one_plain_figure_each(lab: Lab, count: int) -> None:
    bundle = lab.bundle(count)
    done = lab.p2.run(TASK1, on=bundle)
    assert (done.state, states(done)) == ("done", {(TASK1, "gaveup"): count}), done.reason
    found = lab.sidecars(bundle, TASK1, done.id)
    assert all(visuals(side) == ["matrix"] for side in found)
    assert sorted(side["inputs"]["files"][0]["path"] for side in found) == sorted(
        f"m/step_{step}.npy" for step in range(count)
    )


@pytest.mark.req("r184", "r187", "r193", "r197")
@pytest.mark.parametrize("count", [FEW, HUGE])
def test_two_metas_on_one_task1_each_get_every_matrix(lab: Lab, count: int) -> None:
    bundle = lab.bundle(count)
    done = lab.p2.run("both", on=bundle)
    assert (done.state, states(done)) == (
        "done", {("both", "done"): 1, (META, "done"): 1, (META_2, "done"): 1, (TASK1, "done"): count},
    ), done.reason  # fmt: skip
    total = digest(np.sum(lab.values(count), axis=0))
    for meta in (META, META_2):
        (side,) = lab.sidecars(bundle, meta, done.id)
        assert side["panels"][0]["data"][0]["digest"] == total
    found = lab.sidecars(bundle, TASK1, done.id)
    assert sorted(side["panels"][1]["marker"] for side in found) == [[step] for step in range(count)]
    assert all(visuals(side) == ["matrix", "series_total"] for side in found)


@pytest.mark.req("r168", "r197")
def test_tasks_that_wait_for_each_other_are_told_the_whole_circle_at_once(lab: Lab) -> None:
    done = lab.p2.run("one", on=lab.bundle(FEW))
    assert states(done) == {("one", "failed"): 1, ("two", "failed"): 1}
    circle = "These tasks wait for each other: two #1 (collect) -> one #2 (collect) -> two #1."
    assert f"DeadlockError: {circle}" in next(run.error for run in done.runs if run.task == "two")
    assert "1 of 1 tasks that were waited for failed: two #1: " in done.reason
    assert circle in done.reason


@pytest.mark.req("r093", "r106", "r160")
def test_values_cross_between_the_interpreters_of_two_workers_by_reference(lab: Lab) -> None:
    done = lab.p2.run("taker", on=lab.bundle(FEW))
    taken = next(run.results for run in done.runs if run.task == "taker")
    assert taken == [
        [299_999.0 * (1 + step) for step in range(FEW)],
        [{"a": 1, "b": "x"}, {"a": 2, "b": None}],
        [f"step_{step}" for step in range(FEW)],
        2,
        False,
    ], done.reason


@pytest.mark.req("r197", "r199")
def test_who_breaks_a_limit_or_ends_its_interpreter_is_ended_and_nobody_else(lab: Lab) -> None:
    done = lab.p2.run("boss", on=lab.bundle(FEW))
    assert next(run.results for run in done.runs if run.task == "boss") == {
        "released": ["step_0"], "failed": ["step_1", "step_2"],
    }  # fmt: skip
    wrong = [run.error for run in done.runs if run.state == "failed"]
    assert "exit code 3" in wrong[0]
    assert "CPU limit of 1 s" in wrong[1]


def kill_a_child(installation: Installation, worker: str) -> None:
    """kill -9 one interpreter of a worker."""
    server = psutil.Process(installation.processes()[worker]["pid"]).children()
    os.kill(server[0].children()[0].pid, signal.SIGKILL)


@pytest.mark.req("r187", "r189", "r190", "r191", "r192", "r196", "r198", "r199")
@pytest.mark.parametrize("count", [MANY, HUGE])
def test_the_meta_task_comes_out_the_same_whoever_is_killed_in_the_middle(lab: Lab, count: int) -> None:
    bundle, p2 = lab.bundle(count), lab.p2
    request = p2.run(META, on=bundle, wait=False).id
    until(lambda: any(run.state == "parked" for run in p2.request(request).runs))
    kill_a_child(lab.installation, "worker-1")
    lab.installation.kill("worker-2")
    until(lambda: any(lab.sidecars(bundle, TASK1, request)), BEGUN_S_MAX)
    lab.installation.kill("manager")
    until(lambda: lab.installation.is_well("manager"))
    done = p2.wait(request)
    assert states(done) == {(META, "done"): 1, (TASK1, "done"): count}, done.reason
    found = lab.values(count)
    total, running = np.sum(found, axis=0), np.cumsum([one.sum() for one in found])
    (side,) = lab.sidecars(bundle, META, request)
    assert visuals(side) == ["matrix"]
    assert side["panels"][0]["data"][0]["digest"] == digest(total)
    sides = lab.sidecars(bundle, TASK1, request)
    markers = sorted(side["panels"][1]["marker"] for side in sides)
    assert markers == [[step] for step in range(count)], "one figure each, and no second one"
    over_time = digest(np.stack([np.arange(count, dtype=float), running]))
    for side in sides:
        assert visuals(side) == ["matrix", "series_total"]
        series = side["panels"][1]
        assert series["total"] == {"digest": digest(total), "sum": total.sum()}
        assert (series["over_time"]["count"], series["over_time"]["digest"]) == (count, over_time)
        if count <= LISTED_MAX:
            np.testing.assert_allclose(series["over_time"]["running"], running)
