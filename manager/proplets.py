"""Propeller's side: definitions created and started over HTTP, and plain proplets for wasm (pure; spec/propeller 2.8).

Its faults are not copied: a start of what runs already is a conflict, results of a proplet that does not own the task
are passed over, and the count of tasks goes down when one ends.
"""

from __future__ import annotations

import json
from dataclasses import replace

from manager import runs
from manager.commands import Answer, Command, SaveTask, StartOnProplet, StopOnProplet
from manager.events import PropletResult, TaskCreated, TaskStarted, TaskStopped
from manager.journal import note
from manager.scheduler import Scheduler, Seat
from manager.state import LiveRequest, State
from manager.store import TaskRow
from plotter2.clock import Instant
from plotter2.errors import ConflictError, NotFoundError, Plotter2Error
from plotter2.ids import RunId, WorkerId, request_of
from plotter2.model.request import Request, RequestKind, RequestState
from plotter2.model.task import TaskState
from plotter2.model.worker import WorkerState

PROPLET_TASKS_MAX = 100


def created(state: State, event: TaskCreated, now: Instant) -> list[Command]:
    """A definition: stored, then returned."""
    state.tasks[event.row.task.id] = event.row
    return [
        SaveTask(event.row),
        note("task.created", event.row.task.id, now, name=event.row.task.name),
        Answer(event.token, event.row),
    ]


def started(state: State, event: TaskStarted, scheduler: Scheduler, now: Instant) -> list[Command]:
    """Start a definition on the proplet whose turn it is."""
    row = state.tasks.get(event.task_id)
    if row is None or row.is_hidden:
        return [Answer(event.token, error=NotFoundError(f"There is no task {event.task_id!r}."))]
    if row.state in {TaskState.SCHEDULED, TaskState.RUNNING}:
        return [Answer(event.token, error=ConflictError(f"Task {event.task_id!r} is running already."))]
    if not runs.is_for_us(row.task.kind):
        return _start_on_proplet(state, event, row, scheduler, now)
    if not any(one.is_ours and one.state is WorkerState.ALIVE for one in state.workers.values()):
        return [Answer(event.token, error=_nobody())]
    request = Request(
        event.request_id, RequestKind.RUN, RequestState.ACCEPTED, "http", row.task.bundle,
        json.dumps({"task": row.task.id, "name": row.task.name}), created_at=now,
    )  # fmt: skip
    live = LiveRequest(request)
    state.requests[request.id] = live
    node = state.catalog.get(row.task.bundle) if row.task.bundle else None
    target = (row.task.bundle, node.version.version) if node else ("", 0)
    fixed = state.fix(live)
    queued = runs.add(state, live, row.task, target, _parameters(row), now)
    row = replace(
        row, state=TaskState.SCHEDULED, run_id=RunId(f"{request.id}.0"), error="", results_json="", updated_at=now
    )
    state.tasks[row.task.id] = row
    return [
        *fixed,
        SaveTask(row),
        queued,
        note("task.started", row.task.id, now, request=request.id),
        Answer(event.token, row),
    ]


def stopped(state: State, event: TaskStopped, now: Instant) -> list[Command]:
    """Stop what a definition has running."""
    row = state.tasks.get(event.task_id)
    if row is None or row.is_hidden:
        return [Answer(event.token, error=NotFoundError(f"There is no task {event.task_id!r}."))]
    if row.state not in {TaskState.SCHEDULED, TaskState.RUNNING}:
        return [Answer(event.token, error=ConflictError(f"Task {event.task_id!r} is not running."))]
    if row.run_id:
        live = state.requests.get(request_of(row.run_id))
        commands = runs.cancel(state, live, now) if live else []
        return [*commands, Answer(event.token, row)]
    ended = replace(row, state=TaskState.INTERRUPTED, error="stopped", finished_at=now, updated_at=now)
    state.tasks[row.task.id] = ended
    return [SaveTask(ended), StopOnProplet(WorkerId(row.proplet_id), ended), Answer(event.token, ended)]


def result(state: State, event: PropletResult, now: Instant) -> list[Command]:
    """A proplet has finished a task that it owns."""
    row = state.tasks.get(event.task_id)
    if row is None or row.state is not TaskState.RUNNING or row.run_id:
        return []
    if event.worker_id and event.worker_id != row.proplet_id:
        return []
    ended = replace(
        row,
        state=TaskState.FAILED if event.error else TaskState.COMPLETED,
        results_json=event.results_json,
        error=event.error,
        finished_at=now,
        updated_at=now,
    )
    state.tasks[row.task.id] = ended
    return [SaveTask(ended), note("task.ended", row.task.id, now, state=int(ended.state))]


def proplet_lost(state: State, worker_id: WorkerId, now: Instant) -> list[Command]:
    """What a plain proplet had running has failed: it cannot be fenced, so it is not started elsewhere by itself."""
    commands: list[Command] = []
    for row in list(state.tasks.values()):
        if row.proplet_id == worker_id and row.state is TaskState.RUNNING and not row.run_id:
            ended = replace(
                row, state=TaskState.FAILED, error=f"proplet {worker_id} was lost", finished_at=now, updated_at=now
            )
            state.tasks[row.task.id] = ended
            commands.append(SaveTask(ended))
    return commands


def running_on(state: State, worker_id: WorkerId) -> int:
    """How many definitions a plain proplet has running."""
    return sum(
        1
        for row in state.tasks.values()
        if row.proplet_id == worker_id and row.state is TaskState.RUNNING and not row.run_id
    )


def _start_on_proplet(
    state: State, event: TaskStarted, row: TaskRow, scheduler: Scheduler, now: Instant
) -> list[Command]:
    seats = [
        Seat(worker.id, PROPLET_TASKS_MAX - running_on(state, worker.id))
        for worker in state.workers.values()
        if not worker.is_ours and worker.state is WorkerState.ALIVE
    ]
    plan = scheduler.plan([RunId(row.task.id)], seats)
    if not plan:
        return [Answer(event.token, error=_nobody())]
    worker_id = plan[0][1]
    row = replace(
        row, state=TaskState.RUNNING, proplet_id=worker_id, started_at=now, updated_at=now, error="", results_json=""
    )
    state.tasks[row.task.id] = row
    return [
        SaveTask(row),
        StartOnProplet(worker_id, row),
        note("task.started", row.task.id, now, proplet=worker_id),
        Answer(event.token, row),
    ]


def _parameters(row: TaskRow) -> str:
    """Propeller's `inputs` are positional; numbers were made text on the way in and become numbers again."""
    wire = json.loads(row.task.wire_json) if row.task.wire_json else {}
    return json.dumps({"*": [_value(text) for text in wire.get("inputs") or []]})


def _value(text: str) -> object:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return text if isinstance(value, (dict, list)) else value


def _nobody() -> Plotter2Error:
    return ConflictError("no active proplets available")
