"""Everything the worker's machine can hear. Past tense, frozen."""

from __future__ import annotations

from dataclasses import dataclass, field

from plotter2.child.frames import Ask, Ended
from plotter2.ids import RunId
from plotter2.mqtt.payloads import AssignBatch


@dataclass(frozen=True, slots=True)
class Assigned:
    """The manager has assigned and cancelled runs."""

    batch: AssignBatch


@dataclass(frozen=True, slots=True)
class ProgramPrepared:
    """A program's source and files are at hand."""

    program: int


@dataclass(frozen=True, slots=True)
class ProgramRefused:
    """A program cannot be had: its runs cannot either."""

    program: int
    error: str
    error_code: str


@dataclass(frozen=True, slots=True)
class ChildReady:
    """A child listens."""

    child: int


@dataclass(frozen=True, slots=True)
class ChildGone:
    """A child has ended. `status`: exit code, or minus the signal's number; None when nobody knows."""

    child: int
    status: int | None


@dataclass(frozen=True, slots=True)
class ChildMeasured:
    """What a busy child has used: private memory beyond a fresh child's, and processor time since its start."""

    child: int
    memory_bytes: int
    cpu_s: float


@dataclass(frozen=True, slots=True)
class RunEnded:
    """A child says how a run ended."""

    child: int
    ended: Ended


@dataclass(frozen=True, slots=True)
class RunPrinted:
    """A child says what a run has printed, and how far it says it is."""

    child: int
    sequence: int
    lines: tuple[str, ...]
    progress: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class RunsSkipped:
    """A child has given runs back that it had not begun."""

    child: int
    sequences: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class OpAsked:
    """An instance in a child asks its tree's ledger for something."""

    child: int
    ask: Ask


@dataclass(frozen=True, slots=True)
class OpAnswered:
    """The manager has answered it.

    Attributes:
        value: as MessagePack; empty when there is an error.
        is_read: it changes nothing, and the child's thread waits for it.
        places: where the content lies that it speaks of: local paths by hexadecimal digest.
    """

    run_id: RunId
    epoch: int
    ask: int
    code: str = ""
    message: str = ""
    value: bytes = b""
    is_read: bool = False
    places: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FilesGoing:
    """What is done with the files of a run that has ended, before the manager is told: a line for people."""

    run_id: RunId
    epoch: int
    line: str


@dataclass(frozen=True, slots=True)
class FilesSent:
    """What a run made is with the manager (or, with an error, cannot be brought there).

    `packed` is the digest of the list of its files; b"" where the manager sees them.
    """

    run_id: RunId
    epoch: int
    error: str = ""
    error_code: str = ""
    packed: bytes = b""


@dataclass(frozen=True, slots=True)
class Ticked:
    """Time has passed."""


@dataclass(frozen=True, slots=True)
class DrainBegun:
    """Nothing new; what runs may end."""


Event = (
    Assigned
    | ProgramPrepared
    | ProgramRefused
    | ChildReady
    | ChildGone
    | ChildMeasured
    | RunEnded
    | RunPrinted
    | RunsSkipped
    | OpAsked
    | OpAnswered
    | FilesGoing
    | FilesSent
    | Ticked
    | DrainBegun
)
