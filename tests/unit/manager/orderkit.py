"""Stories of standing orders: what is declared, what fired, and a machine that starts again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime

from manager.commands import Command, SaveRequest
from manager.events import (
    Ticked,
)
from manager.machine import Machine
from manager.scheduler import RoundRobin
from manager.store import Batch
from manager.store.memory import MemoryStore
from plotter2.clock import Instant
from plotter2.model.bundle import FileEntry
from plotter2.model.request import Request, RequestKind
from tests.unit.manager.kit import FILES, Story, only

LAB = "lab/a"
MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC).timestamp()


def lab() -> Story:
    """At midnight, with a worker."""
    story = Story()
    story.now = Instant(MIDNIGHT)
    story.worker("w1", slots=100)
    return story


def ordered(*orders: dict[str, object], **more: object) -> str:
    tasks = [{"name": "curve", "task_src": "tasks/curve.json"}, {"name": "compare", "task_src": "tasks/compare.py"}]
    return json.dumps({**more, "tasks": tasks, "standing": [{"run": ["compare"], **one} for one in orders]})


def fired(said: Iterable[Command]) -> list[Request]:
    """Each firing as it was first written."""
    found = (one.request for one in only(said, SaveRequest) if one.request.kind is RequestKind.STANDING)
    seen: dict[str, Request] = {}
    for one in found:
        seen.setdefault(one.id, one)
    return list(seen.values())


def arrive(story: Story, number: int) -> list[Command]:
    return story.push(f"{LAB}/bundles/b{number}", files=[FileEntry("x", 1, bytes([number]) * 32)])


def tick(story: Story, at: float) -> list[Command]:
    return story.turn(Ticked(), after_s=at - story.now)


async def restarted(story: Story) -> Story:
    """The same as a new process finds it: everything that was decided so far was written, and nothing else."""
    store, batch = MemoryStore(), Batch(turn="1")
    for command in story.said:
        if hasattr(command, "put"):
            command.put(batch)
    await store.commit(batch)
    again = Story()
    again.now, again.numbers, again.machine = story.now, story.numbers, Machine(RoundRobin())
    sources = {LAB: {"tasks/curve.json": FILES[3].digest, "tasks/compare.py": FILES[2].digest}}
    again.said += again.machine.load(await store.load(), sources, {}, again.now)
    again.worker("w1", slots=100)
    return again
