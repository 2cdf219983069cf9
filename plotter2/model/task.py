"""Tasks (definitions), their runs (executions) and outputs, with both state tables.

`TaskState` is Propeller's numbering for definitions that are started over HTTP; `RunState` is the state of one
execution. An attempt is a (worker, epoch) pair on the run: the epoch grows with every assignment, and a report that
carries an older one is ignored.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from plotter2.clock import ZERO, Instant
from plotter2.errors import IllegalStepError, UsageError
from plotter2.ids import RequestId, RunId, TaskId, WorkerId

SOURCE_BYTES_MAX = 4 << 20
PIPELINE_SUFFIX = ".json"
SCRIPT_SUFFIX = ".py"
RESULTS_BYTES_MAX = 1 << 20
ATTEMPTS_MAX = 3


class TaskKind(StrEnum):
    """What a definition is made of."""

    SCRIPT = "script"
    PIPELINE = "pipeline"
    CONFIG = "config"
    WASM = "wasm"
    SERVICE = "service"


class TaskState(IntEnum):
    """Propeller's numbers (spec/propeller 1.4)."""

    PENDING = 0
    SCHEDULED = 1
    RUNNING = 2
    COMPLETED = 3
    FAILED = 4
    SKIPPED = 5
    INTERRUPTED = 6


class RunState(StrEnum):
    """Where one execution stands; HELD and PARKED are said of instances, whose tree knows it, and are not written."""

    QUEUED = "queued"
    HELD = "held"
    ASSIGNED = "assigned"
    RUNNING = "running"
    PARKED = "parked"
    DONE = "done"
    GAVEUP = "gaveup"
    FAILED = "failed"
    CANCELLED = "cancelled"


_ENDS = frozenset({RunState.DONE, RunState.GAVEUP, RunState.FAILED, RunState.CANCELLED})
RUN_STEPS: dict[RunState, frozenset[RunState]] = {
    # Straight to DONE when there is nothing to run: no key of the data that its definition wants one of, or it was run
    # before.
    RunState.QUEUED: frozenset({RunState.ASSIGNED, RunState.CANCELLED, RunState.FAILED, RunState.DONE}),
    # Back to QUEUED when the worker is lost; straight to an end when the report of the start was overtaken.
    RunState.ASSIGNED: frozenset({RunState.RUNNING, RunState.QUEUED}) | _ENDS,
    RunState.RUNNING: frozenset({RunState.QUEUED}) | _ENDS,
    RunState.HELD: frozenset(),
    RunState.PARKED: frozenset(),
    RunState.DONE: frozenset(),
    RunState.GAVEUP: frozenset(),
    RunState.FAILED: frozenset(),
    RunState.CANCELLED: frozenset(),
}
SHOWN_FOR: dict[RunState, frozenset[RunState]] = {
    RunState.HELD: frozenset({RunState.QUEUED}),
    RunState.PARKED: frozenset({RunState.ASSIGNED, RunState.RUNNING}),
}
"""Which states of a run people may be shown as what."""
RUN_SUCCESSES = frozenset({RunState.DONE, RunState.GAVEUP})
RUN_ENDS = _ENDS


def step(run: str, before: RunState, after: RunState) -> RunState:
    """Return `after` if the table has that arrow.

    Raises:
        IllegalStepError: it has not.
    """
    if after not in RUN_STEPS[before]:
        raise IllegalStepError(f"Run {run} cannot go from {before} to {after}.")
    return after


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may use; 0 means the worker's own limit. Seconds and bytes."""

    wall_s: float = 0.0
    cpu_s: float = 0.0
    memory_bytes: int = 0

    def checked(self) -> Limits:
        """The same, if these are limits.

        Raises:
            UsageError: one is negative or not finite.
        """
        for name, value in (("wall_s", self.wall_s), ("cpu_s", self.cpu_s), ("memory_bytes", self.memory_bytes)):
            if not 0 <= value < math.inf:
                raise UsageError(f"A limit {name} of {value:g} cannot be; 0 means the worker's own limit.")
        return self


@dataclass(frozen=True, slots=True)
class Task:
    """A definition: what shall run.

    Attributes:
        source: the script's text, or the pipeline's JSON.
        source_digest: BLAKE3 of the source's UTF-8 bytes.
        filename: where the source came from, for messages and tracebacks.
        bundle: the scope it lives in, "" for none.
        version: the version of that bundle which declares it; 0 for the newest.
        wire_json: the fields of Propeller's Task that we only keep (a JSON object), "" for none.
    """

    id: TaskId
    name: str
    kind: TaskKind
    source: str
    source_digest: bytes
    filename: str = ""
    bundle: str = ""
    limits: Limits = Limits()
    created_at: Instant = ZERO
    wire_json: str = ""
    version: int = 0


@dataclass(frozen=True, slots=True)
class Output:
    """A file that a run made, relative to `output/` (or to the run's own directory, while it is there)."""

    path: str
    kind: str
    title: str = ""
    size_bytes: int = 0
    digest: bytes = b""


@dataclass(frozen=True, slots=True)
class TaskRun:
    """One execution of a definition with its parameters bound. JSON documents are text, "" for none.

    Attributes:
        memo_key: under which its results can be found by whoever asks the same of the same data; b"" for not at all.
        reused_of: the earlier run that has its outputs: the same was done before, so this one was not run.
        config: the digest of what the installation added when it was asked for (`plotter2.model.additions`).
        said: how many lines of its attempt were taken; of an instance of all attempts, each prints the same again.
    """

    id: RunId
    request_id: RequestId
    task_id: TaskId
    task_name: str
    bundle: str = ""
    version: int = 0
    parameters_json: str = "{}"
    state: RunState = RunState.QUEUED
    epoch: int = 0
    attempts: int = 0
    worker_id: WorkerId = WorkerId("")
    results_json: str = ""
    error: str = ""
    error_code: str = ""
    outputs: tuple[Output, ...] = field(default=())
    created_at: Instant = ZERO
    started_at: Instant = ZERO
    finished_at: Instant = ZERO
    memo_key: bytes = b""
    reused_of: RunId = RunId("")
    config: bytes = b""
    said: int = 0

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in RUN_ENDS
