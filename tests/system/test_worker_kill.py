"""A worker as a process, with the real engine: what is left when it is killed, and when it is told to stop."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from blake3 import blake3

from plotter2 import config, launch
from plotter2.ids import RunId, TaskId
from plotter2.layout import Layout
from plotter2.model.task import RunState, Task, TaskKind
from plotter2.mqtt import bus, payloads
from plotter2.mqtt.payloads import AssignBatch, Assignment
from plotter2.mqtt.protocol import Subscription
from plotter2.mqtt.topics import Topics

WAIT_S = 40.0
ENDLESS = "def task():\n    while True:\n        pass\n"


@pytest.fixture
def topics(tmp_path: Path) -> Topics:
    return Topics("test", blake3(str(tmp_path).encode()).hexdigest()[:16])


@contextmanager
def worker(home: Path, broker_url: str, topics: Topics) -> Iterator[subprocess.Popen[bytes]]:
    settings = {
        "PLOTTER2_HOME": str(home),
        "PLOTTER2_WORKER_BROKER_URL": broker_url,
        "PLOTTER2_WORKER_PROBE_PORT": "0",
        "PLOTTER2_WORKER_TENANT_ID": topics.tenant_id,
        "PLOTTER2_WORKER_CHANNEL_ID": topics.channel_id,
        "PLOTTER2_WORKER_DRAIN_S": "0.5",
    }
    process = subprocess.Popen(launch.command("worker"), env={**config.environment(), **settings})
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
async def heard(broker_url: str, topics: Topics) -> AsyncIterator[bus.MqttBus]:
    wanted = [Subscription(topics.from_workers)]
    async with bus.connect(broker_url, f"manager-{topics.channel_id}", subscriptions=wanted) as line:
        async with asyncio.timeout(WAIT_S):
            while not line.is_connected:
                await asyncio.sleep(0.01)
        yield line


async def run_endless(line: bus.MqttBus, topics: Topics) -> None:
    """Have the worker begin something that does not end, and wait until it says so."""
    async with asyncio.timeout(WAIT_S):
        async for message in line.messages():
            if message.topic == topics.create:
                worker_id = payloads.decode_create(message.payload).proplet_id
                digest = blake3(ENDLESS.encode()).digest()
                task = Task(TaskId("endless"), "endless", TaskKind.SCRIPT, ENDLESS, digest, "endless.py")
                given = Assignment(RunId("req-" + "0" * 32 + ".0"), 1, task.id)
                batch = payloads.encode_assign_batch(AssignBatch((given,), (task,)))
                await line.publish(topics.assign(worker_id), batch)
            elif message.topic.endswith("/report"):
                [report] = payloads.decode_report_batch(message.payload).reports
                assert report.state is RunState.RUNNING, report.error
                return


async def until_offline(line: bus.MqttBus, topics: Topics) -> None:
    async with asyncio.timeout(WAIT_S):
        async for message in line.messages():
            if message.topic == topics.alive and payloads.decode_alive(message.payload).is_offline:
                return


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not is_so():
            await asyncio.sleep(0.02)


def living(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [one for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.req("r198", "r201")
async def test_nothing_outlives_a_worker_that_is_killed_and_the_broker_says_so(
    tmp_path: Path, broker_url: str, topics: Topics, heard: bus.MqttBus
) -> None:
    with worker(tmp_path, broker_url, topics) as process:
        await run_endless(heard, topics)
        below = psutil.Process(process.pid).children(recursive=True)
        assert len(below) == 2
        process.kill()
        await until(lambda: not living(below))
        await until_offline(heard, topics)


async def test_a_worker_that_is_told_to_stop_leaves_in_time_and_without_a_trace(
    tmp_path: Path, broker_url: str, topics: Topics, heard: bus.MqttBus
) -> None:
    with worker(tmp_path, broker_url, topics) as process:
        await run_endless(heard, topics)
        below = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGTERM)
        await until_offline(heard, topics)
        assert await asyncio.to_thread(process.wait, 10) == 0
        assert not living(below)
        log = (Layout.at(tmp_path).log / "worker-1.jsonl").read_text().splitlines()
        assert json.loads(log[-1])["event"] == "ended"


async def test_a_worker_without_a_broker_starts_and_stops(tmp_path: Path, topics: Topics) -> None:
    with worker(tmp_path, "mqtt://127.0.0.1:1", topics) as process:
        await until((Layout.at(tmp_path).processes / "worker-1.json").exists)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, 10) == 0
