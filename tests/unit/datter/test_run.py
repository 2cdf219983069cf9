from __future__ import annotations

import math
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plotter2.datter.run import Scope
from plotter2.errors import ScriptError, TaskFailedError
from tests.unit.datter.kit import Bench, scope_of, written


def body(text: str) -> str:
    return "import numpy as np\ndef task(**given):\n    " + text.replace("\n", "\n    ") + "\n"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("return 3", 3),
        ("return np.float64(0.5)", 0.5),
        ("return np.bool_(True)", True),
        ("return {1: np.arange(3), 'x': (1, None)}", {"1": [0, 1, 2], "x": [1, None]}),
        ("return float('nan'), -math.inf", ["NaN", "-Infinity"]),
        ("return datter.Table({'a': [1, 2]})", {"a": [1, 2]}),
        ("import datetime\nreturn datetime.datetime(2020, 1, 2, 3)", "2020-01-02T03:00:00"),
        ("from pathlib import PurePosixPath\nreturn PurePosixPath('a/b')", "a/b"),
        ("return datter.group({'a': 1, 'b': 2})", {"a": 1, "b": 2}),
        ("pass", None),
    ],
)
def test_what_a_task_returns_is_its_result(bench: Bench, text: str, value: Any) -> None:
    assert bench.run("import math\n" + body(text)).results == value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("return object()", "the result is of type object, which has no JSON form"),
        ("return {'a': [1, b'x']}", r"the result\['a'\]\[1\] is of type bytes"),
        ("return np.zeros(20000)", "20,000 values; at most 10,000 travel"),
        ("a = []\na.append(a)\nreturn a", "nested deeper than 32, or contains itself"),
        ("return {(1, 2): 3}", "a key of type tuple"),
    ],
)
def test_what_is_no_result_is_refused_without_its_repr(bench: Bench, text: str, words: str) -> None:
    with pytest.raises(TaskFailedError, match=words) as caught:
        bench.run(body(text))
    assert " at 0x" not in caught.value.message


def test_parameters_come_by_name_with_their_defaults(bench: Bench) -> None:
    source = "def task(a, b=2, *, lr):\n    return a, b, lr\n"
    assert bench.run(source, Scope(parameters={"lr": 0.1, "other": 1}), a=5).results == [5, 2, 0.1]
    assert bench.run("def task(**all):\n    return all\n", a=1, b=2).results == {"a": 1, "b": 2}
    with pytest.raises(ScriptError, match=r"work.py: task\(\) needs the parameter 'lr'; given are 'a'"):
        bench.run(source, a=5)


def test_a_traceback_has_only_the_users_frames_and_lines(bench: Bench) -> None:
    source = (
        "def inner(x):\n    return np.linalg.inv(x)  # here\n\n"
        "import numpy as np\ndef task():\n    return inner(np.zeros((2, 2)))\n"
    )
    with pytest.raises(TaskFailedError) as caught:
        bench.run(source)
    message = caught.value.message
    assert 'File "work.py", line 6, in task' in message
    assert 'File "work.py", line 2, in inner' in message
    assert "return np.linalg.inv(x)  # here" in message
    assert message.count("File ") == 2
    assert message.endswith("LinAlgError: Singular matrix")


def test_a_built_in_that_refuses_is_shown_where_it_was_called(bench: Bench) -> None:
    with pytest.raises(TaskFailedError) as caught:
        bench.run("\ndef task():\n    return mean([])\n")
    assert "line 3, in task\n    return mean([])" in caught.value.message
    assert caught.value.message.endswith("UsageError: There are no values: the data is empty.")


def test_modules_of_the_bundle_are_the_users_own(bench: Bench, tmp_path: Path) -> None:
    source = "def fails():\n    return {}['missing']\n"
    scope = scope_of(written(tmp_path / "in", {"code_sources/model.py": source}))
    text = f"names = {{}}\nexec(compile({source!r}, 'code_sources/model.py', 'exec'), names)\nnames['fails']()"
    with pytest.raises(TaskFailedError) as caught:
        bench.run(body(text), scope)
    assert "File \"code_sources/model.py\", line 2, in fails\n    return {}['missing']" in caught.value.message


def test_memory_that_ran_out_can_be_told_from_other_failures(bench: Bench) -> None:
    with pytest.raises(TaskFailedError) as caught:
        bench.run(body("raise MemoryError"))
    assert isinstance(caught.value.__cause__, MemoryError)


def test_causes_are_told_and_deep_recursion_ends(bench: Bench) -> None:
    with pytest.raises(TaskFailedError, match="direct cause"):
        bench.run(
            "def task():\n    try:\n        1 / 0\n"
            "    except ZeroDivisionError as one:\n        raise KeyError('x') from one\n"
        )
    with pytest.raises(TaskFailedError, match="RecursionError"):
        bench.run("def task():\n    return task()\n")


