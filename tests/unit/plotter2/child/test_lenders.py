"""Functions behind links: each bundle's code in a world of its own, gone after the run."""

from __future__ import annotations

import importlib
import os
import sys
from inspect import unwrap
from pathlib import Path
from typing import Any

import pytest

from plotter2.child.capture import Recorder
from plotter2.child.frames import Ended, Ground, Program, Run
from plotter2.child.interpreter import Interpreter
from plotter2.child.lenders import Lenders
from plotter2.child.limits import MemoryLimit
from plotter2.child.scratch import Scratch
from plotter2.datter import run as engine
from plotter2.datter.scope import Scope
from plotter2.errors import UsageError
from plotter2.model.link import Form, Head, Link, identity

CODE = "code_sources/"


def scope(folder: Path, bundle: str, **files: str) -> Scope:
    """A bundle's files under names that say nothing, as blobs have."""
    places = {}
    for number, (name, text) in enumerate(files.items()):
        place = folder / f"{bundle.replace('/', '-')}{number}"
        place.write_text(text)
        places[f"{CODE}{name}.py"] = place
    return Scope(bundle, 2, places)


def lenders(own: Scope, *others: Scope) -> Lenders:
    modules = {name: str(place) for name, place in own.files.items()}
    program = Program(1, "t", "script", "", f"{CODE}task.py", modules=modules, roots=["code_sources"])
    return Lenders(program, own, {one.bundle: one for one in others})


def head(bundle: str, place: str) -> Head:
    return Head(bundle, place.rpartition(":")[2], Form.FUNCTION, place)


@pytest.mark.req("r041")
def test_a_function_is_found_by_its_name_alone_or_where_one_says(tmp_path: Path) -> None:
    other = scope(tmp_path, "b", model="def f(x):\n    return x + 1\n", more="def g(x):\n    return x + 2\n")
    code = lenders(Scope("a"), other)
    with code:
        assert code.function(head("b", "f"))(1) == 2
        place = unwrap(code.function(head("b", "f"))).__code__.co_filename
        assert place == f"{other.label}{CODE}model.py", "where it comes from can be told"
        assert code.function(head("b", f"{CODE}more.py:g"))(1) == 3
        with pytest.raises(UsageError, match=r"'h' of 'b': .*'h'"):
            code.function(head("b", "h"))


@pytest.mark.req("r111")
def test_the_modules_of_a_script_can_use_the_words_that_it_can(tmp_path: Path) -> None:
    own = scope(tmp_path, "a", helper="def middle(x):\n    return mean(x)\n", task="")
    code = lenders(own, scope(tmp_path, "b", model="def f(x):\n    return mean(x)\n"))
    for one in (code, code.another()):
        with one:
            assert importlib.import_module("helper").middle([1.0, 2.0, 6.0]) == 3.0
            with pytest.raises(NameError):
                one.function(head("b", "f"))([1.0])


@pytest.mark.req("r041", "r045")
def test_two_bundles_may_call_their_modules_alike(tmp_path: Path) -> None:
    late = "def f():\n    import helper\n    return helper.NAME\n"
    own = scope(tmp_path, "a", model=late, helper="NAME = 'mine'\n")
    other = scope(tmp_path, "b", model=late, helper="NAME = 'theirs'\n")
    code = lenders(own, other)
    with code:
        import model  # type: ignore[import-not-found] # noqa: PLC0415 -- there while the code of a bundle is

        assert [model.f(), code.function(head("b", "f"))(), model.f()] == ["mine", "theirs", "mine"]
        assert code.function(head("a", "f")).__wrapped__ is model.f  # type: ignore[attr-defined] # as wraps leaves it
        assert sys.modules["model"] is model
    assert not {"model", "helper"} & set(sys.modules)
    assert not any(type(one).__name__ == "UserModules" for one in sys.meta_path)


def test_a_failing_function_leaves_the_worlds_apart(tmp_path: Path) -> None:
    own = scope(tmp_path, "a", helper="NAME = 'mine'\n")
    other = scope(
        tmp_path, "b", model="import helper\ndef f():\n    raise OSError(helper.NAME)\n", helper="NAME = 'b'\n"
    )
    code = lenders(own, other)
    with code:
        with pytest.raises(OSError, match="b"):
            code.function(head("b", "f"))()
        import helper  # type: ignore[import-not-found] # noqa: PLC0415 -- there while the code of a bundle is

        assert helper.NAME == "mine"


