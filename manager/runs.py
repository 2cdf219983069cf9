"""Task runs: queued, assigned in turn, reported, ended exactly once (pure).

An assignment raises the run's epoch; a report with another epoch, from another worker, or of a run that has ended
changes nothing. That is why messages may come late, twice, or from a worker believed dead.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace

from manager import authority, contracts, edges, memo, printed
from manager.commands import (
    AssignRuns,
    CallEnd,
    Command,
    KeepReport,
    NotifyProgress,
    SaveEdges,
    SaveReport,
    SaveRun,
    SaveTask,
    TakeOutputs,
)
from manager.events import OutputsRefused, OutputsTaken, RunReport, RunsReported
from manager.journal import note
from manager.scheduler import Scheduler, Seat
from manager.state import Ended, LiveRequest, State
from manager.store import TaskRow
from plotter2 import ids
from plotter2.clock import Instant
from plotter2.ids import RunId, WorkerId
from plotter2.model import ask, output
from plotter2.model import report as reports
from plotter2.model import task as tasks
from plotter2.model.report import Kept
from plotter2.model.request import RequestKind
from plotter2.model.task import ATTEMPTS_MAX, RUN_SUCCESSES, RunState, Task, TaskKind, TaskRun, TaskState
from plotter2.model.worker import WorkerState

RESEND_S = {RunState.ASSIGNED: 10.0, RunState.RUNNING: 60.0}
"""What was assigned and nobody has spoken of for so long is sent again, which asks for a report; that is harmless."""
PLANNED = ("impose", "gather_tasks", "link", "collect", "datter.task")
"""Words without which a definition has no axes, and speaks of no other tasks."""


def adopt_task(state: State, task: Task) -> None:
    """Have the definition at hand while any run needs it."""
    if task.id not in state.tasks:
        state.tasks[task.id] = TaskRow(task, is_hidden=True)


def add(
    state: State, live: LiveRequest, task: Task, target: tuple[str, int], parameters_json: str, now: Instant
) -> SaveRun:
    """Queue one more run of a request, on a bundle version (or on none: `("", 0)`).

    The write it returns goes into this turn: a run that finds no worker now must outlive us too. Parameters that the
    task's declaration gives, and this run does not, are filled in.
    """
    declared = state.catalog.parameters(task, target[0])
    run = TaskRun(
        ids.run_id(live.request.id, live.total),
        live.request.id,
        task.id,
        task.name,
        target[0],
        target[1],
        ask.filled(parameters_json, declared) if declared else parameters_json,
        created_at=now,
        config=live.config or state.config,
    )
    state.runs[run.id] = run
    enqueue(state, run, task, live.request.kind)
    state.task_users[task.id] = state.task_users.get(task.id, 0) + 1
    live.runs.add(run.id)
    live.total += 1
    state.touch(live)
    return SaveRun(run)


def enqueue(state: State, run: TaskRun, task: Task, kind: RequestKind) -> None:
    """Let a run wait for a worker; one whose definition may have axes or kin waits until its instances are known.

    So does a pipeline on data, whose results may be. A call has one answer and is one instance, whatever its definition
    says, and is always run.
    """
    if not run.bundle or kind is RequestKind.CALL or _is_plain(state, run, task):
        state.queue.append(run.id)
    else:
        state.planning.add(run.id)
        state.unplanned.append(run.id)


def _is_plain(state: State, run: TaskRun, task: Task) -> bool:
    """Whether a run is known to be one instance by itself whose results cannot be known."""
    if task.kind is TaskKind.PIPELINE:
        return False
    is_unknown = not task.source or any(word in task.source for word in PLANNED)
    if is_unknown and task.source_digest not in state.without_axes:
        return False
    declared = state.catalog.declaration(task, run.bundle)
    return declared is None or not declared.linked


def assign(state: State, scheduler: Scheduler, now: Instant) -> list[Command]:
    """Give waiting runs to living workers, in turn."""
    if not state.queue:
        return []
    seats = [
        # Who waits for other instances holds no slot.
        Seat(worker.id, worker.slots - len(state.load[worker.id]) + len(state.parked.get(worker.id, ())))
        for worker in state.workers.values()
        if worker.is_ours and worker.state is WorkerState.ALIVE
    ]
    room = sum(max(0, seat.free) for seat in seats)
    picked: list[RunId] = []
    while state.queue and len(picked) < room:
        run_id = state.queue.popleft()
        run = state.runs.get(run_id)
        if run is not None and run.state is RunState.QUEUED:
            picked.append(run_id)
    plan = scheduler.plan(picked, seats)
    per_worker: dict[WorkerId, list[TaskRun]] = defaultdict(list)
    commands: list[Command] = []
    for run_id, worker_id in plan:
        run = _assigned(state.runs[run_id], worker_id, now)
        state.runs[run_id] = run
        state.load[worker_id].add(run_id)
        state.sent_at[run_id] = now
        per_worker[worker_id].append(run)
        commands.append(SaveRun(run))
        commands += _show_proplet(state, run, now)
    commands += [message(state, worker_id, runs) for worker_id, runs in per_worker.items()]
    return commands


def message(state: State, worker_id: WorkerId, runs: list[TaskRun]) -> AssignRuns:
    """One message with many assignments and the definitions they speak of."""
    used = {run.task_id for run in runs}
    definitions = tuple(state.tasks[task].task for task in used)
    asked = {run.request_id for run in runs if run.bundle}
    pins = {one: live.request.pins for one in asked if (live := state.requests.get(one)) is not None}
    return AssignRuns(worker_id, tuple(runs), definitions, instances=authority.instances_of(state, runs), pins=pins)


def resend(state: State, now: Instant, *, everything: bool = False) -> list[Command]:
    """Say again what was assigned and never confirmed (all of it after the broker was away)."""
    per_worker: dict[WorkerId, list[TaskRun]] = defaultdict(list)
    for run_id, sent_at in state.sent_at.items():
        run = state.runs[run_id]
        is_due = everything or now - sent_at >= RESEND_S[run.state]
        if is_due and run_id not in state.taking and state.workers[run.worker_id].state is not WorkerState.LOST:
            per_worker[run.worker_id].append(run)
    for runs in per_worker.values():
        for run in runs:
            state.sent_at[run.id] = now
    return [message(state, worker_id, runs) for worker_id, runs in per_worker.items()]


def report(state: State, event: RunsReported, now: Instant) -> list[Command]:
    """Take in what a worker says; whatever does not fit the present epoch is passed over."""
    commands: list[Command] = []
    for said in event.reports:
        run = state.runs.get(said.run_id)
        if run is None or run.epoch != said.epoch or run.worker_id != event.worker_id or said.run_id in state.taking:
            continue
        commands += printed.taken(state, run, said)
        if said.progress is not None and said.state is RunState.RUNNING:
            state.progress[run.id] = said.progress
            commands.append(NotifyProgress(run.request_id, run.id, *said.progress))
        if said.again_json:
            state.wishes[run.id] = said.again_json
        commands += _advance(state, state.runs[run.id], said, now)
    return commands


def taken(state: State, event: OutputsTaken | OutputsRefused, now: Instant) -> list[Command]:
    """The files of a run are where they belong (or are not what was said): now it can end."""
    final = state.taking.pop(event.run_id, None)
    if final is None or final.epoch != event.epoch:
        return []
    if isinstance(event, OutputsRefused):
        final = replace(final, state=RunState.FAILED, error=event.reason, error_code=event.reason_code, results_json="")
    else:
        final = replace(final, outputs=event.outputs)
        read: list[Command] = [SaveEdges(event.read)] if event.read else []
        if event.kept is not None and reports.is_reporting(final):
            read += _numbered(state, final, event.kept, now)
        return [*end(state, final, now), *read]
    return end(state, final, now)


def _numbered(state: State, final: TaskRun, kept: Kept, now: Instant) -> list[Command]:
    """The run's report is the next of its bundle; those before it stay as they are."""
    number = state.reports.get(final.bundle, 0) + 1
    state.reports[final.bundle] = number
    made = reports.numbered(final, kept, number, now)
    return [
        SaveReport(made),
        note("report.numbered", final.bundle, now, number=number, run=final.id),
        KeepReport(made),
    ]


