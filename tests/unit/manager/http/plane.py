"""Propeller's plane in one process: people over HTTP, proplets over a bus, and the manager between them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from typing_extensions import override

from manager import http, loading
from manager.commands import AskWho, AssignRuns, Effect, StartOnProplet, StopOnProplet
from manager.devices import Devices
from manager.publisher import Publisher
from manager.store import Store
from plotter2 import telemetry
from plotter2.mqtt import payloads
from plotter2.mqtt.payloads import AssignBatch
from plotter2.mqtt.protocol import Subscription
from plotter2.mqtt.topics import Topics
from plotter2.testing import MemoryBroker
from plotter2.testing.bus import MemoryBus
from tests.unit.manager.rpc.kit import Small

TOPICS = Topics("tenant", "main")


class Proplet:
    """Somebody on the bus who hears what every proplet hears."""

    def __init__(self, bus: MemoryBus) -> None:
        self._bus = bus
        self.heard: list[tuple[str, Any]] = []

    async def say(self, topic: str, **message: Any) -> None:
        await self._bus.publish(topic, json.dumps(message).encode())

    async def mumble(self, topic: str, payload: bytes) -> None:
        await self._bus.publish(topic, payload)

    async def listen(self) -> None:
        async for message in self._bus.messages():
            is_ours = message.topic.endswith("/assign")
            self.heard.append((message.topic, None if is_ours else json.loads(message.payload)))
            if is_ours:
                self.assigned: AssignBatch = payloads.decode_assign_batch(message.payload)


class Plane(Small):
    """The manager: machine, loop, store, its ear and voice on the bus, and its HTTP edge."""

    publisher: Publisher
    proplet: Proplet
    http: httpx.AsyncClient
    broker: MemoryBroker

    @override
    def perform(self, effect: Effect) -> None:
        if isinstance(effect, AssignRuns | AskWho | StartOnProplet | StopOnProplet):
            self.publisher.put(effect)
        super().perform(effect)

    async def until(self, condition: Callable[[], Any]) -> Any:
        async with asyncio.timeout(5):
            while not (found := condition()):
                await asyncio.sleep(0.001)
        return found

    async def get(self, path: str) -> Any:
        return (await self.http.get(path)).json()

    async def until_task(self, task_id: str, state: int) -> Any:
        async with asyncio.timeout(5):
            while (found := await self.get(f"/tasks/{task_id}"))["state"] != state:
                await asyncio.sleep(0.001)
        return found


@asynccontextmanager
async def plane(home: Path, store: Store | None = None) -> AsyncIterator[Plane]:
    """The plane on a store; on the same store again it is what it was."""
    made, broker = Plane(home, store), MemoryBroker()
    made.broker = broker
    commands = await loading.load(made.machine, made.store, made.clock)
    async with AsyncExitStack() as stack:
        bus = await stack.enter_async_context(
            broker.connect("", "manager", subscriptions=[Subscription(TOPICS.from_workers)])
        )
        wanted = [Subscription(f"{TOPICS.base}/control/manager/#")]
        other = await stack.enter_async_context(broker.connect("", "proplet", subscriptions=wanted))
        app = http.build(made.doors, telemetry.registry(), lambda: True, lambda: bus.is_connected)
        made.http = await stack.enter_async_context(
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here")
        )
        made.publisher, made.proplet = Publisher(bus, TOPICS, "here:1"), Proplet(other)
        group = await stack.enter_async_context(asyncio.TaskGroup())
        await made.loop.carry_out(commands, made.perform)
        works = made.loop.run(made.perform), made.publisher.run(), Devices(bus, TOPICS, made.loop).run()
        running = [group.create_task(work) for work in (*works, made.proplet.listen())]
        stack.callback(lambda: [one.cancel() for one in running])
        await made.until(lambda: bus.is_connected and other.is_connected)
        yield made
