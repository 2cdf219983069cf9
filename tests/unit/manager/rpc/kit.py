"""A manager without sockets, workers and servicer: edges, machine, loop and a store in memory."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from blake3 import blake3

from manager.commands import Answer, Effect, Notify, PlanInstances, StartService
from manager.desk import Desk
from manager.doors import Doors
from manager.events import DeliveryInstalled, DeliveryOffered, Event, ServiceReported
from manager.hub import Hub
from manager.instance_planner import InstancePlanner
from manager.keeper import Keeper
from manager.loop import Loop
from manager.machine import Machine
from manager.organizer import Organizer
from manager.rpc import ManagerRpc
from manager.rules import Rules
from manager.scheduler import RoundRobin
from manager.store import Store
from manager.store.memory import MemoryStore
from manager.tree import Tree
from manager.verifier import Verifier
from plotter2 import telemetry
from plotter2.api.v1 import manager_pb2 as pb
from plotter2.ids import DeliveryId, RequestId, ServiceId
from plotter2.layout import Layout
from plotter2.model.bundle import FileEntry
from plotter2.model.service import ServiceSpec, ServiceState, ServiceStatus
from plotter2.testing import ManualClock, SeededIds
from tests.unit.manager.kit import DIGITS, FILES

PATH = "experiments/digits"
BOOTS = itertools.count(1)
"""Of managers: one that starts again on the same store is another."""


class Small:
    """Ask it, and play the stager and the servicer for it."""

    def __init__(self, home: Path, store: Store | None = None) -> None:
        self.clock = ManualClock()
        self.ids = SeededIds(clock=self.clock)
        self.store = store or MemoryStore()
        self.machine = Machine(RoundRobin())
        self.started: list[ServiceSpec] = []
        self.planning: list[PlanInstances] = []
        layout = Layout.at(home)
        layout.create()
        self.layout, self.organizer = layout, Organizer(layout)
        self.loop = Loop(self.machine, self.store, self.clock, f"boot {next(BOOTS)}", telemetry.registry())
        self.desk, self.hub = Desk(self.loop.put), Hub()
        tree = Tree(self.organizer, self.store)
        instance_planner = InstancePlanner(self.store, self.organizer, self.machine.state.catalog)
        verifier = Verifier(self.desk, self.store, self.organizer, tree, layout, self.machine.state)
        self.doors = Doors(
            self.desk, self.loop, self.hub, self.store, self.organizer, self.machine.state, layout,
            self.clock, self.ids, "installation", verifier, instance_planner,
            Keeper(layout, self.organizer, self.loop), "0", self.clock.now(),
        )  # fmt: skip
        self.rpc: Any = ManagerRpc(self.doors, Rules())

    def perform(self, effect: Effect) -> None:
        if isinstance(effect, Answer):
            self.desk.answer(effect.token, effect.value, effect.error)
        elif isinstance(effect, PlanInstances):
            self.planning.append(effect)
        elif isinstance(effect, Notify):
            self.hub.put(effect.request.id, effect)
        elif isinstance(effect, StartService):
            self.started.append(effect.spec)

    async def push(
        self, bundle: str = PATH, package_json: str = DIGITS, files: Sequence[FileEntry] = FILES, service_id: str = ""
    ) -> DeliveryId:
        delivery = self.ids.delivery()
        offered = DeliveryOffered(
            0, delivery, self.ids.request(), bundle, "ann", "{}", tuple(files), "/spool", ServiceId(service_id)
        )
        for one in files:
            place = self.layout.blob(one.digest)
            if one.path.startswith("tasks/") and not place.exists():  # read when the task is asked for
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text("def task():\n    pass\n" if one.path.endswith(".py") else '["frame"]')
        await self.loop.put(offered)
        await self.settle(DeliveryInstalled(delivery, package_json))
        return delivery

    async def end(
        self, spec: ServiceSpec, state: ServiceState = ServiceState.DONE, mark: str = "o", python: str = "3.11.8"
    ) -> None:
        """A service run ends; a good one has sent its child, with a record in it."""
        status = ServiceStatus(spec.service_id, state, error="" if state is ServiceState.DONE else "exit status 2")
        if state is ServiceState.DONE:
            record = {
                "service": spec.service_id, "environment": {"python": python}, "ours": ["log/stdout.txt", "run.json"],
            }  # fmt: skip
            contents = {
                "out/metrics.csv": mark, "out/same.csv": "same", "log/stdout.txt": spec.service_id,
                "run.json": json.dumps(record),
            }  # fmt: skip
            files = [self.entry(path, text.encode()) for path, text in contents.items()]
            status = replace(status, delivery_id=await self.push(spec.child, "", files, spec.service_id))
        await self.settle(ServiceReported(0, status))

    def entry(self, path: str, data: bytes) -> FileEntry:
        """A file whose content is in the store."""
        digest = blake3(data).digest()
        self.organizer.put(digest, [data])
        return FileEntry(path, len(data), digest)

    async def settle(self, event: Event) -> None:
        """Hand an event in, and wait until it is committed."""
        await self.loop.put(event)
        await asyncio.sleep(0)
        while self.loop.backlog:
            await asyncio.sleep(0)
        await asyncio.sleep(0.001)

    async def submit(self, key: str = "", **ask: Any) -> Any:
        message = pb.SubmitRequest(client_key=key, user="ann", **ask)
        return (await self.rpc.Submit(message, None)).request

    async def redo(self, values: Sequence[str], key: str = "", **more: Any) -> Any:
        axes = [pb.SweepAxis(parameter="lr", values_json=values)]
        return await self.submit(key, redo=pb.RedoAsk(bundle=PATH, axes=axes, **more))

    async def request(self, request_id: str) -> Any:
        return await self.rpc.whole(RequestId(request_id))

    async def count(self) -> int:
        return (await self.store.list_requests(0, 0)).total


@asynccontextmanager
async def small(home: Path, store: Store | None = None) -> AsyncIterator[Small]:
    made = Small(home, store)
    running = asyncio.get_running_loop().create_task(made.loop.run(made.perform))
    try:
        yield made
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
