"""Whatever was pushed, archived, tagged and inherited: a manager that starts anew knows what the old one knew."""

from __future__ import annotations

import asyncio
import json
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manager import loading
from manager.catalog import Catalog
from manager.commands import Command, Write
from manager.events import ArchiveAsked, InheritAsked
from manager.machine import Machine
from manager.scheduler import RoundRobin
from manager.store import Batch
from manager.store.memory import MemoryStore
from plotter2.errors import PackageError
from plotter2.model.bundle import Contents, FileEntry
from plotter2.model.package import Package
from plotter2.testing.clock import ManualClock
from tests.unit.manager.kit import Story, request

NAMES = ("lib", "lab", "lab/x", "lab/x/bundles/y", "other")
TASK = {"name": "t", "task_src": "t.py"}

packages = st.builds(
    lambda parents, tasks, config, data: {"parents": parents, "tasks": tasks, "config": config, "data": data},
    st.lists(st.sampled_from(NAMES), unique=True, max_size=2),
    st.sampled_from([[], [TASK]]),
    st.dictionaries(st.sampled_from("ab"), st.integers(0, 1), max_size=2),
    st.sampled_from([{}, {"d": {"path": "*.csv"}}]),
)
pushes = st.tuples(st.just("push"), st.sampled_from(NAMES), packages, st.integers(0, 3))
archives = st.tuples(st.just("archive"), st.sampled_from(NAMES), st.booleans())
inherits = st.tuples(st.just("inherit"), st.sampled_from(NAMES))
steps = st.lists(st.one_of(pushes, pushes, archives, inherits), min_size=1, max_size=12)


class Kept(Story):
    """A story whose writes go into a store, turn by turn."""

    def __init__(self) -> None:
        super().__init__()
        self.store = MemoryStore()

    async def keep(self, said: list[Command]) -> None:
        batch = Batch(turn=str(next(self.numbers)))
        for command in said:
            if hasattr(command, "put"):
                cast("Write", command).put(batch)
        await self.store.commit(batch)

    def files(self, mark: int) -> tuple[FileEntry, ...]:
        return (FileEntry("t.py", 1, bytes([mark]) * 32),)

    async def step(self, kind: str, name: str, *more: object) -> None:
        known = self.machine.state.catalog.get(name)
        if kind == "push":
            declared, mark = more
            await self.keep(self.push(name, json.dumps(declared), files=self.files(cast("int", mark))))
        elif kind == "archive":
            event = ArchiveAsked(1, request(next(self.numbers)), "ann", name, cast("bool", more[0]))
            await self.keep(self.turn(event))
        elif known is not None:
            files = await self.store.files_of(name, known.version.version)
            event = InheritAsked(1, request(next(self.numbers)), "ann", Contents(known.version, files))
            await self.keep(self.turn(event))


def inherited(catalog: Catalog, name: str, declared: Package) -> object:
    """What it would inherit now, or why not."""
    try:
        return catalog.inherit(name, declared)
    except PackageError as wrong:
        return wrong.message


@pytest.mark.req("r002", "r034")
@settings(max_examples=60, deadline=None)
@given(steps)
def test_after_a_restart_every_bundle_is_what_it_was(taken: list[tuple[str, ...]]) -> None:
    async def live() -> None:
        story = Kept()
        for one in taken:
            await story.step(*one)
        before, again = story.machine.state.catalog, Machine(RoundRobin())
        await loading.load(again, story.store, ManualClock())
        after = again.state.catalog
        assert len(after) == len(before)
        for name in NAMES:
            assert after.get(name) == before.get(name)
            assert list(after.below(name)) == list(before.below(name))
            known = before.get(name)
            if known is not None:
                assert await story.store.get_bundle(name) == known.version
                assert inherited(after, name, known.package) == inherited(before, name, known.package)

    asyncio.run(live())
