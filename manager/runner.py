"""Carries out what the machine decided and returns outcomes as events. Nothing here decides, nothing is forgotten.

Effects are safe to repeat: after kill -9 the machine asks again for whatever was not confirmed. Work that takes time
runs in tasks of their own, a bounded number at a time; disk work runs in threads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, TypeVar

import structlog
from blake3 import blake3

from manager.commands import (
    Answer,
    AskWho,
    AssignRuns,
    Effect,
    InstallDelivery,
    KeepMemo,
    KeepRecord,
    KeepReport,
    Materialise,
    Notify,
    NotifyCalls,
    NotifyLines,
    NotifyProgress,
    PlanInstances,
    PlanStart,
    StartOnProplet,
    StartService,
    StopOnProplet,
    StopService,
    TakeOutputs,
    Tell,
)
from manager.desk import Desk
from manager.events import (
    DeliveryInstalled,
    DeliveryRefused,
    InstancesPlanned,
    ServiceRefused,
    StartPlanned,
    StraysFound,
)
from manager.exports import Exports
from manager.hub import Hub
from manager.inspection import check_claims, inspect, read_metrics, read_tasks
from manager.loop import Loop
from manager.organizer import Organizer
from manager.prompting import AskFor, Consider
from manager.publisher import Publisher
from manager.reaching import until_reached
from manager.servicelink import ServiceLink
from manager.store import Delivery
from manager.takings import Takings
from manager.tree import Tree, Wanted
from manager.tree_planner import TreePlanner
from plotter2.errors import FailedError, LimitError, PackageError, Plotter2Error, RefusedError
from plotter2.layout import Layout
from plotter2.model import enclosed, manifest
from plotter2.model.conditions import conditions
from plotter2.model.report import Report
from plotter2.model.service import ServiceSpec
from plotter2.model.task import TaskRun
from plotter2.together import Spawn, Together

T = TypeVar("T")

INSTALLS_AT_A_TIME = 4
SMALL_FILES_MAX = 64
SMALL_BYTES_MAX = 1 << 20
"""Deliveries up to this are taken in together; a large one would keep the small ones waiting."""
PLANS_AT_A_TIME = 4
RETRY_S = 1.0


class Door(Protocol):
    """Where plotter2 asks for something itself, as people do."""

    async def ask_for(self, wanted: AskFor) -> None:
        """Ask for the redo of a firing."""

    async def consider(self, effect: Consider) -> None:
        """Have a planner think about a wish, and ask for what it proposes."""


class Runner:
    """The manager's hands."""

    def __init__(
        self,
        spawn: Spawn,
        layout: Layout,
        organizer: Organizer,
        tree: Tree,
        loop: Loop,
        tree_planner: TreePlanner,
    ) -> None:
        """`spawn` runs a coroutine in the manager's task group under a name."""
        self._spawn = spawn
        self._layout = layout
        self._organizer = organizer
        self._tree = tree
        self._tree_planner = tree_planner
        self._loop = loop
        self._desk: Desk
        self._hub: Hub
        self._publisher: Publisher
        self._services: ServiceLink
        self._shows = Together(spawn, "show", self._show)
        self._small = Together(spawn, "install", self._install_small)
        self._starting: dict[tuple[str, int], list[ServiceSpec]] = {}
        self._installs = asyncio.Semaphore(INSTALLS_AT_A_TIME)
        self._plans = asyncio.Semaphore(PLANS_AT_A_TIME)
        self._takings = Takings(spawn, layout, organizer, tree, loop)
        self._log = structlog.get_logger("manager.runner")

    def connect(
        self, desk: Desk, hub: Hub, publisher: Publisher, services: ServiceLink,
        door: Door, exports: Exports,
    ) -> None:  # fmt: skip
        """Give it those who hear of effects, the doors for what we ask and give ourselves; before the first one."""
        self._desk, self._hub, self._door = desk, hub, door
        self._publisher, self._services = publisher, services
        self._takings.connect(exports)

    def perform(self, effect: Effect) -> None:  # noqa: C901, PLR0912 -- a dispatch table: one line a kind of effect
        """Carry out one effect; returns at once."""
        match effect:
            case Answer():
                self._desk.answer(effect.token, effect.value, effect.error)
            case Notify():
                self._hub.put(effect.request.id, effect)
            case NotifyLines() | NotifyCalls() | NotifyProgress():
                self._hub.put(effect.request_id, effect)
            case AssignRuns() | AskWho() | StartOnProplet() | StopOnProplet():
                self._publisher.put(effect)
            case AskFor():
                self._spawn(self._door.ask_for(effect), f"ask for {effect.cause}")
            case Consider():
                self._spawn(self._door.consider(effect), f"think about {effect.cause}")
            case InstallDelivery():
                self._install(effect)
            case (
                Materialise(bundle=bundle)
                | KeepRecord(delivery=Delivery(bundle=bundle))
                | KeepReport(report=Report(bundle=bundle))
                | KeepMemo(run=TaskRun(bundle=bundle))
            ):
                self._tree.expect(bundle)
                self._shows.put(effect)
            case TakeOutputs():
                self._takings.take(effect)
            case PlanInstances():
                self._spawn(self._plan(effect), f"plan {effect.run.id}")
            case PlanStart():
                self._spawn(self._plan_start(effect), f"plan {effect.tree}")
            case Tell():
                self._hub.operators.tell(effect)
            case StartService():
                self._start(effect.spec)
            case StopService():
                self._spawn(self._services.stop(effect.service_id), f"stop {effect.service_id}")

    def _start(self, spec: ServiceSpec) -> None:
        """Have a program started on a tree of the version that was planned; all that want this tree at once."""
        place = spec.bundle, spec.version
        self._starting.setdefault(place, []).append(spec)
        if len(self._starting[place]) == 1:
            self._spawn(self._start_all(*place), f"lay out {spec.bundle}@{spec.version}")

    async def _start_all(self, bundle: str, version: int) -> None:
        try:
            await self._tree.lay_out(bundle, version)
        except Plotter2Error as wrong:
            for spec in self._starting.pop((bundle, version)):
                await self._loop.put(ServiceRefused(spec.service_id, wrong.message))
            return
        self._services.start(self._starting.pop((bundle, version)))

    async def _plan(self, effect: PlanInstances) -> None:
        run = effect.run
        async with self._plans:
            try:
                event = await until_reached(run.id, lambda: self._tree_planner.planned(effect))
            except Plotter2Error as wrong:
                event = InstancesPlanned(run.id, error=wrong.message, error_code=wrong.code)
        await self._loop.put(event)

    async def _plan_start(self, effect: PlanStart) -> None:
        asked = effect.tree, effect.number, effect.epoch, effect.seq, effect.given
        async with self._plans:
            try:
                sprouts = await until_reached(effect.tree, lambda: self._tree_planner.sprouts(effect))
                event = StartPlanned(*asked, sprouts)
            except Plotter2Error as wrong:
                event = StartPlanned(*asked, error=wrong.message, error_code=wrong.code)
        await self._loop.put(event)

    def _install(self, effect: InstallDelivery) -> None:
        if len(effect.files) <= SMALL_FILES_MAX and sum(one.size_bytes for one in effect.files) <= SMALL_BYTES_MAX:
            self._small.put(effect)
        else:
            self._spawn(self._install_alone(effect), f"install {effect.delivery_id}")

    async def _install_alone(self, effect: InstallDelivery) -> None:
        """A full or failing disk is no fault of the delivery: the stager keeps it, and we try again."""
        async with self._installs:
            while True:
                [ended] = await asyncio.to_thread(self._brought_in, [effect])
                if not await self._heard_of(effect, ended):
                    return
                await asyncio.sleep(RETRY_S)

    async def _install_small(self, effects: Sequence[InstallDelivery]) -> None:
        """Many with as many syncs as one; whoever has to wait for the disk waits alone."""
        for effect, ended in zip(effects, await asyncio.to_thread(self._brought_in, effects), strict=True):
            if await self._heard_of(effect, ended):
                self._spawn(self._install_alone(effect), f"install {effect.delivery_id}")

    async def _heard_of(self, effect: InstallDelivery, ended: DeliveryInstalled | Plotter2Error) -> bool:
        """Tell of the outcome; whether to try again instead."""
        match ended:
            case DeliveryInstalled():
                await self._loop.put(ended)
            case LimitError() | FailedError():
                self._log.warning("install.failed", delivery=effect.delivery_id, why=ended.message)
                return True
            case RefusedError():
                await self._loop.put(DeliveryRefused(effect.delivery_id, ended.message, ended.code))
            case _:
                raise ended
        return False

    def _brought_in(self, effects: Sequence[InstallDelivery]) -> list[DeliveryInstalled | Plotter2Error]:
        spools = ((Path(one.spool_path) if one.spool_path else None, one.files) for one in effects)
        return [
            wrong or self._looked_into(effect)
            for effect, wrong in zip(effects, self._organizer.install_all(spools), strict=True)
        ]

    def _looked_into(self, effect: InstallDelivery) -> DeliveryInstalled | Plotter2Error:
        try:
            return self._inspected(effect)
        except Plotter2Error as wrong:
            return wrong

    def _inspected(self, effect: InstallDelivery) -> DeliveryInstalled:
        """The last boundary before what a stranger wrote: a fault that reading it provokes refuses the delivery.

        Were it to end the manager, the stager would offer the same delivery again after each start.
        """
        try:
            check_claims(self._layout, effect.files, effect.manifest_json)
            paper = manifest.parse(effect.manifest_json)
            own = self._tree_planner.keeper.current
            declared = inspect(self._layout, effect.files, enclosed.package_json(paper), own)
            measured = read_metrics(self._layout, declared.package, effect.files)
            tasks = read_tasks(self._layout, effect.files, paper, own)
            for one in tasks:  # a long source is fetched by its digest, and each can be asked again
                raw = one.source.encode()
                self._organizer.put(blake3(raw).digest(), [raw])
            return DeliveryInstalled(
                effect.delivery_id, declared.package_json, metrics_json=measured, conditions=conditions(paper),
                tasks=tasks,
            )  # fmt: skip
        except Plotter2Error:
            raise
        except Exception as wrong:
            self._log.exception("inspection.failed", delivery=effect.delivery_id)
            reason = f"What it declares cannot be read: {type(wrong).__name__}."
            raise PackageError(reason) from wrong

    async def _show(self, wanted: Sequence[Wanted]) -> None:
        strays = await self._tree.show(wanted)
        if strays:
            await self._loop.put(StraysFound(0, tuple(strays)))
