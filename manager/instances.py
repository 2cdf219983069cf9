"""Instances: a run of a definition with axes becomes one run for each of its keys (rule R1, requirements 098, 129).

Pure. What may have axes is planned after its request is committed, by whoever can read sources and file lists; until
then its one run waits, and after a restart it is planned again. A run whose axes are all bound is one instance: so
planning again changes nothing. Definitions that were seen to have no axes are queued at once.
"""

from __future__ import annotations

from dataclasses import replace

import msgspec

from manager import memo, runs
from manager.commands import Command, PlanInstances, SaveRun
from manager.events import InstancesPlanned
from manager.journal import note
from manager.state import QUEUE_RUNS_MAX, LiveRequest, State
from plotter2 import ids
from plotter2.clock import Instant
from plotter2.model import ask
from plotter2.model.task import RunState, TaskRun

KNOWN_MAX = 10_000
"""Definitions without axes that are remembered, by the digest of their source."""


def ask_for(state: State) -> list[Command]:
    """Have those planned that came in this turn."""
    waiting = [state.runs[run_id] for run_id in state.unplanned if run_id in state.runs]
    state.unplanned.clear()
    return [_plan(state, run) for run in waiting]


def _plan(state: State, run: TaskRun) -> PlanInstances:
    request = state.requests[run.request_id].request
    task = state.tasks[run.task_id].task
    return PlanInstances(run, task, memo.wanted(state, run), memo.is_forced(request), request.pins)


def planned(state: State, event: InstancesPlanned, now: Instant) -> list[Command]:
    """The instances of a run are known: it is the first of them, and each other one gets a run of its own."""
    run = state.runs.get(event.run_id)
    if run is None or run.id not in state.planning:
        return []
    state.planning.discard(run.id)
    if not event.has_axes and not event.error:
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
        live.leave_out(run.bundle, event.warning)
        return runs.end(state, replace(run, state=RunState.DONE, finished_at=now), now)
    return _spread(state, live, run, event, now)


def _spread(state: State, live: LiveRequest, run: TaskRun, event: InstancesPlanned, now: Instant) -> list[Command]:
    """Each instance is a run; those that were run before have ended with that."""
    keys = event.memo_keys or (b"",) * len(event.parameters)
    made: list[TaskRun] = []
    for place, (text, key) in enumerate(zip(event.parameters, keys, strict=True)):
        name = run.id if place == 0 else ids.run_id(live.request.id, live.total + place - 1)
        made.append(replace(run, id=name, parameters_json=given(run, text), memo_key=key))
    live.total += len(made) - 1
    state.runs |= {one.id: one for one in made}
    live.runs.update(one.id for one in made)
    state.task_users[run.task_id] += len(made) - 1
    commands: list[Command] = []
    if made != [run]:
        state.touch(live)
        commands += map(SaveRun, made)
    commands += [note("run.instances", run.id, now, count=len(made))] if len(made) > 1 else []
    for one in made:
        former = event.known.get(one.memo_key)
        if former is None:
            state.queue.append(one.id)
        else:
            commands += runs.end(state, memo.reused(one, former, now), now)
    return commands


def given(run: TaskRun, keys_json: str) -> str:
    """The parameters of an instance: those of its run, and what binds its axes."""
    keys = msgspec.json.decode(keys_json, type=dict[str, msgspec.Raw])
    return ask.filled(run.parameters_json, keys) if keys else run.parameters_json


def _know(state: State, digest: bytes) -> None:
    if digest and len(state.without_axes) < KNOWN_MAX:
        state.without_axes.add(digest)
