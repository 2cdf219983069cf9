"""The watchdogs' composition root: main, services and buffer are one program with different wards."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import psutil
from prometheus_client import CollectorRegistry, Counter

from plotter2 import files, probes, telemetry
from plotter2.clock import rfc3339
from plotter2.layout import Layout
from plotter2.lifecycle import Life
from watchdogs import broker, database, endpoints, leftovers, lock, ports, wards
from watchdogs.actions import Processes
from watchdogs.config import Rank, WatchdogConfig
from watchdogs.keeper import Keeper
from watchdogs.wards import Ports, Ward

SHOW_EVERY_S = 1.0
STAGE_STOP_S = 2.5
OTHERS = {"stager": "stager", "servicer": "servicer"}
"""Wards of the other two watchdogs, by name and role; main shows them too."""


class Kennel:
    """Keepers in stages: those of one stage are started together, when the stage before is well; ended in reverse."""

    def __init__(self, life: Life, layout: Layout, registry: CollectorRegistry) -> None:
        self._life = life
        self._layout = layout
        self._hands = Processes(layout)
        self._restarts = Counter(
            "plotter2_watchdog_restarts", "How often a ward was started again", ["ward"], registry=registry
        )
        self._stages: list[list[tuple[Keeper, asyncio.Task[None]]]] = []
        self.changed = asyncio.Event()

    @property
    def keepers(self) -> list[Keeper]:
        """All of them, in the order of their start."""
        return [keeper for stage in self._stages for keeper, _ in stage]

    async def start(self, *stage: Ward, well: Callable[[Keeper], None]) -> None:
        """Start a stage and wait until each of it is well (or we are told to stop). `well` hears of each."""
        keepers = [
            Keeper(ward, self._hands, self._layout, self._life.clock, self._restarts, self.changed.set)
            for ward in stage
        ]
        self._stages.append([(one, self._life.spawn(one.keep(), f"keep {one.ward.name}")) for one in keepers])
        async with asyncio.TaskGroup() as group:
            waiting = {group.create_task(_tell(one, well), name=f"await {one.ward.name}") for one in keepers}
            stopping = group.create_task(self._wait_for_stop(), name="stopping")
            while waiting and not stopping.done():
                done, _ = await asyncio.wait({*waiting, stopping}, return_when=asyncio.FIRST_COMPLETED)
                waiting -= done
            for task in {*waiting, stopping}:
                task.cancel()

    async def _wait_for_stop(self) -> None:
        await self._life.stopping.wait()

    async def stop(self) -> None:
        """End everybody, the last stage first; those of one stage together."""
        for stage in reversed(self._stages):
            for _, task in stage:
                task.cancel()
            await asyncio.gather(*(task for _, task in stage), return_exceptions=True)
            await asyncio.gather(
                *(keeper.end(STAGE_STOP_S if len(stage) == 1 else 2 * STAGE_STOP_S) for keeper, _ in stage)
            )


async def _tell(keeper: Keeper, well: Callable[[Keeper], None]) -> None:
    await keeper.is_well.wait()
    well(keeper)


async def main(life: Life) -> None:
    """Keep this rank's wards until told to stop."""
    config = life.config
    assert isinstance(config, WatchdogConfig)  # noqa: S101 -- __main__ loads it
    layout = Layout.at(config.home)
    layout.create()
    layout.processes.mkdir(exist_ok=True)
    registry = telemetry.registry()
    kennel = Kennel(life, layout, registry)
    if config.rank is Rank.MAIN:
        with lock.hold(layout, life.clock.now()):
            await _main(life, config, layout, kennel, registry)
        return
    chosen = await asyncio.to_thread(ports.read, layout)
    ward = wards.servicer(chosen) if config.rank is Rank.SERVICES else wards.stager(chosen)
    async with _served(life, config, kennel, registry):
        await kennel.start(ward, well=lambda _: None)
        life.set_ready(True)
        await life.stopping.wait()
        await kennel.stop()


