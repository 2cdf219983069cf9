"""Redo: an experiment run again for other values (requirement 018; pure).

`plan` binds and checks the values at the edge; the rest starts the children in the order given, a few at a time.
"""

from __future__ import annotations

import itertools
import json
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from blake3 import blake3

from manager.commands import Command, SaveService, StartService, StopService
from manager.events import PlannedChild, RedoAsked, ServiceReported
from manager.journal import note
from manager.state import LiveRequest, State
from manager.store import ServiceRow
from plotter2 import ids
from plotter2.clock import Instant
from plotter2.errors import RefusedError
from plotter2.ids import ServiceId
from plotter2.model import bundle, names, package, paths, service
from plotter2.model.bundle import CODE, Contents
from plotter2.model.package import Package, Parameter
from plotter2.model.request import Child
from plotter2.model.service import SERVICE_ENDS, ServiceSpec, ServiceState, ServiceStatus

CHILDREN_MAX = 10_000
NAME_CHARS_MAX = 120
QUOTED_CHARS_MAX = 100
TYPES: dict[str, tuple[type, ...]] = {"float": (int, float), "int": (int,), "str": (str,), "bool": (bool,)}


@dataclass(frozen=True, slots=True)
class Axis:
    """One parameter and its values: JSON texts, spelled as the user gave them."""

    parameter: str
    values_json: tuple[str, ...]


def plan(contents: Contents, axes: Sequence[Axis]) -> tuple[PlannedChild, ...]:
    """Bind every combination of values, the last axis fastest, and compute its key.

    Raises:
        RefusedError: the bundle is no runnable leaf; a parameter is not declared; a value does not fit.
    """
    declared = runnable(contents)
    _check_once([axis.parameter for axis in axes])
    for axis in axes:
        _check_axis(axis, declared.parameters, contents.bundle.path)
    count = 1
    for axis in axes:
        count *= len(axis.values_json)
    if count > CHILDREN_MAX:
        raise RefusedError(f"That asks for {count:,} runs; one request may have at most {CHILDREN_MAX:,}.")
    started_as = package.service_json(declared.service)
    return tuple(
        _planned(contents, declared, dict(zip((axis.parameter for axis in axes), values, strict=True)), started_as)
        for values in itertools.product(*(axis.values_json for axis in axes))
    )


def runnable(contents: Contents) -> Package:
    """The declaration of a bundle that can be run again.

    Raises:
        RefusedError: it is not a leaf with code and a declared service.
    """
    path = contents.bundle.path
    declared = package.read(contents.bundle.package_json)
    missing = ""
    if declared.service is None:
        missing = "its package.json declares no 'service'"
    elif not any(entry.path.startswith(CODE + "/") for entry in contents.files):
        missing = f"it has no {CODE}/"
    if missing:
        raise RefusedError(
            f"Bundle {path!r} cannot be run again: {missing}. A runnable bundle is a leaf with {CODE}/ and a service."
        )
    return declared


def _check_once(parameters: Sequence[str]) -> None:
    for name in parameters:
        if parameters.count(name) > 1:
            raise RefusedError(f"Parameter {name!r} is given twice; put its values into one list.")


def _check_axis(axis: Axis, declared: dict[str, Parameter], path: str) -> None:
    if axis.parameter not in declared:
        near = names.did_you_mean(axis.parameter, declared)
        raise RefusedError(
            f"Bundle {path!r} has no parameter {axis.parameter!r}; "
            f"the declared parameters are: {names.listed(declared)}{near}"
        )
    if not axis.values_json:
        raise RefusedError(f"Parameter {axis.parameter!r} was given no value.")
    for text in axis.values_json:
        _check_value(axis.parameter, text, declared[axis.parameter])


def _check_value(name: str, text: str, declared: Parameter) -> None:
    try:
        value = json.loads(text, parse_constant=_no_number, parse_float=_finite)
    except (ValueError, RecursionError):
        raise RefusedError(f"Parameter {name!r}: {text[:QUOTED_CHARS_MAX]!r} is not a JSON value.") from None
    wanted = TYPES.get(declared.type)
    if wanted and (not isinstance(value, wanted) or (isinstance(value, bool) and declared.type != "bool")):
        raise RefusedError(f"Parameter {name!r} is declared {declared.type}; {text} is not.")
    if declared.choices is not None and value not in declared.choices:
        raise RefusedError(f"Parameter {name!r} may be one of {json.dumps(declared.choices)}; {text} is not.")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        _check_range(name, value, text, declared)


def _no_number(constant: str) -> None:
    raise ValueError(constant)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _check_range(name: str, value: float, text: str, declared: Parameter) -> None:
    if declared.min is not None and value < declared.min:
        raise RefusedError(f"Parameter {name!r} must be at least {declared.min}; {text} is less.")
    if declared.max is not None and value > declared.max:
        raise RefusedError(f"Parameter {name!r} must be at most {declared.max}; {text} is more.")


def _planned(contents: Contents, declared: Package, given: dict[str, str], started_as: str) -> PlannedChild:
    bound = {name: given.get(name, json.dumps(one.default)) for name, one in declared.parameters.items()}
    text = "{" + ", ".join(f"{json.dumps(name)}: {value}" for name, value in bound.items()) + "}"
    child = paths.child(contents.bundle.path, child_name(given))
    return PlannedChild(child, text, key_of(contents, started_as, text))


