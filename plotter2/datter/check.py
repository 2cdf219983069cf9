"""Is this source something that can run, and what does it ask for? For whoever takes sources in; runs nothing of it."""

from __future__ import annotations

from dataclasses import dataclass

from plotter2.datter.pipelines import pipeline
from plotter2.datter.scripting import script
from plotter2.datter.scripting.axes import Axis
from plotter2.datter.scripting.contract import Imposed
from plotter2.datter.vocabulary import NONE, Additions


@dataclass(frozen=True, slots=True)
class Outline:
    """What others have to know of a script or pipeline before it runs.

    Attributes:
        axes: one instance for each of their keys.
        exposes: names that it says it gives.
        is_social: whether it speaks of other tasks.
        imposes: what must hold of its parameters.
        takes: the parameters that it uses; None where any may be.
        repeats: parameters that it repeats itself with, and their lines.
    """

    axes: tuple[Axis, ...] = ()
    exposes: tuple[str, ...] = ()
    is_social: bool = False
    imposes: tuple[Imposed, ...] = ()
    takes: frozenset[str] | None = None
    repeats: tuple[tuple[str, int], ...] = ()


def outline(source: str, filename: str, kind: str, own: Additions = NONE) -> Outline:
    """Read a script or pipeline; nothing of other kinds. `own` is what the installation adds.

    Raises:
        ScriptError: it cannot run; file and line, or step.
    """
    if kind == "pipeline":
        steps = pipeline.parsed(source, filename, own)
        return Outline(pipeline.axes(steps), takes=pipeline.taken(steps))
    if kind != "script":
        return Outline()
    found = script.compiled(source, filename, own.names)
    said = found.contract
    return Outline(found.axes, found.exposes, said.is_social, said.imposes, said.takes, said.repeats)


def check_source(source: str, filename: str, kind: str, own: Additions = NONE) -> None:
    """Read a script or pipeline and throw it away; other kinds are not looked at. `own`: what the installation adds.

    Raises:
        ScriptError: it cannot run; file and line, or step.
    """
    outline(source, filename, kind, own)
