"""From workers and other devices."""

from __future__ import annotations

from dataclasses import dataclass, field

from plotter2.ids import RunId, TaskId, WorkerId
from plotter2.model.task import Output, RunState


@dataclass(frozen=True, slots=True)
class WorkerAnnounced:
    """A worker has started or found the broker again."""

    worker_id: WorkerId
    name: str = ""
    is_ours: bool = False
    incarnation: str = ""
    slots: int = 1
    beat_s: float = 10.0
    pid: int = 0
    host: str = ""
    metadata_json: str = "{}"


@dataclass(frozen=True, slots=True)
class WorkerBeat:
    """A worker said that it lives."""

    worker_id: WorkerId
    incarnation: str = ""


@dataclass(frozen=True, slots=True)
class WorkerLeft:
    """The last will of a worker, or its own goodbye. `incarnation` says of which of its processes; "" of any."""

    worker_id: WorkerId
    incarnation: str = ""


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a worker says of one run. Terminal or RUNNING; `lines` is what it printed since the last report.

    With an end these are all lines of the attempt. `lines_from`: how many it had printed before the first of them.
    `packed` is the digest of the list of its files, b"" where they lie below `temp/runs/`.
    """

    run_id: RunId
    epoch: int
    state: RunState
    results_json: str = ""
    error: str = ""
    error_code: str = ""
    made: tuple[Output, ...] = field(default=())
    lines: tuple[str, ...] = field(default=())
    progress: tuple[float, float] | None = None
    again_json: str = ""
    packed: bytes = b""
    lines_from: int = 0


@dataclass(frozen=True, slots=True)
class RunsReported:
    """A batch of reports from one of our workers."""

    worker_id: WorkerId
    incarnation: str
    reports: tuple[RunReport, ...]


@dataclass(frozen=True, slots=True)
class PropletResult:
    """A Propeller proplet has finished a task."""

    worker_id: str
    task_id: TaskId
    results_json: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class BusConnected:
    """The broker is there (again): whatever was not confirmed is said again."""
