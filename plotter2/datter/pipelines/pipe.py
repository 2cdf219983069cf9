"""Pipelines from Python: `pipe([...])` and `pipe.run(name, data)`, and scripts as their steps (requirement 131)."""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from typing_extensions import override

from plotter2.datter.context import current, underway
from plotter2.datter.pipelines import pipeline
from plotter2.datter.pipelines.register import Step
from plotter2.datter.scripting import script
from plotter2.datter.values.keys import unknown
from plotter2.datter.vocabulary import NONE, Additions
from plotter2.errors import UsageError
from plotter2.model import package
from plotter2.model.task import PIPELINE_SUFFIX, SCRIPT_SUFFIX, SOURCE_BYTES_MAX

WRITTEN = "pipe"
SCRIPT = "script"
SHOWN_MAX = 20


class Pipe:
    """A pipeline that was checked and can be run again and again: `pipe(["scale", {"pca": {"k": 2}}])(data)`."""

    def __init__(self, steps: tuple[Step, ...], name: str = WRITTEN) -> None:
        self._steps = steps
        self._name = name

    def __call__(self, data: Any = None) -> Any:
        """What the pipeline gives for the data; without any, it begins with `access`.

        Raises:
            ScriptError: it needs data and is given none.
            TaskFailedError: a step went wrong; says which and why.
        """
        if data is None:
            pipeline.check_order(self._steps, self._name)
        return pipeline.run(self._steps, current(), data)

    run = __call__

    @override
    def __repr__(self) -> str:
        """As it is written; cut where it is long."""
        shown = [_spelled(step) for step in self._steps[:SHOWN_MAX]]
        more = len(self._steps) - SHOWN_MAX
        return f"{WRITTEN}([{', '.join(shown)}{f', … {more:,} more' if more > 0 else ''}])"


def pipe(steps: Sequence[Any]) -> Pipe:
    """A pipeline of steps, as its JSON has them; a function or another pipe is a step too.

    `pipe.run(name, data)` runs one that the bundle has.

    Raises:
        ScriptError: an unknown or script-only op, arguments or steps that do not fit; with the step.
    """
    if isinstance(steps, str) or not isinstance(steps, Sequence):
        raise UsageError(f'pipe takes a list of steps, as pipe(["scale", {{"pca": {{"k": 2}}}}]), not {steps!r}.')
    return Pipe(pipeline.checked([_step(one) for one in steps], WRITTEN, "data", own()))


def run(name: str, data: Any = None) -> Any:
    """Run a pipeline of the bundle: a task of package.json by its name, or a .json file by its path.

    Raises:
        UsageError: the bundle has none of this name; with the nearest.
    """
    scope = current().run.scope
    tasks = scope.package.tasks if scope.package is not None else ()
    known = {one.name: one for one in tasks if one.pipeline is not None or one.task_src.endswith(PIPELINE_SUFFIX)}
    declared = known.get(name)
    if declared is not None and declared.pipeline is not None:
        where, text = package.pipeline_place(declared), package.pipeline_json(declared)
    else:
        where = declared.task_src if declared is not None else name
        text = _text(where, "pipeline", PIPELINE_SUFFIX, list(known))
    steps = pipeline.checked(pipeline.document(text, where), where, "data" if data is not None else "", own())
    return Pipe(steps, where)(data)


pipe.__dict__["run"] = run
"""Scripts say `pipe.run(name, data)`."""


def own() -> Additions:
    """What the installation adds; nothing where no run is under way."""
    context = underway()
    return NONE if context is None else context.additions


def _spelled(step: Step) -> str:
    """One step as it is written, a function by its name."""
    name, args, given = step.builtin.name, list(step.args), step.kwargs
    if name == SCRIPT and args and callable(args[0]):
        return str(getattr(args[0], "__name__", args[0]))
    written: Any = name if not args and not given else {name: given} if not args else [name, *args, given]
    if args and not given:
        written = {name: args[0] if len(args) == 1 and not isinstance(args[0], list | dict) else args}
    return reprlib.repr(written)


def _step(step: Any) -> Any:
    return [SCRIPT, step] if callable(step) else step


def layer(data: Any, source: Any, **parameters: Any) -> Any:
    """What a script of the bundle gives for the data: `task` gets it first, and parameters by name.

    Raises:
        UsageError: the bundle has no such script.
        TaskFailedError: it went wrong; the message is its traceback.
    """
    if callable(source):
        return source(data, **parameters)
    found = script.compiled(_text(str(source), "script", SCRIPT_SUFFIX, []), str(source), own().names)
    return import_module("plotter2.datter.run").layer(found, current(), data, parameters)


def _text(path: str, what: str, suffix: str, known: Sequence[str]) -> str:
    files = current().run.scope.files
    if path not in files or not path.endswith(suffix):
        raise unknown(f"{what} in the bundle", path, [*known, *(one for one in files if one.endswith(suffix))])
    if files[path].stat().st_size > SOURCE_BYTES_MAX:
        raise UsageError(f"{path} is longer than {SOURCE_BYTES_MAX} bytes, the most that a {what} may have.")
    return files[path].read_text(encoding="utf-8")
