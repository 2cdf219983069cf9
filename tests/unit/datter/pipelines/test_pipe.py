"""Pipelines from Python, and scripts as steps of pipelines (requirement 131)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from plotter2.errors import ScriptError, TaskFailedError
from tests.unit.datter.kit import Bench, scope_of, written

FILES = {
    "t.csv": "a,b\n1,2\n3,4\n5,9\n",
    "tasks/double.py": "def task(data, by=2):\n    return data.column('a') * by\n",
    "tasks/broken.py": "def task(data):\n    raise KeyError('gone')\n",
    "tasks/leave.py": "def task(data):\n    giveup()\n",
    "tasks/deaf.py": "def task():\n    return 1\n",
    "p.json": json.dumps([{"script": "tasks/double.py"}, "mean"]),
}
DECLARED = {"tasks": [{"name": "middle", "pipeline": [{"script": "tasks/double.py"}, "median"]}]}


@pytest.fixture
def bench(tmp_path: Path) -> Any:
    scope = scope_of(written(tmp_path / "d", FILES), declared=DECLARED)
    (tmp_path / "o").mkdir()
    made = Bench(tmp_path / "o")
    return lambda source: made.run(source, scope)


def task(body: str) -> str:
    return f"def task():\n    return {body}\n"


@pytest.mark.req("r131")
@pytest.mark.parametrize(
    ("body", "result"),
    [
        ("pipe(['mean'])([1, 2, 6])", 3.0),
        ("pipe(['mean']).run([1, 2, 6])", 3.0),
        ("pipe([lambda x: [2 * y for y in x], 'mean'])([1, 2, 6])", 6.0),
        ("pipe([pipe([lambda x: x[:2]]), 'mean'])([1, 2, 6])", 1.5),
        ("pipe([{'access': 't'}, {'script': 'tasks/double.py'}, 'mean'])()", 6.0),
        ("pipe([{'script': {'source': 'tasks/double.py', 'by': 10}}, 'mean'])(access('t'))", 30.0),
        ("pipe.run('middle', access('t'))", 6.0),
        ("pipe.run('p.json', access('t'))", 6.0),
    ],
)
def test_a_pipe_is_made_of_steps_functions_and_scripts(bench: Any, body: str, result: float) -> None:
    assert bench(task(body)).results == result


@pytest.mark.req("r131")
@pytest.mark.parametrize(
    ("steps", "shown"),
    [
        ("['scale', {'pca': {'k': 2}}, ['pca', 2]]", "pipe(['scale', {'pca': {'k': 2}}, {'pca': 2}])"),
        ("[task, pipe(['mean']), ['label', ['a', 'b']]]", "pipe([task, pipe(['mean']), {'label': [['a', 'b']]}])"),
        ("['mean'] * 500", "pipe([" + "'mean', " * 20 + "… 480 more])"),
    ],
)
def test_a_pipe_prints_as_it_is_written(bench: Any, steps: str, shown: str) -> None:
    assert bench(task(f"repr(pipe({steps}))")).results == shown


@pytest.mark.req("r131")
def test_a_pipe_that_cannot_be_is_told_with_the_line_of_the_script(bench: Any) -> None:
    with pytest.raises(TaskFailedError, match=r"work\.py, line 2: pipe, step 1: unknown op 'maen'"):
        bench(task("pipe(['maen'])"))


@pytest.mark.req("r130", "r131")
def test_loggy_tells_the_data_where_it_is_given_no_words(tmp_path: Path) -> None:
    made = Bench(tmp_path)
    assert made.run(task("pipe(['mean', 'loggy', {'loggy': 'said'}])([1, 2, 6])")).results == 3.0
    assert made.lines == ["3.0", "said"]


@pytest.mark.req("r131")
def test_a_script_is_a_step_of_a_json_pipeline(bench: Any) -> None:
    assert bench([{"access": "t"}, {"script": "tasks/double.py"}, "mean"]).results == 6.0
    assert bench([{"access": "t"}, {"script": "tasks/leave.py"}, "mean"]).state == "gaveup"


@pytest.mark.req("r131")
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("pipe('mean')", "pipe takes a list of steps"),
        ("pipe([])", "pipe: a pipeline is a JSON list of steps"),
        ("pipe(['maen'])", "pipe, step 1: unknown op 'maen'; the nearest are 'mean'"),
        ("pipe(['mean'])()", "pipe, step 1 (mean): there is no data yet; put 'access' before it."),
        ("pipe(['mean', 'giveup'])", "pipe, step 2: 'giveup' works in scripts only"),
        ("pipe(['mean', {'pca': {'k': 0}}])", "pipe, step 2 (pca): 'k' is at least 1, not 0"),
        ("pipe.run('midle', 1)", "There is no pipeline in the bundle 'midle'; the nearest is 'middle'."),
        (
            "pipe([{'script': 'tasks/dubble.py'}])(1)",
            "no script in the bundle 'tasks/dubble.py'; the nearest are",
        ),
        ("pipe([{'script': 'tasks/broken.py'}])(1)", "KeyError: 'gone'"),
        ("pipe([{'script': 'tasks/deaf.py'}])(1)", "tasks/deaf.py: task() takes nothing; as a step it gets the data"),
    ],
)
def test_what_cannot_be_says_the_step_and_what_is_right(bench: Any, body: str, words: str) -> None:
    with pytest.raises((TaskFailedError, ScriptError)) as wrong:
        bench(task(body))
    assert words in str(wrong.value)


@pytest.mark.req("r131")
def test_the_traceback_of_a_script_step_has_its_own_line(bench: Any) -> None:
    with pytest.raises(TaskFailedError) as wrong:
        bench([{"access": "t"}, {"script": "tasks/broken.py"}])
    assert str(wrong.value).startswith("step 2 (script): tasks/broken.py, line 2: ")
    assert 'File "tasks/broken.py", line 2, in task' in str(wrong.value)
