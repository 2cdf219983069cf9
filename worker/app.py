"""Builds the worker, from general to specific, and takes it down in reverse. Nobody else makes what holds resources."""

from __future__ import annotations

import asyncio
import functools
from typing import Any, cast

from plotter2 import probes, telemetry
from plotter2.ids import WorkerId
from plotter2.layout import Layout
from plotter2.lifecycle import Life
from plotter2.mqtt import bus
from plotter2.mqtt.topics import Topics
from worker.bulk import BulkLine
from worker.cache import Cache
from worker.config import WorkerConfig, installation
from worker.devices import Devices, Identity
from worker.library import Library
from worker.machine import Machine
from worker.metrics import Metrics
from worker.operating import Operating
from worker.paper import Printer
from worker.pool import Pool
from worker.runner import Helpers, Runner
from worker.sending import Sender

READY_POLL_S = 0.05
REPORT_WAIT_S = 1.5

_log = telemetry.logger("app")


async def main(life: Life) -> None:
    """Live until told to stop."""
    config = cast("WorkerConfig", life.config)
    layout = Layout.at(config.home)
    layout.create()
    layout.runs.mkdir(parents=True, exist_ok=True)
    policy = config.policy()
    read_installation = functools.partial(installation, config.home)
    machine = Machine(policy, life.clock.now() - life.clock.monotonic())
    registry = telemetry.registry()
    metrics = Metrics(registry)
    async with BulkLine.open(config.home, config.manager_address, read_installation) as line:
        cache = Cache(layout.temp / "cache" / config.name, config.cache_bytes_max, line.fetch)
        await asyncio.to_thread(cache.load)
        sender = Sender(layout, line, Printer(config.press(), layout.runs, config.name))
        worker_id = WorkerId(config.identity())
        library = Library(layout, line, cache)
        helpers = Helpers(library, line, sender, Operating(worker_id, line, library))
        runner = Runner(machine, life.clock, helpers)
        pool = Pool(layout, config.name, runner.hear, threads=config.threads_per_child)
        identity = Identity(worker_id, config.name, life.ids.uuid(), policy.slots, config.beat_s, read_installation)
        topics = Topics(config.tenant_id, config.channel_id)
        devices = Devices(topics, identity, lambda: machine.held, runner.hear_batch, lambda: machine.ahead_s)
        _watch(metrics, machine, pool, devices, cache)

        def describe() -> dict[str, Any]:
            return {"running_tasks": machine.held, "children": len(pool), "worker_id": worker_id}

        async with probes.serve(config.host, config.probe_port, life, registry, describe) as probe:
            life.announce("worker", probe=probe)
            async with asyncio.TaskGroup() as group:
                loops = [
                    group.create_task(pool.run(), name="pool"),
                    group.create_task(runner.run(pool, devices.outbox, metrics), name="runner"),
                    group.create_task(_say_ready(life, machine, devices), name="readiness"),
                ]
                try:
                    async with devices.join(bus.connect, config.broker_url):
                        await _until_drained(life, runner, devices, config.drain_s)
                finally:
                    for loop in loops:
                        loop.cancel()


async def _until_drained(life: Life, runner: Runner, devices: Devices, drain_s: float) -> None:
    await life.stopping.wait()
    life.set_ready(False)
    has_ended = await runner.drain(drain_s)
    await _flush(devices)
    _log.info("drained", all_ended=has_ended)


async def _say_ready(life: Life, machine: Machine, devices: Devices) -> None:
    while not life.stopping.is_set():
        life.set_ready(machine.is_ready and devices.is_connected)
        await asyncio.sleep(READY_POLL_S if not life.is_ready else 10 * READY_POLL_S)


async def _flush(devices: Devices) -> None:
    try:
        async with asyncio.timeout(REPORT_WAIT_S):
            await devices.outbox.emptied()
    except TimeoutError:
        _log.warning("reports.left", count=len(devices.outbox))


def _watch(metrics: Metrics, machine: Machine, pool: Pool, devices: Devices, cache: Cache) -> None:
    metrics.watch("children", "Child interpreters that are there.", lambda: len(pool))
    metrics.watch("runs_held", "Runs in hand, running and waiting.", lambda: machine.held)
    metrics.watch("reports_waiting", "Reports that the broker does not have yet.", lambda: len(devices.outbox))
    metrics.watch("proplet_tasks_running", "Runs in hand.", lambda: machine.held)
    metrics.watch(
        "proplet_mqtt_reconnects_total", "Connections after the first.", lambda: max(0, devices.connections - 1)
    )
    metrics.watch("proplet_wasm_fetch_bytes_total", "Content fetched from the manager.", lambda: cache.fetched_bytes)
