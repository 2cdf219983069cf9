"""The words of tasks and ownership as scripts use them: in a tree, and in a run that is alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from plotter2.datter.runs import RunInput
from plotter2.datter.trees.hub import Definition, Ended, Local
from plotter2.errors import TaskFailedError, UsageError
from tests.effort import counted
from tests.unit.datter.kit import Bench
from tests.unit.datter.sample import Tree, matrices

GIVER = """
expose(found)
def task():
    expose(found as np.arange(3.0))
    said = islinked(me)
    return [one.definition for one in said] if said else None
"""


def tree(folder: Path, linked: bool = True, **scripts: str) -> dict[str, Ended]:
    """Run scripts that are called by their names; the first is started, and linked to all others."""
    first, *others = scripts
    definitions = [
        Definition(
            name, "import numpy as np\n" + source, f"{name}.py", linked=tuple(others) * (linked and name == first)
        )
        for name, source in scripts.items()
    ]
    made = Tree(folder, 2, definitions)
    return {f"{one.definition}{one.label}": one for one in made.run(*([first] if linked else scripts))}


def results(ended: dict[str, Ended]) -> dict[str, Any]:
    return {name: one.result.results if one.result else one.error for name, one in ended.items()}


@pytest.mark.req("r105", "r163", "r165", "r178")
def test_access_starts_and_waits_for_who_declares_the_name(tmp_path: Path) -> None:
    taker = "def task():\n    return access('found').tolist()\n"
    assert results(tree(tmp_path, taker=taker, giver=GIVER)) == {"taker": [0.0, 1.0, 2.0], "giver": None}


@pytest.mark.req("r163", "r202")
def test_access_to_what_nobody_gives_fails_at_once_with_the_nearest(tmp_path: Path) -> None:
    taker = "def task():\n    access('fond')\n"
    ended = tree(tmp_path, taker=taker, giver=GIVER)
    assert "nobody can any more" in ended["taker"].error
    assert "'found'" in ended["taker"].error


@pytest.mark.req("r163", "r202")
def test_why_nobody_gives_a_name_is_told_as_it_is(tmp_path: Path) -> None:
    asks = "def task():\n    access('x')\n"
    silent = "expose(x)\ndef task():\n    return 1\n"
    releasing = "expose(x)\ndef task():\n    release()\n"
    waits = "def task():\n    link(me, gather_tasks('a'))\n    collect('a')\n    access('x')\n"
    for number, (scripts, said) in enumerate({
        "a itself declares it, and an instance asks no other of its kind": {"a": f"expose(x)\n{asks}"},
        "a declares it and has ended without giving it": {"b": asks, "a": silent},
        "a declares it and has released or ended without giving it": {"b": waits, "a": releasing},
    }.items()):  # fmt: skip
        ended = tree(tmp_path / str(number), **said)
        assert scripts in ended[next(iter(said))].error
    alone = tree(tmp_path / "alone", linked=False, a=asks)
    assert "there are none" in alone["a"].error


@pytest.mark.req("r168")
def test_me_is_found_among_the_tasks_that_are_gathered(tmp_path: Path) -> None:
    boss = "def task():\n    (one,) = gather_tasks('boss')\n    return [one == me, me == one, me in {one}, me == 1]\n"
    assert results(tree(tmp_path, boss=boss)) == {"boss": [True, True, True, False]}


@pytest.mark.req("r128", "r165")
def test_a_task_can_be_started_and_collected(tmp_path: Path) -> None:
    boss = """
def task():
    one, two = datter.task('giver'), datter.task('giver')
    link(me, [one, two])
    found = collect([one, two])
    return len(found['done']) + len(found.failed) + len(found.released) + len(found.gaveup), repr(found.done)
"""
    ended = tree(tmp_path, boss=boss, other="def task():\n    pass\n", giver=GIVER.replace("expose(found)\n", ""))
    assert results(ended)["boss"] == [2, "[giver #4, giver #5]"]


@pytest.mark.req("r127")
def test_me_knows_its_keys_and_its_owners(tmp_path: Path, bench: Bench) -> None:
    boss = "def task():\n    link(me, gather_tasks('worker'))\n    collect('worker')\n    return len(me.owners)\n"
    worker = """
