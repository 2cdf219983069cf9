"""Whether the results of a pipeline are the same each time, so that they need not be worked out again (pure).

The same steps with the same parameters and seed on the same data give the same, unless a step does something beyond
that, or asks for something that changes by itself. Of a script among the steps that is read from its text: what it
imports and calls. A script that hides what it does is not found out; whoever writes one runs it with `--force`.
"""

from __future__ import annotations

import ast
import json
import platform
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from plotter2.datter.scripting import renaming, script
from plotter2.errors import ScriptError
from plotter2.model.additions import PICTURES

if TYPE_CHECKING:
    from plotter2.datter.pipelines.register import Step
    from plotter2.datter.vocabulary import Additions

FORMAT = 1
"""Of what is kept: grows when results of an earlier one must not be used."""
LIBRARIES = ("plotter2", "numpy", "scipy", "scikit-learn", "pyarrow", "bokeh", "pillow")
SCRIPT = "script"
THROUGH = "through"
FRESH = {
    "load": "what it loads may change by itself",
    THROUGH: "the code behind a link is not looked into",
    "export": "what it gives to other bundles is given each time",
    "repeat": "it asks to be run again each time",
}
"""Ops whose results are never used again, and why."""
STEADY = frozenset({
    "math", "cmath", "statistics", "itertools", "functools", "collections", "dataclasses", "typing", "json", "re",
    "operator", "string", "enum", "decimal", "fractions", "random", "datetime", "bisect", "heapq", "copy", "textwrap",
    "unicodedata", "abc", "numpy", "scipy", "sklearn", "__future__",
})  # fmt: skip
"""What a script may import and still give the same each time; `random` and numpy's are seeded by the run."""
UNSTEADY = frozenset({
    "open", "input", "eval", "exec", "compile", "__import__", "getattr", "setattr", "globals", "vars", "now", "today",
    "utcnow", "urandom", "SystemRandom", "memmap", "fromfile", "tofile", "loadtxt", "savetxt", "genfromtxt", "savez",
    "save", "datter", "me", "operation", "task", "collect", "release", "handin", "share", "link", "gather_tasks",
    "islinked", "exposed", "export", "pipe", "repeat",
})  # fmt: skip
"""What it may not name: the clock, files, other tasks, code by its name."""
SEEDED = frozenset({"default_rng", "RandomState", "SeedSequence", "Random", "seed"})
"""What it must give a seed to."""


SourceOf = Callable[[str], str | None]
"""Gives the text of a script of the bundle by its path; None where there is none."""


@cache
def engine() -> str:
    """What does the work, with its versions: results of another are not ours."""
    return f"{FORMAT} python {platform.python_version()} " + " ".join(f"{one} {version(one)}" for one in LIBRARIES)


def said(steps: tuple[Step, ...]) -> bytes:
    """What checked steps do, by which engine: the same for the same however they were written."""
    written = [[step.builtin.name, step.args, step.kwargs] for step in steps]
    return f"{engine()}\n{json.dumps(written, sort_keys=True)}".encode()


def script_of(step: Step) -> str:
    """The path of the script that a step is; "" for any other step."""
    if step.builtin.name != SCRIPT:
        return ""
    return str(step.args[0] if step.args else step.kwargs.get("source", ""))


def why_not(steps: tuple[Step, ...], source_of: SourceOf, own: frozenset[str] = frozenset()) -> str:
    """Why results of these checked steps are not used again; "" where they are.

    Raises:
        ScriptError: a script among them cannot be run.
    """
    for step in steps:
        reason, path = FRESH.get(step.builtin.name, ""), script_of(step)
        if path:
            source = source_of(path)
            try:
                reason = f"there is no script {path!r}" if source is None else unsteady(source, path, own)
            except ScriptError as wrong:
                raise ScriptError(f"{step.where}: {wrong.message}") from None
        if reason:
            return f"{step.where}: {reason}"
    return ""


def unsteady(source: str, filename: str, own: frozenset[str] = frozenset()) -> str:
    """What a script does that may come out differently each time; "" for nothing.

    Raises:
        ScriptError: it cannot be run.
    """
    script.compiled(source, filename, own)
    return _said_of(ast.parse(renaming.rewritten(source)), filename, STEADY)


def unsteady_words(steps: tuple[Step, ...], sources: Mapping[str, str], own: Additions) -> str:
    """What the installation's own code does that may come out differently each time, where these steps may use it.

    Args:
        steps: the pipeline's; any of them that draws may use every visual type, and a script every word.
        sources: texts of the Python files that the installation adds, by name.
        own: what was read of them.
    """
    words = {step.builtin.name for step in steps}
    used = {one.file for one in own.operations.values() if one.name in words or SCRIPT in words}
    used |= {name for name in sources if name.startswith(f"{PICTURES}/")} if own.visuals else set()
    helpers = {name for name in sources if PurePosixPath(name).name.startswith("_")} if used else set()
    steady = STEADY | {PurePosixPath(name).stem for name in helpers}
    found = (_said_of(ast.parse(sources[name]), name, steady) for name in sorted(used | helpers))
    return next(filter(None, found), "")


def _said_of(tree: ast.Module, filename: str, steady: frozenset[str]) -> str:
    for node in ast.walk(tree):
        found = _unsteady(node, steady)
        if found:
            return f"{filename}, line {getattr(node, 'lineno', 1)}: {found}"
    return ""


def _unsteady(node: ast.AST, steady: frozenset[str]) -> str:
    match node:
        case ast.Import(names=names):
            strange = next((one.name for one in names if one.name.partition(".")[0] not in steady), "")
            return f"it imports {strange}, which may differ each time" if strange else ""
        case ast.ImportFrom(module=module, names=names, level=level):
            if level or (module or "").partition(".")[0] not in steady:
                return f"it imports {'.' * level}{module or ''}, which may differ each time"
            return next((f"it uses {one.name}" for one in names if one.name in UNSTEADY), "")
        case ast.Name(id=name) | ast.Attribute(attr=name) if name in UNSTEADY:
            return f"it uses {name}"
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[], keywords=[]) if name in SEEDED:
            return f"it calls {name}() without a seed"
    return ""
