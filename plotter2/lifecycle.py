"""How a daemon lives and ends: signals, task group, readiness, drain, exit code. Everybody's `__main__` calls `run`.

SIGTERM and SIGINT set `stopping`; the daemon's `main` then leaves its blocks in reverse order. After the drain limit it
is cancelled. The one place where any exception is caught: it becomes one log record and exit code 1.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from plotter2 import files, structs, telemetry
from plotter2.clock import Clock, IdSource, SystemClock, SystemIds, rfc3339
from plotter2.config import DaemonConfig
from plotter2.errors import ConfigError, Plotter2Error, RefusedError
from plotter2.eventloop import loop_factory
from plotter2.layout import Layout

DRAIN_S_MAX = 8.0
DISK_THREADS_MAX = 8
"""For calls that block, in all of a daemon together; more wait for their turn. The same on every machine."""


class _Ended(Exception):  # noqa: N818 -- not an error: how the daemon's task group is told to end
    """The daemon's main has returned."""


class Life:
    """What a daemon's `main` is given.

    Attributes:
        stopping: set when the daemon shall end.
        is_ready: whether it takes work now; `/ready` says so.
    """

    def __init__(self, config: DaemonConfig, group: asyncio.TaskGroup, clock: Clock, ids: IdSource) -> None:
        self.config = config
        self.group = group
        self.clock = clock
        self.ids = ids
        self.stopping = asyncio.Event()
        self.is_ready = False
        self.started_at = clock.now()

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Run a coroutine beside `main`; if it raises, the daemon ends with code 1."""
        return self.group.create_task(work, name=name)

    def set_ready(self, is_ready: bool) -> None:  # noqa: FBT001 -- a switch
        """Say whether work is welcome."""
        self.is_ready = is_ready

    def announce(self, role: str, **addresses: str) -> None:
        """Write this process's record to `<home>/log/processes/<name>.json`: who it is and what it has bound."""
        folder = Layout.at(self.config.home).processes
        folder.mkdir(parents=True, exist_ok=True)
        record = {
            "role": role,
            "name": self.config.name,
            "pid": os.getpid(),
            "started_at": rfc3339(self.started_at),
            "addresses": addresses,
        }
        files.write_durably(folder / f"{self.config.name}.json", json.dumps(record, indent=2).encode())


Main = Callable[[Life], Awaitable[None]]


def run(name: str, config: DaemonConfig, main: Main, *, drain_limit_s: float = DRAIN_S_MAX) -> int:
    """Live one daemon's life and return its exit code: 0 after a clean end, 3 if it may not live, 1 after a failure."""
    telemetry.setup(name, Layout.at(config.home).log, config.log_level)
    log = telemetry.logger("lifecycle")
    log.info("starting", home=str(config.home), pid=os.getpid())
    structs.prepare()
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(_live(config, main, drain_limit_s))
    except BaseException as wrong:
        first = _first(wrong)
        if isinstance(first, ConfigError | RefusedError):
            log.error("refused", why=first.message)  # noqa: TRY400 -- a setting or a rule, not a fault of ours
            print(f"{name}: {first.message}", file=sys.stderr)  # noqa: T201 -- its reader is a person
            return first.exit_code
        log.error("failed", why=str(first), exc_info=None if isinstance(first, Plotter2Error) else first)  # noqa: TRY400 -- ours say it all
        print(f"{name}: {type(first).__name__}: {first}", file=sys.stderr)  # noqa: T201 -- its reader is a person
        return 1
    log.info("ended")
    return 0


async def _live(config: DaemonConfig, main: Main, drain_limit_s: float) -> None:
    clock = SystemClock()
    try:
        async with asyncio.TaskGroup() as group:
            life = Life(config, group, clock, SystemIds(clock))
            loop = asyncio.get_running_loop()
            loop.set_default_executor(ThreadPoolExecutor(DISK_THREADS_MAX, "disk"))
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, life.stopping.set)
            await _until_ended(life, main, drain_limit_s)
            raise _Ended
    except* _Ended:
        pass


async def _until_ended(life: Life, main: Main, drain_limit_s: float) -> None:
    async with asyncio.TaskGroup() as inner:
        living = inner.create_task(_as_coroutine(main(life)), name="main")
        stopping = inner.create_task(life.stopping.wait(), name="stopping")
        await asyncio.wait({living, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not living.done():
            _, late = await asyncio.wait({living}, timeout=drain_limit_s)
            if late:
                telemetry.logger("lifecycle").warning("drain.limit", limit_s=drain_limit_s)
                living.cancel()
        stopping.cancel()


async def _as_coroutine(awaitable: Awaitable[None]) -> None:
    await awaitable


def _first(wrong: BaseException) -> BaseException:
    while isinstance(wrong, BaseExceptionGroup):
        wrong = wrong.exceptions[0]
    return wrong


def record(path: Path) -> dict[str, Any]:
    """Read a process record; an empty one where there is none or it is being replaced."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
