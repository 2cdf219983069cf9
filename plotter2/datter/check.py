"""Is this source something that can run? For whoever takes sources in; runs nothing of it."""

from __future__ import annotations

from plotter2.datter import pipeline, script


def check_source(source: str, filename: str, kind: str) -> None:
    """Read a script or pipeline and throw it away; other kinds are not looked at.

    Raises:
        ScriptError: it cannot run; file and line, or step.
    """
    if kind == "pipeline":
        pipeline.parsed(source, filename)
    elif kind == "script":
        script.compiled(source, filename)
