"""Standing orders: what happens by itself when data arrives (requirements 023, 024; pure).

A firing is a request of its own, linked to its cause. Old outputs stay: each firing writes to a folder of its own.
"""

from __future__ import annotations

from blake3 import blake3

from manager import runs
from manager.catalog import Node
from manager.commands import Command, SaveTask
from manager.journal import note
from manager.state import LiveRequest, State
from manager.store import TaskRow
from plotter2 import ids
from plotter2.clock import Instant
from plotter2.ids import RequestId
from plotter2.model import paths
from plotter2.model.request import Request, RequestKind, RequestState


def on_version(state: State, node: Node, cause: RequestId, now: Instant) -> list[Command]:
    """A new version of a bundle has come: its own orders, and those of its parent for a child."""
    commands = _fire(state, node, node, "version", cause, now)
    above = paths.parent(node.version.path)
    parent = state.catalog.get(above) if above else None
    if parent is not None:
        commands += _fire(state, parent, node, "child", cause, now)
    return commands


def on_settled(state: State, bundle: str, cause: RequestId, now: Instant) -> list[Command]:
    """All that was asked of a bundle's children is in."""
    node = state.catalog.get(bundle)
    return _fire(state, node, node, "settled", cause, now) if node else []


def has_open_redo(state: State, bundle: str) -> bool:
    """Whether children of this bundle are still to come."""
    return any(
        live.request.kind is RequestKind.REDO and live.request.bundle == bundle for live in state.requests.values()
    )


def _fire(state: State, holder: Node, target: Node, on: str, cause: RequestId, now: Instant) -> list[Command]:
    commands: list[Command] = []
    for order in holder.package.standing:
        if order.on != on:
            continue
        path, version = target.version.path, target.version.version
        chance = blake3(f"{cause}\0{holder.version.path}\0{order.name}\0{path}\0{version}".encode()).digest()
        request = Request(
            ids.request_id(int(now * 1000), chance),
            RequestKind.STANDING,
            RequestState.ACCEPTED,
            user=f"standing:{order.name}",
            bundle=path,
            cause=cause,
            created_at=now,
        )
        live = LiveRequest(request)
        state.requests[request.id] = live
        state.touch(live)
        commands.append(note("standing.fired", request.id, now, order=order.name, bundle=path, cause=cause))
        for name in order.run:
            task = state.catalog.task(name, holder.version.path, now)
            runs.adopt_task(state, task)
            commands.append(SaveTask(TaskRow(task, is_hidden=True)))
            commands.append(runs.add(state, live, task, (path, version), "{}", now))
    return commands
