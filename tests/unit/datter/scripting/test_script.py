from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2.datter.check import check_source
from plotter2.datter.scripting import renaming, script
from plotter2.errors import ScriptError

SAMPLE = """\
expose(matrix)
impose(matrix_step_key as datter.keytype(matrix))

def task():
    data = access(matrix_step_key)
    expose(matrix as data)
    with open("x") as f:
        pass
    if data not in exposed():
        giveup()
    window = frame()
    plotme(window, data)
"""


@pytest.mark.req("r183")
def test_as_inside_expose_and_impose_keeps_every_position() -> None:
    found = renaming.rewritten(SAMPLE)
    assert [len(line) for line in found.splitlines()] == [len(line) for line in SAMPLE.splitlines()]
    assert "expose(matrix =  data)" in found
    assert 'with open("x") as f' in found
    ast.parse(found)


@given(st.text(alphabet="expose(x as y)impo \n\"'#,[]:", max_size=60))
def test_rewriting_never_changes_the_length_of_a_line(text: str) -> None:
    try:
        found = renaming.rewritten(text)
    except SyntaxError:
        return
    assert [len(line) for line in found.splitlines()] == [len(line) for line in text.splitlines()]


@pytest.mark.parametrize(
    "source", ['x = "expose(a as b)"', "# expose(a as b)", "thing.expose(a as b)", "other(a as b)"]
)
def test_only_the_two_words_themselves_are_rewritten(source: str) -> None:
    assert renaming.rewritten(source) == source


@pytest.mark.req("r178", "r181")
def test_the_contract_is_read_without_running() -> None:
    found = script.compiled(SAMPLE, "matrix_plot.py")
    assert found.exposes == ("matrix",)
    assert found.imposes == ("matrix_step_key",)
    assert found.symbols == ("matrix", "matrix_step_key")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def task(:\n", "job.py, line 1: "),
        ("x = 1\n\ndef task()\n    pass\n", "job.py, line 3: "),
        ("x = 1\n", "no `def task"),
        ("async def task():\n    pass\n", "line 1: task.. must be a plain function"),
        ("def task():\n    yield 1\n", "line 1: task.. must be a plain function"),
        (
            "def task():\n    return axess('x')\n",
            "line 2: unknown name 'axess'; the nearest",
        ),
        ("def task():\n    releases()\n", "line 2: unknown name 'releases'; the nearest.*'release'"),
        ("def task():\n    access(zqx_7)\n", r"unknown name 'zqx_7'; nothing is called like it; .*\('zqx_7'\)\.$"),
        ("def task():\n    return 1\x00", "job.py"),
        ("def task():\n  return " + "(" * 300 + ")" * 300, "job.py"),
        ("expose(a as 1, as)\ndef task(): pass", "job.py, line 1: "),
        ("expose(a as)\ndef task(): pass", r"job.py, line 1: something has to stand after `as` in expose\(a as"),
        ("expose(as a)\ndef task(): pass", "job.py, line 1: a plain name stands before `as`"),
        ("expose(m.x as a)\ndef task(): pass", "job.py, line 1: a plain name stands before `as`"),
        ("def task():\n    expose(v[0] as first)", r"line 2: a plain name stands before `as`.*first as values\[0\]"),
        ("def task():\n    x = access('m') as y", r"line 2: `as` gives a name in expose\(...\) and impose"),
        (
            "impose(lr as float, k)\ndef task(): pass",
            r"line 1: names by themselves come before .*\(other, lr as float\)",
        ),
        ("impose(lr as flot)\ndef task(): pass", "line 1: unknown name 'flot'; the nearest are 'float'"),
        ("def Task(): pass", "no `def task.*the nearest is 'Task'"),
        ("class task: pass", "line 1: task is a class; write `def task"),
        ("def help_me(): pass\ndef task(): helpme()", "line 2: unknown name 'helpme'; the nearest are 'help_me'"),
        ("expose(a as", "job.py"),
    ],
)
def test_what_cannot_run_is_refused_with_file_and_line(source: str, words: str) -> None:
    with pytest.raises(ScriptError, match=words):
        check_source(source, "job.py", "script")


@pytest.mark.parametrize(
    "source",
    [
        "import math\nK = 2\ndef task(a, *, b=K):\n    return [math.e for x in range(a)], __name__, later\nlater = 1\n",
        "from os.path import *\ndef task():\n    return join('a')\n",
        "def task():\n    try:\n        return unicode\n    except NameError:\n        return 1\n",
        "def task():\n    global made\n    made = 1\n    return made\n",
        "class task:\n    pass\ntask = lambda: 1\n",
        "def f():\n    def g():\n        return x\n    x = 1\n    return g\ndef task():\n    f()()\n",
        "def mean(x):\n    return 1\ndef task():\n    return mean(2), me, datter\n",
        "def task():\n    exec('y = 1')\n    return y\n",
    ],
)
def test_plain_python_is_left_alone(source: str) -> None:
    check_source(source, "job.py", "script")


def test_a_script_is_compiled_once() -> None:
    assert script.compiled(SAMPLE, "a.py") is script.compiled(SAMPLE, "a.py")


def test_other_kinds_are_not_looked_at() -> None:
    check_source("\x00not python", "x.wasm", "wasm")


def test_a_script_that_is_too_long_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(ScriptError, match=r"long\.py has 4000017 characters; a script has at most 262144\."):
        check_source("def task(): pass\n" + "a=1\n" * 1_000_000, "long.py", "script")


def test_a_script_that_is_nested_without_end_is_refused_in_a_sentence() -> None:
    chain = "def task():\n if a:\n  pass\n" + " elif a:\n  pass\n" * 1_500
    with pytest.raises(ScriptError, match=r"deep\.py: this is not Python that can be read"):
        check_source(chain, "deep.py", "script")


def test_a_mark_of_byte_order_before_a_script_of_a_bundle_is_no_part_of_it() -> None:
    assert script.compiled("\ufeffexpose(a)\ndef task(): ...\n", "a.py").exposes == ("a",)