def move(state: State, orphans: list[TaskRun], now: Instant) -> list[Command]:
    """Runs whose worker is gone go back to the head of the queue, or fail when too many workers died on them."""
    commands: list[Command] = []
    for run in reversed(orphans):
        if run.id in state.taking:
            continue
        _release(state, run)
        if run.attempts >= ATTEMPTS_MAX:
            reason = f"{run.attempts} workers were lost while they ran this."
            final = replace(run, state=RunState.FAILED, error=reason, error_code="failed", finished_at=now)
            commands += end(state, final, now)
            continue
        # An instance does the same again and leaves out what it has said; others are begun as if they had never run.
        said = run.said if run.id in state.seats else 0
        again = replace(run, state=tasks.step(run.id, run.state, RunState.QUEUED), worker_id=WorkerId(""), said=said)
        state.runs[run.id] = again
        authority.moved(state, run)
        state.queue.appendleft(run.id)
        commands += [SaveRun(again), note("run.moved", run.id, now, worker=run.worker_id, epoch=run.epoch)]
    return commands


def cancel(state: State, live: LiveRequest, now: Instant) -> list[Command]:
    """End every live run of a request; workers are told to drop theirs."""
    authority.cancelled(state, live.runs)
    return drop(state, live.runs, lambda run: replace(run, state=RunState.CANCELLED, finished_at=now), now)


