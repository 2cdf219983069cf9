"""Plans trees of instances: whether a run is one, who is in it, and which instances each of them has (rules R1, R2).

A run is a tree when its definition is linked to others, or speaks of other tasks. Reads sources and the names of files,
never data; writes nothing.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import msgspec

from manager import kin
from manager.catalog import Catalog
from manager.commands import PlanInstances, PlanStart
from manager.events import InstancesPlanned, Sprout, TreePlanned
from manager.instance_planner import InstancePlanner, plan_in
from manager.recall import Recall
from plotter2.datter.check import Outline
from plotter2.datter.ledger.ops import Define, Instance
from plotter2.datter.scope import Scope
from plotter2.datter.scripting.contract import unmet
from plotter2.errors import UsageError
from plotter2.model import ask
from plotter2.model.task import Task, TaskRun

SECRET_BYTES = 32


class TreePlanner:
    """Plans trees."""

    def __init__(self, instances: InstancePlanner, catalog: Catalog, recall: Recall) -> None:
        """Make it.

        Args:
            instances: reads definitions and scopes.
            catalog: says what a bundle declares, and what that is linked to.
            recall: plans what is no tree.
        """
        self._instances = instances
        self._catalog = catalog
        self._recall = recall
        self.keeper = recall.keeper

    async def planned(self, effect: PlanInstances) -> TreePlanned | InstancesPlanned:
        """What a run comes to.

        Raises:
            UnreachableError: the store is away.
            RefusedError: something of it cannot be read, a parameter names no key, or there are too many instances.
        """
        return await self.tree(effect.run, effect.task, effect.pins) or await self._recall.planned(effect)

    async def tree(self, run: TaskRun, task: Task, pinned: bytes) -> TreePlanned | None:
        """The tree that a run is; None when it is none. `pinned` says what it sees below its bundle.

        Raises:
            RefusedError: something of it cannot be read, a parameter names no key, or there are too many instances.
        """
        declared = self._catalog.declaration(task, run.bundle)
        is_linked = declared is not None and bool(declared.linked)
        own = await self.keeper.of(run.config)
        if not is_linked and not (await self._instances.outline_of(task, own)).is_social:
            return None
        found = kin.gathered(self._catalog, task, run.bundle, run.created_at)
        outlines = {one.name: await self._instances.outline_of(one.task, own) for one in found.values()}
        wanted = [
            (one.name, outlines[one.name], ask.filled(run.parameters_json, one.parameters))
            for one in kin.in_order(found, task.name)
        ]
        scope = await self._instances.scope(run.bundle, run.version, pinned)
        return TreePlanned(
            run.id,
            secrets.token_bytes(SECRET_BYTES),
            tuple(
                (one.task, Define(one.name, one.aliases, outlines[one.name].exposes, one.linked))
                for one in found.values()
            ),
            await asyncio.to_thread(_sprouts, scope, wanted, run.config),
        )

    async def sprouts(self, effect: PlanStart) -> tuple[Sprout, ...]:
        """The instances that one of a tree wants started.

        Raises:
            RefusedError: as `tree`.
        """
        own = await self.keeper.of(effect.config)
        wanted = [(name, await self._instances.outline_of(task, own), given) for name, task, given in effect.wanted]
        scope = await self._instances.scope(*effect.target, effect.pins)
        return await asyncio.to_thread(_sprouts, scope, wanted, effect.config)


def _sprouts(scope: Scope, wanted: Iterable[tuple[str, Outline, str]], config: bytes) -> tuple[Sprout, ...]:
    return tuple(replace(_sprout(scope, name, said, given), config=config) for name, said, given in wanted)


def _sprout(scope: Scope, name: str, said: Outline, given_json: str) -> Sprout:
    """The instances of a definition; all that it imposes must hold, or each of them would fail by it."""
    given: dict[str, Any] = msgspec.json.decode(given_json)
    wrong = unmet(said.imposes, {**scope.config, **scope.parameters, **given})
    if wrong:
        raise UsageError(wrong)
    plan = plan_in(said.axes, scope, given).plan
    instances, places, parameters = [], [], []
    for place, bound in enumerate(plan.instances):
        keys = plan.parameters(place)
        first = next(iter(bound.values()), None)
        instances.append(Instance(", ".join(dict.fromkeys(keys.values())), keys))
        places.append(first.place if first is not None else float(place))
        parameters.append(msgspec.json.encode({**given, **keys}).decode())
    warning = f"{name}: {plan.warning}" if plan.warning else ""
    return Sprout(name, tuple(instances), tuple(places), tuple(parameters), warning)
