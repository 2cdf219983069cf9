"""The servicer's composition root."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from prometheus_client import CollectorRegistry, Gauge

from plotter2 import probes, rpc, telemetry
from plotter2.api.v1 import servicer_pb2_grpc
from plotter2.layout import Layout
from plotter2.lifecycle import Life
from plotter2.model.service import SERVICE_ENDS
from servicer import folder, process
from servicer.config import ServicerConfig
from servicer.folder import Endings, Folder
from servicer.machine import Machine
from servicer.rpc import SERVICE_NAME, ServicerRpc
from servicer.runner import Runner

STOP_S = 6.0
LOOK_S = 0.1


class _Stopping(Exception):  # noqa: N818 -- not an error: how a task group is told to end
    """The servicer was told to stop."""


async def main(life: Life) -> None:
    """Take up what is on disk, serve until told to stop; then end the services, unless they shall live on."""
    config = life.config
    assert isinstance(config, ServicerConfig)  # noqa: S101 -- __main__ loads it
    registry = telemetry.registry()
    endings = Endings(Layout.at(config.home), config.ended_kept_max)
    brain = Machine(config.services_max, config.ended_kept_max, await asyncio.to_thread(endings.read))
    try:
        async with asyncio.TaskGroup() as group:

            def spawn(work: Coroutine[Any, Any, None], name: str) -> object:
                return group.create_task(work, name=name)

            runner = Runner(config, brain, endings, spawn, life.clock, life.ids)
            await _serve(life, config, brain, runner, registry)
            raise _Stopping
    except* _Stopping:
        pass


async def _serve(
    life: Life, config: ServicerConfig, brain: Machine, runner: Runner, registry: CollectorRegistry
) -> None:
    layout = Layout.at(config.home)
    alive = Gauge("plotter2_servicer_services", "Service runs that are alive", registry=registry)
    alive.set_function(lambda: sum(1 for one in brain.statuses.values() if one.state not in SERVICE_ENDS))
    edge = ServicerRpc(brain, runner)
    async with (
        rpc.connect(config.manager_address) as channel,
        rpc.serve(
            lambda server: servicer_pb2_grpc.add_ServicerServiceServicer_to_server(edge, server),
            [SERVICE_NAME],
            config.host,
            config.grpc_port,
            registry=registry,
        ) as server,
        probes.serve(
            config.host, config.probe_port, life, registry, lambda: {"services": len(brain.statuses)}
        ) as probe,
    ):
        runner.connect(channel)
        for found in await asyncio.to_thread(lambda: list(folder.every(layout))):
            await runner.put(found)
        await server.set_serving(is_serving=True)
        life.announce("servicer", grpc=server.address, probe=probe)
        life.set_ready(True)
        await life.stopping.wait()
        life.set_ready(False)
        await server.set_serving(is_serving=False)
        if not config.leave_services:
            await _end_all(layout, brain)


async def _end_all(layout: Layout, brain: Machine) -> None:
    """Have every program ended; the next servicer begins them again, or tells the manager how they ended themselves."""
    for service_id in brain.pause():
        place = Folder(layout, service_id)
        await asyncio.to_thread(place.interrupt)
        await asyncio.to_thread(process.forbid, place.root)
    roots = [Folder(layout, one.service_id).root for one in brain.statuses.values() if one.state not in SERVICE_ENDS]
    for root in roots:
        process.end(root)
    try:
        async with asyncio.timeout(STOP_S):
            while any(process.find(root) is not None for root in roots):  # noqa: ASYNC110 -- shims tell nobody
                await asyncio.sleep(LOOK_S)
    except TimeoutError:
        telemetry.logger("servicer").warning("services.late", count=len(roots))
    for root in roots:
        process.reap(root)
