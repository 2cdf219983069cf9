"""Keeps one ward alive: starts it, looks at it, ends it when it is stuck, starts it again. Carries out the policy."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import structlog
from prometheus_client import Counter

from plotter2.clock import Clock, Instant
from plotter2.layout import Layout
from watchdogs import policy, probing
from watchdogs.actions import Hands, Running
from watchdogs.policy import Action, Case, Limits, Seen, WardState
from watchdogs.wards import Ward

LOOK_EVERY_S = 1.0
START_LOOK_EVERY_S = 0.05


class Keeper:
    """One ward and everything that happens to it.

    Attributes:
        pid: its process, the last one while there is none; 0 before the first.
        is_well: set once it has answered; cleared while it is down.
    """

    def __init__(
        self, ward: Ward, hands: Hands, layout: Layout, clock: Clock, restarts: Counter, changed: Callable[[], None]
    ) -> None:
        """`changed` is called whenever its process or state is another."""
        self.ward = ward
        self.case = Case()
        self.pid = 0
        self.started_at = Instant(0.0)
        self.is_well = asyncio.Event()
        self._hands = hands
        self._layout = layout
        self._clock = clock
        self._restarts = restarts
        self._changed = changed
        self._running: Running | None = None
        self._log = structlog.get_logger("watchdogs.keeper").bind(ward=ward.name)

    async def keep(self) -> None:
        """Until cancelled; leaves the process as it is (see `end`)."""
        while True:
            if not policy.is_due(self.case, self._clock.monotonic()):
                await asyncio.sleep(START_LOOK_EVERY_S)
                continue
            await self._live_once()

    async def _live_once(self) -> None:
        self.case = policy.started(self.case, self._clock.monotonic())
        if self.case.restarts > 0:
            self._restarts.labels(self.ward.name).inc()
        try:
            running = await self._hands.start(self.ward)
        except OSError as wrong:
            self._log.error("start.failed", why=str(wrong))
            self._see(Seen.EXITED)
            return
        self._running, self.pid, self.started_at = running, running.pid, self._clock.now()
        self._log.info("started", pid=running.pid, restarts=self.case.restarts)
        self._changed()
        await self._watch(running)
        self.is_well.clear()
        self._running = None
        self._see(Seen.EXITED)
        self._changed()

    async def _watch(self, running: Running) -> None:
        """Look at it until it has exited."""
        async with asyncio.TaskGroup() as group:
            exited = group.create_task(running.exited(), name=f"exit of {self.ward.name}")
            while not exited.done():
                if self._see(await self._look(running.pid)) is Action.KILL:
                    self._log.warning("killed", pid=running.pid, state=self.case.state)
                    running.kill()
                await self._hands.tidy(self.ward)
                every_s = LOOK_EVERY_S if self.case.state is WardState.RUNNING else START_LOOK_EVERY_S
                await asyncio.wait({exited}, timeout=every_s)
        self._log.warning("exited", pid=running.pid, code=exited.result())
        running.kill()  # whatever it left in its session

    async def _look(self, pid: int) -> Seen:
        look = probing.is_well if self.case.state is WardState.STARTING else probing.is_alive
        if not await look(self.ward, self._layout, pid):
            return Seen.SILENT
        most = self.ward.memory_max_bytes
        return Seen.SWOLLEN if most and probing.own_memory_bytes(pid) > most else Seen.ANSWERED

    def _see(self, seen: Seen) -> Action:
        before = self.case.state
        limits = Limits(self.ward.start_s_max, self.ward.may_kill)
        self.case, action = policy.look(self.case, seen, self._clock.monotonic(), limits)
        if self.case.state is WardState.RUNNING and before is not WardState.RUNNING:
            self.is_well.set()
            self._changed()
        return action

    async def end(self, stop_s: float) -> None:
        """Ask it to end, wait, kill what is left. Called after `keep` was cancelled."""
        running = self._running
        if running is None:
            return
        self._log.info("asked to end", pid=running.pid, stop_s=stop_s)
        running.ask()
        with suppress(TimeoutError):
            async with asyncio.timeout(stop_s):
                await running.exited()
        running.kill()
        with suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await running.exited()
        self._log.info("ended", pid=running.pid)
        self._running = None
