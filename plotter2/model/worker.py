"""Workers as the manager sees them: liveness from silence, capacity in slots (requirements 082, M19 to M27)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from plotter2.clock import ZERO, Instant
from plotter2.ids import WorkerId

HEARTBEAT_INTERVAL_S = 1.0
"""How often our own workers beat; a Propeller proplet beats every 10 s."""
SUSPECT_BEATS = 2
LOST_BEATS = 3
ALIVE_HISTORY_MAX = 10


class WorkerState(StrEnum):
    """What silence says."""

    ALIVE = "alive"
    SUSPECT = "suspect"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker (Propeller: proplet).

    Attributes:
        is_ours: it announced the topic of its own and takes batches; a plain proplet does not.
        incarnation: changes with every start of its process; runs of an older one are lost.
        slots: how many assignments it may hold at a time (running and waiting).
        beat_s: the heartbeat interval it announced.
        metadata_json: what it said of itself, a JSON object.
    """

    id: WorkerId
    name: str
    state: WorkerState = WorkerState.LOST
    is_ours: bool = False
    incarnation: str = ""
    slots: int = 1
    beat_s: float = 10.0
    pid: int = 0
    host: str = ""
    last_seen_at: Instant = ZERO
    history: tuple[Instant, ...] = field(default=())
    metadata_json: str = "{}"
