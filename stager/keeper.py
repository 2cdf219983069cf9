"""Carries out what the machine decides, and brings outcomes back: the one boundary between decision and disk.

The order is always: data on disk, journal on disk, machine, answer. What has begun to be written down is finished even
when the one who asked for it has hung up.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, TypeVar

from plotter2 import telemetry
from plotter2.clock import Clock
from plotter2.errors import LimitError, NotFoundError, Plotter2Error
from plotter2.host import boot_id
from plotter2.ids import DeliveryId
from plotter2.model.delivery import Order
from stager.deliveries import Backlog, Delivery, DeliveryState, Receipt, Refusal
from stager.journal import Journal
from stager.machine import (
    Announce,
    Command,
    DeliveryBegun,
    DeliveryConfirmed,
    DeliveryRefused,
    DeliverySealed,
    DeliverySpoiled,
    Event,
    Forget,
    Forward,
    Machine,
    SaveBegun,
    SaveEnded,
    StreamEnded,
    Ticked,
)
from stager.receiver import Receiver, room
from stager.spool import Spool

T = TypeVar("T")
Outcome = Receipt | Refusal
Spawn = Callable[[Coroutine[Any, Any, None], str], object]

TICK_S = 10.0
BOOT_KEY = "boot"

_log = telemetry.logger("keeper")


class Keeper:
    """What the edges of the stager talk to. Lives on one event loop."""

    def __init__(self, machine: Machine, spool: Spool, journal: Journal, clock: Clock, spawn: Spawn) -> None:
        self._machine = machine
        self._spool = spool
        self._journal = journal
        self._clock = clock
        self._spawn = spawn
        self._receivers: dict[DeliveryId, Receiver] = {}
        self._waiting: dict[DeliveryId, set[asyncio.Future[Outcome]]] = {}
        self._number = 0
        self.to_forward: asyncio.Queue[Delivery] = asyncio.Queue()

    async def recover(self) -> None:
        """After a start: know again what is here, and send on what was sealed."""
        known = await self._journal.load()
        booted = boot_id()
        before = await self._journal.exchange(BOOT_KEY, booted)
        is_same_boot = bool(booted) and before == booted
        restarted = await asyncio.to_thread(self._spool.clean, known, is_same_boot=is_same_boot)
        self._number = max((delivery.number for delivery in known), default=0)
        await self._carry(self._machine.restore(known))
        left = self._machine.backlog()
        _log.info(
            "recovered",
            receiving=left.receiving,
            sealed=left.sealed,
            refused=left.refused,
            size_bytes=left.size_bytes,
            restarted=len(restarted),
        )

    def backlog(self) -> Backlog:
        """What waits here."""
        return self._machine.backlog()

    def find(self, delivery_id: DeliveryId) -> Delivery | None:
        """A delivery that takes room here."""
        return self._machine.find(delivery_id)

    def check_room(self, order: Order) -> None:
        """Look before anything is read whether a delivery can be taken in.

        Raises:
            LimitError: there is no room now.
            RefusedError: there never will be.
        """
        self._machine.check_room(order)

    async def outcome(self, delivery_id: DeliveryId) -> Outcome | None:
        """How a delivery ended; None while it has not."""
        return await self._journal.outcome(delivery_id)

    async def ended(self, delivery_id: DeliveryId) -> Outcome:
        """Wait until the manager has confirmed or refused a delivery."""
        done: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        # Entered before the journal is asked, so that an end in between is not missed.
        self._waiting.setdefault(delivery_id, set()).add(done)
        try:
            return await self._journal.outcome(delivery_id) or await done
        finally:
            waiting = self._waiting.get(delivery_id, set())
            waiting.discard(done)
            if not waiting:
                self._waiting.pop(delivery_id, None)

    @asynccontextmanager
    async def receiving(self, order: Order, held: frozenset[int]) -> AsyncIterator[Receiver | None]:
        """One stream's hold on a delivery; None when it is complete already.

        Raises:
            LimitError: no room.
            ConflictError: the same name was begun with other files.
        """
        delivery_id = order.delivery_id
        await self._surely(self._handle(DeliveryBegun(order, held)), "begin")
        try:
            delivery = self._machine.find(delivery_id)
            if delivery is None or delivery.state is not DeliveryState.RECEIVING:
                yield None
                return
            if delivery_id not in self._receivers:
                self._receivers[delivery_id] = await asyncio.to_thread(self._spool.receiver, delivery)
            yield self._receivers[delivery_id]
        finally:
            await self._surely(self._handle(StreamEnded(delivery_id)), "stream ended")

    async def seal(self, order: Order) -> None:
        """All files of a delivery have come and their digests are right: make it durable, then send it on.

        Raises:
            LimitError: the disk is full.
        """
        await self._surely(self._seal(order), "seal")

    async def _seal(self, order: Order) -> None:
        delivery = self._machine.find(order.delivery_id)
        if delivery is None:
            raise NotFoundError(f"Delivery {order.delivery_id} was removed; send it again.")
        if delivery.state is not DeliveryState.RECEIVING:
            return
        self._number += 1
        number, now = self._number, self._clock.now()
        row = replace(delivery, order=order, state=DeliveryState.SEALED, number=number, sealed_at=now, touched_at=now)
        directory = self._spool.directory(delivery.id)
        fresh = tuple(directory / str(index) for index in range(len(order.files)) if index not in delivery.held)
        with room():
            await self._journal.seal(row, fresh)
        self._receivers.pop(delivery.id, None)
        known = self._machine.find(delivery.id)
        if known is not None and known.state is DeliveryState.RECEIVING:  # else a second stream was faster
            await self._handle(DeliverySealed(order, number))

    async def spoil(self, delivery_id: DeliveryId) -> None:
        """What came is not what was declared: forget it, so that it can be sent anew."""
        await self._surely(self._handle(DeliverySpoiled(delivery_id)), "spoil")

    async def confirm(self, delivery_id: DeliveryId, receipt: Receipt) -> None:
        """The manager has it, durably."""
        await self._surely(self._handle(DeliveryConfirmed(delivery_id, receipt)), "confirm")

    async def refuse(self, delivery_id: DeliveryId, refusal: Refusal) -> None:
        """The manager does not want it."""
        await self._surely(self._handle(DeliveryRefused(delivery_id, refusal)), "refuse")

    async def tick(self) -> None:
        """Look now and then for deliveries that were given up by their senders, until cancelled."""
        while True:
            await asyncio.sleep(TICK_S)
            try:
                await self._handle(Ticked())
            except LimitError as wrong:  # the disk is full: what idles is removed at the next start
                _log.warning("tick.failed", why=wrong.message)

    async def _surely(self, work: Coroutine[Any, Any, T], name: str) -> T:
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        async def run() -> None:
            try:
                done.set_result(await work)
            except (Plotter2Error, OSError, sqlite3.Error) as wrong:
                done.set_exception(wrong)

        self._spawn(run(), name)
        return await asyncio.shield(done)

    async def _handle(self, event: Event) -> None:
        await self._carry(self._machine.handle(event, self._clock.now()))

    async def _carry(self, commands: list[Command]) -> None:
        for command in commands:
            await self._carry_one(command)

    async def _carry_one(self, command: Command) -> None:
        match command:
            case SaveBegun():
                await self._journal.begin(command.delivery)
            case SaveEnded():
                await self._journal.end(command.delivery_id, command.outcome)
            case Forget():
                await self._forget(command)
            case Forward():
                self.to_forward.put_nowait(command.delivery)
            case Announce():
                self._announce(command)

    async def _forget(self, command: Forget) -> None:
        self._receivers.pop(command.delivery_id, None)
        await self._journal.forget(command.delivery_id)
        await asyncio.to_thread(self._spool.remove, command.delivery_id)

    def _announce(self, command: Announce) -> None:
        outcome = command.outcome
        _log.info(
            "ended",
            delivery=command.delivery_id,
            state="confirmed" if isinstance(outcome, Receipt) else "refused",
            reason="" if isinstance(outcome, Receipt) else outcome.reason,
        )
        for done in self._waiting.pop(command.delivery_id, set()):
            if not done.done():
                done.set_result(outcome)