impose(step as datter.keytype(matrix))
def task():
    return [me.keys, [one.definition for one in me.owners], me.task, hash(me) == hash(me)]
"""
    scope = matrices(tmp_path / "in", 2)
    ground = RunInput("req-1", "", "script", "", "", {}, 7, scope, tmp_path / "out")
    made = Local([Definition("boss", boss, "boss.py", linked=("worker",)), Definition("worker", worker, "worker.py")],
                 ground, lambda _: None)  # fmt: skip
    found = [one.result.results if one.result else one.error for one in made.run("boss")]
    assert found == [[{"step": f"step_{place}"}, ["boss"], "worker", True] for place in range(2)] + [0]
    alone = "impose(step as datter.keytype(matrix))\ndef task():\n    return [me.keys, me.owners]\n"
    assert bench.run(alone, scope, step=1).results == [{"step": "step_1"}, []]


@pytest.mark.req("r164", "r179")
def test_what_is_shared_is_exposed_read_only_until_revoked(tmp_path: Path) -> None:
    boss = """
def task():
    tasks = gather_tasks('worker')
    link(me, tasks)
    collect(tasks)
    x = np.ones(2)
    share(x, tasks)
    release()
    collect(tasks)
    share(x, tasks, revoke=True)
    release()
    return register(x) is None
"""
    worker = """
def task():
    release()
    (name,) = exposed().named
    value = access(exposed())[0]
    try:
        value[0] = 5
    except ValueError:
        pass
    seen = name, value.tolist(), value in exposed(), copy(value).flags.writeable
    release()
    return seen, len(exposed())
"""
    ended = results(tree(tmp_path, boss=boss, worker=worker))
    assert ended["worker"] == [["value", [1.0, 1.0], True, True], 0]
    assert "OwnershipError: register: 'value' is yours already" in ended["boss"]


@pytest.mark.req("r107", "r162", "r163")
def test_a_transfer_key_opens_what_was_handed_in(tmp_path: Path) -> None:
    boss = """
def task():
    (one,) = gather_tasks('worker')
    link(me, one)
    collect(one)
    value = access(handin(np.arange(2), one)).tolist()
    release()
    return value
"""
    worker = "def task():\n    release()\n    return 'value' in exposed()\n"
    assert results(tree(tmp_path, boss=boss, worker=worker)) == {"boss": [0, 1], "worker": True}


def test_tasks_that_wait_for_each_other_are_told_the_circle(tmp_path: Path) -> None:
    boss = "def task():\n    collect(gather_tasks('worker'))\n"
    worker = "def task():\n    collect(gather_tasks('boss.py'))\n"
    ended = tree(tmp_path, boss=boss, worker=worker)
    assert "DeadlockError: These tasks wait for each other: worker #1 (collect) -> boss #2 (collect) -> worker #1" in (
        ended["worker"].error
    )
    assert "CollectError" in ended["boss"].error


@pytest.mark.req("r102", "r161", "r162")
def test_what_is_handed_in_to_datter_is_everybodys(tmp_path: Path) -> None:
    boss = "def task():\n    collect(gather_tasks('worker'))\n    return access('mine').tolist()\n"
    worker = "def task():\n    x = np.ones(2)\n    register(x, 'mine')\n    handin(x, datter)\n"
    assert results(tree(tmp_path, boss=boss, worker=worker))["boss"] == [1.0, 1.0]


def test_random_choices_are_an_instances_own_whoever_runs_between(tmp_path: Path) -> None:
    boss = """
import random
def task():
    collect(gather_tasks('w'))
    return random.random(), float(np.random.rand())
