"""The stager's composition root: the only place that constructs. From the disk outward to the edges."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge

from plotter2 import discovery, memory, probes, rpc, telemetry
from plotter2.layout import Layout
from plotter2.lifecycle import Life
from stager.config import StagerConfig
from stager.deliveries import Limits
from stager.dropbox import DropBox
from stager.forwarder import Forwarder, Line
from stager.journal import Journal
from stager.keeper import Keeper
from stager.machine import Machine
from stager.rpc import SERVICE_NAME, StagerRpc, add
from stager.spool import QUOTA_SHARE, Spool


async def main(life: Life) -> None:
    """Live: recover, serve, forward, until told to stop."""
    config = life.config
    assert isinstance(config, StagerConfig)  # noqa: S101 -- __main__ loads it
    memory.reuse()
    layout = Layout.at(config.home)
    layout.create()
    registry = telemetry.registry()
    received = Counter("plotter2_stager_received_bytes", "Content taken in, sent or fetched.", registry=registry)
    async with AsyncExitStack() as stack:
        spool = stack.enter_context(Spool.open(layout.spool))
        journal = await stack.enter_async_context(Journal.open(spool.journal))
        waiting_bytes = sum(delivery.room_bytes for delivery in await journal.load())
        quota_bytes = config.quota_bytes or int(QUOTA_SHARE * (spool.free_bytes() + waiting_bytes))
        limits = Limits(quota_bytes, config.deliveries_max, config.idle_s_max, config.forward_parallel_max)
        keeper = Keeper(Machine(limits), spool, journal, life.clock, life.spawn)
        line = await stack.enter_async_context(Line.open(lambda: _manager(config), layout.installation))
        await keeper.recover()
        _measure(registry, keeper, journal)
        dropbox = DropBox(layout.dropbox, keeper, life.clock, life.ids, config.dropbox_settle_s)
        await asyncio.to_thread(dropbox.prepare)
        servicer = StagerRpc(keeper, line.held, quota_bytes, received.inc)
        server = await stack.enter_async_context(
            rpc.serve(
                lambda server: add(servicer, server),
                [SERVICE_NAME],
                config.host,
                config.grpc_port,
                registry=registry,
            )
        )
        probe = await stack.enter_async_context(
            probes.serve(config.host, config.probe_port, life, registry, lambda: _describe(keeper, quota_bytes))
        )
        loops = [
            life.spawn(Forwarder(line, keeper, spool).run(), "forwarder"),
            life.spawn(dropbox.run(), "dropbox"),
            life.spawn(keeper.tick(), "tick"),
        ]
        life.announce("stager", grpc=server.address, probe=probe)
        await server.set_serving(True)
        life.set_ready(True)
        await life.stopping.wait()
        life.set_ready(False)
        for loop in loops:
            loop.cancel()
        await asyncio.wait(loops)


def _manager(config: StagerConfig) -> str:
    return config.manager_address or discovery.address_of(config.home, "manager")


def _measure(registry: CollectorRegistry, keeper: Keeper, journal: Journal) -> None:
    deliveries = Gauge("plotter2_stager_deliveries", "What waits here.", ["state"], registry=registry)
    deliveries.labels("receiving").set_function(lambda: keeper.backlog().receiving)
    deliveries.labels("sealed").set_function(lambda: keeper.backlog().sealed)
    deliveries.labels("refused").set_function(lambda: keeper.backlog().refused)
    size = Gauge("plotter2_stager_backlog_bytes", "Room taken by what waits here.", registry=registry)
    size.set_function(lambda: keeper.backlog().size_bytes)
    commits = Gauge("plotter2_stager_journal_commits", "Transactions of the journal.", registry=registry)
    commits.set_function(lambda: journal.commits)


def _describe(keeper: Keeper, quota_bytes: int) -> dict[str, Any]:
    left = keeper.backlog()
    return {
        "receiving": left.receiving,
        "sealed": left.sealed,
        "refused": left.refused,
        "size_bytes": left.size_bytes,
        "quota_bytes": quota_bytes,
    }
