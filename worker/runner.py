"""The worker's loop: all events that wait, then what the machine wants because of them.

Events come from the bus, from children, from preparations that ended, and from the tick. The one boundary where a
preparation's failure becomes a report.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Coroutine
from dataclasses import dataclass

from plotter2 import telemetry
from plotter2.child.frames import Run, Told
from plotter2.clock import Clock
from plotter2.errors import Plotter2Error
from plotter2.mqtt.payloads import AssignBatch, Report
from worker.bulk import BulkLine
from worker.commands import (
    CarryOp,
    Command,
    ForgetInstance,
    ForgetProgram,
    KillChild,
    PrepareProgram,
    RetireChild,
    SendFiles,
    SendRun,
    SendTold,
    SkipRuns,
    StartChild,
    Tell,
)
from worker.events import Assigned, DrainBegun, Event, FilesGoing, FilesSent, ProgramPrepared, ProgramRefused, Ticked
from worker.library import Library, Prepared
from worker.machine import Machine
from worker.metrics import Metrics
from worker.operating import Operating
from worker.outbox import Outbox
from worker.pool import Pool
from worker.sending import Sender

TICK_S = 0.2

_log = telemetry.logger("runner")


@dataclass(frozen=True, slots=True)
class Helpers:
    """Who carries out what takes a while: programs, files on their way, questions to ledgers."""

    library: Library
    line: BulkLine
    sender: Sender
    operating: Operating


class Runner:
    """Turns events into commands and carries them out."""

    def __init__(self, machine: Machine, clock: Clock, helpers: Helpers) -> None:
        self._machine = machine
        self._clock = clock
        self._library = helpers.library
        self._line = helpers.line
        self._sender = helpers.sender
        self._operating = helpers.operating
        self._inbox: list[Event] = []
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._prepared: dict[int, Prepared] = {}
        self._preparing: set[int] = set()
        self._group: asyncio.TaskGroup | None = None

    def hear(self, event: Event) -> None:
        """Something has happened; it is looked at in the loop's next turn."""
        self._inbox.append(event)
        self._wake.set()

    def hear_batch(self, batch: AssignBatch) -> None:
        """The manager has spoken."""
        if batch.manager_address:
            self._line.hear(batch.manager_address)
        self.hear(Assigned(batch))

    async def drain(self, limit_s: float) -> bool:
        """Take nothing new and let what runs end. Returns whether all has ended."""
        self.hear(DrainBegun())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await self._idle.wait()
        return self._idle.is_set()

    async def run(self, pool: Pool, outbox: Outbox, metrics: Metrics) -> None:
        """For as long as the worker lives."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            group.create_task(self._tick(pool), name="tick")
            group.create_task(self._operating.run(self.hear), name="operating")
            self._do(self._machine.begin(self._clock.monotonic()), pool, outbox, metrics)
            while True:
                await self._wake.wait()
                self._wake.clear()
                self._turn(pool, outbox, metrics)

    def _turn(self, pool: Pool, outbox: Outbox, metrics: Metrics) -> None:
        events, self._inbox = self._inbox, []
        now = self._clock.monotonic()
        commands: list[Command] = []
        for event in events:
            if isinstance(event, Assigned):
                metrics.took(len(event.batch.assignments))
            commands += self._machine.handle(event, now)
        commands += self._machine.settle(now)
        self._do(commands, pool, outbox, metrics)
        if self._machine.is_draining and not self._machine.held:
            self._idle.set()

    def _do(self, commands: list[Command], pool: Pool, outbox: Outbox, metrics: Metrics) -> None:
        runs: dict[int, list[Run | Told]] = defaultdict(list)
        for command in commands:
            match command:
                case SendRun():
                    runs[command.child].append(command.run)
                case SendTold():
                    runs[command.child].append(command.told)
                case CarryOp():
                    self._operating.carry(command)
                case Tell():
                    metrics.told(command.report)
                    outbox.put(command.report)
                case _:
                    self._do_rarely(command, pool)
        pool.send(runs)

    def _do_rarely(self, command: Command, pool: Pool) -> None:  # noqa: C901 -- a dispatch table: one line a command
        match command:
            case PrepareProgram():
                self._spawn(self._prepare(command, pool), f"program {command.program}")
            case ForgetProgram():
                self._forget(command.program, pool)
            case SendFiles():
                self._spawn(self._send_files(command.report), f"files of {command.report.run_id}")
            case StartChild():
                pool.start(command.child, command.after_s)
            case SkipRuns():
                pool.skip(command.child, command.sequences)
            case KillChild():
                pool.kill(command.child)
            case RetireChild():
                pool.retire(command.child)
            case ForgetInstance():
                self._operating.forget(command)
            case SendRun() | SendTold() | CarryOp() | Tell():
                pass

    def _forget(self, program: int, pool: Pool) -> None:
        self._preparing.discard(program)
        pool.forget(program)
        prepared = self._prepared.pop(program, None)
        if prepared is not None:
            self._library.release(prepared)

    def _spawn(self, work: Coroutine[object, object, None], name: str) -> None:
        if self._group is not None:
            self._group.create_task(work, name=name)

    async def _prepare(self, command: PrepareProgram, pool: Pool) -> None:
        self._preparing.add(command.program)
        try:
            prepared = await self._library.prepare(command.program, command.key, command.task)
        except Plotter2Error as wrong:
            self.hear(ProgramRefused(command.program, wrong.message, wrong.code))
            return
        except Exception as wrong:  # noqa: BLE001 -- the worker's one boundary: a program that breaks us fails alone
            _log.exception("program.failed", task=command.task.name)
            self.hear(ProgramRefused(command.program, f"The worker could not prepare it: {wrong}.", "error"))
            return
        if command.program not in self._preparing:  # forgotten meanwhile
            self._library.release(prepared)
            return
        self._preparing.discard(command.program)
        self._prepared[command.program] = prepared
        pool.define(prepared.program)
        self.hear(ProgramPrepared(command.program))

    async def _send_files(self, report: Report) -> None:
        def say(line: str) -> None:
            self.hear(FilesGoing(report.run_id, report.epoch, line))

        error, error_code, packed = "", "", b""
        try:
            packed = await self._sender.send(report, say)
        except Plotter2Error as wrong:
            error, error_code = wrong.message, wrong.code
        except OSError as wrong:
            error, error_code = f"What it made cannot be read: {wrong.strerror}.", "failed"
        self.hear(FilesSent(report.run_id, report.epoch, error, error_code, packed))

    async def _tick(self, pool: Pool) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            for event in pool.measure(self._machine.busy_children()):
                self.hear(event)
            self.hear(Ticked())
