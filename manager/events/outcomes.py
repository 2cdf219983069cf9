"""Outcomes of effects, and time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from plotter2.ids import RunId
from plotter2.model.lineage import Edge
from plotter2.model.report import Kept
from plotter2.model.task import Output, TaskRun


@dataclass(frozen=True, slots=True)
class OutputsTaken:
    """What a run made lies under output/, durably.

    Attributes:
        kept: of a run that made a report: what goes into it.
        read: which files of which versions it read.
    """

    run_id: RunId
    epoch: int
    outputs: tuple[Output, ...]
    kept: Kept | None = None
    read: tuple[Edge, ...] = ()


@dataclass(frozen=True, slots=True)
class OutputsRefused:
    """What a run said it made is not there, or not what it said; or what it exports may not go where it should."""

    run_id: RunId
    epoch: int
    reason: str
    reason_code: str = "corruption"


@dataclass(frozen=True, slots=True)
class InstancesPlanned:
    """What a run comes to.

    Attributes:
        parameters: for each instance what binds its axes, a JSON object.
        has_axes: whether the definition has any.
        warning: why there is no instance.
        memo_keys: under which each instance's results are found again, b"" for not at all; none: of no instance.
        known: runs whose results are known, by key.
        error: why it cannot be run, "" when it can.
    """

    run_id: RunId
    parameters: tuple[str, ...] = ("{}",)
    has_axes: bool = False
    warning: str = ""
    error: str = ""
    error_code: str = ""
    memo_keys: tuple[bytes, ...] = ()
    known: Mapping[bytes, TaskRun] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ticked:
    """Time has passed.

    Attributes:
        late_s: how much more of it than from one tick to the next: so long the manager has listened to nobody.
    """

    late_s: float = 0.0
