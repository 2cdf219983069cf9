"""Operations called by name from scripts and pipelines, over links, with values checked on the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plotter2.datter.run import RunInput, Scope, execute
from plotter2.errors import TaskFailedError
from plotter2.model import types
from plotter2.model.link import Epsilon, Form, Head, Link, Origin, identity
from plotter2.model.types import ANY, Mode, Type
from tests.unit.datter.kit import scope_of, written

VECTOR, MATRIX = types.parse("vector[float64, 3]"), types.parse("matrix[float64, *, *]")
A, B = "a", "lib/b"
DOUBLE = Head(A, "double", Form.FUNCTION, "double", (("x", VECTOR),), VECTOR)


def function(bundle: str, name: str, takes: Type = ANY, gives: Type = ANY) -> Head:
    return Head(bundle, name, Form.FUNCTION, name, (("x", takes),), gives)


CODE: dict[str, Callable[..., Any]] = {
    "double": lambda x: x * 2,
    "thrice": lambda x: x * 3,
    "widen": lambda x: np.stack([x, x]),
    "first": lambda x: x[0],
    "make": lambda: np.ones((2, 3)),
    "whole": lambda x: x.astype(np.int64),
    "spoil": lambda x: x.__setitem__(0, 9.0),
}


class Calls:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.links: dict[str, tuple[Link, ...]] = {}
        self.own = Scope(A, 1)
        self.lenders: dict[str, Scope] = {B: Scope(B, 2)}

    def run(self, source: str) -> Any:
        kind = "pipeline" if source.startswith("[") else "script"
        run = RunInput(
            "r", "t", kind, source, "work.py", {}, 7, self.own, self.folder,
            links=self.links, lenders=self.lenders, function=lambda head: CODE[head.place],
        )  # fmt: skip
        return execute(run, lambda _: None).results

    def calls(self, body: str) -> Any:
        return self.run(f"def task():\n    import numpy as np\n    return {body}\n")


@pytest.fixture
def calls(tmp_path: Path) -> Calls:
    return Calls(tmp_path)


@pytest.mark.req("r036", "r038", "r040")
def test_an_operation_is_called_by_name_in_scripts_and_in_pipelines(calls: Calls, tmp_path: Path) -> None:
    calls.links = {"double": (Link(DOUBLE, function(B, "thrice", VECTOR, VECTOR)),)}
    assert calls.calls("operation('double')(np.ones(3)).tolist()") == [3, 3, 3]
    assert calls.calls("operation('double')(x=np.ones(3)).tolist()") == [3, 3, 3]
    assert calls.calls("through(np.ones(3), 'double').tolist()") == [3, 3, 3]
    np.save(tmp_path / "v.npy", np.arange(3.0))
    calls.own = scope_of(tmp_path, A)
    assert calls.run('[["access", "v"], {"through": "double"}, "mean"]') == 3.0


@pytest.mark.req("r039")
def test_a_translation_converts_arguments_forwards_and_results_backwards(calls: Calls) -> None:
    epsilon = Epsilon((function(B, "widen", VECTOR, MATRIX),), (function(B, "first", MATRIX, VECTOR),))
    calls.links = {"double": (Link(DOUBLE, function(B, "double", MATRIX, MATRIX), Mode.CONSTANT, epsilon),)}
    assert calls.calls("operation('double')(np.ones(3)).tolist()") == [2, 2, 2]


@pytest.mark.req("r046", "r047")
def test_a_value_that_is_not_what_a_head_declares_is_refused_with_both_types(calls: Calls) -> None:
    calls.links = {"double": (identity(DOUBLE),)}
    with pytest.raises(TaskFailedError, match=r"'double' of 'a' takes vector\[float64, 3\] as 'x', and this is vector"):
        calls.calls("operation('double')(np.ones(3, np.int64))")
    with pytest.raises(TaskFailedError, match=r"this is vector\[float64, 4\]: another shape"):
        calls.calls("operation('double')(np.ones(4))")
    with pytest.raises(TaskFailedError, match=r"takes 1 values, and was given 2"):
        calls.calls("operation('double')(np.ones(3), 1)")
    with pytest.raises(TaskFailedError, match=r"takes x; given by name are y"):
        calls.calls("operation('double')(y=np.ones(3))")
    calls.links = {"double": (Link(DOUBLE, function(B, "whole", VECTOR)),)}
    with pytest.raises(
        TaskFailedError, match=r"'double' of 'a' returns vector\[float64, 3\], and this is vector\[int64"
    ):
        calls.calls("operation('double')(np.ones(3))")
    calls.links = {"double": (replace(calls.links["double"][0], is_forced=True),)}
    assert calls.calls("operation('double')(np.ones(3)).tolist()") == [1, 1, 1]


@pytest.mark.req("r045")
def test_neither_side_of_a_link_can_overwrite_what_the_other_has(calls: Calls) -> None:
    calls.links = {"double": (Link(DOUBLE, function(B, "spoil", VECTOR)),)}
    with pytest.raises(TaskFailedError, match="read-only"):
        calls.calls("operation('double')(np.ones(3))")
    calls.links = {"double": (identity(DOUBLE),)}
    with pytest.raises(TaskFailedError, match="read-only"):
        calls.calls("operation('double')(np.ones(3)).__setitem__(0, 1.0)")


@pytest.mark.req("r046")
def test_what_comes_over_a_mutable_link_has_any_size_and_is_the_callers_own(calls: Calls) -> None:
    calls.links = {"double": (replace(identity(DOUBLE), mode=Mode.MUTABLE),)}
    source = (
        "def task():\n    import numpy as np\n    mine = operation('double')(np.ones(5))\n"
        "    mine[0] = 7\n    return mine.tolist()\n"
    )
    assert calls.run(source) == [7, 2, 2, 2, 2]


@pytest.mark.req("r044")
def test_data_behind_a_link_is_found_by_access_and_keeps_its_owner(calls: Calls, tmp_path: Path) -> None:
    written(tmp_path / "own", {"weights.csv": "w\n1\n"})
    written(tmp_path / "other", {"w2.csv": "w\n2\n3\n"})
    calls.own = scope_of(tmp_path / "own", A)
    calls.lenders = {B: scope_of(tmp_path / "other", B)}
    expected = Head(A, "weights", Form.DATA, "weights.csv", (), types.parse("table"))
    alias = Link(expected, Head(B, "w", Form.DATA, "w2.csv", (), types.parse("table")), origin=Origin.DECLARED)
    calls.links = {"weights": (alias,)}
    assert calls.calls("access('weights').column('w').tolist()") == [2, 3]
    assert calls.calls("operation('weights')().column('w').tolist()") == [2, 3]
    calls.links = {"weights": (replace(alias, origin=Origin.SHARED),)}
    assert calls.calls("access('weights').column('w').tolist()") == [1]
    made = replace(function(B, "make"), params=None)
    calls.links = {"matrix": (Link(Head(A, "matrix", Form.DATA, "m", (), MATRIX), made),)}
    assert calls.calls("access('matrix').shape") == [2, 3]


@pytest.mark.req("r012", "r041")
def test_a_sidecar_names_the_file_of_a_function_that_was_called_over_a_link(
    calls: Calls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path / "other", {"code_sources/model.py": "def halve(x): return x / 2\n"})
    lender = scope_of(tmp_path / "other", B)
    calls.lenders = {B: lender}
    room: dict[str, Any] = {}
    path = "code_sources/model.py"
    exec(compile(lender.files[path].read_text(), f"{lender.label}{path}", "exec"), room)  # noqa: S102 -- as a child does
    monkeypatch.setitem(CODE, "halve", room["halve"])
    calls.links = {"double": (Link(DOUBLE, function(B, "halve", VECTOR, VECTOR)),)}
    calls.run("def task():\n    import numpy as np\n    plotme(operation('double')(np.ones(3)))\n")
    (sidecar,) = tmp_path.rglob("01-*.html.json")
    (used,) = json.loads(sidecar.read_text())["inputs"]["files"]
    assert (used["bundle"], used["version"], used["path"], len(used["digest"])) == (B, lender.version, path, 64)


@pytest.mark.req("r047")
def test_data_that_is_not_what_its_head_says_is_refused_when_it_is_read(calls: Calls, tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", np.arange(4.0))
    calls.own = scope_of(tmp_path, A)
    calls.links = {"v": (identity(Head(A, "v", Form.DATA, "v.npy", (), VECTOR)),)}
    with pytest.raises(TaskFailedError, match=r"returns vector\[float64, 3\], and this is vector\[float64, 4\]"):
        calls.calls("access('v')")


def test_unknown_names_bundles_and_tasks_are_told_with_what_there_is(calls: Calls) -> None:
    task = Head(A, "curve", Form.TASK, "curve")
    both = (identity(DOUBLE), Link(DOUBLE, function(B, "thrice", VECTOR)))
    calls.links = {"double": both, "curve": (identity(task),)}
    with pytest.raises(TaskFailedError, match=r"no operation of a called 'duoble'; the nearest is 'double'"):
        calls.calls("operation('duoble')")
    with pytest.raises(TaskFailedError, match=r"no link of 'double' to a bundle called 'lib/c'; .*'lib/b'"):
        calls.calls("operation('double', of='lib/c')")
    with pytest.raises(TaskFailedError, match=r"'curve' is a task, which runs by itself"):
        calls.calls("operation('curve')")
    assert calls.calls("[operation('double').bundle, operation('double', of='lib/b').bundle]") == ["a", "lib/b"]
    assert calls.calls("operation('double').shape") == "(vector[float64, 3]) -> vector[float64, 3]"


def test_where_nobody_can_load_code_a_call_says_so(tmp_path: Path) -> None:
    source = "def task():\n    return operation('double')([1.0, 2.0, 3.0])\n"
    links = {"double": (identity(DOUBLE),)}
    run = RunInput("r", "t", "script", source, "w.py", {}, 7, Scope(A, 1), tmp_path, links=links)
    with pytest.raises(TaskFailedError, match="The code of 'a' cannot be loaded here"):
        execute(run, lambda _: None)
