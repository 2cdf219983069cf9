"""The manager's composition root: the only place that constructs. From the store inward, then out to the edges."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from importlib.metadata import version
from typing import Any

from manager import http, loading
from manager.commands import Command
from manager.config import ManagerConfig
from manager.desk import Desk
from manager.devices import Devices
from manager.doors import Doors
from manager.events import BusConnected, Ticked
from manager.exports import Exports
from manager.hub import Hub
from manager.instance_planner import InstancePlanner
from manager.keeper import Keeper
from manager.loop import Loop
from manager.machine import Machine
from manager.organizer import Organizer
from manager.publisher import Publisher
from manager.recall import Recall
from manager.rpc import SERVICE_NAME, ManagerRpc
from manager.rules import Rules
from manager.runner import Runner
from manager.scheduler import RoundRobin
from manager.servicelink import ServiceLink
from manager.spoken import Spoken
from manager.store import Store
from manager.store.memory import MemoryStore
from manager.store.postgres import PostgresStore
from manager.tree import Tree
from manager.tree_planner import TreePlanner
from manager.verifier import Verifier
from plotter2 import rpc, telemetry
from plotter2.api.v1 import manager_pb2_grpc
from plotter2.clock import Clock
from plotter2.layout import Layout
from plotter2.lifecycle import Life
from plotter2.mqtt import bus as mqtt
from plotter2.mqtt.protocol import Subscription
from plotter2.mqtt.topics import Topics


class _Stopping(Exception):  # noqa: N818 -- not an error: how a task group is told to end
    """The manager was told to stop."""


async def main(life: Life) -> None:
    """Build everything, serve until told to stop, take everything down in reverse."""
    config = life.config
    assert isinstance(config, ManagerConfig)  # noqa: S101 -- __main__ loads it
    layout = Layout.at(config.home)
    layout.create()
    async with _store(config) as store:
        try:
            async with asyncio.TaskGroup() as group:
                await _serve(life, config, layout, store, group)
                raise _Stopping  # ends what still runs in the group
        except* _Stopping:
            pass


async def _serve(life: Life, config: ManagerConfig, layout: Layout, store: Store, group: asyncio.TaskGroup) -> None:
    def spawn(work: Coroutine[Any, Any, None], name: str) -> object:
        return group.create_task(work, name=name)

    began, registry = life.clock.monotonic(), telemetry.registry()
    machine = Machine(RoundRobin(), config.membership_min, config.automatic_hourly_max)
    organizer, hub, installation = Organizer(layout), Hub(), loading.installation(layout, life.ids)
    await asyncio.to_thread(organizer.lay_assets)
    commands: list[Command] = await loading.load(machine, store, life.clock)
    spoken = await asyncio.to_thread(Spoken.after, layout.log, "manager")
    loop = Loop(machine, store, life.clock, life.ids.uuid(), registry, spoken)
    desk, tree = Desk(loop.put), Tree(organizer, store)
    instance_planner = InstancePlanner(store, organizer, machine.state.catalog)
    await tree.catch_up()
    await tree.keep(machine.state.versions_in_use())
    keeper = Keeper(layout, organizer, loop)
    await keeper.look()
    recall = Recall(store, organizer, instance_planner, keeper)
    planner = TreePlanner(instance_planner, machine.state.catalog, recall)
    runner = Runner(spawn, layout, organizer, tree, loop, planner)
    verifier = Verifier(desk, store, organizer, tree, layout, machine.state)
    doors = Doors(
        desk, loop, hub, store, organizer, machine.state, layout, life.clock, life.ids, installation,
        verifier, instance_planner, keeper, version("plotter2"), life.clock.now(),
    )  # fmt: skip
    calls = ManagerRpc(doors, Rules())
    topics = Topics(config.tenant_id, config.channel_id)
    async with AsyncExitStack() as stack:
        stack.callback(desk.close)
        bus = await stack.enter_async_context(
            mqtt.connect(
                config.broker_url,
                f"plotter2-manager-{installation[:8]}",
                on_connect=lambda: loop.put(BusConnected()),
                subscriptions=[Subscription(topics.from_workers)],
            )
        )
        server = await stack.enter_async_context(
            rpc.serve(
                lambda server: manager_pb2_grpc.add_ManagerServiceServicer_to_server(calls, server),
                [SERVICE_NAME],
                config.host,
                config.grpc_port,
                registry=registry,
            )
        )
        channel = await stack.enter_async_context(rpc.connect(config.servicer_address))
        publisher = Publisher(bus, topics, server.address)
        services = ServiceLink(channel, config.servicer_address, loop, spawn)
        runner.connect(desk, hub, publisher, services, calls, Exports(store, organizer, desk, life.clock))
        web = await stack.enter_async_context(
            http.serve(
                http.build(doors, registry, lambda: life.is_ready, lambda: bus.is_connected),
                config.host,
                config.http_port,
            )
        )
        await loop.carry_out(commands, runner.perform)
        spawn(loop.run(runner.perform), "loop")
        spawn(publisher.run(), "publisher")
        spawn(Devices(bus, topics, loop).run(), "devices")
        for name, work in _regular(config, doors, tree, _tick(loop, life.clock, began, config.tick_s)).items():
            spawn(work, name)
        life.announce("manager", grpc=server.address, http=web)
        await server.set_serving(is_serving=True)
        life.set_ready(True)
        await life.stopping.wait()
        life.set_ready(False)


def _regular(
    config: ManagerConfig, doors: Doors, tree: Tree, clock: Coroutine[Any, Any, None]
) -> dict[str, Coroutine[Any, Any, None]]:
    """What is done now and then, for as long as the manager runs."""
    return {
        "clock": clock,
        "tree": tree.checkpoint(),
        "keeper": doors.keeper.watch(config.config_s),
        "verify tree": doors.verifier.every(config.verify_tree_s, contents=False),
        "verify contents": doors.verifier.every(config.verify_contents_s, contents=True),
    }


def _store(config: ManagerConfig) -> AbstractAsyncContextManager[Store]:
    return PostgresStore.open(config.dsn) if config.dsn else _memory()


@asynccontextmanager
async def _memory() -> AsyncIterator[Store]:
    yield MemoryStore()


async def _tick(loop: Loop, clock: Clock, began: float, every_s: float) -> None:
    """Tell the time; from when the manager began to take up the work, and heard nobody, to its first tick too."""
    while True:
        await asyncio.sleep(every_s)
        now = clock.monotonic()
        await loop.put(Ticked(max(0.0, now - began - every_s)))
        began = now
