"""Which instances a run has: reads its definition and the names of the files it sees, and plans (rule R1).

Only names are read, never data: a key is a file of the data, so ten thousand keys are a list in the store. Writes
nothing. Used for runs that were asked for, and to say beforehand what would run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from manager.beneath import beneath
from manager.catalog import Catalog
from manager.organizer import Organizer
from manager.store import Store
from plotter2.datter.check import Outline, outline
from plotter2.datter.scope import Scope
from plotter2.datter.scripting import axes as planning
from plotter2.datter.scripting.axes import Axis, Plan
from plotter2.datter.scripting.contract import unmet
from plotter2.datter.values.keys import below, catalog, nearest
from plotter2.datter.vocabulary import NONE, Additions
from plotter2.errors import NotFoundError, UsageError
from plotter2.model import inheritance, package
from plotter2.model.bundle import BundleVersion, FileEntry
from plotter2.model.inheritance import NOTHING, Snapshot
from plotter2.model.pins import UNPINNED
from plotter2.model.task import SOURCE_BYTES_MAX, Task

KEPT_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Planned:
    """What a run comes to; `is_bound`: its parameters name a key for each axis already."""

    axes: tuple[Axis, ...]
    plan: Plan
    is_bound: bool = False

    @property
    def parameters(self) -> tuple[dict[str, str], ...]:
        """What binds the axes of each instance."""
        return tuple(self.plan.parameters(place) for place in range(len(self.plan.instances)))


def plan_in(axes: tuple[Axis, ...], scope: Scope, given: Mapping[str, Any]) -> Planned:
    """The instances of a definition with these axes in a scope.

    Raises:
        UsageError: a parameter names no key.
        LimitError: they would be too many.
    """
    plan = planning.planned(axes, partial(planning.keys_of, scope), given)
    if plan.warning:
        missing = next(base for base, count in plan.counts.items() if not count)
        keys = {name: key for one in (scope, *below(scope)) for name, key in catalog(one).items()}
        known = [name for name, key in keys.items() if key.paths]
        why = "what is declared under this name matches no file" if missing in keys else nearest(missing, known)
        plan = replace(plan, warning=f"{plan.warning.rstrip('.')}; {why}.")
    return Planned(axes, plan)


class InstancePlanner:
    """Plans instances."""

    def __init__(self, store: Store, organizer: Organizer, catalog: Catalog) -> None:
        """`catalog` says what lies below a bundle."""
        self._store = store
        self._organizer = organizer
        self._catalog = catalog
        self._outlines: dict[bytes, Outline] = {}
        self._inherited: dict[bytes, Snapshot] = {b"": NOTHING}

    async def plan(
        self,
        task: Task,
        target: tuple[str, int],
        parameters_json: str,
        pinned: bytes = UNPINNED,
        *,
        is_asked: bool = False,
        own: Additions = NONE,
    ) -> Planned:
        """The instances of a definition on a bundle version.

        Args:
            task: the definition.
            target: the bundle and its version.
            parameters_json: what is given.
            pinned: what a request sees below the bundle.
            is_asked: it shall run: all that it imposes must hold, so that not each of its instances fails by it.
            own: what the installation adds.

        Raises:
            RefusedError: it cannot be read, a parameter names no key, there are too many instances, or what the
                definition imposes does not hold.
        """
        said = await self.outline_of(task, own)
        axes = said.axes
        given: dict[str, Any] = msgspec.json.decode(parameters_json or "{}")
        if all(axis.name in given for axis in axes):
            return Planned(axes, Plan(({},)), is_bound=True)
        scope = await self.scope(*target, pinned)
        wrong = unmet(said.imposes, {**scope.config, **scope.parameters, **given}) if is_asked else ""
        if wrong:
            raise UsageError(wrong)
        return await asyncio.to_thread(plan_in, axes, scope, given)

    async def outline_of(self, task: Task, own: Additions = NONE) -> Outline:
        """The outline of a definition; of one that a bundle declares its source is read once.

        Raises:
            ScriptError: it cannot be run.
        """
        found = self._outlines.get(task.source_digest)
        if found is None:
            found = await asyncio.to_thread(self._read, task, own)
            if len(self._outlines) < KEPT_MAX:
                self._outlines[task.source_digest] = found
        return found

    def _read(self, task: Task, own: Additions) -> Outline:
        return outline(self.source_of(task), task.filename or task.name, task.kind, own)

    def source_of(self, task: Task) -> str:
        """The text of a definition, from the blob store where it did not come along.

        Raises:
            NotFoundError: it is not there.
        """
        if task.source or not task.source_digest:
            return task.source
        with self._organizer.open_blob(task.source_digest) as file:
            return file.read(SOURCE_BYTES_MAX + 1).decode(errors="replace")

    async def scope(self, bundle: str, version: int, pinned: bytes = UNPINNED) -> Scope:
        """The names that a bundle version sees: its files and those of everything below it, or of what is pinned.

        Raises:
            NotFoundError: there is no such version.
        """
        found = await self._store.get_bundle(bundle, version)
        if found is None:
            raise NotFoundError(f"There is no version {version} of {bundle!r}.")
        lower: list[Scope] = []
        async for part in beneath(self._store, self._catalog, bundle, pinned):
            files = await self._store.files_of_many([(one.path, one.version) for one in part])
            lower += [await self._one(one, files.get((one.path, one.version), ()), []) for one in part]
        return await self._one(found, await self._store.files_of(bundle, version), lower)

    async def _one(self, version: BundleVersion, files: Sequence[FileEntry], lower: list[Scope]) -> Scope:
        inherited = self._inherited.get(version.inherited)
        if inherited is None:
            inherited = inheritance.decode(await self._store.get_inheritance(version.inherited))
            if len(self._inherited) < KEPT_MAX:
                self._inherited[version.inherited] = inherited
        text = inheritance.effective_json(version.package_json, inherited)
        return Scope(
            version.path,
            version.version,
            {one.path: Path(one.path) for one in files},
            package.read(text) if text else None,
            msgspec.json.decode(version.parameters_json) if version.parameters_json else {},
            lower,
        )