def test_what_a_bundle_imported_is_kept_for_one_run_and_no_longer(tmp_path: Path) -> None:
    counting = "COUNT = []\ndef f():\n    COUNT.append(1)\n    return len(COUNT)\n"
    code = lenders(Scope("a"), scope(tmp_path, "b", model=counting))
    for _ in range(2):
        with code:
            assert [code.function(head("b", "f"))() for _ in range(2)] == [1, 2]


def test_a_method_is_called_on_one_object_that_is_made_without_values(tmp_path: Path) -> None:
    net = (
        "class Net:\n    def __init__(self, w=2):\n        self.w = w\n    def forward(self, x):\n        self.w += 1\n"
        "        return self.w * x\n    @staticmethod\n    def plain(x):\n        return x\n"
        "    @classmethod\n    def named(cls):\n        return cls.__name__\n"
        "class Needy:\n    def __init__(self, w):\n        self.w = w\n    def forward(self, x):\n        return x\n"
    )
    code = lenders(Scope("a"), scope(tmp_path, "b", model=net))

    def call(name: str, *given: Any) -> Any:
        return code.function(head("b", name))(*given)

    with code:
        assert [call("Net.forward", 1), call("Net.forward", 1)] == [3, 4]
        assert (call("Net.plain", 5), call("Net.named")) == (5, "Net")
        with pytest.raises(UsageError, match="Needy cannot be made without values: give its __init__ defaults"):
            call("Needy.forward", 1)


def test_a_file_called_like_a_library_or_lying_elsewhere_is_loaded_all_the_same(tmp_path: Path) -> None:
    place = tmp_path / "blob"
    place.write_text("def f():\n    return __name__\n")
    other = Scope("b", 2, {f"{CODE}json.py": place, "tools/x.y/part.py": place})
    code = lenders(Scope("a"), other)
    import json  # noqa: PLC0415 -- the very one that must stay

    with code:
        assert code.function(head("b", f"{CODE}json.py:f"))() == "bundle file code_sources/json.py"
        assert code.function(head("b", "tools/x.y/part.py:f"))() == "bundle file tools/x.y/part.py"
        assert sys.modules["json"] is json


class NoLimit(MemoryLimit):
    """Lets the test's own process alone."""

    def __init__(self) -> None:
        pass

    def hold(self, limit_bytes: int) -> None:
        del limit_bytes


def ended(folder: Path, source: str, other: Scope, link: Link) -> Ended:
    """One run of a script on a bundle without code, in a child's own frame."""
    out, err, place = sys.stdout, sys.stderr, Path.cwd()
    try:
        interpreter = Interpreter(engine.execute, Recorder(), Scratch(folder, ".child"), NoLimit())
        lent = Ground(other.bundle, other.version, {name: str(path) for name, path in other.files.items()})
        interpreter.learn(
            Program(1, "t", "script", source, "t.py", Ground("a", 1), links={"f": (link,)}, lenders=[lent])
        )
        return interpreter.run(Run(1, 1, "req-1.1", 1, "{}", 7, 1 << 30))
    finally:
        sys.stdout, sys.stderr = out, err
        os.chdir(place)


@pytest.mark.req("r041")
def test_a_run_calls_the_code_of_another_bundle_and_sees_where_it_failed(tmp_path: Path) -> None:
    code = "def f(x):\n    if not x:\n        raise OSError('no x')\n    return x + 1\n"
    other = scope(tmp_path, "lib/b", model=code)
    link = identity(head("lib/b", "f"))
    good = ended(tmp_path, "def task():\n    return operation('f')(1)\n", other, link)
    assert (good.state, good.results_json) == ("done", "2")
    bad = ended(tmp_path, "def task():\n    return operation('f')(0)\n", other, link)
    assert bad.error_code == "task_failed"
    assert 'File "t.py", line 2, in task' in bad.error
    assert "File \"lib/b@2/code_sources/model.py\", line 3, in f\n    raise OSError('no x')" in bad.error
    assert "plotter2" not in bad.error
