"""What the worker's machine has in hand: runs by id, those that wait, what was told of ends (pure)."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, replace

from plotter2.ids import RunId
from plotter2.model.task import Limits
from plotter2.mqtt.payloads import Report
from worker.commands import Command, ForgetInstance, Tell
from worker.ends import Ends
from worker.reports import Reports
from worker.seats import Held, Seats
from worker.shelf import Shelf


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings that decide.

    Attributes:
        limits: what a run may use that does not say so itself.
        slots_set: how many runs are taken at a time; 0: as many as the windows hold.
        parked_max: so many instances may wait inside children; beyond, some wait without one.
    """

    children: int = 1
    window_runs: int = 64
    limits: Limits = Limits(wall_s=300.0, memory_bytes=4 << 30)
    recycle_runs: int = 50_000
    recycle_age_s: float = 3600.0
    recycle_memory_bytes: int = 1 << 30
    slots_set: int = 0
    parked_max: int = 20_000

    @property
    def slots(self) -> int:
        """How many runs this worker takes at a time."""
        return self.slots_set or self.children * self.window_runs


class State:
    """All of it.

    Attributes:
        held: every run that this worker has to do, by its id.
        waiting: those that no child has yet, the next one first.
        asleep: instances whose op has no answer yet, in a child or without one. They hold no slot.
        trees: how many runs of each tree are in hand.
        sending: reports that wait for the files they speak of to be with the manager.
    """

    def __init__(self, policy: Policy, wall_offset_s: float) -> None:
        self.policy = policy
        self.is_draining = False
        self.reports = Reports(wall_offset_s)
        self.held: dict[RunId, Held] = {}
        self.waiting: deque[Held] = deque()
        self.asleep: dict[RunId, Held] = {}
        self.trees: Counter[str] = Counter()
        self.sending: dict[RunId, Report] = {}
        self.shelf = Shelf()
        self.seats = Seats(policy.window_runs)
        self.ends = Ends()
        self.sequence = 0

    def is_live(self, held: Held) -> bool:
        """Whether a run is still in hand, in this very attempt."""
        return self.held.get(held.assignment.run_id) is held

    def limits(self, held: Held) -> Limits:
        """What a run may use."""
        own, usual = held.task.limits, self.policy.limits
        return Limits(own.wall_s or usual.wall_s, own.cpu_s or usual.cpu_s, own.memory_bytes or usual.memory_bytes)

    def end(self, held: Held, report: Report, *, is_told: bool = True) -> list[Command]:
        """A run is over here. What nobody was told is forgotten: if it comes again, it is new.

        With its end all its lines are told: any report before may not have arrived, and nobody asks for that one again.
        """
        if self.is_live(held):
            del self.held[held.assignment.run_id]
            self.sending.pop(held.assignment.run_id, None)
        commands = self.shelf.leave(held.program)
        if held.assignment.instance is not None:
            commands = [*commands, self._leave_tree(held, held.assignment.instance.tree)]
        if not is_told:
            return commands
        if held.lines:
            report = replace(report, lines=tuple(held.lines), lines_from=held.lines_from)
        self.ends.put(report)
        return [Tell(report), *commands]

    def _leave_tree(self, held: Held, tree: str) -> Command:
        if self.asleep.get(held.assignment.run_id) is held:
            del self.asleep[held.assignment.run_id]
        self.trees[tree] -= 1
        is_last = not self.trees[tree]
        if is_last:
            del self.trees[tree]
        return ForgetInstance(held.assignment.run_id, tree if is_last else "")
