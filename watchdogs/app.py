"""The watchdogs' composition root: main, services and buffer are one program with different wards."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

from prometheus_client import CollectorRegistry

from plotter2 import files, probes, telemetry
from plotter2.clock import rfc3339
from plotter2.layout import Layout
from plotter2.lifecycle import Life
from watchdogs import broker, database, endpoints, leftovers, lock, ports, wards
from watchdogs.actions import Processes, Systemd
from watchdogs.config import STOP_S_MARGIN, HandsKind, Rank, WatchdogConfig
from watchdogs.keeper import Keeper
from watchdogs.kennel import Kennel, Stage
from watchdogs.wards import Ports, Ward

SHOW_EVERY_S = 1.0
MANAGER_STOP_S = 1.5
PARTS_STOP_S = 1.5


async def main(life: Life) -> None:
    """Keep this rank's wards until told to stop."""
    config = life.config
    assert isinstance(config, WatchdogConfig)  # noqa: S101 -- __main__ loads it
    layout = Layout.at(config.home)
    layout.create()
    layout.processes.mkdir(exist_ok=True)
    registry = telemetry.registry()
    hands = Systemd() if config.hands is HandsKind.SYSTEMD else Processes(layout)
    kennel = Kennel(life, layout, hands, registry)
    if config.rank is Rank.MAIN:
        with lock.hold(layout, life.clock.now(), config.guardian):
            await _main(life, config, layout, kennel, registry)
        return
    chosen = await asyncio.to_thread(ports.read, layout)
    ward = wards.servicer(chosen) if config.rank is Rank.SERVICES else wards.stager(chosen)
    async with _served(life, config, kennel, registry):
        await kennel.start(Stage([_bounded(ward, config)], config.stop_s - STOP_S_MARGIN))
        await life.stopping.wait()
        await kennel.stop()


@asynccontextmanager
async def _served(
    life: Life, config: WatchdogConfig, kennel: Kennel, registry: CollectorRegistry
) -> AsyncIterator[str]:
    def describe() -> dict[str, Any]:
        return {"wards": {one.ward.name: str(one.case.state) for one in kennel.keepers}}

    async with probes.serve(config.host, config.probe_port, life, registry, describe) as address:
        life.announce("watchdog", probe=address)
        # A watchdog is ready to be looked at before its wards are: whoever keeps it shall not take it for stuck.
        life.set_ready(True)
        yield address


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
    parts, dsn, broker_url = _parts(config, layout, chosen, postgres)
    async with _served(life, config, kennel, registry) as address:
        shown = life.spawn(_show(life, layout, kennel, chosen, address), "endpoints")
        await kennel.start(Stage(parts, PARTS_STOP_S), cheer=_cheer)
        if not life.stopping.is_set():
            await kennel.start(*_daemons(config, chosen, dsn, broker_url), cheer=_cheer)
        if not life.stopping.is_set():
            _say(f"plotter2 is ready: http://{chosen.address(chosen.http)}/   (Ctrl-C stops everything)")
        await life.stopping.wait()
        _say("plotter2 stops")
        await kennel.stop()
        shown.cancel()
        await asyncio.wait({shown})
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


def _daemons(config: WatchdogConfig, chosen: Ports, dsn: str, broker_url: str) -> list[Stage]:
    """Everybody else. The manager ends last of them: what workers and stager still have to say arrives."""
    others = [wards.watchdog(rank, _inherited(config)) for rank in (Rank.BUFFER, Rank.SERVICES)]
    others += [_bounded(wards.worker(number + 1, chosen, broker_url), config) for number in range(config.workers)]
    manager = _bounded(wards.manager(chosen, dsn, broker_url), config)
    return [Stage([manager], MANAGER_STOP_S), Stage(others, config.stop_s)]


def _inherited(config: WatchdogConfig) -> dict[str, str]:
    """What main was told and the other watchdogs must know."""
    names = ("host", "log_level", "hands", "stop_s", "memory_max_bytes")
    return {f"PLOTTER2_WATCHDOG_{name.upper()}": str(getattr(config, name)) for name in names}


def _bounded(ward: Ward, config: WatchdogConfig) -> Ward:
    return replace(ward, memory_max_bytes=config.memory_max_bytes)


async def _show(life: Life, layout: Layout, kennel: Kennel, chosen: Ports, address: str) -> None:
    """Keep endpoints.json true: at each change, and each second for what the other watchdogs keep."""
    before: Sequence[dict[str, Any]] = ()
    theirs = (wards.stager(chosen), wards.servicer(chosen))
    while True:
        entries = [_self(life, address)]
        entries += [endpoints.of_keeper(keeper, layout) for keeper in kennel.keepers if keeper.pid]
        entries += [found for ward in theirs if (found := endpoints.of_record(ward, layout))]
        if entries != before:
            try:
                await asyncio.to_thread(endpoints.write, layout, entries)
                before = entries
            except OSError as wrong:  # a full disk is no reason to let everybody down
                telemetry.logger("watchdogs").error("endpoints.failed", why=str(wrong))
        kennel.changed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(SHOW_EVERY_S):
                await kennel.changed.wait()


def _self(life: Life, address: str) -> dict[str, Any]:
    return {
        "role": "watchdog", "name": life.config.name, "address": address, "addresses": {"probe": address},
        "pid": os.getpid(), "started_at": rfc3339(life.started_at), "state": "running",
    }  # fmt: skip


def _cheer(keeper: Keeper) -> None:
    _say(f"  {keeper.ward.name:<18} {keeper.case.state}   pid {keeper.pid}")


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 -- `plotter2 up` talks to a person
