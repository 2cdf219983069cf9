"""Who is alive: heartbeats into alive, suspect, lost (pure). Silence is the judge; a last will is only faster.

After the manager's own restart every worker gets a full grace before anybody is judged.
"""

from __future__ import annotations

from dataclasses import replace

from manager.commands import AskWho, Command, SaveWorker
from manager.events import WorkerAnnounced, WorkerBeat, WorkerLeft
from manager.journal import note
from manager.state import State
from plotter2.clock import Instant
from plotter2.ids import RunId, WorkerId
from plotter2.model.task import TaskRun
from plotter2.model.worker import ALIVE_HISTORY_MAX, LOST_BEATS, SUSPECT_BEATS, Worker, WorkerState

GRACE_S = 1.0
"""Added to every judgement: jitter of a busy machine is not death."""
WORKERS_MAX = 10_000


def announce(state: State, event: WorkerAnnounced, now: Instant) -> tuple[list[Command], list[TaskRun]]:
    """A worker says who it is. Returns commands, and the runs that died with its former process."""
    known = state.workers.get(event.worker_id)
    worker = Worker(
        event.worker_id,
        event.name or (known.name if known else f"proplet-{event.worker_id[:8]}"),
        WorkerState.ALIVE,
        event.is_ours,
        event.incarnation,
        max(1, event.slots),
        event.beat_s,
        event.pid,
        event.host,
        now,
        _history(known, now),
        event.metadata_json,
    )
    orphans: list[TaskRun] = []
    if known is not None and known.incarnation != event.incarnation:
        orphans = runs_of(state, event.worker_id)
    state.workers[worker.id] = worker
    state.load.setdefault(worker.id, set())
    return [SaveWorker(worker), note("worker.announced", worker.id, now, name=worker.name)], orphans


def beat(state: State, event: WorkerBeat, now: Instant) -> list[Command]:
    """A heartbeat: alive again if it was not. An unknown id is taken in as a plain proplet."""
    known = state.workers.get(event.worker_id)
    if event.incarnation and (known is None or known.incarnation != event.incarnation):
        # One of our own whose announcement we have missed: a message without assignments asks who it is.
        return [AskWho(event.worker_id)]
    if known is None:
        if len(state.workers) >= WORKERS_MAX:
            return []
        return announce(state, WorkerAnnounced(event.worker_id), now)[0]
    was_alive = known.state is WorkerState.ALIVE
    worker = replace(known, state=WorkerState.ALIVE, last_seen_at=now, history=_history(known, now))
    state.workers[worker.id] = worker
    # A beat that changes nothing is not worth a transaction; the stamp is written with the next change.
    return [] if was_alive else [SaveWorker(worker), note("worker.alive", worker.id, now)]


def leave(state: State, event: WorkerLeft, now: Instant) -> tuple[list[Command], list[TaskRun]]:
    """A worker is gone by its own word or its last will."""
    known = state.workers.get(event.worker_id)
    if known is None or known.state is WorkerState.LOST:
        return [], []
    if event.incarnation and event.incarnation != known.incarnation:
        return [], []  # the will of a process that was replaced already
    return _lose(state, known, now)


def judge(state: State, now: Instant, late_s: float) -> tuple[list[Command], list[TaskRun]]:
    """Look at everybody's silence, but for the time in which nobody was listened to.

    Returns:
        Commands, and the runs that must go elsewhere.
    """
    commands: list[Command] = []
    orphans: list[TaskRun] = []
    for worker in list(state.workers.values()):
        if worker.state is WorkerState.LOST:
            continue
        if late_s:
            worker = replace(worker, last_seen_at=min(now, Instant(worker.last_seen_at + late_s)))  # noqa: PLW2901 -- as it is from now on
            state.workers[worker.id] = worker
        silence_s = now - worker.last_seen_at - GRACE_S
        if silence_s > worker.beat_s * LOST_BEATS:
            said, lost = _lose(state, worker, now)
            commands += said
            orphans += lost
        elif silence_s > worker.beat_s * SUSPECT_BEATS and worker.state is WorkerState.ALIVE:
            state.workers[worker.id] = replace(worker, state=WorkerState.SUSPECT)
            commands.append(SaveWorker(state.workers[worker.id]))
    return commands, orphans


def runs_of(state: State, worker_id: WorkerId) -> list[TaskRun]:
    """The live runs that a worker holds, in the order of their ids."""
    ids: set[RunId] = state.load.get(worker_id, set())
    return [state.runs[run] for run in sorted(ids) if run in state.runs]


def _lose(state: State, worker: Worker, now: Instant) -> tuple[list[Command], list[TaskRun]]:
    lost = replace(worker, state=WorkerState.LOST)
    state.workers[worker.id] = lost
    return [SaveWorker(lost), note("worker.lost", worker.id, now, name=worker.name)], runs_of(state, worker.id)


def _history(known: Worker | None, now: Instant) -> tuple[Instant, ...]:
    before = known.history if known else ()
    return (*before, now)[-ALIVE_HISTORY_MAX:]
