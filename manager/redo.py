"""Redo: an experiment run again for other values (requirement 018; pure).

`manager.plans` has bound and checked the values; here the children are started in the order given, a few at a time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace

from manager.commands import Command, SaveService, StartService, StopService
from manager.events import RedoAsked, ServiceReported
from manager.experiment import Experiment
from manager.journal import note
from manager.state import LiveRequest, State
from manager.store import ServiceRow
from plotter2 import ids
from plotter2.clock import Instant
from plotter2.ids import ServiceId
from plotter2.model import ask, service
from plotter2.model.bundle import Contents
from plotter2.model.request import Child, RequestKind
from plotter2.model.service import SERVICE_ENDS, ServiceSpec, ServiceState, ServiceStatus


def open_children(live: LiveRequest, event: RedoAsked) -> None:
    """Note the children of a redo: those that were run before are ended at once, unless forced."""
    live.parallel = max(1, event.parallel)
    live.experiment = event.experiment
    for index, planned in enumerate(event.children):
        live.total += 1
        if planned.existing is not None and not event.force:
            live.put_child(Child(index, planned.existing.path, planned.parameters_json, ServiceState.DONE, reused=True))
            live.finished += 1
            continue
        live.put_child(
            Child(
                index,
                planned.bundle,
                planned.parameters_json,
                ServiceState.QUEUED,
                service_id=ids.service_id(live.request.id, index),
            )
        )
        live.waiting.append(index)


def reopen(state: State, live: LiveRequest, contents: Mapping[tuple[str, int], Contents]) -> None:
    """After a restart: a redo goes on with the version that it runs, which is one of these."""
    if live.request.kind is RequestKind.REDO:
        asked = ask.redo_ask(live.request.ask_json)
        live.parallel = asked.parallel
        _reopen_children(state, live, contents[live.request.bundle, asked.runs_version])


def _reopen_children(state: State, live: LiveRequest, contents: Contents) -> None:
    """After a restart: who waits, who runs."""
    live.experiment = Experiment.of(contents, state.catalog.know(contents.bundle.inherited))
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
    while live.waiting and live.running < live.parallel and live.experiment is not None:
        child = live.children[live.waiting.popleft()]
        spec = _spec(live, live.experiment, child)
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


def _spec(live: LiveRequest, experiment: Experiment, child: Child) -> ServiceSpec:
    return ServiceSpec(
        child.service_id,
        experiment.version.path,
        experiment.version.version,
        child.bundle,
        experiment.service_json,
        child.parameters_json,
        experiment.code_digest,
        experiment.key(child.parameters_json),
        experiment.code,
        live.request.user,
        experiment.data_digest,
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
    live.put_child(replace(child, state=status.state, error=status.error, tail=status.tail))
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
        live.put_child(replace(live.children[index], state=ServiceState.STOPPED))
        live.finished += 1
        live.failed += 1
    state.touch(live)
    return [
        StopService(child.service_id)
        for child in live.children.values()
        if child.service_id and ServiceId(child.service_id) in state.services
    ]
