"""Instances of a tree in children: greenlets that wait for a ledger elsewhere, values that others made."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from plotter2 import files
from plotter2.child.frames import Told
from plotter2.child.instances import Afar
from plotter2.datter.figures.figure import digest
from plotter2.datter.ledger import Ledger
from plotter2.datter.ledger.ops import Look, Lying, Open, Question
from plotter2.datter.pages import page, writing
from plotter2.datter.scope import Scope
from plotter2.datter.trees.hub import Definition
from tests.unit.datter.sample import META, TASK1, Tree, defined, matrices, visuals
from tests.unit.plotter2.child.fleet import Fleet


@pytest.fixture(autouse=True)
def _own_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Pages are not written, only their sidecars; the test's process is as it was."""
    monkeypatch.setattr(page, "page", lambda *_: "")
    monkeypatch.setattr(writing, "_picture", lambda _: b"")
    out, err, place = sys.stdout, sys.stderr, Path.cwd()
    yield
    sys.stdout, sys.stderr = out, err
    os.chdir(place)


def blobs(folder: Path, scope: Scope) -> Scope:
    """The same bundle, its files named by their digests, as workers see them."""
    found: dict[str, Path] = {}
    for name, path in scope.files.items():
        found[name] = folder / files.digest(path).hex()
        found[name].write_bytes(path.read_bytes())
    return Scope(scope.bundle, scope.version, found, scope.package)


def sample(folder: Path, count: int, definitions: list[Definition] | None = None) -> Fleet:
    scope = matrices(folder / "in", count)
    (folder / "blobs").mkdir()
    return Fleet(folder, blobs(folder / "blobs", scope), definitions or defined())


def states(fleet: Fleet) -> list[str]:
    return [one.state for one in dict(sorted(fleet.ended.items())).values()]


def errors(fleet: Fleet) -> list[str]:
    return [one.error for one in fleet.ended.values() if one.error]


def same_figures(folder: Path, fleet: Fleet, count: int) -> None:
    """The pages say the same as those of the tree in one process."""
    tree = Tree(folder / "local", count, defined())
    for one in tree.run(META):
        mine, other = fleet.sidecars(one.number), tree.sidecars(one)
        assert [visuals(side) for side in mine] == [visuals(side) for side in other]
        for a, b in zip(mine, other, strict=True):
            assert a["panels"] == b["panels"]


@pytest.mark.req("r092", "r181", "r186", "r194", "r199")
def test_task1_alone_draws_one_plain_figure_each(tmp_path: Path) -> None:
    fleet = sample(tmp_path, 3)
    fleet.run(TASK1)
    assert states(fleet) == ["gaveup"] * 3, errors(fleet)
    assert [visuals(fleet.sidecars(number)[0]) for number in (1, 2, 3)] == [["matrix"]] * 3


@pytest.mark.req("r092", "r093", "r184", "r187", "r192", "r193", "r196", "r197", "r199")
@pytest.mark.parametrize("count", [3, 40])
def test_the_meta_task_gives_every_matrix_its_place_in_the_total_across_children(tmp_path: Path, count: int) -> None:
    fleet = sample(tmp_path, count)
    fleet.run(META)
    assert states(fleet) == ["done"] * (count + 1), errors(fleet)
    assert fleet.parked_max >= count
    total = np.sum([np.load(tmp_path / "in" / "m" / f"step_{step}.npy") for step in range(count)], axis=0)
    (side,) = fleet.sidecars(count + 1)
    assert side["panels"][0]["data"][0]["digest"] == digest(total)
    same_figures(tmp_path, fleet, count)
    opened = [one for one in fleet.reads if isinstance(one, Open)]
    assert len(opened) <= 2 * len(fleet.children), "each child opens a set once"
    book = fleet.plan.ledger.book
    assert Ledger.replayed(fleet.journal, book.secret).book == book


@pytest.mark.req("r199")
def test_what_a_child_knows_of_a_tree_is_kept_until_it_does_something_else(tmp_path: Path) -> None:
    fleet = sample(tmp_path, 3)
    fleet.run(META)
    for child in fleet.children:
        assert (len(child.instances), list(child.instances._trees)) == (0, ["req-1"])
        child.instances.rest()
        assert not child.instances._trees


