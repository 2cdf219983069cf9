"""Trees of instances over a whole installation: the design's own sample from both ends, whoever is killed meanwhile."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import psutil
import pytest

from plotter2.datter.figure import digest
from tests.system.installation import Installation, until
from tests.unit.datter.sample import MATRIX_PLOT, META, META_SUM_MATRIX, TASK1, matrices, visuals

FEW, MANY = 3, 400
META_2 = f"{META}_2"
DEADLOCK_S_MAX = 2.0
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


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Two workers, and a bundle with few matrices and one with many."""
    made = Installation(tmp_path_factory.mktemp("trees") / "home", workers=2)
    made.start()
    for name, count in (("few", FEW), ("many", MANY)):
        root = made.home.parent / name
        matrices(root, count)
        (root / "code_sources").mkdir()
        for script, source in SCRIPTS.items():
            (root / "code_sources" / f"{script}.py").write_text(source)
        declared = {"data": {"matrix": {"path": "m/*.npy"}}, "tasks": TASKS}
        (root / "package.json").write_text(json.dumps(declared))
        assert made.run("push", str(root), f"lab/{name}").returncode == 0, made.said()
    yield made
    made.stop()
    made.end()


def asked(lab: Installation, task: str, bundle: str) -> dict[str, Any]:
    """Run a task to its end; what its request came to."""
    return shown(lab, json.loads(lab.run("run", task, "--on", bundle, "--wait", "--json").stdout)["request"])


def shown(lab: Installation, request: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(lab.run("show", request, "--json").stdout)
    return found


def sidecars(lab: Installation, bundle: str, task: str, request: str) -> list[Any]:
    """What programs are told of the pages that runs of a task made for a request, in the order of the pages' names."""
    folder = lab.home / "output" / bundle / task.replace("'", "-")
    found = [path for path in folder.glob("*/*.html.json") if f"-{request[-6:]}-" in path.parent.name]
    return [json.loads(path.read_text()) for path in sorted(found, key=lambda path: path.name)]


def states(request: dict[str, Any]) -> dict[tuple[str, str], int]:
    return dict(Counter((run["task"], run["state"]) for run in request["runs"]))


def values(lab: Installation, name: str, count: int) -> list[Any]:
    return [np.load(lab.home.parent / name / "m" / f"step_{step}.npy") for step in range(count)]


@pytest.mark.req("r181", "r186", "r188", "r194", "r195")
def test_task1_alone_draws_one_plain_figure_each(lab: Installation) -> None:
    done = asked(lab, TASK1, "lab/few")
    assert (done["state"], states(done)) == ("done", {(TASK1, "gaveup"): FEW}), done["reason"]
    found = sidecars(lab, "lab/few", TASK1, done["request"])
    assert [visuals(side) for side in found] == [["matrix"]] * FEW
    assert [side["inputs"]["files"][0]["path"] for side in found] == [f"m/step_{step}.npy" for step in range(FEW)]


@pytest.mark.req("r184", "r187", "r193", "r197")
def test_two_metas_on_one_task1_each_get_every_matrix(lab: Installation) -> None:
    done = asked(lab, "both", "lab/few")
    assert (done["state"], states(done)) == (
        "done", {("both", "done"): 1, (META, "done"): 1, (META_2, "done"): 1, (TASK1, "done"): FEW},
    ), done["reason"]  # fmt: skip
    total = digest(np.sum(values(lab, "few", FEW), axis=0))
    for meta in (META, META_2):
        (side,) = sidecars(lab, "lab/few", meta, done["request"])
        assert side["panels"][0]["data"][0]["digest"] == total
    found = sidecars(lab, "lab/few", TASK1, done["request"])
    assert [visuals(side) for side in found] == [["matrix", "series_total"]] * FEW


@pytest.mark.req("r168", "r197")
def test_tasks_that_wait_for_each_other_are_told_the_whole_circle_at_once(lab: Installation) -> None:
    done = asked(lab, "one", "lab/few")
    assert states(done) == {("one", "failed"): 1, ("two", "failed"): 1}
    assert "DeadlockError: These tasks wait for each other: two #1 (collect) -> one #2 (collect) -> two #1." in next(
        run["error"] for run in done["runs"] if run["task"] == "two"
    )
    assert "1 of 1 tasks that were waited for failed: two #1: DeadlockError: These tasks wait" in done["reason"]


@pytest.mark.req("r093", "r106", "r160")
def test_values_cross_between_the_interpreters_of_two_workers_by_reference(lab: Installation) -> None:
    done = asked(lab, "taker", "lab/few")
    taken = next(run["results"] for run in done["runs"] if run["task"] == "taker")
    assert taken == [
        [299_999.0 * (1 + step) for step in range(FEW)],
        [{"a": 1, "b": "x"}, {"a": 2, "b": None}],
        [f"step_{step}" for step in range(FEW)],
        2,
        False,
    ], done["reason"]


@pytest.mark.req("r197", "r199")
def test_who_breaks_a_limit_or_ends_its_interpreter_is_ended_and_nobody_else(lab: Installation) -> None:
    done = asked(lab, "boss", "lab/few")
    assert next(run["results"] for run in done["runs"] if run["task"] == "boss") == {
        "released": ["step_0"], "failed": ["step_1", "step_2"],
    }  # fmt: skip
    wrong = [run["error"] for run in done["runs"] if run["state"] == "failed"]
    assert "exit code 3" in wrong[0]
    assert "CPU limit of 1 s" in wrong[1]


def kill_a_child(lab: Installation, worker: str) -> None:
    """kill -9 one interpreter of a worker."""
    server = psutil.Process(lab.processes()[worker]["pid"]).children()
    os.kill(server[0].children()[0].pid, signal.SIGKILL)


@pytest.mark.req("r187", "r189", "r190", "r191", "r192", "r196", "r198", "r199")
def test_the_meta_task_comes_out_the_same_whoever_is_killed_in_the_middle(lab: Installation) -> None:
    request = json.loads(lab.run("run", META, "--on", "lab/many", "--json").stdout)["request"]
    until(lambda: len(shown(lab, request)["runs"]) > 1)
    kill_a_child(lab, "worker-1")
    lab.kill("worker-2")
    until(lambda: any(run["state"] == "done" for run in shown(lab, request)["runs"]))
    lab.kill("manager")
    until(lambda: lab.is_well("manager"))
    assert lab.run("wait", request).returncode == 0, lab.run("show", request).stdout[:2_000]
    assert states(shown(lab, request)) == {(META, "done"): 1, (TASK1, "done"): MANY}
    found = values(lab, "many", MANY)
    total = np.sum(found, axis=0)
    (side,) = sidecars(lab, "lab/many", META, request)
    assert visuals(side) == ["matrix"]
    assert side["panels"][0]["data"][0]["digest"] == digest(total)
    sides = {side["panels"][1]["marker"][0]: side for side in sidecars(lab, "lab/many", TASK1, request)}
    assert sorted(sides) == list(range(MANY)), "one figure each, and no second one"
    for side in sides.values():
        assert visuals(side) == ["matrix", "series_total"]
        series = side["panels"][1]
        assert series["total"] == {"digest": digest(total), "sum": total.sum()}
        assert series["over_time"]["count"] == MANY
        np.testing.assert_allclose(series["over_time"]["running"], np.cumsum([one.sum() for one in found]))
