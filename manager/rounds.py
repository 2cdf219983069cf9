"""A run that asked to be done again is: a request of its own, caused by the one that it was of (requirement 174; pure).

Each such request carries how many runs have led to it. One too many is refused, with the reason, and remembered.
"""

from __future__ import annotations

from blake3 import blake3

from manager import asks, autouser, origins
from manager.commands import Answer, Command
from manager.events import Origin, RunAsked
from manager.state import Ended, State
from plotter2 import ids
from plotter2.clock import Instant
from plotter2.errors import LimitError
from plotter2.model import ask, rounds
from plotter2.model.request import RequestKind
from plotter2.model.rounds import ROUNDS_MAX
from plotter2.model.task import Limits, TaskKind


def ask_for(state: State, now: Instant) -> list[Command]:
    """Ask for what the runs want that have ended in this turn."""
    commands: list[Command] = []
    while state.again:
        ended = state.again.pop(0)
        for index, parameters_json in enumerate(_wanted(ended)):
            commands += _asked(state, ended, index, parameters_json, now)
    return commands


def _wanted(ended: Ended) -> list[str]:
    """The parameters of each run that follows."""
    again, former = rounds.decode(ended.again_json), _round(ended)
    if again.over:
        return [] if former else [ask.replaced(ended.run.parameters_json, one) for one in again.over]
    return [] if again.times and former + 1 >= again.times else [ended.run.parameters_json]


def _round(ended: Ended) -> int:
    """How many runs have led to this one."""
    is_run = ended.request.kind is RequestKind.RUN
    return ask.run_ask(ended.request.ask_json).round if is_run else 0


def _asked(state: State, ended: Ended, index: int, parameters_json: str, now: Instant) -> list[Command]:
    request, task, number = ended.request, ended.task, _round(ended) + 1
    again = rounds.decode(ended.again_json)
    former = ask.run_ask(request.ask_json) if request.kind is RequestKind.RUN else ask.RunAsk()
    chance = blake3(f"{ended.run.id}\0again\0{index}".encode()).digest()
    is_declared = bool(task.bundle) and not former.source
    event = RunAsked(
        0, ids.request_id(int(now * 1000), chance), request.user, task.name, ended.run.bundle, former.version,
        "" if is_declared else task.source, TaskKind.SCRIPT if is_declared else task.kind,
        "" if is_declared else task.filename, parameters_json, cause=request.id,
        limits=Limits() if is_declared else task.limits, force=former.force, round=number,
        source_digest=b"" if is_declared else task.source_digest, on=again.on, of=again.of, since=ended.run.created_at,
    )  # fmt: skip
    origin = Origin(request.id, request.chain, request.because, request.scope)
    wrong = autouser.objection(state, event, origin, now)
    if wrong is None and number > ROUNDS_MAX:
        wrong = LimitError(f"Stopped: {task.name!r} repeated itself {ROUNDS_MAX} times, and its end had not come.")
    decided = asks.objected(state, event, wrong, now) if wrong else asks.run(state, event, now)
    decided = origins.marked(state, decided, event.request_id, origin)
    return [one for one in decided if not isinstance(one, Answer)]  # nobody waits for it
