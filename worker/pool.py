"""The children as processes: forked, spoken to, measured, ended; the fork server behind them, made anew when it dies.

Decides nothing: the machine says which child does what, and hears what became of it.
"""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

from plotter2 import telemetry
from plotter2.child import frames
from plotter2.child.frames import Exited, Forget, Fork, Forked, Program, Run, Skip, Told
from plotter2.layout import Layout
from worker import forkserver, memory
from worker.child import ChildLine
from worker.events import ChildGone, ChildMeasured, ChildReady, Event
from worker.forkserver import COMMAND, ForkServer

EXIT_WAIT_S = 1.0
"""How long the end of a line may be ahead of the news how its process ended."""
RESTART_PAUSE_S = 0.5
RESTART_PAUSE_S_MAX = 10.0

_log = telemetry.logger("pool")


class Pool:
    """All children of this worker."""

    def __init__(
        self,
        layout: Layout,
        name: str,
        hear: Callable[[Event], None],
        *,
        threads: int = 1,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._layout = layout
        self._name = name
        self._tell = hear
        self._threads = threads
        self._command = command
        self._lines: dict[int, ChildLine] = {}
        self._statuses: dict[int, int] = {}
        self._programs: dict[int, Program] = {}
        self._server: ForkServer | None = None
        self._is_served = asyncio.Event()
        self._group: asyncio.TaskGroup | None = None

    def __len__(self) -> int:
        return len(self._lines)

    def pids(self) -> list[int]:
        """The children's process ids."""
        return [line.pid for line in self._lines.values() if line.pid]

    async def run(self) -> None:
        """Keep a fork server; for as long as the worker lives."""
        self._sweep()
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                await self._keep_server()
        finally:
            self._group = None
            for line in list(self._lines.values()):
                line.close()

    async def _keep_server(self) -> None:
        pause_s = RESTART_PAUSE_S
        while True:
            temp = self._layout.runs / f".{self._name}-temp"
            temp.mkdir(parents=True, exist_ok=True)
            async with forkserver.start(self._from_server, self._threads, temp, self._command) as server:
                self._server = server
                self._is_served.set()
                await server.listen()
            self._is_served.clear()
            self._server = None
            pause_s = RESTART_PAUSE_S if server.warm.is_set() else min(2 * pause_s, RESTART_PAUSE_S_MAX)
            _log.warning("forkserver.gone", why="its children went with it", pause_s=pause_s)
            await asyncio.sleep(pause_s)

    def _sweep(self) -> None:
        """Remove what children of a former process have left."""
        for left in self._layout.runs.glob(f".{self._name}-*"):
            shutil.rmtree(left, ignore_errors=True)

    # --- what the machine wants -----------------------------------------------------------------------------------

    def start(self, number: int, after_s: float) -> None:
        """Have a child forked."""
        if self._group is not None:
            self._group.create_task(self._start(number, after_s), name=f"child {number}")

    async def _start(self, number: int, after_s: float) -> None:
        await asyncio.sleep(after_s)
        await self._is_served.wait()
        server = self._server
        if server is None:
            return
        ours, theirs = socket.socketpair()
        with theirs:
            loop = asyncio.get_running_loop()
            line = ChildLine(number, self._from_child, self._line_lost)
            self._lines[number] = line
            await loop.create_unix_connection(lambda: line, sock=ours)
            log = self._layout.log / "children" / f"{self._name}-{number % 100}.log"
            order = Fork(number, str(log), str(self._layout.runs), self._scratch(number).name, str(self._layout.steps))
            try:
                server.fork(order, theirs)
            except OSError:
                line.close()

    def send(self, frames_of: dict[int, list[Run | Told]]) -> None:
        """Put runs, and answers of those that wait, into children's queues; one write for each child."""
        for number, several in frames_of.items():
            line = self._lines.get(number)
            if line is None:
                continue
            parts: list[bytes] = []
            for one in several:
                if isinstance(one, Run):
                    parts.append(line.learn(self._programs[one.program]))
                parts.append(frames.pack(one))
            line.write(b"".join(parts))

    def skip(self, number: int, sequences: tuple[int, ...]) -> None:
        """Ask for runs back."""
        line = self._lines.get(number)
        if line is not None:
            line.write(frames.pack(Skip(list(sequences))))

    def kill(self, number: int) -> None:
        """End a child now."""
        if self._server is not None:
            self._server.kill(number)

    def retire(self, number: int) -> None:
        """Let a child go."""
        line = self._lines.get(number)
        if line is not None:
            line.close()

    def define(self, program: Program) -> None:
        """A program is at hand."""
        self._programs[program.number] = program

    def forget(self, number: int) -> None:
        """A program is done with."""
        self._programs.pop(number, None)
        for line in self._lines.values():
            if number in line.known:
                line.known.discard(number)
                line.write(frames.pack(Forget([number])))

    def measure(self, numbers: list[int]) -> list[Event]:
        """Look at what these children use."""
        events: list[Event] = []
        for number in numbers:
            line = self._lines.get(number)
            used = memory.usage(line.pid) if line is not None and line.pid else None
            if line is not None and used is not None:
                memory.bound_log(self._log_path(number))
                events.append(ChildMeasured(number, used.memory_bytes - line.base_bytes, used.cpu_s))
        return events

    # --- what processes do ----------------------------------------------------------------------------------------

    def _from_child(self, event: Event) -> None:
        if isinstance(event, ChildReady):
            line = self._lines[event.child]
            used = memory.usage(line.pid)
            line.base_bytes = used.memory_bytes if used is not None else 0
        self._tell(event)

    def _from_server(self, message: Forked | Exited) -> None:
        if isinstance(message, Forked):
            return
        self._statuses[message.child] = message.status
        if message.child not in self._lines:
            self._gone(message.child)

    def _line_lost(self, number: int) -> None:
        self._lines.pop(number, None)
        if number in self._statuses:
            self._gone(number)
        elif self._group is not None:
            self._group.create_task(self._wait_for_exit(number), name=f"end of child {number}")

    async def _wait_for_exit(self, number: int) -> None:
        await asyncio.sleep(EXIT_WAIT_S)
        if number not in self._statuses:
            self.kill(number)
            self._gone(number)

    def _gone(self, number: int) -> None:
        status = self._statuses.pop(number, None)
        for left in (self._scratch(number), self._scratch(number, "-aside")):
            shutil.rmtree(left, ignore_errors=True)
        self._tell(ChildGone(number, status))

    def _scratch(self, number: int, beside: str = "") -> Path:
        return self._layout.runs / f".{self._name}-{number}{beside}"

    def _log_path(self, number: int) -> Path:
        return self._layout.log / "children" / f"{self._name}-{number % 100}.log"
