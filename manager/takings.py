"""What runs made is brought under output/ before their ends are committed: many small ones together, large ones alone.

On disk, then committed, then told: the event that ends a run is heard when its files and their names are durable. Work
that a crash cut off is done again, which changes nothing where it had been done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from manager import edges
from manager.commands import TakeOutputs
from manager.events import OutputsRefused, OutputsTaken
from manager.exports import Exports
from manager.loop import Loop
from manager.organizer import Left, Organizer, Taken
from manager.reaching import until_reached
from manager.tree import Tree
from plotter2.errors import FailedError, LimitError, Plotter2Error
from plotter2.layout import Layout
from plotter2.model.output import EXPORT
from plotter2.model.report import KIND as REPORT
from plotter2.together import Spawn, Together

ALONE_AT_A_TIME = 8
SMALL_FILES_MAX = 64
SMALL_BYTES_MAX = 4 << 20
"""A run that made no more than this is taken with others; reading a larger one would keep them waiting."""
LONG = frozenset({EXPORT, REPORT})
"""What takes more than being moved: it goes into bundles, or into the store."""


class Takings:
    """Brings over what runs made."""

    def __init__(self, spawn: Spawn, layout: Layout, organizer: Organizer, tree: Tree, loop: Loop) -> None:
        """`spawn` runs a coroutine in the manager's task group under a name."""
        self._spawn = spawn
        self._layout = layout
        self._organizer = organizer
        self._tree = tree
        self._loop = loop
        self._exports: Exports
        self._small = Together(spawn, "outputs", self._take_small)
        self._alone = asyncio.Semaphore(ALONE_AT_A_TIME)
        self._log = structlog.get_logger("manager.takings")

    def connect(self, exports: Exports) -> None:
        """Give it the door for what runs export, before the first run is taken."""
        self._exports = exports

    def take(self, effect: TakeOutputs) -> None:
        """Have a run's outputs brought over; returns at once."""
        made = effect.made
        is_long = bool(effect.packed) or any(one.kind in LONG for one in made)
        if is_long or len(made) > SMALL_FILES_MAX or sum(one.size_bytes for one in made) > SMALL_BYTES_MAX:
            self._spawn(self._take_alone(effect), f"outputs {effect.run_id}")
        else:
            self._small.put(effect)

    async def _take_small(self, effects: Sequence[TakeOutputs]) -> None:
        """Many with as many syncs as one; where the disk refuses some, each tries alone."""
        taken: list[tuple[TakeOutputs, Taken]] = []
        for effect, ended in zip(effects, await self._moved(effects), strict=True):
            if isinstance(ended, LimitError | FailedError) and len(effects) > 1:
                self._spawn(self._take_alone(effect), f"outputs {effect.run_id}")
            elif isinstance(ended, Plotter2Error):
                await self._refuse(effect, ended.message)
            else:
                taken.append((effect, ended))
        await self._tell(taken)

    async def _take_alone(self, effect: TakeOutputs) -> None:
        async with self._alone:
            [ended] = await self._moved([effect])
        if isinstance(ended, Plotter2Error):
            await self._refuse(effect, ended.message)
            return
        try:
            await until_reached(effect.run_id, lambda: self._exports.take_in(effect, ended.outputs))
        except Plotter2Error as wrong:
            await self._refuse(effect, wrong.message, wrong.code)
            return
        await self._tell([(effect, ended)])

    async def _moved(self, effects: Sequence[TakeOutputs]) -> list[Taken | Plotter2Error]:
        left = [
            Left(self._layout.runs / f"{one.run_id}.{one.epoch}", one.made, one.target, one.packed) for one in effects
        ]
        return await asyncio.to_thread(self._organizer.take_all, left)

    async def _tell(self, taken: Sequence[tuple[TakeOutputs, Taken]]) -> None:
        """Say that they lie there, and what they read: what a sidecar says counts where it is so."""
        if not taken:
            return
        said = [(one.files, one.groups) for _, one in taken]
        believed = await until_reached(taken[0][0].run_id, lambda: self._tree.believed(said))
        for (effect, one), (files, unnamed) in zip(taken, believed, strict=True):
            read = edges.reads(effect.run_id, effect.version, files, unnamed)
            await self._loop.put(OutputsTaken(effect.run_id, effect.epoch, one.outputs, one.kept, read))

    async def _refuse(self, effect: TakeOutputs, reason: str, code: str = "corruption") -> None:
        self._log.warning("outputs.refused", run=effect.run_id, why=reason)
        await self._loop.put(OutputsRefused(effect.run_id, effect.epoch, reason, code))
