"""Words and visual types of an installation's own: found by reading, checked, used by name in scripts and pipelines."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plotter2.datter import additions, check
from plotter2.datter.builtins import namespace
from plotter2.datter.run import execute
from plotter2.datter.runs import RunInput, RunResult
from plotter2.datter.scope import Scope
from plotter2.datter.vocabulary import Additions, Word
from plotter2.errors import ScriptError, TaskFailedError
from plotter2.model.additions import is_one
from tests.unit.datter.kit import scope_of

SMOOTH = b'''
import numpy as np

def smooth(data, width: int = 3):
    """Means of neighbours.

    More of it.
    """
    return np.convolve(data, np.ones(width) / width, "same")

def ramp():
    return np.arange(9.0)

def _help():
    pass
'''
SPECTRUM = b'''
import numpy as np

def spectrum(x: "vector[float64, *]"):
    """Power over frequency."""
    power = abs(np.fft.rfft(x)) ** 2
    window = frame()
    line(window, np.fft.rfftfreq(len(x)), power)
    axis(window, x="frequency", y="power")

def both(x):
    return [x, "and in words"]
'''


def of(**files: bytes) -> Additions:
    return additions.read({f"{name.replace('__', '/')}.py": content for name, content in files.items()})


OWN = of(operations__smooth=SMOOTH, visuals__spectrum=SPECTRUM)


@pytest.mark.req("r009")
def test_public_functions_are_words_with_their_parameters_and_their_line() -> None:
    assert list(OWN.operations) == ["smooth", "ramp"]
    assert list(OWN.visuals) == ["spectrum", "both"]
    one = OWN.operations["smooth"]
    assert (one.where, one.params, one.doc) == (
        "operations/smooth.py, line 4", "data, width: int=3", "Means of neighbours.",
    )  # fmt: skip
    assert (OWN.visuals["spectrum"].suits, OWN.visuals["both"].suits) == ("vector[float64, *]", "")


@pytest.mark.req("r009")
@pytest.mark.parametrize(
    ("file", "source", "said"),
    [
        ("operations__x", b"def f(:\n", "operations/x.py, line 1: invalid syntax."),
        ("operations__x", b"return 3\n", "operations/x.py, line 1: 'return' outside function."),
        ("operations__x", b"\ndef mean(x):\n  pass\n", "line 2: 'mean' is a built-in already; call yours otherwise."),
        ("operations__x", b"def print(x):\n  pass\n", "line 1: 'print' is a built-in already"),
        ("operations__x", b"async def f(x):\n  pass\n", "f() must be a plain function, without async and yield."),
        ("operations__x", b"def f(x):\n  yield 3\n", "f() must be a plain function"),
        ("visuals__x", b"def matrix(x):\n  pass\n", "'matrix' is a visual type already"),
        ("visuals__x", b"def f(x, y):\n  pass\n", "a visual type is drawn of one value; f() must take just that."),
        ("visuals__x", b"def f(*, x):\n  pass\n", "a visual type is drawn of one value"),
        ("visuals__x", b"def f(x: 'vectr'):\n  pass\n", "'x' is annotated with what is no type:"),
        ("operations__x", b"def a(x):\n  pass\ndef smooth(x):\n  pass\n", "is defined in operations/smooth.py, line 4"),
    ],
)  # fmt: skip
def test_a_broken_file_is_left_out_with_a_sentence_and_the_others_hold(file: str, source: bytes, said: str) -> None:
    found = of(operations__smooth=SMOOTH, **{file: source})
    (fault,) = found.faults.values()
    assert said in fault
    assert list(found.operations) == ["smooth", "ramp"]
    assert not found.visuals


def test_files_with_an_underscore_only_help_and_settings_are_none_of_these() -> None:
    assert not of(operations___helper=b"def f(:\n").operations
    helper = of(operations___helper=b"def g(x):\n    return x\n")
    assert (list(helper.operations), list(helper.files)) == ([], ["operations/_helper.py"])
    ours = ["templates/a.toml", "templates/a.html", "operations/a.py"]
    others = ["manager.toml", "operations/in/a.py", "operations/a.pyc", "visuals/.a.py", "other/a.py"]
    assert [name for name in ours + others if is_one(name)] == ours


@pytest.mark.req("r009")
@pytest.mark.parametrize(
    ("steps", "said"),
    [
        (["access", "smoth"], "step 2: unknown op 'smoth'; the nearest is 'smooth'."),
        (["access", {"smooth": {"wdth": 3}}], "step 2 (smooth): there is no argument 'wdth'; the nearest is 'width'"),
        (["access", {"smooth": {"width": "wide"}}], "step 2 (smooth): 'width' is a whole number, not 'wide'"),
        (["smooth"], "step 1 (smooth): there is no data yet"),
        (["access", {"visualtype": "spectrm"}], "'kind' cannot be 'spectrm'; the nearest is 'spectrum'"),
        (["access", {"frame": {"template": "x"}}], "'template' cannot be 'x'"),
    ],
)
def test_the_checker_of_pipelines_knows_them(steps: list[Any], said: str) -> None:
    check.check_source(
        '["access", {"smooth": {"width": 5}}, {"visualtype": "spectrum"}, "plotme"]', "p", "pipeline", OWN
    )
    check.check_source('["ramp", "smooth", "plotme"]', "p", "pipeline", OWN)
    with pytest.raises(ScriptError) as wrong:
        check.check_source(json.dumps(steps), "p.json", "pipeline", OWN)
    assert said in wrong.value.message


@pytest.mark.req("r009")
def test_scripts_may_use_them_where_they_are_and_nowhere_else() -> None:
    source = "def task():\n    return smooth(ramp())\n"
    check.check_source(source, "s.py", "script", OWN)
    with pytest.raises(ScriptError, match=r"line 2: unknown name 'smooth'"):
        check.check_source(source, "s.py", "script")
    with pytest.raises(ScriptError, match=r"unknown name 'smoth'.*'smooth'"):
        check.check_source(source.replace("smooth", "smoth"), "s.py", "script", OWN)


def test_the_digest_is_of_names_and_contents_of_what_holds() -> None:
    assert of(visuals__spectrum=SPECTRUM, operations__smooth=SMOOTH) == OWN
    assert hash(OWN) == hash(of(visuals__spectrum=SPECTRUM, operations__smooth=SMOOTH))
    assert of(operations__smooth=SMOOTH) != OWN
    assert of(operations__smooth=SMOOTH, operations__x=b"def f(:\n") == of(operations__smooth=SMOOTH)


def loader(**files: bytes) -> Callable[[Word], Callable[..., Any]]:
    """What a child does, plainly."""

    def load(word: Word) -> Callable[..., Any]:
        names: dict[str, Any] = {"__builtins__": namespace(OWN.calls)}
        exec(files[word.file.replace("/", "__").removesuffix(".py")], names)  # noqa: S102 -- as a child does
        found: Callable[..., Any] = names[word.name]
        return found

    return load


def run(folder: Path, source: Any, scope: Scope | None = None) -> RunResult:
    is_script = isinstance(source, str)
    given = RunInput(
        "req-1.0", "t", "script" if is_script else "pipeline", source if is_script else json.dumps(source), "work.py",
        {}, 7, scope or Scope(), folder, additions=OWN,
        word=loader(operations__smooth=SMOOTH, visuals__spectrum=SPECTRUM),
    )  # fmt: skip
    return execute(given, lambda _: None)


def side(folder: Path, result: RunResult) -> Any:
    return json.loads((folder / f"{result.made[-1].path}.json").read_text())


@pytest.mark.req("r009")
def test_words_work_in_scripts_and_pipelines_and_their_files_stand_in_the_sidecar(tmp_path: Path) -> None:
    made = run(tmp_path, "def task():\n    plotme(smooth(ramp(), width=1))\n    return smooth(ramp(), 1)[-1]\n")
    assert made.results == 8.0
    found = side(tmp_path, run(tmp_path, ["ramp", {"smooth": {"width": 1}}, "plotme"]))
    assert found["additions"] == [
        {"path": path, "digest": OWN.files[path].hex()} for path in ("operations/smooth.py", "visuals/spectrum.py")
    ]
    assert found["config"] == OWN.digest.hex()


@pytest.mark.req("r009", "r137")
@pytest.mark.parametrize(
    "body",
    [
        "plotme(visualtype(np.arange(8), 'spectrum'))",  # said of the value, whose type is another
        "plotme(np.arange(8.0))",  # by the type that it draws
        "plotme(access('waves'))",  # declared with the key
        "plotme(access('many'))",  # of a group each member
    ],
)
def test_a_visual_type_draws_what_it_was_said_of_or_declared_for(tmp_path: Path, body: str) -> None:
    for name in ("a", "b"):
        np.save(tmp_path / f"{name}.npy", np.arange(8))
    declared = {"data": {"waves": {"path": "a.npy", "visual": "spectrum"},
                         "many": {"path": "*.npy", "visual": "spectrum"}}}  # fmt: skip
    scope = scope_of(tmp_path, declared=declared)
    made = run(tmp_path / "out", f"import numpy as np\ndef task():\n    {body}\n", scope)
    panels = side(tmp_path / "out", made)["panels"]
    assert [(one["visual"], one["visualtype"]) for one in panels] == [("line", "spectrum")] * (
        2 if "many" in body else 1
    )
    assert len(made.made) == 2, "what it drew into was not sent by itself"
    assert "frequency" in (tmp_path / "out" / made.made[-1].path).read_text()


@pytest.mark.req("r137")
def test_a_visual_type_may_have_values_drawn_in_our_way_and_is_known_by_name(tmp_path: Path) -> None:
    source = "def task():\n    plotme(visualtype([1.0, 2.0], 'both'))\n"
    assert [one["visual"] for one in side(tmp_path, run(tmp_path, source))["panels"]] == ["line", "text"]
    asked = "import numpy as np\ndef task():\n    return [visualtype(np.arange(3.0)), visualtype(np.arange(3))]\n"
    assert run(tmp_path, asked).results == ["spectrum", "line"]
    with pytest.raises(TaskFailedError, match="no visual type 'spectrm'; the nearest is 'spectrum'"):
        run(tmp_path, "def task():\n    visualtype([1], 'spectrm')\n")


def test_words_that_nobody_can_load_say_where_they_are(tmp_path: Path) -> None:
    given = RunInput("r", "t", "script", "def task():\n    ramp()\n", "s.py", {}, 7, Scope(), tmp_path, additions=OWN)
    with pytest.raises(TaskFailedError, match=r"'ramp' \(operations/smooth\.py, line 11\) cannot be loaded here"):
        execute(given, lambda _: None)