def test_content_that_was_let_go_meanwhile_is_asked_for_anew(tmp_path: Path) -> None:
    digest = "0" * 64
    asked: list[Question] = []
    row = Lying(7, "x", "", 0.0, f"blob:npy:{digest}")

    def read(question: Question) -> Told:
        asked.append(question)
        place = tmp_path / str(len(asked))
        with place.open("wb") as file:
            np.save(file, np.arange(3))
        return Told(1, 1, value=msgspec.msgpack.encode([row]), is_read=True, places={digest: str(place)})

    shelf = Afar(read)
    assert shelf.data_of(5) == (7,)
    (tmp_path / "1").unlink()
    assert shelf.value(7).tolist() == [0, 1, 2]
    assert asked == [Open(5), Look((7,))]


@pytest.mark.req("r187", "r193", "r196")
@pytest.mark.parametrize("place", range(0, 26, 3))
def test_a_child_that_dies_at_any_moment_changes_nothing(tmp_path: Path, place: int) -> None:
    fleet = sample(tmp_path, 3)
    moments = iter(range(1_000))

    def before(number: int, op: int) -> None:
        del number, op
        if next(moments) == place:
            fleet.kill(fleet.children[place % 2])

    fleet.before = before
    fleet.run(META)
    assert states(fleet) == ["done"] * 4, errors(fleet)
    same_figures(tmp_path, fleet, 3)


@pytest.mark.req("r187")
def test_an_instance_that_is_moved_lives_through_its_attempt_again(tmp_path: Path) -> None:
    fleet = sample(tmp_path, 3)
    moved: list[int] = []

    def before(number: int, op: int) -> None:
        if number == 2 and op == 4 and not moved:
            moved.append(number)
            fleet.kill(fleet.where[number])
            fleet.move(number)

    fleet.before = before
    fleet.run(META)
    assert (moved, fleet.epochs[2]) == ([2], 2)
    assert states(fleet) == ["done"] * 4, errors(fleet)
    same_figures(tmp_path, fleet, 3)


WAITER = """
impose(k as datter.keytype(matrix))
expose(own)
import os
import random
import sys
import warnings
from pathlib import Path
import numpy as np
first = random.random()
def task():
    data = access(k)
    Path("mine.txt").write_text(k)
    sys.path.append(k)
    os.makedirs("inner")
    os.chdir("inner")
    loggy("before", k)
    print("printed", k)
    expose(own as data)
    assert Path("../mine.txt").read_text() == k, os.getcwd()
    assert Path.cwd().name == "inner"
    assert [one for one in sys.path if one.startswith("step_")] == [k]
    draws = [random.random(), float(np.random.random())]
    loggy("after", k)
    return [first, *draws]
"""
PARENT = """
def task():
    tasks = gather_tasks("waiter")
    link(me, tasks)
    return {how: [one.label for one in found] for how, found in collect(tasks).items() if found}
"""
PAIR = [Definition("waiter", WAITER, "waiter.py"), Definition("parent", PARENT, "parent.py", linked=("waiter",))]


@pytest.mark.req("r092", "r194")
def test_what_is_the_threads_is_each_instances_own(tmp_path: Path) -> None:
    fleet = sample(tmp_path, 5, PAIR)
    ended = fleet.run("parent")
    assert states(fleet) == ["done"] * 6, errors(fleet)
    assert json.loads(ended[6].results_json) == {"done": [f"step_{step}" for step in range(5)]}
    for number in range(1, 6):
        lines = fleet.lines[number] + ended[number].lines
        assert lines == [f"{word} step_{number - 1}" for word in ("before", "printed", "after")]
        assert [one.path for one in ended[number].made] == ["mine.txt"]
    assert not [one for one in sys.path if one.startswith("step_")]
    draws = [tuple(json.loads(ended[number].results_json)) for number in range(1, 6)]
    assert len({one for three in draws for one in three}) == 15
    again = sample(tmp_path / "again", 5, PAIR)
    again.kill(again.children[0])
    assert [tuple(json.loads(one.results_json)) for one in list(again.run("parent").values())[:5]] == draws


