"""From Propeller's HTTP."""

from __future__ import annotations

from dataclasses import dataclass

from manager.events.token import Token
from manager.store import TaskRow
from plotter2.ids import RequestId, TaskId


@dataclass(frozen=True, slots=True)
class TaskCreated:
    """A definition came in over HTTP."""

    token: Token
    row: TaskRow


@dataclass(frozen=True, slots=True)
class TaskStarted:
    """Start a definition on the proplet that the scheduler picks."""

    token: Token
    request_id: RequestId
    task_id: TaskId


@dataclass(frozen=True, slots=True)
class TaskStopped:
    """Stop a definition's run."""

    token: Token
    task_id: TaskId
