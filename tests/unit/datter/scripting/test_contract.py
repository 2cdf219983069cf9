"""The contract of a script: read without running (requirements 177, 178, 181)."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

from plotter2.datter.scripting import contract, renaming, script
from plotter2.datter.scripting.contract import Exposed, Gives, Imposed, Wants
from plotter2.datter.trees.hub import Definition
from plotter2.errors import ScriptError, TaskFailedError
from tests.unit.datter.kit import Bench, scope_of
from tests.unit.datter.sample import Tree

SOURCE = """\
expose(matrix, smooth, VERSION, bins, loss as float, limit as 3)
impose(seed, step as datter.keytype(matrix), lr as float, mode as ["a", "b"], size as 4)
VERSION = 3

def smooth(x, k=3) -> float:
    return x

def task(bins: int = 10):
    tasks = gather_tasks(matrix_plot.py, "others")
    link(me, tasks)
"""


def read(source: str) -> contract.Contract:
    return contract.read(ast.parse(renaming.rewritten(source)), "a.py")


@pytest.mark.req("r177", "r178")
def test_what_is_exposed_has_one_of_the_four_kinds_or_is_data() -> None:
    assert read(SOURCE).exposes == (
        Exposed("matrix", Gives.DATA, 1),
        Exposed("smooth", Gives.FUNCTION, 1, "(x, k=3) -> float"),
        Exposed("VERSION", Gives.CONSTANT, 1, "3"),
        Exposed("bins", Gives.PARAMETERS, 1),
        Exposed("loss", Gives.RETURNS, 1, "float"),
        Exposed("limit", Gives.CONSTANT, 1, "3"),
    )


@pytest.mark.req("r129", "r177")
def test_what_is_imposed_says_what_must_hold() -> None:
    assert set(read(SOURCE).imposes) == {
        Imposed("step", Wants.KEY, 2, "matrix"),
        Imposed("lr", Wants.TYPE, 2, "float"),
        Imposed("mode", Wants.VALUES, 2, "['a', 'b']"),
        Imposed("seed", Wants.GIVEN, 2),
        Imposed("size", Wants.VALUE, 2, "4"),
    }


@pytest.mark.req("r168", "r170", "r181")
def test_gathers_links_and_entry_are_seen_and_a_bare_file_is_a_symbol() -> None:
    found = read(SOURCE)
    assert (found.gathers, found.links, found.entry) == (("matrix_plot.py", "others"), True, "(bins: int=10)")
    assert {"matrix", "step", "matrix_plot"} <= found.symbols


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("impose(k as datter.keytpye(m))", "a.py, line 1: datter has no 'keytpye'; the nearest is 'keytype'."),
        ("x = 1\nimpose(k as datter.Tables)", "a.py, line 2: datter has no 'Tables'; the nearest is 'Table'."),
        ("impose(k as keytype(m))", "a.py, line 1: 'keytype' is a word of datter; write datter.keytype(data)."),
        ("impose(k as datter.keytype())", "a.py, line 1: datter.keytype takes the name of some data"),
        ("impose(k as int)\nimpose(k as float)", "a.py, line 2: 'k' is imposed twice, and in line 1 otherwise."),
        ("release()", "a.py, line 1: release() waits for other tasks, so it stands inside `def task():`."),
        ("x = collect(1)", "a.py, line 1: collect() waits for other tasks"),
    ],
)
@pytest.mark.req("r129", "r166", "r177")
def test_a_contract_that_cannot_hold_is_refused_with_its_line(source: str, words: str) -> None:
    with pytest.raises(ScriptError) as wrong:
        read(source)
    assert str(wrong.value).startswith(words)


@pytest.mark.req("r177", "r181")
def test_an_imposed_name_is_bound_to_what_was_given(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    source = "impose(lr as float, mode as ['a', 'b'])\ndef task():\n    return [lr * 2, mode]"
    result = bench.run(source, lr=2, mode="b")
    assert result.results == [4, "b"]
    assert bench.run("lr = 1\nimpose(lr as int)\ndef task():\n    return lr", lr=2).results == 1
    with pytest.raises(TaskFailedError, match="imposes the parameter 'lr', which was not given"):
        bench.run("impose(lr as float)\ndef task():\n    return lr")


@pytest.fixture
def matrices(tmp_path: Path) -> Path:
    for place in (9, 10, 11):
        (tmp_path / "data" / "m").mkdir(parents=True, exist_ok=True)
        np.save(tmp_path / "data" / "m" / f"step_{place}.npy", np.full((2, 2), place))
    return tmp_path / "data"


DECLARED = {"data": {"m": {"path": "m/*.npy"}}}
KEYED = "impose(k as datter.keytype(m))\ndef task():\n    print(k)\n    return [float(access(k).sum()), k]"


@pytest.mark.req("r129", "r163", "r181")
@pytest.mark.parametrize("given", ["step_10", 10])
def test_an_imposed_key_is_a_name_that_access_understands(matrices: Path, tmp_path: Path, given: object) -> None:
    bench = Bench(tmp_path)
    assert bench.run(KEYED, scope_of(matrices, declared=DECLARED), k=given).results == [40.0, "step_10"]
    assert bench.lines == ["step_10"]


@pytest.mark.req("r129")
def test_a_key_that_is_not_there_names_the_nearest(matrices: Path, tmp_path: Path) -> None:
    with pytest.raises(TaskFailedError, match="'m' has no key 'step_1'; the nearest are"):
        Bench(tmp_path).run(KEYED, scope_of(matrices, declared=DECLARED), k="step_1")


@pytest.mark.req("r129")
def test_without_a_key_an_imposed_name_stands_for_all_of_the_data(matrices: Path, tmp_path: Path) -> None:
    source = "impose(k as datter.keytype(m))\ndef task():\n    return len(access(k))"
    assert Bench(tmp_path).run(source, scope_of(matrices, declared=DECLARED)).results == 3


@pytest.mark.req("r098", "r129")
def test_a_pipeline_runs_on_the_key_that_it_is_given(matrices: Path, tmp_path: Path) -> None:
    steps = [{"impose": {"k": {"keytype": "m"}}}, {"access": "k"}, "mean"]
    assert Bench(tmp_path).run(steps, scope_of(matrices, declared=DECLARED), k="step_11").results == 11.0


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        (["access", {"impose": {"k": {"keytype": "m"}}}], "step 2 (impose): it says what must be given, so it stands"),
        ([{"impose": {"k": {"keytyp": "m"}}}, "access"], "step 1 (impose): 'k' is a key of some data: {\"k\": "),
    ],
)
@pytest.mark.req("r098", "r177")
def test_a_pipeline_that_imposes_in_the_wrong_way_is_refused(steps: list[object], words: str, tmp_path: Path) -> None:
    with pytest.raises(ScriptError) as wrong:
        Bench(tmp_path).run(steps)
    assert words in str(wrong.value)


@pytest.mark.parametrize(
    "source",
    [
        "def twice(x):\n    return 2 * x\nSTEPS = 3\nexpose(twice, STEPS, bins)",
        "expose(twice, STEPS, bins)\nSTEPS = 3\ndef twice(x):\n    return 2 * x",
    ],
)
@pytest.mark.req("r178")
def test_a_function_a_constant_and_a_parameter_are_given_by_their_names(source: str, tmp_path: Path) -> None:
    giver = source + "\ndef task(bins=5):\n    giveup()\n"
    taker = "def task():\n    return [access('twice')(4), access('STEPS'), access('bins')]\n"
    tree = Tree(
        tmp_path, 1, [Definition("taker", taker, "taker.py", linked=("giver",)), Definition("giver", giver, "giver.py")]
    )
    ended = {one.definition: one for one in tree.run("taker")}
    assert ended["taker"].result is not None, ended["taker"].error
    assert ended["taker"].result.results == [8, 3, 5]
    assert ended["giver"].result is not None
    assert ended["giver"].result.made == [], "no picture is drawn of what is no data"


@pytest.mark.req("r178")
def test_a_bare_name_inside_a_task_publishes_what_it_is_there(tmp_path: Path) -> None:
    source = "expose(found)\ndef task():\n    expose(found)\n    found = [1.0, 2.0]\n    expose(found)\n    giveup()\n"
    with pytest.raises(TaskFailedError, match=r"work.py\", line 3, in task(\n.*)+UnboundLocalError"):
        Bench(tmp_path).run(source)
    result = Bench(tmp_path).run(source.replace("    expose(found)\n    found", "    found"))
    assert [made.kind for made in result.made] == ["asset", "figure"]


@pytest.mark.req("r177")
@pytest.mark.parametrize(
    "source", ["impose(seed)\ndef task():\n    return seed", "def task(seed):\n    impose(seed)\n    return seed"]
)
def test_a_bare_name_that_is_imposed_must_be_given(source: str, tmp_path: Path) -> None:
    assert Bench(tmp_path).run(source, seed=3).results == 3
    with pytest.raises((TaskFailedError, ScriptError), match="the parameter 'seed'"):
        Bench(tmp_path).run(source)


@pytest.mark.req("r128")
@pytest.mark.parametrize(
    ("body", "is_social"),
    [
        ("release()", False), ("islinked(me)", False), ("link = 1; return link", False),
        ("collect(gather_tasks('x'))", True), ("link(me, [])", True), ("datter.task('x')", True),
        ("start = datter.task; start('x')", True), ("datter.group([])", False),
    ],
)  # fmt: skip
def test_whoever_speaks_of_other_tasks_is_known_by_it(body: str, is_social: bool) -> None:
    assert script.compiled(f"def task():\n    {body}\n", "x.py").contract.is_social is is_social


def test_own_functions_of_these_names_speak_of_nobody() -> None:
    assert not script.compiled("def collect(x): return x\ndef task(): return collect(1)\n", "x.py").contract.is_social