def test_a_script_that_does_otherwise_the_second_time_fails_and_says_how(tmp_path: Path) -> None:
    odd = """
        from pathlib import Path
        expose(x)
        def task():
            try:
                expose(x as Path("WORD").read_text())
                release()
            except Exception:
                pass
            return 1
    """
    other = "def task():\n    link(me, gather_tasks('odd'))\n    collect(gather_tasks('odd'))\n"
    source = textwrap.dedent(odd).replace("WORD", str(tmp_path / "word"))
    fleet = sample(tmp_path, 1, [Definition("odd", source, "odd.py"), Definition("o", other, "o.py", linked=("odd",))])
    word = tmp_path / "word"
    word.write_text("one")

    def before(number: int, op: int) -> None:
        if (number, op, word.read_text()) == (1, 3, "one"):
            word.write_text("two")
            fleet.kill(fleet.where[number])

    fleet.before = before
    ended = fleet.run("o")
    assert (ended[1].state, ended[1].error_code) == ("failed", "divergence")
    assert ended[1].error.splitlines() == [
        "odd.py, line 6: Op 1 is not what was recorded: a task that is run again must do the same again.",
        f'  expose(x as Path("{word}").read_text())',
        '- {"op":"register","ref":"json:\\"one\\""}',
        '+ {"op":"register","ref":"json:\\"two\\""}',
    ]


@pytest.mark.req("r093", "r160")
def test_values_cross_by_reference_and_by_transfer_key(tmp_path: Path) -> None:
    giver = """
        import numpy as np
        expose(big, small, key)
        def task():
            large = np.arange(200_000.0)
            expose(big as large)
            expose(small as {"a": [1, 2]})
            (parent,) = islinked(me)
            expose(key as handin(large, parent))
            release()
    """
    taker = """
        def task():
            link(me, gather_tasks("giver"))
            collect(gather_tasks("giver"))
            big, small = access("big"), access("small")
            again = access(access("key"))
            loggy(type(big.base).__name__, big is again, big.flags.writeable)
            return [float(big.sum()), small, float(again[-1])]
    """
    definitions = [
        Definition("giver", textwrap.dedent(giver), "giver.py"),
        Definition("taker", textwrap.dedent(taker), "taker.py", linked=("giver",)),
    ]
    fleet = sample(tmp_path, 1, definitions)
    ended = fleet.run("taker")
    assert states(fleet) == ["done", "done"], errors(fleet)
    assert json.loads(ended[2].results_json) == [19999900000.0, {"a": [1, 2]}, 199999.0]
    assert ended[2].lines + fleet.lines.get(2, []) == ["memmap True False"]


def test_what_cannot_be_written_down_is_refused_where_it_is_shown(tmp_path: Path) -> None:
    source = "expose(x)\ndef task():\n    expose(x as (lambda: 0))\n"
    fleet = sample(tmp_path, 1, [Definition("odd", source, "odd.py")])
    ended = fleet.run("odd")
    assert ended[1].state == "failed"
    assert "A function cannot be given to others" in ended[1].error
    assert 'File "odd.py", line 3, in task' in ended[1].error


@pytest.mark.req("r165")
def test_an_instance_starts_others_and_a_replay_starts_none_twice(tmp_path: Path) -> None:
    starter = """
        def task():
            made = datter.task("waiter", k="step_1")
            return [made[0].label, len(collect(made)["done"])]
    """
    definitions = [PAIR[0], Definition("starter", textwrap.dedent(starter), "starter.py")]
    fleet = sample(tmp_path, 2, definitions)

    def before(number: int, op: int) -> None:
        if (number, op) == (1, 2):
            fleet.before = lambda *_: None
            fleet.kill(fleet.where[number])

    fleet.before = before
    ended = fleet.run("starter")
    assert states(fleet) == ["done", "done"], errors(fleet)
    assert json.loads(ended[1].results_json) == ["step_1", 1]


def test_instances_that_show_the_same_content_do_not_take_each_others_files(tmp_path: Path) -> None:
    source = """
        import numpy as np
        impose(k as datter.keytype(matrix))
        expose(same)
        def task():
            expose(same as np.arange(5_000.0))
    """
    reader = """
        def task():
            found = access("same")
            return [len(found), float(sum(found)[1])]
    """
    definitions = [
        Definition("giver", textwrap.dedent(source), "giver.py"),
        Definition("reader", textwrap.dedent(reader), "reader.py", linked=("giver",)),
    ]
    fleet = sample(tmp_path, 4, definitions)
    ended = fleet.run("reader")
    assert states(fleet) == ["done"] * 5, errors(fleet)
    assert json.loads(ended[5].results_json) == [4, 4.0]
