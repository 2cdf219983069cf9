"""Who runs what: a scheduler sees a snapshot and returns a plan (pure). Round-robin over living workers is the default.

The turn belongs to a worker, not to a place in a list: the cursor is the id that was served last, so whoever joins or
leaves shifts nobody's turn. In any n consecutive choices each of n workers with room is chosen once (property test).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from plotter2.ids import RunId, WorkerId


@dataclass(frozen=True, slots=True)
class Seat:
    """A living worker and how many more runs it takes now."""

    worker_id: WorkerId
    free: int


class Scheduler(Protocol):
    """Proposes; the machine applies."""

    def plan(self, runs: Sequence[RunId], seats: Sequence[Seat]) -> list[tuple[RunId, WorkerId]]:
        """Give runs, in order, to seats; what finds no room is left out."""
        ...


class RoundRobin:
    """Each living worker in its turn, in the stable order of worker ids, skipping those without room."""

    def __init__(self) -> None:
        self._served = WorkerId("")

    def plan(self, runs: Sequence[RunId], seats: Sequence[Seat]) -> list[tuple[RunId, WorkerId]]:
        """Give runs, in order, to seats; what finds no room is left out."""
        ring = sorted((seat.worker_id, seat.free) for seat in seats if seat.free > 0)
        if not ring:
            return []
        ids = [worker for worker, _ in ring]
        free = [count for _, count in ring]
        at = bisect_right(ids, self._served) % len(ids)
        plan: list[tuple[RunId, WorkerId]] = []
        for run in runs:
            if not ids:
                break
            plan.append((run, ids[at]))
            self._served = ids[at]
            free[at] -= 1
            if free[at]:
                at = (at + 1) % len(ids)
            else:
                del ids[at], free[at]
                at = at % len(ids) if ids else 0
        return plan