def drop(state: State, ids: Iterable[RunId], final: Callable[[TaskRun], TaskRun], now: Instant) -> list[Command]:
    """End live runs wherever they are; workers are told to drop theirs."""
    commands: list[Command] = []
    dropped: dict[WorkerId, list[tuple[RunId, int]]] = defaultdict(list)
    for run_id in sorted(ids):
        run = state.runs[run_id]
        state.taking.pop(run_id, None)
        if run.worker_id:
            dropped[run.worker_id].append((run_id, run.epoch))
        commands += end(state, final(run), now)
    return [*commands, *(AssignRuns(worker, (), (), tuple(runs)) for worker, runs in dropped.items())]


def end(state: State, final: TaskRun, now: Instant) -> list[Command]:
    """A run has ended: exactly once, with its result in the same transaction as its state."""
    before = state.runs.pop(final.id)
    final = memo.settled(state, contracts.checked(state, final))
    tasks.step(final.id, before.state, final.state)
    _release(state, before)
    live = state.requests[final.request_id]
    live.runs.discard(final.id)
    wish = state.wishes.pop(final.id, "")
    if wish and final.state in RUN_SUCCESSES and live.request.kind is not RequestKind.CALL:
        state.again.append(Ended(final, state.tasks[final.task_id].task, live.request, wish))
    live.finished += 1
    if final.state not in RUN_SUCCESSES:
        live.failed += 1
        live.reason, live.reason_code = final.error or str(final.state), final.error_code or "failed"
    if live.request.kind is RequestKind.CALL:
        index = int(final.id.rpartition(".")[2])
        live.ends.append(CallEnd(index, final.state, final.results_json, final.error))
    state.touch(live)
    commands: list[Command] = [SaveRun(final), *edges.of_run(state.tasks[final.task_id].task, final)]
    commands += [*memo.shown(final, now), *authority.ended(state, final)]
    commands += _end_task(state, final, now)
    return commands


def _assigned(run: TaskRun, worker_id: WorkerId, now: Instant) -> TaskRun:
    return replace(
        run,
        state=tasks.step(run.id, run.state, RunState.ASSIGNED),
        epoch=run.epoch + 1,
        attempts=run.attempts + 1,
        worker_id=worker_id,
        started_at=now,
    )


def _advance(state: State, run: TaskRun, said: RunReport, now: Instant) -> list[Command]:
    if said.state is RunState.RUNNING:
        if run.state is RunState.ASSIGNED:
            state.runs[run.id] = replace(run, state=RunState.RUNNING, started_at=now)
            return [SaveRun(state.runs[run.id])]
        return []
    if said.state is RunState.QUEUED and run.state is RunState.ASSIGNED:
        # The worker could not begin it within its lease; that is no failure of the run's.
        return move(state, [replace(run, attempts=run.attempts - 1)], now)
    if said.state not in tasks.RUN_ENDS:
        return []
    final = replace(
        run,
        state=said.state,
        results_json=said.results_json,
        error=said.error,
        error_code=said.error_code,
        finished_at=now,
    )
    if said.made and said.state in RUN_SUCCESSES:
        state.taking[run.id] = final
        request = state.requests[run.request_id].request
        place = run.bundle, run.version
        where = output.folder(run)
        return [TakeOutputs(run.id, run.epoch, said.made, where, place, request.user, request.chain, said.packed)]
    return end(state, final, now)


def _release(state: State, run: TaskRun) -> None:
    state.planning.discard(run.id)
    state.progress.pop(run.id, None)
    state.sent_at.pop(run.id, None)
    state.load.get(run.worker_id, set()).discard(run.id)
    state.parked.get(run.worker_id, set()).discard(run.id)


def _show_proplet(state: State, run: TaskRun, now: Instant) -> list[Command]:
    """A definition that was started over HTTP shows which proplet has it."""
    row = state.tasks[run.task_id]
    if row.is_hidden or row.run_id != run.id:
        return []
    row = replace(row, state=TaskState.RUNNING, proplet_id=run.worker_id, started_at=now, updated_at=now)
    state.tasks[run.task_id] = row
    return [SaveTask(row)]


def _end_task(state: State, final: TaskRun, now: Instant) -> list[Command]:
    left = state.task_users.get(final.task_id, 1) - 1
    state.task_users[final.task_id] = left
    row = state.tasks[final.task_id]
    if row.is_hidden:
        if left <= 0:
            del state.tasks[final.task_id], state.task_users[final.task_id]
        return []
    if row.run_id != final.id:
        return []
    ended = {RunState.DONE: TaskState.COMPLETED, RunState.GAVEUP: TaskState.COMPLETED}
    row = replace(
        row,
        state=ended.get(final.state, TaskState.INTERRUPTED if final.state is RunState.CANCELLED else TaskState.FAILED),
        results_json=final.results_json,
        error=final.error,
        finished_at=now,
        updated_at=now,
    )
    state.tasks[final.task_id] = row
    return [SaveTask(row)]


def is_for_us(kind: TaskKind) -> bool:
    """Whether our own workers run this kind of definition; wasm goes to proplets, services to the servicer."""
    return kind in {TaskKind.SCRIPT, TaskKind.PIPELINE}
