"""Carries out what the machine wants and returns outcomes as events: shims, harvests, reports."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import stamina
import structlog

from plotter2 import config
from plotter2.api.v1 import manager_pb2 as pb
from plotter2.api.v1.manager_pb2_grpc import ManagerServiceStub
from plotter2.client.upload import push
from plotter2.clock import Clock, IdSource, Instant
from plotter2.errors import LimitError, Plotter2Error
from plotter2.host import boot_id
from plotter2.ids import ServiceId
from plotter2.layout import Layout
from plotter2.model.package import Service
from plotter2.model.service import SERVICE_ENDS, ServiceSpec, ServiceState, ServiceStatus
from plotter2.rpc import Channel, errors
from plotter2.together import Spawn, Together
from plotter2.wire import services as wire
from servicer import command, folder, harvest, machine, process
from servicer.config import ServicerConfig
from servicer.environment import Environments
from servicer.folder import Endings, Folder
from servicer.machine import Machine

if TYPE_CHECKING:
    from plotter2.api.v1.manager_pb2_grpc import ManagerServiceAsyncStub as Stub

REPORT_S = 10.0
RETRY_S_MAX = 1.0
STAGER_RETRY_S = 0.2
STAGER_RETRY_S_MAX = 30.0
DISK_RETRY_S = 1.0
HARVESTS_AT_A_TIME = 2


class Runner:
    """The servicer's hands. Statuses are on disk before anything follows from them."""

    def __init__(
        self, settings: ServicerConfig, brain: Machine, endings: Endings, spawn: Spawn, clock: Clock, ids: IdSource
    ) -> None:
        self._settings = settings
        self._endings = endings
        self._layout = Layout.at(settings.home)
        self._machine = brain
        self._spawn = spawn
        self._clock = clock
        self._ids = ids
        self._stub: Stub
        self._reports = Together(spawn, "report", self._send_reports)
        self._taking: set[asyncio.Task[None]] = set()
        self._order: dict[ServiceId, asyncio.Lock] = {}
        self._harvests = asyncio.Semaphore(HARVESTS_AT_A_TIME)
        self._failed: list[ServiceId] = []
        self._environments = Environments()
        self._log = structlog.get_logger("servicer.runner")

    def connect(self, channel: Channel) -> None:
        """Give it the line to the manager; before the first event."""
        self._stub = ManagerServiceStub(channel)

    async def put_whole(self, event: machine.Event) -> None:
        """Have an event of a caller decided: what follows is carried out also where the caller leaves meanwhile.

        Raises:
            LimitError: as `put`.
        """
        task = asyncio.get_running_loop().create_task(self.put(event), name="put")
        self._taking.add(task)
        task.add_done_callback(self._taking.discard)
        await asyncio.shield(task)

    async def put(self, event: machine.Event) -> None:
        """Have an event decided, and carry out what follows. Events of one run are taken one at a time.

        Raises:
            LimitError: there is no room for what was asked, or it cannot be written down; nothing was begun.
        """
        service_id = event.spec.service_id if isinstance(event, machine.Found | machine.Asked) else event.service_id
        async with self._order.setdefault(service_id, asyncio.Lock()):
            if isinstance(event, machine.Asked):
                self._machine.check(service_id)
            commands = self._machine.handle(event, self._clock.now())
            if isinstance(event, machine.Asked) and commands and isinstance(commands[0], machine.Keep):
                await self._take_on(commands.pop(0))
            for wanted in commands:
                await self._perform(wanted)
        if service_id not in self._machine.statuses:
            self._order.pop(service_id, None)

    async def _take_on(self, wanted: machine.Command) -> None:
        """Write down what was asked: as long as that cannot be done, it is not taken on."""
        assert isinstance(wanted, machine.Keep)  # noqa: S101 -- the caller has looked
        try:
            await asyncio.to_thread(self._keep, wanted)
        except OSError as wrong:
            self._machine.undo(wanted.status.service_id)
            await asyncio.to_thread(self._folder(wanted.status.service_id).remove)
            raise LimitError(f"The servicer cannot write below {self._layout.service}: {wrong.strerror}.") from None

    async def _write(self, work: Callable[..., None], *given: object) -> None:
        """Write a change down, for as long as the disk takes to have room again: it has happened."""
        while True:
            try:
                await asyncio.to_thread(work, *given)
            except OSError as wrong:
                self._log.error("disk.refuses", why=str(wrong))
                await asyncio.sleep(DISK_RETRY_S)
            else:
                return

    async def _perform(self, wanted: machine.Command) -> None:  # noqa: C901 -- a dispatch table
        match wanted:
            case machine.Keep():
                await self._write(self._keep, wanted)
            case machine.Remember():
                await self._write(self._endings.add, wanted.status)
            case machine.Launch():
                self._go_on("launch", wanted.spec, self._launch(wanted.spec))
            case machine.Adopt():
                self._go_on("adopt", wanted.spec, self._adopt(wanted.spec))
            case machine.Relaunch():
                self._go_on("relaunch", wanted.spec, self._relaunch(wanted.spec))
            case machine.Harvest():
                self._go_on("harvest", wanted.spec, self._harvest(wanted.spec, wanted.status))
            case machine.End():
                root = self._folder(wanted.service_id).root
                await self._write(process.forbid, root, wanted.grace_s)
                await asyncio.to_thread(process.end, root)
            case machine.Report():
                self._reports.put(folder.with_delivery(wanted.status))
            case machine.Clear():
                await asyncio.to_thread(self._clear, wanted)

    def _go_on(self, what: str, spec: ServiceSpec, work: Coroutine[Any, Any, None]) -> None:
        self._spawn(self._alone(spec.service_id, work), f"{what} {spec.service_id}")

    async def _alone(self, service_id: ServiceId, work: Coroutine[Any, Any, None]) -> None:
        """One run's work; whatever it breaks, the other runs go on."""
        try:
            await work
        except Exception as wrong:  # noqa: BLE001 -- the servicer's one boundary: a run that breaks us fails alone
            self._log.error("run.broken", service=service_id, exc_info=wrong)
            await asyncio.to_thread(process.end, self._folder(service_id).root)
            error = f"plotter2 could not handle this run: {type(wrong).__name__}: {wrong}"
            await self.put(machine.Exited(service_id, 1, error=error))

    def _folder(self, service_id: ServiceId) -> Folder:
        return Folder(self._layout, service_id)

    def _keep(self, wanted: machine.Keep) -> None:
        status = folder.with_delivery(wanted.status)
        place = self._folder(status.service_id)
        if status.state is ServiceState.QUEUED:
            place.create(self._machine.specs[status.service_id], status)
        elif place.root.is_dir():  # unless somebody has removed it
            place.keep(status, is_acknowledged=wanted.is_acknowledged)

    def _clear(self, wanted: machine.Clear) -> None:
        if not wanted.is_failed:
            self._folder(wanted.service_id).remove()
            return
        self._failed.append(wanted.service_id)
        while len(self._failed) > self._settings.failed_kept_max:
            self._folder(self._failed.pop(0)).remove()

    # --- the program ------------------------------------------------------------------------------------------------

    async def _launch(self, spec: ServiceSpec) -> None:
        place = self._folder(spec.service_id)
        if not self._is_wanted(spec.service_id):
            return
        try:
            order = await asyncio.to_thread(self._prepare, place, spec)
            if not self._is_wanted(spec.service_id):  # it was stopped meanwhile
                return
            await asyncio.to_thread(process.start, place, order)
        except (Plotter2Error, OSError) as wrong:
            said = wrong.message if isinstance(wrong, Plotter2Error) else str(wrong)
            await self.put(machine.Exited(spec.service_id, 127, error=f"cannot start: {said}"))
            return
        if not self._is_wanted(spec.service_id):  # too late for the look before; the shim itself has looked again
            await asyncio.to_thread(process.end, place.root)
        await self._follow(spec)

    def _is_wanted(self, service_id: ServiceId) -> bool:
        status = self._machine.statuses.get(service_id)
        return status is not None and status.state not in SERVICE_ENDS

    def _prepare(self, place: Folder, spec: ServiceSpec) -> dict[str, Any]:
        """Make everything ready that the program needs; returns the shim's order."""
        service = command.declared(spec.service_json)
        place.copy_code(spec)
        cwd = harvest.start_folder(place, service)
        start = self._command(place, spec, service)
        for name, text in start.files.items():
            target = (cwd / name).resolve()
            if not target.is_relative_to(place.work.resolve()):
                raise Plotter2Error(f"The service's file {name!r} leads out of the working copy.")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        limits = service.limits
        return {
            "argv": start.argv,
            "env": start.env,
            "cwd": str(cwd),
            "wall_s": limits.wall_s,
            "memory_bytes": limits.memory_bytes,
            "log_bytes_max": limits.log_bytes_max,
            "boot": boot_id(),
            "environment": self._environments.of(start.argv, start.env, cwd),
        }

    def _command(self, place: Folder, spec: ServiceSpec, service: Service) -> command.Start:
        tree = self._layout.version(spec.bundle, spec.version)
        places = command.Places(sys.executable, str(place.output), str(tree), str(place.work))
        hidden = ("PLOTTER2_", "PYTHONPATH", "PYTHONHOME", "GRPC_")
        inherited = {key: value for key, value in config.environment().items() if not key.startswith(hidden)}
        return command.build(service, spec.parameters_json, places, inherited)

    async def _adopt(self, spec: ServiceSpec) -> None:
        """Take up a run of a servicer that is no more."""
        if await asyncio.to_thread(process.has_begun, self._folder(spec.service_id)):
            await self._follow(spec)
        else:
            await self._launch(spec)

    async def _relaunch(self, spec: ServiceSpec) -> None:
        """Begin an interrupted program again, unless it has come to its own end meanwhile."""
        place = self._folder(spec.service_id)
        while await asyncio.to_thread(process.find, place.root) is not None:
            await asyncio.to_thread(process.end, place.root)
            await asyncio.sleep(process.LOOK_S)
        await asyncio.to_thread(process.end_orphan, place)
        if place.read("exit.json").get("reason", process.STOPPED) != process.STOPPED:
            await self._follow(spec)
            return
        await asyncio.to_thread(place.begin_anew)
        await self._launch(spec)

    async def _follow(self, spec: ServiceSpec) -> None:
        """Follow a run from wherever it is to its end."""
        place = self._folder(spec.service_id)
        running = await process.record(place, "shim.json")
        if running:
            await self.put(machine.Started(spec.service_id, int(running["pid"])))
        ended = await process.record(place, "exit.json")
        await process.gone(place)
        if not ended:
            await asyncio.to_thread(process.end_orphan, place)
            lost = "its shim was killed, so nobody knows how it would have ended; ask for it again"
            await self.put(machine.Exited(spec.service_id, -9, error=lost, tail=place.tail()))
            return
        status, reason = int(ended["exit_status"]), str(ended["reason"])
        is_stopped = reason == process.STOPPED
        error = "" if status == 0 and not reason else _why(status, reason)
        tail = await asyncio.to_thread(place.tail) if error else ""
        await self.put(machine.Exited(spec.service_id, status, is_stopped, error, tail))

    async def _harvest(self, spec: ServiceSpec, status: ServiceStatus) -> None:
        place = self._folder(spec.service_id)
        service = command.declared(spec.service_json)
        try:
            order = {"argv": service.command, **place.read("start.json")}
            began = place.read("shim.json").get("started_at", status.started_at)
            known = replace(status, started_at=Instant(began))
            async with self._harvests:
                child = await asyncio.to_thread(harvest.stage, place, spec, known, service, order)
            await self._push(child, spec)
        except (Plotter2Error, OSError) as wrong:
            await self.put(machine.Harvested(spec.service_id, f"its output could not be taken in: {wrong}"))
            return
        await self.put(machine.Harvested(spec.service_id))

    async def _push(self, child: Path, spec: ServiceSpec) -> None:
        """Send the child; for as long as it takes, because the program has done its work and cannot do it again."""

        def is_worth_waiting(wrong: Exception) -> bool:
            if not isinstance(wrong, Plotter2Error) or not wrong.retry:
                return False
            self._log.warning("output.waits", service=spec.service_id, why=wrong.message)
            return True

        async for attempt in stamina.retry_context(
            on=is_worth_waiting,
            attempts=None,
            timeout=None,
            wait_initial=STAGER_RETRY_S,
            wait_max=STAGER_RETRY_S_MAX,
        ):
            with attempt:
                async with self._harvests:  # only while it is sent: what waits is in no other's way
                    await self._send(child, spec)

    async def _send(self, child: Path, spec: ServiceSpec) -> None:
        await push(
            child,
            spec.child,
            stager_address=self._settings.stager_address,
            user=spec.user or "servicer",
            clock=self._clock,
            ids=self._ids,
            service_id=spec.service_id,
            delivery_id=folder.delivery_of(spec.service_id),
            meta={"service": spec.service_id, "bundle": spec.bundle, "version": spec.version},
        )

    # --- reports ----------------------------------------------------------------------------------------------------

    async def _send_reports(self, statuses: Sequence[ServiceStatus]) -> None:
        """Reports go out in the order things happened, those that wait in one call, each until the manager has it."""
        for fitting in wire.fitting(map(wire.status_to_proto, statuses)):
            request = pb.ReportServicesRequest(statuses=fitting)
            async for attempt in stamina.retry_context(
                on=Plotter2Error, attempts=None, timeout=None, wait_initial=0.1, wait_max=RETRY_S_MAX
            ):
                with attempt, errors(self._settings.manager_address):
                    await self._stub.ReportServices(request, timeout=REPORT_S)
        for status in statuses:
            if status.state in SERVICE_ENDS:  # with syncs of its own: the next reports do not wait for them
                known = machine.Acknowledged(status.service_id, status.state)
                self._spawn(self.put(known), f"acknowledge {status.service_id}")


def _why(status: int, reason: str) -> str:
    if reason:
        return reason
    if status < 0:
        try:
            name = signal.Signals(-status).name
        except ValueError:
            name = "unknown"
        return f"it was ended by signal {-status} ({name})"
    return f"it ended with exit status {status}"