@asynccontextmanager
async def _served(
    life: Life, config: WatchdogConfig, kennel: Kennel, registry: CollectorRegistry
) -> AsyncIterator[None]:
    def describe() -> dict[str, Any]:
        return {"wards": {one.ward.name: str(one.case.state) for one in kennel.keepers}}

    async with probes.serve(config.host, config.probe_port, life, registry, describe) as address:
        life.announce("watchdog", probe=address)
        # A watchdog is ready to be looked at before its wards are: whoever keeps it shall not take it for stuck.
        life.set_ready(True)
        yield


async def _main(
    life: Life, config: WatchdogConfig, layout: Layout, kennel: Kennel, registry: CollectorRegistry
) -> None:
    if not layout.installation.exists():
        files.write_durably(layout.installation, life.ids.uuid().encode())
    _say(f"plotter2 starts in {layout.home}")
    postgres = None if config.dsn else await asyncio.to_thread(database.prepare, layout, config.postgres_folder)
    ended = await asyncio.to_thread(leftovers.clear, layout, postgres)
    if ended:
        telemetry.logger("watchdogs").warning("leftovers.ended", pids=ended)
    chosen = ports.choose(config.ports, config.host, config.workers, layout)
    first, dsn, broker_url = _parts(config, layout, chosen, postgres)
    async with _served(life, config, kennel, registry):
        shown = life.spawn(_show(life, config, layout, kennel), "endpoints")
        if first:
            await kennel.start(*first, well=_cheer)
        rest = [wards.manager(chosen, dsn, broker_url), wards.watchdog("buffer"), wards.watchdog("services")]
        rest += [wards.worker(number + 1, chosen, broker_url) for number in range(config.workers)]
        await kennel.start(*rest, well=_cheer)
        if not life.stopping.is_set():
            _say(f"plotter2 is ready: http://{chosen.address(chosen.http)}/   (Ctrl-C stops everything)")
        await life.stopping.wait()
        _say("plotter2 stops")
        shown.cancel()
        await kennel.stop()
        endpoints.write(layout, [])


def _parts(
    config: WatchdogConfig, layout: Layout, chosen: Ports, postgres: database.Postgres | None
) -> tuple[list[Ward], str, str]:
    """Broker and database of our own, unless others were given; with the addresses of both."""
    found: list[Ward] = []
    dsn, broker_url = config.dsn, config.broker_url
    if not broker_url:
        address = chosen.address(chosen.broker)
        found.append(wards.broker(broker.prepare(layout, config.host, chosen.broker), address))
        broker_url = f"mqtt://{address}"
    if postgres is not None:
        found.append(wards.database(postgres.command, postgres.socket))
        dsn = postgres.dsn
    return found, dsn, broker_url


async def _show(life: Life, config: WatchdogConfig, layout: Layout, kennel: Kennel) -> None:
    """Keep endpoints.json true: at each change, and each second for what other watchdogs keep."""
    before: Sequence[dict[str, Any]] = ()
    while True:
        entries = [_self(life, config)]
        entries += [endpoints.entry(keeper, layout) for keeper in kennel.keepers if keeper.pid]
        entries += [found for name, role in OTHERS.items() if (found := endpoints.of_record(layout, name, role))]
        if entries != before:
            await asyncio.to_thread(endpoints.write, layout, entries)
            before = entries
        kennel.changed.clear()
        try:
            async with asyncio.timeout(SHOW_EVERY_S):
                await kennel.changed.wait()
        except TimeoutError:
            pass


def _self(life: Life, config: WatchdogConfig) -> dict[str, Any]:
    pid = os.getpid()
    return {
        "role": "watchdog", "name": config.name, "address": "", "addresses": {}, "pid": pid,
        "started_at": rfc3339(life.started_at), "state": str(psutil.Process(pid).status()),
    }  # fmt: skip


def _cheer(keeper: Keeper) -> None:
    _say(f"  {keeper.ward.name:<18} {keeper.case.state}   pid {keeper.pid}")


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 -- `plotter2 up` talks to a person
