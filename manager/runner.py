"""Carries out what the machine decided and returns outcomes as events. Nothing here decides, nothing is forgotten.

Effects are safe to repeat: after kill -9 the machine asks again for whatever was not confirmed. Work that takes time
runs in tasks of their own, a bounded number at a time; disk work runs in threads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import structlog
from blake3 import blake3

from manager import edges
from manager.commands import (
    Answer,
    AskWho,
    AssignRuns,
    Effect,
    InstallDelivery,
    KeepRecord,
    KeepReport,
    Materialise,
    Notify,
    NotifyCalls,
    NotifyLines,
    StartOnProplet,
    StartService,
    StopOnProplet,
    StopService,
    TakeOutputs,
)
from manager.desk import Desk
from manager.events import DeliveryInstalled, DeliveryRefused, OutputsRefused, OutputsTaken, ServiceRefused, StraysFound
from manager.hub import Hub
from manager.inspection import check_claims, inspect, read_metrics, read_tasks
from manager.loop import Loop
from manager.organizer import Organizer
from manager.prompting import AskFor
from manager.publisher import Publisher
from manager.servicelink import ServiceLink
from manager.store.ancestry import FileAt
from manager.tree import Tree
from plotter2.errors import FailedError, LimitError, PackageError, Plotter2Error, RefusedError
from plotter2.layout import Layout
from plotter2.model import manifest
from plotter2.model.conditions import conditions
from plotter2.model.quarantine import QuarantineItem
from plotter2.model.report import KIND as REPORT
from plotter2.model.report import Kept, Report
from plotter2.model.service import ServiceSpec
from plotter2.model.task import Output

INSTALLS_AT_A_TIME = 4
OUTPUTS_AT_A_TIME = 8
RETRY_S = 1.0
Spawn = Callable[[Coroutine[Any, Any, None], str], object]


class Runner:
    """The manager's hands."""

    def __init__(self, spawn: Spawn, layout: Layout, organizer: Organizer, tree: Tree, loop: Loop) -> None:
        """`spawn` runs a coroutine in the manager's task group under a name."""
        self._spawn = spawn
        self._layout = layout
        self._organizer = organizer
        self._tree = tree
        self._loop = loop
        self._desk: Desk
        self._hub: Hub
        self._publisher: Publisher
        self._services: ServiceLink
        self._installs = asyncio.Semaphore(INSTALLS_AT_A_TIME)
        self._outputs = asyncio.Semaphore(OUTPUTS_AT_A_TIME)
        self._log = structlog.get_logger("manager.runner")

    def connect(
        self, desk: Desk, hub: Hub, publisher: Publisher, services: ServiceLink,
        ask_for: Callable[[AskFor], Coroutine[Any, Any, None]],
    ) -> None:  # fmt: skip
        """Give it those who hear of effects, and the door for what is asked by ourselves; before the first one."""
        self._desk, self._hub, self._ask_for = desk, hub, ask_for
        self._publisher, self._services = publisher, services

    def perform(self, effect: Effect) -> None:  # noqa: C901, PLR0912 -- a dispatch table: one line a kind of effect
        """Carry out one effect; returns at once."""
        match effect:
            case Answer():
                self._desk.answer(effect.token, effect.value, effect.error)
            case Notify():
                self._hub.put(effect.request.id, effect)
            case NotifyCalls() | NotifyLines():
                self._hub.put(effect.request_id, effect)
            case AssignRuns() | AskWho() | StartOnProplet() | StopOnProplet():
                self._publisher.put(effect)
            case AskFor():
                self._spawn(self._ask_for(effect), f"ask for {effect.cause}")
            case InstallDelivery():
                self._spawn(self._install(effect), f"install {effect.delivery_id}")
            case Materialise():
                self._tree.expect(effect.bundle)
                self._spawn(self._show(effect), f"show {effect.bundle}")
            case KeepRecord():
                self._tree.expect(effect.delivery.bundle)
                self._spawn(self._keep(effect), f"record {effect.delivery.id}")
            case KeepReport():
                self._tree.expect(effect.report.bundle)
                self._spawn(self._report(effect.report), f"report {effect.report.folder}")
            case TakeOutputs():
                self._spawn(self._take(effect), f"outputs {effect.run_id}")
            case StartService():
                self._spawn(self._start(effect.spec), f"start {effect.spec.service_id}")
            case StopService():
                self._spawn(self._services.stop(effect.service_id), f"stop {effect.service_id}")

    async def _start(self, spec: ServiceSpec) -> None:
        """Have a program started on a tree of the version that was planned."""
        try:
            await self._tree.lay_out(spec.bundle, spec.version)
        except Plotter2Error as wrong:
            await self._loop.put(ServiceRefused(spec.service_id, wrong.message))
            return
        await self._services.start(spec)

    async def _install(self, effect: InstallDelivery) -> None:
        async with self._installs:
            try:
                installed = await self._brought_in(effect)
            except RefusedError as wrong:
                await self._loop.put(DeliveryRefused(effect.delivery_id, wrong.message, wrong.code))
                return
        await self._loop.put(installed)

    async def _brought_in(self, effect: InstallDelivery) -> DeliveryInstalled:
        """A full or failing disk is no fault of the delivery: the stager keeps it, and we try again."""
        spool = Path(effect.spool_path) if effect.spool_path else None
        while True:
            try:
                await asyncio.to_thread(self._organizer.install, spool, effect.files)
                return await asyncio.to_thread(self._inspected, effect)
            except (LimitError, FailedError) as wrong:
                self._log.warning("install.failed", delivery=effect.delivery_id, why=wrong.message)
                await asyncio.sleep(RETRY_S)

    def _inspected(self, effect: InstallDelivery) -> DeliveryInstalled:
        """The last boundary before what a stranger wrote: a fault that reading it provokes refuses the delivery.

        Were it to end the manager, the stager would offer the same delivery again after each start.
        """
        try:
            check_claims(self._layout, effect.files, effect.manifest_json)
            declared = inspect(self._layout, effect.files)
            measured = read_metrics(self._layout, declared.package, effect.files)
            paper = manifest.parse(effect.manifest_json)
            tasks = read_tasks(self._layout, effect.files, paper)
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

    async def _show(self, effect: Materialise) -> None:
        await self._tell_of(await self._tree.show(effect))

    async def _keep(self, effect: KeepRecord) -> None:
        await self._tell_of(await self._tree.keep_record(effect))

    async def _report(self, report: Report) -> None:
        await self._tell_of(await self._tree.keep_report(report))

    async def _tell_of(self, strays: list[QuarantineItem]) -> None:
        if strays:
            await self._loop.put(StraysFound(0, tuple(strays)))

    async def _take(self, effect: TakeOutputs) -> None:
        run_dir = self._layout.runs / f"{effect.run_id}.{effect.epoch}"
        async with self._outputs:
            try:
                outputs, kept, said = await asyncio.to_thread(self._taken, run_dir, effect)
            except Plotter2Error as wrong:
                self._log.warning("outputs.refused", run=effect.run_id, why=wrong.message)
                await self._loop.put(OutputsRefused(effect.run_id, effect.epoch, wrong.message))
                return
        # What a sidecar says was written beside user code: only what is so counts.
        known = await self._tree.known_files(said)
        read = edges.reads(effect.run_id, effect.version, [one for one in said if one in known])
        await self._loop.put(OutputsTaken(effect.run_id, effect.epoch, outputs, kept, read))

    def _taken(self, run_dir: Path, effect: TakeOutputs) -> tuple[tuple[Output, ...], Kept | None, list[FileAt]]:
        outputs = self._organizer.take_outputs(run_dir, effect.made, effect.target)
        has_report = any(one.kind == REPORT for one in outputs)
        kept = self._organizer.keep_report(outputs) if has_report else None
        return outputs, kept, self._organizer.read_by(outputs)
