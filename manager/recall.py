"""What a run comes to: its instances, and which of them did the same on the same data before.

Reads definitions and scripts that are steps of them, never data. Writes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import msgspec
import structlog

from manager import memo
from manager.commands import PlanInstances
from manager.events import InstancesPlanned
from manager.instance_planner import InstancePlanner
from manager.instances import given
from manager.keeper import Keeper
from manager.organizer import Organizer
from manager.publisher import seed_of
from manager.store import Store
from plotter2.datter.pipelines import memo as recipe
from plotter2.datter.pipelines import pipeline
from plotter2.datter.pipelines.register import Step
from plotter2.datter.vocabulary import Additions
from plotter2.model.task import SCRIPT_SUFFIX, SOURCE_BYTES_MAX, TaskRun

KEPT_MAX = 10_000


class Recall:
    """Finds results again. `keeper` has what the installation adds."""

    def __init__(self, store: Store, organizer: Organizer, instance_planner: InstancePlanner, keeper: Keeper) -> None:
        self.keeper = keeper
        self._store = store
        self._organizer = organizer
        self._planner = instance_planner
        self._said: dict[tuple[bytes, str, int, bytes], bytes] = {}
        self._log = structlog.get_logger("manager.recall")

    async def planned(self, effect: PlanInstances) -> InstancesPlanned:
        """The instances of a run, and what of them is known.

        Raises:
            UnreachableError: the store is away.
            RefusedError: its definition cannot be read, a parameter names no key, or there are too many instances.
        """
        run = effect.run
        target, own = (run.bundle, run.version), await self.keeper.of(run.config)
        found = await self._planner.plan(effect.task, target, run.parameters_json, effect.pins, is_asked=True, own=own)
        parameters = tuple(msgspec.json.encode(keys).decode() for keys in found.parameters)
        made = InstancesPlanned(run.id, parameters, bool(found.axes), found.plan.warning)
        said = await self._what(effect, own) if effect.stamp else b""
        if not said:
            return made
        bound = [replace(run, parameters_json=given(run, text)) for text in parameters]
        keys = tuple(memo.key(said, one, seed_of(one), effect.stamp) for one in bound)
        return replace(made, memo_keys=keys, known={} if effect.is_forced else await self._store.find_memos(keys))

    async def _what(self, effect: PlanInstances, own: Additions) -> bytes:
        """What a definition does where it runs; b"" where that may come out differently each time."""
        place = effect.task.source_digest, effect.run.bundle, effect.run.version, own.digest
        found = self._said.get(place)
        if found is None:
            source = await asyncio.to_thread(self._planner.source_of, effect.task)
            steps = pipeline.parsed(source, effect.task.filename or effect.task.name, own)
            texts = {name: one for name, one in own.files.items() if name.endswith(SCRIPT_SUFFIX)}
            ours = await asyncio.to_thread(lambda: {name: self._text(one) for name, one in texts.items()})
            scripts = await self._scripts(steps, effect.run)
            why = recipe.why_not(steps, scripts, own.names) or recipe.unsteady_words(steps, ours, own)
            if why:
                self._log.info("memo.never", task=effect.task.name, bundle=effect.run.bundle, why=why)
            found = b"" if why else recipe.said(steps)
            if len(self._said) >= KEPT_MAX:
                self._said.clear()
            self._said[place] = found
        return found

    async def _scripts(self, steps: Sequence[Step], run: TaskRun) -> recipe.SourceOf:
        """The texts of the scripts among the steps."""
        paths = {recipe.script_of(step) for step in steps} - {""}
        wanted = [(run.bundle, run.version, path) for path in sorted(paths)]
        digests = await self._store.digests_of(wanted)
        texts = {place[2]: await asyncio.to_thread(self._text, digest) for place, digest in digests.items()}
        return texts.get

    def _text(self, digest: bytes) -> str:
        with self._organizer.open_blob(digest) as file:
            return file.read(SOURCE_BYTES_MAX + 1).decode(errors="replace")
