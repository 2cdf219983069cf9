"""What a run is asked with, against its definition: before anything is made of it."""

from __future__ import annotations

import asyncio

import msgspec
from blake3 import blake3

from manager.doors import Doors
from manager.events import RunAsked
from plotter2.datter.additions import Additions
from plotter2.datter.check import check_source
from plotter2.datter.scripting.contract import THRESHOLD
from plotter2.datter.values.keys import nearest
from plotter2.errors import NotFoundError, UsageError
from plotter2.ids import TaskId
from plotter2.model.request import Over
from plotter2.model.task import Task, TaskKind


async def check(doors: Doors, event: RunAsked, own: Additions) -> None:
    """Refuse a definition that came along and cannot run, and parameters that a script does not know.

    Args:
        doors: to definitions.
        event: the ask.
        own: what the installation adds.

    Raises:
        ScriptError: it cannot run; file and line, or step.
        UsageError: a parameter is given that the script does not use; with the nearest that it does.
    """
    if event.source:
        await asyncio.to_thread(check_source, event.source, event.filename or event.task, event.kind, own)
    given = msgspec.json.decode(event.parameters_json, type=dict[str, msgspec.Raw])
    if not given or event.over is not Over.SELF:  # members have definitions of their own
        return
    task, declared = _definition(doors, event)
    if task is None or task.kind is not TaskKind.SCRIPT:
        return
    takes = (await doors.instance_planner.outline_of(task, own)).takes
    unknown = [] if takes is None else [name for name in given if name not in {*takes, *declared, THRESHOLD}]
    if takes is not None and unknown:
        known = [*takes, *declared]
        near = nearest(unknown[0], sorted(known)) if known else "it takes none"
        raise UsageError(f"{task.filename or task.name} takes no parameter {unknown[0]!r}; {near}.")


def _definition(doors: Doors, event: RunAsked) -> tuple[Task | None, frozenset[str]]:
    """The definition, and parameters that its declaration names; None where it is not known, or runs with others."""
    if event.source:
        digest = blake3(event.source.encode()).digest()
        return Task(TaskId(""), event.task, event.kind, event.source, digest, event.filename), frozenset()
    catalog = doors.state.catalog
    try:
        task = catalog.task(event.task, event.bundle, doors.clock.now())
    except NotFoundError:  # who decides says so, and remembers it
        return None, frozenset()
    declared = catalog.declaration(task, event.bundle)
    if declared is None:
        return task, frozenset()
    return (None if declared.linked else task), frozenset(declared.parameters)
