"""The worker on the bus, as a device (requirement 082): announces itself, beats, hears assignments, sends reports.

It subscribes before it announces itself, so the first assignment cannot be missed; the last will says offline.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import psutil

from plotter2 import telemetry
from plotter2.errors import UnreachableError
from plotter2.ids import WorkerId
from plotter2.mqtt import payloads
from plotter2.mqtt.payloads import AliveMessage, CreateMessage, OurWorker, PayloadRefusedError
from plotter2.mqtt.protocol import Bus, Connect, Subscription, Will
from plotter2.mqtt.topics import Kind, Topics
from worker.outbox import Outbox

OFFLINE_WAIT_S = 1.0
PROPLET_VERSION = "0.5.0"
"""The version of Propeller's contract that is kept."""

_log = telemetry.logger("devices")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this worker is. `incarnation` is new with every process."""

    worker_id: WorkerId
    name: str
    incarnation: str
    slots: int
    beat_s: float
    installation: Callable[[], str]


class Devices:
    """The worker's side of the bus. Made by `join`."""

    def __init__(
        self,
        topics: Topics,
        identity: Identity,
        running: Callable[[], int],
        hear: Callable[[payloads.AssignBatch], None],
        ahead_s: Callable[[], float],
    ) -> None:
        self._topics = topics
        self._identity = identity
        self._running = running
        self._hear = hear
        self._bus: Bus | None = None
        self._has_bus = asyncio.Event()
        self.outbox = Outbox(identity.worker_id, identity.incarnation, self._report, ahead_s)

    @property
    def is_connected(self) -> bool:
        """Whether the broker is there."""
        return self._bus is not None and self._bus.is_connected

    @property
    def connections(self) -> int:
        """How often the connection was made."""
        return self._bus.connections if self._bus is not None else 0

    @asynccontextmanager
    async def join(self, connect: Connect, url: str) -> AsyncIterator[None]:
        """Be on the bus for the length of a block; leaving it says offline."""
        will = Will(self._topics.alive, self._alive(is_offline=True))
        wanted = (Subscription(self._topics.assign(self._identity.worker_id)),)
        opening = connect(url, self._identity.worker_id, will=will, on_connect=self._announce, subscriptions=wanted)
        async with opening as bus:
            self._bus = bus
            self._has_bus.set()
            async with asyncio.TaskGroup() as group:
                loops = [
                    group.create_task(self._listen(bus), name="assignments"),
                    group.create_task(self._beat(bus), name="heartbeat"),
                    group.create_task(self.outbox.run(), name="reports"),
                ]
                try:
                    yield
                finally:
                    for loop in loops:
                        loop.cancel()
            await self._leave(bus)

    async def _announce(self) -> None:
        await self._has_bus.wait()  # the connection may be quicker than the block that asked for it
        if self._bus is None:
            return
        one = self._identity
        ours = OurWorker(
            one.name,
            one.slots,
            one.incarnation,
            one.beat_s,
            os.getpid(),
            socket.gethostname(),
            await asyncio.to_thread(one.installation),
        )
        message = CreateMessage(one.worker_id, metadata=_metadata(), ours=ours)
        await self._bus.publish(self._topics.create, payloads.encode_create(message))
        await self._bus.publish(self._topics.alive, self._alive())
        _log.info("announced", worker=one.worker_id, connections=self._bus.connections)

    async def _beat(self, bus: Bus) -> None:
        while True:
            await asyncio.sleep(self._identity.beat_s)
            if bus.is_connected:
                with contextlib.suppress(UnreachableError):  # the next beat says the same
                    await bus.publish(self._topics.alive, self._alive(), qos=0)

    async def _take(self, batch: payloads.AssignBatch) -> None:
        if batch.assignments or batch.cancellations:
            self._hear(batch)
        else:  # nothing to do is a question: the manager has not heard who we are
            await self._announce()

    async def _listen(self, bus: Bus) -> None:
        async for message in bus.messages():
            topic = self._topics.parse(message.topic)
            if topic is None or topic.kind is not Kind.ASSIGN:
                continue
            try:
                await self._take(payloads.decode_assign_batch(message.payload))
            except PayloadRefusedError as wrong:
                _log.warning("assign.refused", why=wrong.message)

    async def _report(self, payload: bytes) -> None:
        if self._bus is not None:
            await self._bus.publish(self._topics.report(self._identity.worker_id), payload, qos=0)

    async def _leave(self, bus: Bus) -> None:
        if bus.is_connected:
            with contextlib.suppress(UnreachableError, TimeoutError):  # silence says it too
                async with asyncio.timeout(OFFLINE_WAIT_S):
                    await bus.publish(self._topics.alive, self._alive(is_offline=True))

    def _alive(self, *, is_offline: bool = False) -> bytes:
        one = self._identity
        message = AliveMessage(one.worker_id, is_offline, incarnation=one.incarnation, running=self._running())
        return payloads.encode_alive(message)


def _metadata() -> dict[str, object]:
    return {
        "description": "plotter2 worker",
        "environment": "binary",
        "os": platform.system().lower(),
        "hostname": socket.gethostname(),
        "cpu_arch": platform.machine(),
        "total_memory_bytes": psutil.virtual_memory().total,
        "proplet_version": PROPLET_VERSION,
        "wasm_runtime": "",
    }
