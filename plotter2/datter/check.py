"""Is this source something that can run? For whoever takes sources in; runs nothing of it."""

from __future__ import annotations

from plotter2.datter import pipeline, script
from plotter2.datter.axes import Axis


def axes_of(source: str, filename: str, kind: str) -> tuple[Axis, ...]:
    """The axes of a script or pipeline: one instance for each of their keys; none for other kinds.

    Raises:
        ScriptError: it cannot run; file and line, or step.
    """
    if kind == "pipeline":
        return pipeline.axes(pipeline.parsed(source, filename))
    return script.compiled(source, filename).axes if kind == "script" else ()


def check_source(source: str, filename: str, kind: str) -> None:
    """Read a script or pipeline and throw it away; other kinds are not looked at.

    Raises:
        ScriptError: it cannot run; file and line, or step.
    """
    if kind == "pipeline":
        pipeline.parsed(source, filename)
    elif kind == "script":
        script.compiled(source, filename)
