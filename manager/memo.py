"""Which results are known already: a pipeline's, under a key of what decides them (requirement 022; pure).

A key has two halves. The first says what is done, with what; `plotter2.datter.pipelines.memo` reads it from the
definition. The second, the stamp, says what it is done on: the bundles that a run on this version sees, and where its
links lead. It is worked out when a run is planned, before anything is read, and again when the run has ended: only if
nothing came in between are its results kept under the key.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import msgspec
from blake3 import blake3

from manager import ways
from manager.catalog import Node
from manager.commands import Command, KeepMemo
from manager.journal import note
from manager.state import State
from manager.ways import Pinned
from plotter2.clock import Instant
from plotter2.model import ask
from plotter2.model.request import Request, RequestKind
from plotter2.model.task import RunState, Task, TaskKind, TaskRun

HALF_BYTES = 16
BELOW_MAX = 10_000
"""A run that sees more bundles than this is never found again: looking through them takes too long."""
STAMPS_MAX = 10_000
"""So many stamps are kept until something changes."""


def stamp(state: State, task: Task, target: tuple[str, int]) -> bytes:
    """What a run of a definition on a bundle version sees, in a digest; b"" where that cannot be told.

    It cannot for a version that is the newest no more, nor for code of one: what their links lead to is not at hand.
    """
    path, version = target
    node = state.catalog.get(path)
    origin = state.catalog.get(task.bundle) if task.bundle else node
    if node is None or origin is None or node.version.version != version:
        return b""
    if task.bundle and task.version not in {0, origin.version.version}:
        return b""
    place, seen = (path, origin.version.path), state.catalog.changes + state.bonds.words
    known = state.stamps.get(place)
    if known is None or known[0] != seen:
        if len(state.stamps) >= STAMPS_MAX:
            state.stamps.clear()
        known = state.stamps[place] = seen, _stamp(state, node, origin)
    return known[1]


def _stamp(state: State, node: Node, origin: Node) -> bytes:
    catalog = state.catalog
    below = list(islice(catalog.below(node.version.path), BELOW_MAX + 1))
    if len(below) > BELOW_MAX:
        return b""
    found = ways.found(state.bonds, _pinned(node), _pinned(origin))
    lent = [(path, version, _seen(catalog.get(path))) for path, version in found.lenders.items()]
    seen = [_seen(catalog.get(path)) for path in (node.version.path, *below)]
    return blake3(msgspec.json.encode([seen, lent, found.ways])).digest(HALF_BYTES)


def _pinned(node: Node) -> Pinned:
    return Pinned(node.version.path, node.version.version, node.package, node.inherited)


def _seen(node: Node | None) -> tuple[str, int, str, str, str, bool] | None:
    if node is None:
        return None
    one = node.version
    return one.path, one.version, one.digest.hex(), one.inherited.hex(), one.parameters_json, one.archived


def wanted(state: State, run: TaskRun) -> bytes:
    """The stamp of a run whose results could be known; b"" for one that is run anew whatever is known."""
    task = state.tasks[run.task_id].task
    live = state.requests[run.request_id]
    if live.request.pins != state.pins.current(live.request.bundle):
        return b""  # it sees what was there when it was asked, and that is not what is there now
    return stamp(state, task, (run.bundle, run.version)) if run.bundle and task.kind is TaskKind.PIPELINE else b""


def is_forced(request: Request) -> bool:
    """Whether it was asked that everything is run anew."""
    return request.kind is RequestKind.RUN and ask.run_ask(request.ask_json).force


def key(said: bytes, run: TaskRun, seed: int, stamp: bytes) -> bytes:
    """Under which the results of a run are found again.

    Args:
        said: what is done, from the definition.
        run: with its parameters, and what the installation added when it was asked for.
        seed: of its random choices.
        stamp: of what it sees.
    """
    given = msgspec.json.encode(msgspec.json.decode(run.parameters_json or "{}"), order="sorted")
    text = b"\0".join((said, run.task_name.encode(), given, str(seed).encode(), run.config))
    return blake3(text).digest(HALF_BYTES) + stamp


def reused(run: TaskRun, former: TaskRun, now: Instant) -> TaskRun:
    """A run that has ended without being run: its results are those of a former one, which has its outputs."""
    return replace(
        run, state=RunState.DONE, results_json=former.results_json, reused_of=former.id, finished_at=now, memo_key=b""
    )


def settled(state: State, final: TaskRun) -> TaskRun:
    """A run at its end: with its key if it went well and still sees what it saw, else with none."""
    if not final.memo_key:
        return final
    if final.state is RunState.DONE and final.memo_key[HALF_BYTES:] == wanted(state, final):
        return final
    return replace(final, memo_key=b"")


def shown(final: TaskRun, now: Instant) -> list[Command]:
    """Results that are kept lie in the folder of their bundle, for people."""
    if not final.memo_key:
        return []
    return [note("memo.kept", final.bundle, now, run=final.id, key=final.memo_key.hex()), KeepMemo(final)]