@pytest.mark.parametrize("text", ["raise SystemExit(3)", "import sys; sys.exit('bye')"])
def test_a_task_cannot_end_its_child(bench: Bench, text: str) -> None:
    with pytest.raises(TaskFailedError, match="SystemExit"):
        bench.run(body(text))


def test_prints_and_loggy_are_lines_of_the_log(bench: Bench) -> None:
    bench.run(body("print('a', 1, sep='-')\nloggy('b', level='warning', loss=0.5, what='two words')"))
    assert bench.lines == ["a-1", 'warning: b loss=0.5 what="two words"']


@pytest.mark.req("r130")
def test_print_does_what_python_says(bench: Bench) -> None:
    bench.run(
        body(
            "print('a', 'b', sep='')\nfor x in range(3): print(x, end=',')\nprint('end')\nprint('c\\nd', end=' ')\n"
            "import contextlib, io, threading\n"
            "with contextlib.redirect_stdout(io.StringIO()) as out: print('kept')\n"
            "print(out.getvalue() == 'kept\\n', end='')"
        )
    )
    assert bench.lines == ["ab", "0,1,2,end", "c", "d True"]


def test_a_thread_of_a_script_can_print(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.run(body("import threading\nt = threading.Thread(target=lambda: print('hello'))\nt.start()\nt.join()"))
    assert capsys.readouterr().out == "hello\n"


@pytest.mark.filterwarnings("ignore:can't resolve package:ImportWarning")
def test_a_relative_import_is_told_how_it_is_written_here(bench: Bench) -> None:
    with pytest.raises(TaskFailedError, match=r"A script is no part of a package; write `from helper import \.\.\.`"):
        bench.run("from .helper import triple\ndef task(): ...\n")


@pytest.mark.req("r163")
def test_a_file_of_the_bundle_that_is_opened_by_its_name_is_told_by_its_key(bench: Bench, tmp_path: Path) -> None:
    scope = scope_of(written(tmp_path / "lab", {"sub/t.csv": "a\n1\n"}))
    with pytest.raises(TaskFailedError, match=r"the bundle's file is read by access\('sub/t.csv'\)\."):
        bench.run(body("open('t.csv')"), scope)


@pytest.mark.req("r132", "r188", "r195")
def test_giving_up_draws_what_was_exposed_and_never_drawn(bench: Bench) -> None:
    source = (
        "expose(matrix)\ndef task():\n    expose(matrix as [[1, 2], [3, 4]])\n"
        "    try:\n        giveup()\n    except Exception:\n        pass\n"
    )
    result = bench.run(source)
    assert result.state == "gaveup"
    side = bench.sidecar(result)
    assert (side["title"], side["panels"][0]["visual"]) == ("matrix", "matrix")


@pytest.mark.req("r169", "r179", "r186", "r188")
def test_the_sample_script_alone_draws_one_plain_figure(bench: Bench, tmp_path: Path) -> None:
    source = """
expose(matrix)
impose(matrix_step_key as datter.keytype(matrix))

def task():
    data = access(matrix_step_key)
    expose(matrix as data)
    parents = islinked(me)
    if parents != None:
        raise RuntimeError
    if data not in exposed():
        giveup()
"""
    np.save(tmp_path / "matrix.npy", np.eye(3))
    result = bench.run(source, scope_of(tmp_path))
    assert result.state == "gaveup"
    assert [made.kind for made in result.made] == ["asset", "figure"]


@pytest.mark.req("r177")
def test_impose_asserts(bench: Bench) -> None:
    source = "impose(lr as float)\ndef task():\n    return imposed() != {}\n"
    assert bench.run(source, lr=0.5).results is True
    with pytest.raises(TaskFailedError, match="'lr' is 'x', but the script imposes float"):
        bench.run(source, lr="x")


@pytest.mark.req("r159", "r160", "r161")
def test_ownership_is_kept(bench: Bench) -> None:
    text = "x = np.ones(2)\nregister(x, 'ones')\nname = handoff(x)\nreturn name, access('ones').tolist()"
    assert bench.run(body(text)).results == ["ones", [1.0, 1.0]]
    for again in ("register(x)", "deregister(x)\nderegister(x)"):
        with pytest.raises(TaskFailedError, match="yours"):
            bench.run(body("x = np.ones(2)\nregister(x)\n" + again))


def test_data_is_found_here_below_by_pattern_and_by_bundle(bench: Bench, tmp_path: Path) -> None:
    children = [
        scope_of(
            written(tmp_path / str(lr), {"loss.csv": f"step,loss\n1,{lr}\n"}), f"e/b{lr}", parameters={"lr": lr, "n": 1}
        )
        for lr in (0.2, 0.1)
    ]
    own = written(tmp_path / "own", {"a/x_10.csv": "v\n10\n", "a/x_9.csv": "v\n9\n", "note.txt": "hello"})
    scope = scope_of(own, "e", descendants=children)
    text = """
found = access("loss")
runs = datter.runs()
return {
    "below": found.names, "runs": [run.name for run in runs], "over": runs.access("loss").names,
    "pattern": [t["v"].item() for t in access("a/*.csv")], "keys": access("a/*.csv").keys, "text": access("note"),
    "named": load("e/b0.1", "loss")["loss"].item(), "copied": copy("loss").names, "mine": datter.keys(),
}
"""
    found = bench.run(body(text.strip()), scope).results
    assert found["below"] == ["lr = 0.2", "lr = 0.1"]
    assert found["runs"] == found["over"] == ["lr = 0.1", "lr = 0.2"]
    assert (found["pattern"], found["keys"]) == ([9, 10], [9.0, 10.0])
    assert (found["text"], found["named"]) == ("hello", 0.1)
    assert found["mine"] == ["x_9", "x_10", "note"]


@pytest.mark.req("r175")
def test_load_names_a_bundle_and_an_unknown_one_is_told_the_nearest(bench: Bench, tmp_path: Path) -> None:
    below = scope_of(written(tmp_path / "b", {"loss.csv": "v\n3\n"}), "e/low")
    scope = scope_of(written(tmp_path / "own", {"x.csv": "v\n1\n"}), "e", descendants=[below])
    assert bench.run([["load", "e/low", "loss"], "mean"], scope).results == 3
    assert bench.run([["load", "e", "x"], "mean"], scope).results == 1
    with pytest.raises(TaskFailedError, match=r"There is no bundle 'e/lo'; of those that this run sees .*'e/low'"):
        bench.run(body('return load("e/lo", "loss")'), scope)


def test_the_same_seed_gives_the_same_answers(bench: Bench) -> None:
    text = "x = np.random.default_rng(0).normal(size=(60, 2))\nreturn kmean(x, 3).inertia"
    assert bench.run(body(text)).results == bench.run(body(text)).results
    assert math.isfinite(bench.run(body(text)).results)


def test_a_tiny_task_loads_nothing_heavy() -> None:
    code = (
        "import sys; from pathlib import Path; from plotter2.datter.run import *;"
        "source = 'def task(n):\\n    return mean([n, 2])';"
        "execute(RunInput('r', 't', 'script', source, 'w.py', {'n': 1}, 0, Scope(), Path('x')), print);"
        "print([m for m in ('bokeh','sklearn','scipy','pyarrow','grpc') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.req("r096")
@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("return 1 / 0", "work.py, line 2: ZeroDivisionError: division by zero."),
        ("return access('nothing')", "work.py, line 2: There is no data in "),
        ("raise KeyboardInterrupt('me')", "work.py, line 2: KeyboardInterrupt: me."),
        ("class Odd(BaseException): pass\n    raise Odd('so')", "work.py, line 3: task.<locals>.Odd: so."),
        ("raise ValueError('one\\ntwo')", "work.py, line 2: ValueError: one."),
        ("raise ValueError", "work.py, line 2: ValueError."),
        (
            "import pickle; pickle.dumps(task)",
            "work.py, line 2: what a script defines cannot be sent to another process",
        ),
        ("exit(3)", "work.py, line 2: the script ended itself by exit(3); a task ends by `return`"),
        ("return input('n?')", "work.py, line 2: nobody is there to answer input(); take a parameter"),
        ("import hleper", "work.py, line 2: ModuleNotFoundError: No module named 'hleper'. A library"),
    ],
)
def test_what_went_wrong_is_said_in_one_sentence_with_its_line_before_the_traceback(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, body: str, sentence: str
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO())
    with pytest.raises(TaskFailedError) as caught:
        bench.run(f"def task():\n    {body}\n")
    first, second, *_ = caught.value.message.splitlines()
    assert first.startswith(sentence)
    assert first.endswith(".")
    assert second == "Traceback (most recent call last):"
    assert "plotter2." not in caught.value.message.partition("\n")[2]


@pytest.mark.req("r130")
@pytest.mark.parametrize(
    ("source", "is_told"),
    [
        ("def task(epochs=3): return epochs\n", True),
        ("def task(**given): return given\n", False),
        ("def task(): return me.parameters\n", True),
        ("def task(): return dict(me.parameters).get('epoch')\n", False),
        ("def task():\n    impose(epoch as int)\n    return 1\n", False),
    ],
)
def test_a_parameter_that_nothing_takes_is_told(bench: Bench, source: str, is_told: bool) -> None:
    bench.run(source, epoch=7)
    said = "The parameter 'epoch' was given, and nothing in work.py names it."
    assert (said in bench.lines) is is_told
