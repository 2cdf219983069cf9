"""What a run is asked with, against its definition: before anything is made of it."""

from __future__ import annotations

import asyncio

import msgspec
from blake3 import blake3

from manager import kin
from manager.doors import Doors
from manager.events import RunAsked
from plotter2.datter.check import check_source
from plotter2.datter.scripting.contract import THRESHOLD
from plotter2.datter.values.keys import nearest
from plotter2.datter.vocabulary import Additions
from plotter2.errors import NotFoundError, UsageError
from plotter2.ids import TaskId
from plotter2.model.request import Over
from plotter2.model.task import Task, TaskKind

READ = frozenset({TaskKind.SCRIPT, TaskKind.PIPELINE})
"""What says which parameters it uses."""


async def check(doors: Doors, event: RunAsked, own: Additions) -> None:
    """Refuse a definition that came along and cannot run, and parameters that no script that gets them knows.

    Args:
        doors: to definitions.
        event: the ask.
        own: what the installation adds.

    Raises:
        ScriptError: it cannot run; file and line, or step.
        UsageError: a parameter is given, or a script repeats itself with one, that nothing uses which would get it;
            with the nearest that is used.
    """
    if event.source:
        await asyncio.to_thread(check_source, event.source, event.filename or event.task, event.kind, own)
    given = msgspec.json.decode(event.parameters_json, type=dict[str, msgspec.Raw])
    task = _definition(doors, event) if event.over is Over.SELF else None  # members have definitions of their own
    if task is None or task.kind not in READ:
        return
    repeats = (await doors.instance_planner.outline_of(task, own)).repeats
    takes = await _takes(doors, event, task, own) if given or repeats else None
    if takes is None:
        return
    for name, line in (*((one, 0) for one in given), *repeats):
        if name not in takes and name != THRESHOLD:
            near = nearest(name, sorted(takes)) if takes else "it takes none"
            where = f"{task.filename or task.name}{f', line {line}: it' if line else ''}"
            does = "takes no parameter" if not line else "repeats itself with a parameter that it does not take:"
            raise UsageError(f"{where} {does} {name!r}; {near}.")


def _definition(doors: Doors, event: RunAsked) -> Task | None:
    """The definition; None where it is not known: who decides says so, and remembers it."""
    if event.source:
        digest = blake3(event.source.encode()).digest()
        return Task(TaskId(""), event.task, event.kind, event.source, digest, event.filename)
    try:
        return doors.state.catalog.task(event.task, event.bundle, doors.clock.now())
    except NotFoundError:
        return None


async def _takes(doors: Doors, event: RunAsked, task: Task, own: Additions) -> frozenset[str] | None:
    """What is used of the parameters by the definition and all that it is linked to, which get them too.

    None where any may be. What a declaration names is used.
    """
    catalog = doors.state.catalog
    declared = catalog.declaration(task, event.bundle)
    members = [kin.Kin(task.name, task, (), declared.parameters if declared is not None else {})]
    if declared is not None and declared.linked:
        try:
            every = kin.gathered(catalog, task, event.bundle, doors.clock.now())
        except NotFoundError:  # as above
            return None
        members = kin.in_order(every, task.name)
    known: set[str] = set()
    for one in members:
        takes = (await doors.instance_planner.outline_of(one.task, own)).takes if one.task.kind in READ else None
        if takes is None:
            return None
        known |= takes | one.parameters.keys()
    return frozenset(known)
