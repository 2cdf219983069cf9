"""What a run gives, held against what its operation promises (requirements 046, 047; pure).

At link time declarations were compared; here the value itself is, each time. A forced link promises nothing.
"""

from __future__ import annotations

import json
from dataclasses import replace

from manager.state import State
from plotter2.model import ask, values
from plotter2.model.link import Head
from plotter2.model.request import RequestKind
from plotter2.model.task import RunState, TaskRun
from plotter2.model.types import Kind, Mode


def checked(state: State, final: TaskRun) -> TaskRun:
    """The run as it ended; failed, with its result kept, where that is not what the operation returns."""
    request = state.requests[final.request_id].request
    if final.state is not RunState.DONE or request.kind is not RequestKind.RUN or not request.bundle:
        return final
    seat = state.seats.get(final.id)
    if seat is not None and not seat.tree.is_root(seat.number):  # it runs beside what was asked for
        return final
    asked = ask.run_ask(request.ask_json)
    promised = None if asked.source else _promised(state, asked.bundle, asked.task)
    if promised is None or promised.returns.kind is Kind.ANY:
        return final
    link = state.bonds.between(promised.bundle, final.bundle).get(promised.name)
    if link is not None and link.is_forced:
        return final
    reason = _reason(promised, final.results_json, link.mode if link is not None else Mode.CONSTANT)
    if not reason:
        return final
    error = f"{promised.name!r} of {promised.bundle!r} returns {promised.returns}, and {reason}."
    return replace(final, state=RunState.FAILED, error=error, error_code="task_failed")


def _reason(promised: Head, results_json: str, mode: Mode) -> str:
    try:
        return values.misfit(promised.returns, json.loads(results_json or "null"), mode)
    except (ValueError, RecursionError):  # numbers of thousands of digits, lists in lists without end
        return "this is nothing that can be read"


def _promised(state: State, bundle: str, task: str) -> Head | None:
    """The operation behind a task: of the bundle that was asked, or of the one that it inherits it from."""
    own = state.bonds.heads(bundle).of_task(task)
    node = state.catalog.get(bundle)
    trait = node.inherited.of("tasks").get(task) if node is not None else None
    if own is not None or node is None or trait is None:
        return own
    return state.bonds.heads(node.inherited.line[trait.origin].bundle).of_task(task)