"""
    draws = [
        results(tree(tmp_path / name, boss=boss, w=f"import random\ndef task():\n    {many}\n"))["boss"]
        for name, many in (("a", "random.random()"), ("b", "[np.random.rand() for _ in range(9)]"))
    ]
    assert draws[0] == draws[1]


@pytest.mark.req("r159", "r166", "r167", "r168", "r170")
def test_a_run_that_is_alone_has_nobody_to_wait_for(bench: Bench) -> None:
    text = "link(me, [])\n    return release(), collect([]), islinked(me), len(exposed()), len(gather_tasks('work.py'))"
    assert bench.run(f"def task():\n    {text}\n").results == [
        {}, {"released": [], "done": [], "gaveup": [], "failed": []}, None, 0, 1,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("datter.task('other')", "'other' cannot be started from here"),
        ("gather_tasks('others')", "no task 'others'"),
        ("collect(me)", "cannot wait for itself"),
        ("collect(5)", "A task is wanted.*not int"),
        ("handin(1, [])", "given is nobody"),
        ("handin(1, me)", "given is the task itself"),
        ("link(me, me)", "cannot be linked to itself"),
    ],
)
def test_what_makes_no_sense_alone_is_refused_in_a_sentence(bench: Bench, call: str, words: str) -> None:
    with pytest.raises(TaskFailedError, match=words):
        bench.run(f"def task():\n    {call}\n")


def test_a_run_that_asks_nothing_has_no_ledger(bench: Bench) -> None:
    bench.run("def task():\n    return 1\n")
    with counted() as bare:
        bench.run("def task():\n    return 1\n")
    bench.run("def task():\n    release()\n")
    with counted() as asking:
        bench.run("def task():\n    release()\n")
    assert bare.calls < asking.calls / 2


@pytest.mark.req("r109", "r171")
def test_a_copy_is_the_copiers_own_and_can_be_given_away(tmp_path: Path) -> None:
    boss = """
def task():
    tasks = gather_tasks('worker')
    link(me, tasks)
    collect(tasks)
    private = copy("many")
    private[0] = 7.0
    handin(private, tasks[0])
    handin(copy("matrix"), tasks[0])
    release()
    return access("many").tolist()
"""
    worker = """
expose(many)
def task():
    expose(many as np.zeros(1))
    release()
    shown = access(exposed())
    return shown["many"][0].tolist(), shown["matrix"].names, access("many").tolist()
"""
    ended = results(tree(tmp_path, boss=boss, worker=worker))
    assert ended == {"boss": [0.0], "worker": [[7.0], ["step_0", "step_1"], [0.0]]}


@pytest.mark.parametrize(("linked", "words"), [("other", "'other', which is no task"), ("b", "a is linked to itself")])
def test_links_that_lead_nowhere_or_round_are_refused(tmp_path: Path, linked: str, words: str) -> None:
    source = "def task():\n    pass\n"
    with pytest.raises(UsageError, match=words):
        Tree(
            tmp_path,
            1,
            [Definition("a", source, "a.py", linked=(linked,)), Definition("b", source, "b.py", linked=("a",))],
        )


@pytest.mark.req("r179")
def test_what_is_exposed_is_had_by_name_and_gone_over(tmp_path: Path) -> None:
    boss = """
def task():
    worker = gather_tasks('w')
    link(me, worker)
    collect(worker)
    try:
        exposed()['fond']
    except Exception as wrong:
        said = str(wrong)
    return exposed()['found'].values, list(exposed()), repr(exposed()), said
"""
    worker = """
expose(found)
def task():
    expose(found as 3)
    for owner in me.owners:
        handin(found, owner)
    release()
"""
    assert results(tree(tmp_path, boss=boss, w=worker))["boss"] == [
        [3], ["found"], "exposed(found: 1)", "Nothing is exposed to this task as 'fond'; the nearest is 'found'.",
    ]  # fmt: skip


@pytest.mark.req("r162", "r178", "r179")
@pytest.mark.parametrize("value", ["3", "0.25", "float('nan')", "True"])
def test_a_plain_value_that_is_exposed_and_handed_in_is_one_datum_and_known_when_it_comes_back(
    tmp_path: Path, value: str
) -> None:
    boss = """
def task():
    workers = gather_tasks('w')
    link(me, workers)
    collect(workers)
    count = len(exposed()['found'])
    handin(access('found'), workers)
    release()
    return count
"""
    worker = f"""
expose(found)
def task():
    value = {value}
    expose(found as value)
    for owner in me.owners:
        handin(value, owner)
        release()
    return value in exposed(), 'other' in exposed(), 77 in exposed()
"""
    assert results(tree(tmp_path, boss=boss, w=worker)) == {"boss": 1, "w": [True, False, False]}
