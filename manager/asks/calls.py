"""A stream of many small runs of one definition (pure)."""

from __future__ import annotations

import json

from blake3 import blake3

from manager import runs
from manager.asks.remembered import accepted, key_taken, opened
from manager.commands import (
    Answer,
    Command,
    SaveTask,
)
from manager.events import (
    CallsAdded,
    CallsClosed,
    CallsOpened,
)
from manager.state import LiveRequest, State
from manager.store import TaskRow
from plotter2.clock import Instant
from plotter2.ids import RequestId, TaskId, uuid7
from plotter2.model.request import Request, RequestKind, RequestState


def calls_opened(state: State, event: CallsOpened, now: Instant) -> list[Command]:
    """A stream of many small runs of one definition."""
    task = event.task
    described = {"task": task.name, "source": task.source_digest.hex()}
    request = Request(
        event.request_id, RequestKind.CALL, RequestState.ACCEPTED, event.user, task.bundle, json.dumps(described),
        event.client_key, created_at=now,
    )  # fmt: skip
    if event.client_key in state.keys:
        return [Answer(event.token, error=key_taken(event.client_key, state.keys[event.client_key][0]))]
    live = opened(state, request)
    live.is_open = True
    fixed = state.fix(live)
    runs.adopt_task(state, task)
    state.task_users[task.id] = state.task_users.get(task.id, 0) + 1  # held by the stream until it is closed
    return [
        *fixed,
        SaveTask(TaskRow(task, is_hidden=True)),
        accepted(request, now),
        Answer(event.token, (request.id, task.id)),
    ]


def calls_added(state: State, event: CallsAdded, now: Instant) -> list[Command]:
    """More calls on an open stream."""
    live = state.requests.get(event.request_id)
    if live is None or not live.is_open or live.total != event.first:
        return []
    task = state.tasks[task_of_calls(live)].task
    node = state.catalog.get(task.bundle) if task.bundle else None
    target = (task.bundle, node.version.version) if node else ("", 0)
    return [runs.add(state, live, task, target, parameters_json, now) for parameters_json in event.parameters_json]


def calls_closed(state: State, event: CallsClosed) -> list[Command]:
    """No more calls will come."""
    live = state.requests.get(event.request_id)
    if live is None or not live.is_open:
        return []
    live.is_open = False
    task_id = task_of_calls(live)
    left = state.task_users.get(task_id, 1) - 1
    state.task_users[task_id] = left
    if left <= 0:
        state.tasks.pop(task_id, None)
        state.task_users.pop(task_id, None)
    state.touch(live)
    return []


def task_of_calls(live: LiveRequest) -> TaskId:
    """The definition that a stream of calls runs; derived from the request, so it is the same after a restart."""
    return calls_task_id(live.request.id)


def calls_task_id(request: RequestId) -> TaskId:
    """The id of the definition that belongs to a stream of calls."""
    raw = bytes.fromhex(request.removeprefix("req-"))
    return TaskId(uuid7(int.from_bytes(raw[:6], "big"), blake3(raw).digest()))
