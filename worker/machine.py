"""The worker's mind: which run goes to which child, what a death means, what the manager is told (pure).

Times are seconds of a clock that never goes back. A run and epoch is begun for one of two reasons only: it was assigned
and is not known here, or its interpreter was killed from outside under it. Everything else about it is answered from
memory.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

from plotter2 import ids
from plotter2.child import words
from plotter2.child.frames import Run
from plotter2.ids import RequestId, RunId
from plotter2.model.task import Limits, RunState, Task
from plotter2.mqtt.payloads import AssignBatch, Assignment, Report
from worker.commands import (
    Command,
    KillChild,
    ProgramKey,
    RetireChild,
    SendFiles,
    SendRun,
    SkipRuns,
    StartChild,
    Tell,
)
from worker.ends import Ends
from worker.events import (
    Assigned,
    ChildGone,
    ChildMeasured,
    ChildReady,
    DrainBegun,
    Event,
    FilesSent,
    ProgramPrepared,
    ProgramRefused,
    RunEnded,
    RunPrinted,
    RunsSkipped,
    Ticked,
)
from worker.reports import Reports
from worker.seats import Held, Seat, Seats
from worker.shelf import Shelf

TELL_RUNNING_AFTER_S = 0.5
"""A run that takes longer is said to be running; of a shorter one only the end is told."""
STEAL_AFTER_S = 0.25
"""What waits behind a run that has taken longer is taken back when another child has nothing to do."""
DEATHS_MAX = 1
"""So often a run is begun again when its interpreter was killed from outside."""
SIGNALS_FROM_OUTSIDE = frozenset({-1, -2, -9, -15})
"""SIGHUP, SIGINT, SIGKILL, SIGTERM: what a script hardly does to itself."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings that decide.

    Attributes:
        limits: what a run may use that does not say so itself.
        slots_set: how many runs are taken at a time; 0: as many as the windows hold.
    """

    children: int = 1
    window_runs: int = 64
    limits: Limits = Limits(wall_s=300.0, memory_bytes=4 << 30)
    recycle_runs: int = 50_000
    recycle_age_s: float = 3600.0
    recycle_memory_bytes: int = 1 << 30
    slots_set: int = 0

    @property
    def slots(self) -> int:
        """How many runs this worker takes at a time."""
        return self.slots_set or self.children * self.window_runs


class Machine:
    """Decides. `handle` hears one event; `settle` fills the children after all events of a turn."""

    def __init__(self, policy: Policy, wall_offset_s: float = 0.0) -> None:
        self.policy = policy
        self.is_draining = False
        self._reports = Reports(wall_offset_s)
        self._held: dict[RunId, Held] = {}
        self._waiting: deque[Held] = deque()
        self._sending: dict[RunId, Report] = {}
        self._shelf = Shelf()
        self._seats = Seats(policy.window_runs)
        self._ends = Ends()
        self._sequence = 0

    @property
    def held(self) -> int:
        """How many runs are in hand."""
        return len(self._held)

    @property
    def is_ready(self) -> bool:
        """Whether any child can take work."""
        return any(seat.is_ready for seat in self._seats)

    def busy_children(self) -> list[int]:
        """The children at work, for those who measure them."""
        return [seat.number for seat in self._seats if seat.runs]

    def begin(self, now: float) -> list[Command]:
        """Have the first children made."""
        return [self._start_child(now) for _ in range(self.policy.children)]

    def handle(self, event: Event, now: float) -> list[Command]:  # noqa: C901, PLR0911, PLR0912 -- a dispatch table: one line a kind of event
        """Hear one event."""
        match event:
            case RunEnded():
                return self._run_ended(event, now)
            case Assigned():
                return self._assigned(event.batch, now)
            case Ticked():
                return self._ticked(now)
            case ChildMeasured():
                return self._measured(event, now)
            case RunPrinted():
                return self._printed(event)
            case RunsSkipped():
                return self._skipped(event, now)
            case ChildReady():
                seat = self._seats.get(event.child)
                if seat is not None:
                    seat.is_ready = True
                return []
            case ChildGone():
                return self._child_gone(event, now)
            case ProgramPrepared():
                self._waiting.extend(held for held in self._shelf.prepared(event.program) if self._is_live(held))
                return []
            case ProgramRefused():
                return self._refused(event, now)
            case FilesSent():
                return self._files_sent(event)
            case DrainBegun():
                return self._drain()

    def settle(self, now: float) -> list[Command]:
        """Give what waits to children that have room."""
        commands: list[Command] = []
        while self._waiting:
            held = self._waiting[0]
            seat = self._seats.with_room(held.program)
            if seat is None:
                break
            self._waiting.popleft()
            self._sequence += 1
            held.sequence = self._sequence
            self._seats.put(seat, held, now)
            commands.append(SendRun(seat.number, self._frame(held)))
        return commands

    # --- what the manager says ------------------------------------------------------------------------------------

    def _assigned(self, batch: AssignBatch, now: float) -> list[Command]:
        tasks = {task.id: task for task in batch.tasks}
        commands: list[Command] = []
        for assignment in batch.assignments:
            commands += self._assign(assignment, tasks.get(assignment.task_id), now)
        for cancelled in batch.cancellations:
            held = self._held.get(cancelled.run_id)
            if held is not None and held.assignment.epoch <= cancelled.epoch:
                commands += self._cancel(held, now)
        return commands

    def _assign(self, assignment: Assignment, task: Task | None, now: float) -> list[Command]:
        ended = self._ends.get(assignment.run_id)
        if ended is not None and ended.epoch >= assignment.epoch:
            return [Tell(ended)] if ended.epoch == assignment.epoch else []
        held = self._held.get(assignment.run_id)
        commands: list[Command] = []
        if held is not None:
            if held.assignment.epoch >= assignment.epoch:
                is_told = held.is_told and held.assignment.epoch == assignment.epoch
                return [Tell(self._reports.running(held))] if is_told else []
            commands = self._cancel(held, now)
        # What is not taken comes again: the manager repeats what nobody confirms.
        if task is None or self.is_draining or len(self._held) >= 2 * self.policy.slots:
            return commands
        request = ids.request_of(assignment.run_id) if assignment.bundle else RequestId("")
        held = self._held[assignment.run_id] = Held(assignment, task, now)
        key = ProgramKey(task.id, task.source_digest, assignment.bundle, assignment.version, request)
        is_ready, needed = self._shelf.enter(key, held)
        if is_ready:
            self._waiting.append(held)
        return [*commands, *needed]

    def _cancel(self, held: Held, now: float) -> list[Command]:
        seat = self._seats.get(held.child)
        said = self._reports.cancelled(held, now)
        if seat is None or held.sequence not in seat.runs:
            if held in self._waiting:
                self._waiting.remove(held)
            return self._end(held, said, is_told=False)
        held.is_cancelled = True
        if seat.head is held:
            return self._kill(seat, held, said, now)
        # Its place is not free before the child has said so; a newer epoch of the same run may come meanwhile.
        self._held.pop(held.assignment.run_id, None)
        return [SkipRuns(seat.number, (held.sequence,))]

    def _refused(self, event: ProgramRefused, now: float) -> list[Command]:
        commands: list[Command] = []
        for held in [held for held in self._shelf.refused(event.program) if self._is_live(held)]:
            commands += self._end(held, self._reports.failed(held, event.error, event.error_code, now))
        return commands

    def _is_live(self, held: Held) -> bool:
        return self._held.get(held.assignment.run_id) is held

    # --- what children say ----------------------------------------------------------------------------------------

    def _run_ended(self, event: RunEnded, now: float) -> list[Command]:
        seat = self._seats.get(event.child)
        held = self._seats.pop(seat, event.ended.sequence, now) if seat is not None else None
        if seat is None or held is None:
            return []
        seat.done += 1
        self._seats.learn(held, now - held.started_at)
        is_old = seat.done >= self.policy.recycle_runs or now - seat.born_at >= self.policy.recycle_age_s
        seat.is_retiring |= event.ended.is_spent or is_old
        report = self._reports.ended(held, event.ended, now)
        commands = self._retire_if_due(seat, now)
        if report.made and not held.is_cancelled:
            self._sending[report.run_id] = report
            return [SendFiles(report), *commands]
        return [*self._end(held, report, is_told=not held.is_cancelled), *commands]

    def _files_sent(self, event: FilesSent) -> list[Command]:
        report = self._sending.get(event.run_id)
        held = self._held.get(event.run_id)
        if report is None or held is None or report.epoch != event.epoch:
            return []
        if event.error:
            state = RunState.FAILED
            report = replace(
                report, state=state, error=event.error, error_code=event.error_code, made=(), results_json=""
            )
        return self._end(held, report)

    def _printed(self, event: RunPrinted) -> list[Command]:
        seat = self._seats.get(event.child)
        held = seat.runs.get(event.sequence) if seat is not None else None
        if held is None or held.is_cancelled:
            return []
        held.is_told = True
        return [Tell(self._reports.running(held, event.lines, event.progress))]

    def _skipped(self, event: RunsSkipped, now: float) -> list[Command]:
        seat = self._seats.get(event.child)
        if seat is None:
            return []
        found = [self._seats.pop(seat, sequence, now) for sequence in event.sequences]
        commands = self._take_back([held for held in found if held is not None], now)
        return [*commands, *self._retire_if_due(seat, now)]

    def _take_back(self, runs: list[Held], now: float) -> list[Command]:
        """Runs that no child works on any more go to the head of the queue, in their order."""
        commands: list[Command] = []
        for held in reversed(runs):
            if held.is_cancelled or self.is_draining:
                commands += self._end(held, self._reports.cancelled(held, now), is_told=False)
            else:
                held.child = held.sequence = 0
                held.started_at = 0.0
                self._waiting.appendleft(held)
        return commands

    def _child_gone(self, event: ChildGone, now: float) -> list[Command]:
        seat = self._seats.get(event.child)
        if seat is None:
            return []
        head = seat.head
        commands: list[Command] = []
        if head is not None and not head.is_cancelled:
            is_from_outside = event.status is None or event.status in SIGNALS_FROM_OUTSIDE
            if is_from_outside and head.deaths < DEATHS_MAX:
                head.deaths += 1
            else:
                self._seats.pop(seat, head.sequence, now)
                commands = self._end(head, self._reports.crashed(head, event.status, now))
        return [*commands, *self._replace(seat, now)]

    # --- limits ---------------------------------------------------------------------------------------------------

    def _ticked(self, now: float) -> list[Command]:
        commands: list[Command] = []
        for seat in self._seats:
            head = seat.head
            if head is None:
                seat.is_retiring |= seat.done > 0 and now - seat.born_at >= self.policy.recycle_age_s
                commands += self._retire_if_due(seat, now)
                continue
            ran_s = now - head.started_at
            limit_s = self._limits(head).wall_s
            if head.is_cancelled:
                commands += self._kill(seat, head, self._reports.cancelled(head, now), now)
            elif limit_s and ran_s > limit_s:
                commands += self._kill(seat, head, self._reports.broke(head, "wall", f"{limit_s:g} s", now), now)
            else:
                commands += self._going_on(seat, head, ran_s)
        return [*commands, *self._give_back(now)]

    def _going_on(self, seat: Seat, head: Held, ran_s: float) -> list[Command]:
        commands: list[Command] = []
        if ran_s > TELL_RUNNING_AFTER_S and not head.is_told:
            head.is_told = True
            commands.append(Tell(self._reports.running(head)))
        others_are_idle = any(other.is_ready and not other.runs for other in self._seats)
        if ran_s > STEAL_AFTER_S and others_are_idle and len(seat.runs) > 1:
            commands.append(SkipRuns(seat.number, tuple(seat.runs)[1:]))
        return commands

    def _give_back(self, now: float) -> list[Command]:
        """Runs that could not be begun within their lease are left to others."""
        late = [held for held in self._waiting if 0 < held.assignment.lease_s < now - held.taken_at]
        commands: list[Command] = []
        for held in late:
            self._waiting.remove(held)
            del self._held[held.assignment.run_id]
            commands += [Tell(self._reports.given_back(held)), *self._shelf.leave(held.program)]
        return commands

    def _measured(self, event: ChildMeasured, now: float) -> list[Command]:
        seat = self._seats.get(event.child)
        head = seat.head if seat is not None else None
        if seat is None or head is None:
            return []
        seat.is_retiring |= event.memory_bytes >= self.policy.recycle_memory_bytes
        limits = self._limits(head)
        if seat.cpu_base_s < 0:
            seat.cpu_base_s = event.cpu_s
        if limits.memory_bytes and event.memory_bytes > limits.memory_bytes:
            said = self._reports.broke(head, "memory", words.mebibytes(limits.memory_bytes), now)
            return self._kill(seat, head, said, now)
        if limits.cpu_s and event.cpu_s - seat.cpu_base_s > limits.cpu_s:
            return self._kill(seat, head, self._reports.broke(head, "CPU", f"{limits.cpu_s:g} s", now), now)
        return []

    def _limits(self, held: Held) -> Limits:
        own, usual = held.task.limits, self.policy.limits
        return Limits(own.wall_s or usual.wall_s, own.cpu_s or usual.cpu_s, own.memory_bytes or usual.memory_bytes)

    # --- children -------------------------------------------------------------------------------------------------

    def _start_child(self, now: float) -> StartChild:
        seat, after_s = self._seats.add(now)
        return StartChild(seat.number, after_s)

    def _kill(self, seat: Seat, head: Held, said: Report, now: float) -> list[Command]:
        """End a child for what its first run has done; the others do not pay."""
        self._seats.pop(seat, head.sequence, now)
        seat.done += 1
        ended = self._end(head, said, is_told=not head.is_cancelled)
        return [KillChild(seat.number), *ended, *self._replace(seat, now)]

    def _replace(self, seat: Seat, now: float) -> list[Command]:
        return [*self._take_back(self._seats.remove(seat), now), self._start_child(now)]

    def _retire_if_due(self, seat: Seat, now: float) -> list[Command]:
        if not seat.is_retiring or seat.runs:
            return []
        self._seats.remove(seat)
        return [RetireChild(seat.number), self._start_child(now)]

    def _drain(self) -> list[Command]:
        """Runs that have not begun are left to others: the manager moves them when we are gone."""
        self.is_draining = True
        busy = [seat for seat in self._seats if seat.runs]
        begun = {seat.head.assignment.run_id for seat in busy if seat.head is not None} | self._sending.keys()
        self._held = {run_id: held for run_id, held in self._held.items() if run_id in begun}
        self._waiting.clear()
        return [SkipRuns(seat.number, tuple(seat.runs)[1:]) for seat in busy if len(seat.runs) > 1]

    def _end(self, held: Held, report: Report, *, is_told: bool = True) -> list[Command]:
        """A run is over here. What nobody was told is forgotten: if it comes again, it is new."""
        if self._is_live(held):
            del self._held[held.assignment.run_id]
            self._sending.pop(held.assignment.run_id, None)
        commands = self._shelf.leave(held.program)
        if not is_told:
            return commands
        self._ends.put(replace(report, lines=()) if report.lines else report)
        return [Tell(report), *commands]

    def _frame(self, held: Held) -> Run:
        one = held.assignment
        memory_bytes = self._limits(held).memory_bytes
        return Run(held.sequence, held.program, one.run_id, one.epoch, one.parameters_json, one.seed, memory_bytes)