def key_of(contents: Contents, started_as: str, parameters_json: str) -> bytes:
    """The key of one run; numbers are compared by value, so 0.10 is 0.1."""
    canonical = json.dumps(json.loads(parameters_json), sort_keys=True)
    declared = package.read(contents.bundle.package_json)
    drawn_by = {task.task_src for task in declared.tasks}  # how results are drawn is no input of the program
    return bundle.run_key((one for one in contents.files if one.path not in drawn_by), started_as, canonical)


def child_name(given: dict[str, str]) -> str:
    """What the child is called: `lr=0.1,seed=3`; long or odd values are shortened and made unique by a digest."""
    if not given:
        return "default"
    name = ",".join(f"{key}={_plain(value)}" for key, value in given.items())
    safe = "".join(char if (char.isascii() and char.isalnum()) or char in "=,.-+_" else "_" for char in name)
    if safe == name and len(name) <= NAME_CHARS_MAX and not name.startswith("."):
        return name
    return f"{safe[:NAME_CHARS_MAX].lstrip('.')}~{blake3(name.encode()).hexdigest()[:8]}"


def _plain(text: str) -> str:
    value: Any = json.loads(text)
    return value if isinstance(value, str) else text


def open_children(live: LiveRequest, event: RedoAsked) -> None:
    """Note the children of a redo: those that were run before are ended at once, unless forced."""
    live.parallel = max(1, event.parallel)
    live.contents = event.contents
    for index, planned in enumerate(event.children):
        live.total += 1
        if planned.existing is not None and not event.force:
            live.children[index] = Child(
                index, planned.existing.path, planned.parameters_json, ServiceState.DONE, reused=True
            )
            live.finished += 1
            continue
        live.children[index] = Child(
            index,
            planned.bundle,
            planned.parameters_json,
            ServiceState.QUEUED,
            service_id=ids.service_id(live.request.id, index),
        )
        live.waiting.append(index)


def reopen_children(state: State, live: LiveRequest, contents: Contents) -> None:
    """After a restart: who waits, who runs."""
    live.contents = contents
    live.waiting = deque()
    for index, child in live.children.items():
        if child.state in SERVICE_ENDS:
            continue
        if child.service_id in state.services:
            live.running += 1
        else:
            live.waiting.append(index)


def start_children(state: State, live: LiveRequest, now: Instant) -> list[Command]:
    """Start as many waiting children as may run at a time, in the order asked."""
    commands: list[Command] = []
    while live.waiting and live.running < live.parallel and live.contents is not None:
        child = live.children[live.waiting.popleft()]
        spec = _spec(live, live.contents, child)
        row = ServiceRow(spec, ServiceStatus(spec.service_id, ServiceState.QUEUED, child=child.bundle), live.request.id)
        state.services[spec.service_id] = row
        live.running += 1
        state.touch(live)
        commands += [
            SaveService(row),
            StartService(spec),
            note("service.started", spec.service_id, now, child=child.bundle),
        ]
    return commands


def _spec(live: LiveRequest, contents: Contents, child: Child) -> ServiceSpec:
    declared = package.read(contents.bundle.package_json)
    started_as = package.service_json(declared.service)
    return ServiceSpec(
        child.service_id,
        contents.bundle.path,
        contents.bundle.version,
        child.bundle,
        started_as,
        child.parameters_json,
        bundle.code_digest(contents.files),
        key_of(contents, started_as, child.parameters_json),
        tuple(entry for entry in contents.files if entry.path.startswith(CODE + "/")),
        live.request.user,
    )


def service_reported(state: State, event: ServiceReported, now: Instant) -> list[Command]:
    """The servicer says how a service run stands; repeats and late words change nothing."""
    row = state.services.get(event.status.service_id)
    if row is None or row.status.state is event.status.state or event.status.state is ServiceState.QUEUED:
        return []
    if event.status.state not in service.SERVICE_STEPS[row.status.state]:
        return []
    row = replace(row, status=replace(event.status, child=row.spec.child))
    state.services[row.spec.service_id] = row
    commands: list[Command] = [SaveService(row)]
    live = state.requests.get(row.request_id)
    if live is not None:
        _show(live, row)
        state.touch(live)
    if row.status.state in SERVICE_ENDS:
        del state.services[row.spec.service_id]
        commands.append(note("service.ended", row.spec.service_id, now, state=row.status.state, child=row.spec.child))
    return commands


def _show(live: LiveRequest, row: ServiceRow) -> None:
    index = int(row.spec.service_id.rpartition(".s")[2])
    child = live.children[index]
    status = row.status
    live.children[index] = replace(child, state=status.state, error=status.error, tail=status.tail)
    if status.state in SERVICE_ENDS:
        live.running -= 1
        live.finished += 1
        if status.state is not ServiceState.DONE:
            live.failed += 1
            live.reason = f"{child.bundle}: {status.error or status.state}"
            live.reason_code = "failed"


def cancel(state: State, live: LiveRequest) -> list[Command]:
    """Children that wait are stopped here; those that run are stopped by the servicer."""
    while live.waiting:
        index = live.waiting.popleft()
        live.children[index] = replace(live.children[index], state=ServiceState.STOPPED)
        live.finished += 1
        live.failed += 1
    state.touch(live)
    return [
        StopService(child.service_id)
        for child in live.children.values()
        if child.service_id and ServiceId(child.service_id) in state.services
    ]
