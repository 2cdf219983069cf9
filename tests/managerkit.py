"""A manager in this process: its real machine, loop, runner, organizer and gRPC edge, on any store; no bus.

Deliveries come in by the manager's own calls (PutBlob, Deliver), as from a stager on another machine.
"""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from blake3 import blake3
from prometheus_client import CollectorRegistry

from manager import loading
from manager.desk import Desk
from manager.doors import Doors
from manager.events import Event
from manager.exports import Exports
from manager.hub import Hub
from manager.instance_planner import InstancePlanner
from manager.keeper import Keeper
from manager.loop import Loop
from manager.machine import Machine
from manager.organizer import Organizer
from manager.publisher import Publisher
from manager.recall import Recall
from manager.rpc import SERVICE_NAME, ManagerRpc
from manager.rules import Rules
from manager.runner import Runner
from manager.scheduler import RoundRobin
from manager.servicelink import ServiceLink
from manager.store import Store
from manager.store.memory import MemoryStore
from manager.tree import Tree
from manager.tree_planner import TreePlanner
from manager.verifier import Verifier
from plotter2 import aio, rpc
from plotter2.api.v1 import common_pb2, manager_pb2, manager_pb2_grpc
from plotter2.client.asynchronous import AsyncClient
from plotter2.clock import SystemClock, SystemIds
from plotter2.layout import Layout
from plotter2.model import manifest
from plotter2.model.automatic import Proposer

MODE = 0o644
NUMBERS = itertools.count(1)
"""Of deliveries: a manager that starts again gets new ones, as from any sender."""
Files = Mapping[str, bytes | tuple[bytes, int]]
"""Content by path, with permissions where they are not 0644."""


class Silence:
    """A bus and a servicer that nobody listens to: remembers what was handed to it."""

    def __init__(self) -> None:
        self.heard: list[object] = []

    def put(self, effect: object) -> None:
        self.heard.append(effect)

    def start(self, specs: Iterable[object]) -> None:
        self.heard.extend(specs)

    async def stop(self, service_id: object) -> None:
        self.heard.append(service_id)


@dataclass
class Manager:
    """The running manager, and a client of it."""

    machine: Machine
    store: Store
    layout: Layout
    client: AsyncClient
    stub: Any
    silence: Silence
    address: str
    tree: Tree
    numbers: itertools.count[int]
    put: Callable[[Event], Awaitable[None]]
    there: set[bytes] = field(default_factory=set)

    async def push(
        self, bundle: str, files: Files, *, service_id: str = "", manifest_json: str = ""
    ) -> manager_pb2.DeliverResponse:
        """Deliver files into a bundle; raises what the manager answers."""
        entries = []
        for path, given in sorted(files.items()):
            data, mode = given if isinstance(given, tuple) else (given, MODE)
            entry = common_pb2.FileEntry(path=path, size_bytes=len(data), digest=blake3(data).digest(), mode=mode)
            entries.append(entry)
            if entry.digest in self.there:
                continue
            self.there.add(entry.digest)
            begin = manager_pb2.PutBlobBegin(digest=entry.digest, size_bytes=len(data))
            parts = [manager_pb2.PutBlobRequest(begin=begin), manager_pb2.PutBlobRequest(data=data)]
            with rpc.errors():
                await self.stub.PutBlob(iter(parts))
        message = manager_pb2.DeliverRequest(
            delivery_id=f"dlv-{next(self.numbers):032x}",
            bundle=bundle,
            manifest_json=manifest_json or manifest.write("ann", SystemClock().now(), {}),
            files=entries,
            service_id=service_id,
        )
        with rpc.errors():
            answer: manager_pb2.DeliverResponse = await self.stub.Deliver(message)
        return answer

    async def line(self, *words: str) -> tuple[int, str, str]:
        """A command of the command line on this manager: exit code, stdout, stderr."""
        done = await asyncio.to_thread(
            subprocess.run, [sys.executable, "-m", "plotter2", *words, "--address", self.address],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr


@asynccontextmanager
async def managing(
    home: Path, store: Store | None = None, proposer: Proposer | None = None, patience_s: float = 60.0
) -> AsyncIterator[Manager]:
    """A manager on a store (a new one in memory unless told); stop and start it by leaving and entering again."""
    layout, store, clock = Layout.at(home), store or MemoryStore(), SystemClock()
    layout.create()
    ids, machine, organizer = SystemIds(clock), Machine(RoundRobin()), Organizer(layout)
    commands = await loading.load(machine, store, clock)
    loop = Loop(machine, store, clock, ids.uuid(), CollectorRegistry())
    desk, hub, tree, silence = Desk(loop.put), Hub(), Tree(organizer, store), Silence()
    instance_planner = InstancePlanner(store, organizer, machine.state.catalog)
    keeper = Keeper(layout, organizer, loop)
    await keeper.look()
    verifier = Verifier(desk, store, organizer, tree, layout, machine.state)
    doors = Doors(
        desk, loop, hub, store, organizer, machine.state, layout, clock, ids,
        loading.installation(layout, ids), verifier, instance_planner, keeper, "0", clock.now(),
    )  # fmt: skip
    calls = ManagerRpc(doors, proposer or Rules(), patience_s)
    async with AsyncExitStack() as stack:
        group = await stack.enter_async_context(asyncio.TaskGroup())
        tasks: list[asyncio.Task[None]] = []

        def spawn(work: Coroutine[Any, Any, None], name: str) -> None:
            tasks.append(group.create_task(work, name=name))

        stack.callback(lambda: [task.cancel() for task in tasks])
        recall = Recall(store, organizer, instance_planner, keeper)
        planner = TreePlanner(instance_planner, machine.state.catalog, recall)
        runner = Runner(spawn, layout, organizer, tree, loop, planner)
        runner.connect(
            desk,
            hub,
            cast("Publisher", silence),
            cast("ServiceLink", silence),
            calls,
            Exports(store, organizer, desk, clock),
        )
        server = await stack.enter_async_context(
            rpc.serve(
                lambda server: manager_pb2_grpc.add_ManagerServiceServicer_to_server(calls, server),
                [SERVICE_NAME], "127.0.0.1", 0, registry=CollectorRegistry(),
            )
        )  # fmt: skip
        await loop.carry_out(commands, runner.perform)
        spawn(loop.run(runner.perform), "loop")
        await server.set_serving(is_serving=True)
        channel = await stack.enter_async_context(rpc.connect(server.address))
        client = await stack.enter_async_context(aio.connect(server.address, home))
        stub = manager_pb2_grpc.ManagerServiceStub(channel)
        yield Manager(machine, store, layout, client, stub, silence, server.address, tree, NUMBERS, loop.put)
