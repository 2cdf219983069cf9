"""The manager's loop and its group commit (design 2).

Take all events that are waiting, let the machine handle them, write everything it decided in one transaction, and only
then carry out the effects. While a transaction is being committed the next events gather: under load one fsync serves
many. If the database is away the same batch is tried until it is written; nothing is acknowledged meanwhile.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import cast

import stamina
import structlog
from prometheus_client import CollectorRegistry, Histogram

from manager.commands import Command, Effect, NotifyLines, Write
from manager.events import Event
from manager.machine import Machine
from manager.spoken import Spoken
from manager.store import Batch, Store
from plotter2.clock import Clock
from plotter2.errors import UnreachableError

INBOX_EVENTS_MAX = 10_000
TURN_EVENTS_MAX = 2_000
RETRY_S_MAX = 1.0


class Loop:
    """Events in, decisions committed, effects out."""

    def __init__(
        self, machine: Machine, store: Store, clock: Clock, boot: str, registry: CollectorRegistry,
        spoken: Spoken | None = None,
    ) -> None:  # fmt: skip
        """Begin empty.

        Args:
            machine: decides.
            store: has what it decided.
            clock: tells it the time.
            boot: unique to this process: turns are numbered under it, so a repeated commit is recognised.
            registry: takes the loop's metrics.
            spoken: logs what runs print; without, a log that begins now.
        """
        self._spoken = spoken or Spoken()
        self._machine = machine
        self._store = store
        self._clock = clock
        self._boot = boot
        self._turn = 0
        self._inbox: deque[Event] = deque()
        self._filled = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._log = structlog.get_logger("manager.loop")
        self._events = Histogram(
            "plotter2_manager_turn_events", "Events handled in one turn", registry=registry,
            buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000),
        )  # fmt: skip
        self._commit = Histogram(
            "plotter2_manager_commit_seconds", "Time of one commit", registry=registry,
            buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5),
        )  # fmt: skip

    async def put(self, event: Event) -> None:
        """Hand in an event; waits while the inbox is full."""
        while len(self._inbox) >= INBOX_EVENTS_MAX:
            self._room.clear()
            await self._room.wait()
        self._inbox.append(event)
        self._filled.set()

    @property
    def backlog(self) -> int:
        """Events that wait."""
        return len(self._inbox)

    async def run(self, perform: Callable[[Effect], None]) -> None:
        """Turn after turn, until cancelled."""
        while True:
            await self._filled.wait()
            events = [self._inbox.popleft() for _ in range(min(len(self._inbox), TURN_EVENTS_MAX))]
            if not self._inbox:
                self._filled.clear()
            self._room.set()
            self._events.observe(len(events))
            now = self._clock.now()
            commands: list[Command] = []
            for event in events:
                commands += self._machine.handle(event, now)
            commands += self._machine.settle(now)
            await self.carry_out(commands, perform)

    async def carry_out(self, commands: list[Command], perform: Callable[[Effect], None]) -> None:
        """Log what was printed, commit all writes, then perform all effects, in the order they were decided."""
        self._turn += 1
        batch = Batch(turn=f"{self._boot}.{self._turn}")
        effects: list[Effect] = []
        for command in commands:
            if hasattr(command, "put"):
                cast("Write", command).put(batch)
            else:
                effects.append(command)
                if isinstance(command, NotifyLines):
                    self._spoken.write(batch.turn, command)
        if not batch.is_empty():
            with self._commit.time():
                await self._write(batch)
        for effect in effects:
            perform(effect)

    async def _write(self, batch: Batch) -> None:
        try:
            await self._store.commit(batch)
        except UnreachableError:
            await self._write_again(batch)

    async def _write_again(self, batch: Batch) -> None:
        async for attempt in stamina.retry_context(
            on=UnreachableError, attempts=None, timeout=None, wait_initial=0.05, wait_max=RETRY_S_MAX
        ):
            with attempt:
                self._log.warning("commit.again", attempt=attempt.num, turn=batch.turn)
                await self._store.commit(batch)
