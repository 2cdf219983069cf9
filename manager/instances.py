"""Instances: a run of a definition with axes becomes one run for each of its keys (rule R1, requirements 098, 129).

Pure. What may have axes is planned after its request is committed, by whoever can read sources and file lists; until
then its one run waits, and after a restart it is planned again. A run whose axes are all bound is one instance: so
planning again changes nothing. Definitions that were seen to have no axes are queued at once.
"""

from __future__ import annotations

from dataclasses import replace

import msgspec

from manager import runs
from manager.commands import Command, PlanInstances, SaveRun
from manager.events import InstancesPlanned
from manager.journal import note
from manager.state import QUEUE_RUNS_MAX, LiveRequest, State
from plotter2 import ids
from plotter2.clock import Instant
from plotter2.model import ask
from plotter2.model.request import Skip
from plotter2.model.task import RunState, TaskRun

KNOWN_MAX = 10_000
"""Definitions without axes that are remembered, by the digest of their source."""


def ask_for(state: State) -> list[Command]:
    """Have those planned that came in this turn."""
    waiting = [state.runs[run_id] for run_id in state.unplanned if run_id in state.runs]
    state.unplanned.clear()
    return [PlanInstances(run, state.tasks[run.task_id].task) for run in waiting]


def planned(state: State, event: InstancesPlanned, now: Instant) -> list[Command]:
    """The instances of a run are known: it is the first of them, and each other one gets a run of its own."""
    run = state.runs.get(event.run_id)
    if run is None or run.id not in state.planning:
        return []
    state.planning.discard(run.id)
    if not event.has_axes:
        _know(state, state.tasks[run.task_id].task.source_digest)
    live = state.requests[run.request_id]
    room = QUEUE_RUNS_MAX - len(state.queue)
    if event.error or len(event.parameters) > room:
        reason = event.error or (
            f"{run.task_name!r} has {len(event.parameters):,} instances, and there is room for {room:,} more; ask "
            "again when fewer runs wait."
        )
        code = event.error_code or "limit"
        return runs.end(state, replace(run, state=RunState.FAILED, error=reason, error_code=code, finished_at=now), now)
    if not event.parameters:
        reason = event.warning[:1].lower() + event.warning[1:].rstrip(".")
        live.request = replace(live.request, skipped=(*live.request.skipped, Skip(run.bundle, reason)))
        return runs.end(state, replace(run, state=RunState.DONE, finished_at=now), now)
    return _spread(state, live, run, event.parameters, now)


def _spread(state: State, live: LiveRequest, run: TaskRun, parameters: tuple[str, ...], now: Instant) -> list[Command]:
    first = replace(run, parameters_json=_given(run, parameters[0]))
    made = [first]
    for text in parameters[1:]:
        made.append(replace(run, id=ids.run_id(live.request.id, live.total), parameters_json=_given(run, text)))
        live.total += 1
    for one in made:
        state.runs[one.id] = one
        state.queue.append(one.id)
    live.runs.update(one.id for one in made)
    state.task_users[run.task_id] += len(made) - 1
    if len(made) == 1 and first == run:
        return []
    state.touch(live)
    return [*map(SaveRun, made), note("run.instances", run.id, now, count=len(made))]


def _given(run: TaskRun, keys_json: str) -> str:
    keys = msgspec.json.decode(keys_json, type=dict[str, msgspec.Raw])
    return ask.filled(run.parameters_json, keys) if keys else run.parameters_json


def _know(state: State, digest: bytes) -> None:
    if digest and len(state.without_axes) < KNOWN_MAX:
        state.without_axes.add(digest)
