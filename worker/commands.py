"""Everything the worker's machine can want. Imperative, frozen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from plotter2.child.frames import Ask, Run, Told
from plotter2.ids import RequestId, RunId, TaskId
from plotter2.model.task import Task
from plotter2.mqtt.payloads import Report


class ProgramKey(NamedTuple):
    """What runs of one definition on one bundle version have in common.

    `request_id` is part of it where something is read, because what lies below a bundle, or is newest, may differ from
    one request to the next. `config` is the digest of what the installation added when they were asked for,
    `pins` that of what lies below the bundle for their request.
    """

    task_id: TaskId
    source_digest: bytes
    bundle: str
    version: int
    request_id: RequestId
    config: bytes = b""
    pins: bytes = b""


@dataclass(frozen=True, slots=True)
class PrepareProgram:
    """Get source and files of a program, to be known by this number."""

    program: int
    key: ProgramKey
    task: Task


@dataclass(frozen=True, slots=True)
class ForgetProgram:
    """A program will not be spoken of again."""

    program: int


@dataclass(frozen=True, slots=True)
class StartChild:
    """Fork a child, after a pause where the last ones did not live."""

    child: int
    after_s: float


@dataclass(frozen=True, slots=True)
class SendRun:
    """Put a run into a child's queue."""

    child: int
    run: Run


@dataclass(frozen=True, slots=True)
class CarryOp:
    """Take what an instance asks to the manager."""

    run_id: RunId
    epoch: int
    tree: str
    ask: Ask


@dataclass(frozen=True, slots=True)
class SendTold:
    """Give an instance that waits its answer; it takes its place in the child's queue."""

    child: int
    told: Told


@dataclass(frozen=True, slots=True)
class ForgetInstance:
    """An instance is over here: what it asked needs no answer. `tree`: the tree that has no other here, "" for none."""

    run_id: RunId
    tree: str


@dataclass(frozen=True, slots=True)
class SkipRuns:
    """Ask a child for runs back that it has not begun."""

    child: int
    sequences: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class KillChild:
    """End a child now."""

    child: int


@dataclass(frozen=True, slots=True)
class RetireChild:
    """Let a child that has nothing to do go."""

    child: int


@dataclass(frozen=True, slots=True)
class SendFiles:
    """Bring what a run made to the manager, before its end is told."""

    report: Report


@dataclass(frozen=True, slots=True)
class Tell:
    """Report to the manager."""

    report: Report


Command = (
    PrepareProgram | ForgetProgram | StartChild | SendRun | CarryOp | SendTold | ForgetInstance | SkipRuns | KillChild
    | RetireChild | SendFiles | Tell
)  # fmt: skip
