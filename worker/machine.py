"""The worker's mind: which run goes to which child, what a death means, what the manager is told (pure).

Times are seconds of a clock that never goes back. A run and epoch is begun for one of two reasons only: it was assigned
and is not known here, or its interpreter was killed from outside under it. Everything else about it is answered from
memory.
"""

from __future__ import annotations

from dataclasses import replace

from plotter2 import ids, loads
from plotter2.child.frames import Instance, Run
from plotter2.ids import RequestId
from plotter2.model.task import RunState, Task
from plotter2.mqtt.payloads import AssignBatch, Assignment
from worker import children, limits, turns
from worker.commands import Command, ProgramKey, SendFiles, SendRun, SkipRuns, Tell
from worker.events import (
    Assigned,
    ChildGone,
    ChildMeasured,
    ChildReady,
    DrainBegun,
    Event,
    FilesGoing,
    FilesSent,
    OpAnswered,
    OpAsked,
    ProgramPrepared,
    ProgramRefused,
    RunEnded,
    RunPrinted,
    RunsSkipped,
    Ticked,
)
from worker.seats import Held
from worker.state import Policy, State


class Machine:
    """Decides. `handle` hears one event; `settle` fills the children after all events of a turn."""

    def __init__(self, policy: Policy, wall_offset_s: float = 0.0) -> None:
        self._state = State(policy, wall_offset_s)

    @property
    def is_draining(self) -> bool:
        """Whether nothing new is taken."""
        return self._state.is_draining

    @property
    def held(self) -> int:
        """How many runs are in hand."""
        return len(self._state.held)

    @property
    def ahead_s(self) -> float:
        """For how long no child will be without work, as far as one knows."""
        return self._state.seats.ahead_s(len(self._state.waiting))

    @property
    def is_ready(self) -> bool:
        """Whether any child can take work."""
        return any(seat.is_ready for seat in self._state.seats)

    def busy_children(self) -> list[int]:
        """The children at work, for those who measure them."""
        return [seat.number for seat in self._state.seats if seat.runs]

    def begin(self, now: float) -> list[Command]:
        """Have the first children made."""
        return [children.start(self._state, now) for _ in range(self._state.policy.children)]

    def handle(self, event: Event, now: float) -> list[Command]:  # noqa: C901, PLR0911, PLR0912 -- a dispatch table: one line a kind of event
        """Hear one event."""
        match event:
            case RunEnded():
                return self._run_ended(event, now)
            case Assigned():
                return self._assigned(event.batch, now)
            case Ticked():
                return limits.ticked(self._state, now)
            case ChildMeasured():
                return limits.measured(self._state, event, now)
            case RunPrinted():
                return self._printed(event)
            case RunsSkipped():
                return self._skipped(event, now)
            case OpAsked():
                return turns.asked(self._state, event, now)
            case OpAnswered():
                return turns.answered(self._state, event, now)
            case ChildReady():
                seat = self._state.seats.get(event.child)
                if seat is not None:
                    seat.is_ready = True
                return []
            case ChildGone():
                return children.gone(self._state, event, now)
            case ProgramPrepared():
                self._state.waiting.extend(
                    held for held in self._state.shelf.prepared(event.program) if self._state.is_live(held)
                )
                return []
            case ProgramRefused():
                return self._refused(event, now)
            case FilesGoing():
                return self._files_going(event)
            case FilesSent():
                return self._files_sent(event)
            case DrainBegun():
                return self._drain()

    def settle(self, now: float) -> list[Command]:
        """Give what waits to children that have room."""
        commands: list[Command] = []
        while self._state.waiting:
            held = self._state.waiting[0]
            seat = self._state.seats.with_room(held.program)
            if seat is None:
                break
            self._state.waiting.popleft()
            self._state.sequence += 1
            held.sequence = self._state.sequence
            self._state.seats.put(seat, held, now)
            commands.append(SendRun(seat.number, self._frame(held)))
        return commands

    # --- what the manager says ------------------------------------------------------------------------------------

    def _assigned(self, batch: AssignBatch, now: float) -> list[Command]:
        tasks = {task.id: task for task in batch.tasks}
        commands: list[Command] = []
        for assignment in batch.assignments:
            commands += self._assign(assignment, tasks.get(assignment.task_id), now)
        for cancelled in batch.cancellations:
            held = self._state.held.get(cancelled.run_id)
            if held is not None and held.assignment.epoch <= cancelled.epoch:
                commands += self._cancel(held, now)
        return commands

    def _assign(self, assignment: Assignment, task: Task | None, now: float) -> list[Command]:
        ended = self._state.ends.get(assignment.run_id)
        if ended is not None and ended.epoch >= assignment.epoch:
            return [Tell(ended)] if ended.epoch == assignment.epoch else []
        held = self._state.held.get(assignment.run_id)
        commands: list[Command] = []
        if held is not None:
            if held.assignment.epoch >= assignment.epoch:
                is_told = (held.is_told or held.has_asked) and held.assignment.epoch == assignment.epoch
                if not is_told:
                    return []
                held.told = 0  # who asks may have heard nothing yet: the lines of the attempt are told from the first
                return [Tell(self._state.reports.running(held))]
            commands = self._cancel(held, now)
        # What is not taken comes again: the manager repeats what nobody confirms.
        awake = len(self._state.held) - len(self._state.asleep)
        if task is None or self._state.is_draining or awake >= 2 * self._state.policy.slots:
            return commands
        is_of_one = assignment.bundle or not task.source or loads.LOAD in task.source
        request = ids.request_of(assignment.run_id) if is_of_one else RequestId("")
        held = self._state.held[assignment.run_id] = Held(assignment, task, now)
        if assignment.instance is not None:
            held.repeated = held.lines_from
            self._state.trees[assignment.instance.tree] += 1
        key = ProgramKey(
            task.id, task.source_digest, assignment.bundle, assignment.version, request, assignment.config,
            assignment.pins,
        )  # fmt: skip
        is_ready, needed = self._state.shelf.enter(key, held)
        if is_ready:
            self._state.waiting.append(held)
        return [*commands, *needed]

    def _cancel(self, held: Held, now: float) -> list[Command]:
        seat = self._state.seats.get(held.child)
        said = self._state.reports.cancelled(held, now)
        if seat is not None and held.sequence in seat.parked:
            return turns.cancelled(self._state, seat, held, now)
        if seat is None or held.sequence not in seat.runs:
            if held in self._state.waiting:
                self._state.waiting.remove(held)
            return self._state.end(held, said, is_told=False)
        held.is_cancelled = True
        if seat.head is held:
            return children.kill(self._state, seat, held, said, now)
        # Its place is not free before the child has said so; a newer epoch of the same run may come meanwhile.
        self._state.held.pop(held.assignment.run_id, None)
        return [SkipRuns(seat.number, (held.sequence,))]

    def _refused(self, event: ProgramRefused, now: float) -> list[Command]:
        commands: list[Command] = []
        for held in [held for held in self._state.shelf.refused(event.program) if self._state.is_live(held)]:
            commands += self._state.end(held, self._state.reports.failed(held, event.error, event.error_code, now))
        return commands

    # --- what children say ----------------------------------------------------------------------------------------

    def _run_ended(self, event: RunEnded, now: float) -> list[Command]:
        seat = self._state.seats.get(event.child)
        held = self._state.seats.pop(seat, event.ended.sequence, now) if seat is not None else None
        if seat is None or held is None:
            return []
        seat.done += 1
        self._state.seats.learn(held, now - held.turn_at)
        is_old = seat.done >= self._state.policy.recycle_runs or now - seat.born_at >= self._state.policy.recycle_age_s
        seat.is_retiring |= event.ended.is_spent or is_old
        turns.keep(held, event.ended.lines)
        report = self._state.reports.ended(held, event.ended, now)
        commands = children.retire_if_due(self._state, seat, now)
        if report.made and not held.is_cancelled:
            self._state.sending[report.run_id] = report
            return [SendFiles(report), *commands]
        return [*self._state.end(held, report, is_told=not held.is_cancelled), *commands]

    def _files_going(self, event: FilesGoing) -> list[Command]:
        """People who wait are told why; nothing else changes."""
        report, held = self._state.sending.get(event.run_id), self._state.held.get(event.run_id)
        if report is None or held is None or report.epoch != event.epoch:
            return []
        held.lines.append(event.line)
        return [Tell(self._state.reports.running(held))]

    def _files_sent(self, event: FilesSent) -> list[Command]:
        report = self._state.sending.get(event.run_id)
        held = self._state.held.get(event.run_id)
        if report is None or held is None or report.epoch != event.epoch:
            return []
        if event.error:
            state = RunState.FAILED
            report = replace(
                report, state=state, error=event.error, error_code=event.error_code, made=(), results_json=""
            )
        elif event.packed:
            report = replace(report, packed=event.packed)
        return self._state.end(held, report)

    def _printed(self, event: RunPrinted) -> list[Command]:
        seat = self._state.seats.get(event.child)
        held = seat.runs.get(event.sequence) if seat is not None else None
        if held is None or held.is_cancelled:
            return []
        held.is_told = True
        turns.keep(held, event.lines)
        return [Tell(self._state.reports.running(held, event.progress))]

    def _skipped(self, event: RunsSkipped, now: float) -> list[Command]:
        seat = self._state.seats.get(event.child)
        if seat is None:
            return []
        found = [self._state.seats.pop(seat, sequence, now) for sequence in event.sequences]
        commands = children.take_back(self._state, [held for held in found if held is not None], now)
        return [*commands, *children.retire_if_due(self._state, seat, now)]

    def _drain(self) -> list[Command]:
        """Runs that have not begun are left to others: the manager moves them when we are gone."""
        self._state.is_draining = True
        busy = [seat for seat in self._state.seats if seat.runs]
        begun = {seat.head.assignment.run_id for seat in busy if seat.head is not None} | self._state.sending.keys()
        self._state.held = {run_id: held for run_id, held in self._state.held.items() if run_id in begun}
        self._state.waiting.clear()
        self._state.asleep.clear()
        return [SkipRuns(seat.number, tuple(seat.runs)[1:]) for seat in busy if len(seat.runs) > 1]

    def _frame(self, held: Held) -> Run:
        one = held.assignment
        memory_bytes = self._state.limits(held).memory_bytes
        about = one.instance
        place = Instance(about.tree, about.number, about.label, about.place, held.asks) if about is not None else None
        return Run(
            held.sequence, held.program, one.run_id, one.epoch, one.parameters_json, one.seed, memory_bytes, place
        )
