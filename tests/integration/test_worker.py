"""A whole worker in this process on a real broker; the test is its manager."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from blake3 import blake3

from plotter2.clock import SystemClock, SystemIds
from plotter2.config import load
from plotter2.ids import RunId, TaskId, WorkerId
from plotter2.layout import Layout
from plotter2.lifecycle import Life, record
from plotter2.model.task import Limits, RunState, Task, TaskKind
from plotter2.mqtt import bus, payloads
from plotter2.mqtt.payloads import AliveMessage, AssignBatch, Assignment, CreateMessage, Report
from plotter2.mqtt.protocol import Subscription
from plotter2.mqtt.topics import Kind, Topics
from tests.integration.worker_kit import PLAIN_ENGINE, REQUEST, WAIT_S
from worker import app
from worker.config import WorkerConfig
from worker.pool import Pool

SOURCE = "result = parameters.get('x', 1)\n"


class Ear:
    """What a manager hears."""

    def __init__(self, line: bus.MqttBus, topics: Topics) -> None:
        self._line = line
        self._topics = topics
        self.created: list[CreateMessage] = []
        self.beats: list[AliveMessage] = []
        self.reports: list[Report] = []
        self.batches = 0
        self.changed = asyncio.Event()

    async def listen(self) -> None:
        async for message in self._line.messages():
            topic = self._topics.parse(message.topic)
            match topic.kind if topic else None:
                case Kind.CREATE:
                    self.created.append(payloads.decode_create(message.payload))
                case Kind.ALIVE:
                    self.beats.append(payloads.decode_alive(message.payload))
                case Kind.REPORT:
                    self.reports += payloads.decode_report_batch(message.payload).reports
                    self.batches += 1
                case _:
                    pass
            self.changed.set()

    async def until(self, what: str, count: int) -> None:
        async with asyncio.timeout(WAIT_S):
            while len(getattr(self, what)) < count:
                self.changed.clear()
                await self.changed.wait()

    async def assign(self, worker_id: str, *numbers: int, source: str = SOURCE, limits: Limits | None = None) -> None:
        digest = blake3(source.encode()).digest()
        task = Task(TaskId(digest.hex()), "tiny", TaskKind.SCRIPT, source, digest, "tiny.py", limits=limits or Limits())
        given = tuple(Assignment(RunId(f"{REQUEST}.{number}"), 1, task.id) for number in numbers)
        batch = payloads.encode_assign_batch(AssignBatch(given, (task,)))
        await self._line.publish(self._topics.assign(worker_id), batch)


@asynccontextmanager
async def manager(broker_url: str, topics: Topics) -> AsyncIterator[Ear]:
    wanted = [Subscription(topics.from_workers)]
    async with bus.connect(broker_url, f"manager-{topics.channel_id}", subscriptions=wanted) as line:
        async with asyncio.timeout(WAIT_S):
            while not line.is_connected:
                await asyncio.sleep(0.01)
        ear = Ear(line, topics)
        async with asyncio.TaskGroup() as group:
            listening = group.create_task(ear.listen())
            try:
                yield ear
            finally:
                listening.cancel()


@asynccontextmanager
async def worker(home: Path, broker_url: str, topics: Topics) -> AsyncIterator[Life]:
    config = load(
        WorkerConfig, home=home, broker_url=broker_url, probe_port=0, beat_s=0.1, window_runs=64,
        tenant_id=topics.tenant_id, channel_id=topics.channel_id, drain_s=3.0,
    )  # fmt: skip
    clock = SystemClock()
    async with asyncio.TaskGroup() as group:
        life = Life(config, group, clock, SystemIds(clock))
        living = group.create_task(app.main(life))
        try:
            async with asyncio.timeout(WAIT_S):
                while not life.is_ready and not living.done():
                    await asyncio.sleep(0.01)
            yield life
        finally:
            life.stopping.set()


@pytest.fixture
def topics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Topics:
    monkeypatch.setattr(app, "Pool", functools.partial(Pool, command=PLAIN_ENGINE))
    return Topics("test", blake3(str(tmp_path).encode()).hexdigest()[:16])


@pytest.mark.req("r082", "M22", "M42")
async def test_a_worker_announces_itself_beats_and_says_goodbye(
    tmp_path: Path, broker_url: str, topics: Topics
) -> None:
    async with manager(broker_url, topics) as ear:
        async with worker(tmp_path, broker_url, topics) as life:
            await ear.until("created", 1)
            await ear.until("beats", 3)
            [created] = ear.created
            assert created.ours is not None
            assert created.ours.slots == 64
            assert {beat.incarnation for beat in ear.beats} == {created.ours.incarnation}
            assert life.is_ready
        async with asyncio.timeout(WAIT_S):
            while not ear.beats[-1].is_offline:
                await ear.until("beats", len(ear.beats) + 1)


@pytest.mark.req("M23", "M39", "M40")
async def test_runs_come_in_and_their_ends_go_out_many_in_a_message(
    tmp_path: Path, broker_url: str, topics: Topics
) -> None:
    async with manager(broker_url, topics) as ear, worker(tmp_path, broker_url, topics):
        await ear.until("created", 1)
        worker_id = ear.created[0].proplet_id
        await ear.assign(worker_id, *range(300, 364))
        await ear.until("reports", 64)
        assert {one.state for one in ear.reports} == {RunState.DONE}
        assert ear.batches < 64


async def test_a_repeated_assignment_gets_the_same_answer_and_no_second_run(
    tmp_path: Path, broker_url: str, topics: Topics
) -> None:
    source = "import pathlib\nhere = pathlib.Path(parameters.get('at', '/nowhere'))\nresult = id(here)\n"
    async with manager(broker_url, topics) as ear, worker(tmp_path, broker_url, topics):
        await ear.until("created", 1)
        for count in (1, 2, 3):
            await ear.assign(ear.created[0].proplet_id, 1, source=source)
            await ear.until("reports", count)
        assert len({one.results_json for one in ear.reports}) == 1


async def test_a_stopping_worker_ends_what_runs_and_leaves_the_rest(
    tmp_path: Path, broker_url: str, topics: Topics
) -> None:
    async with manager(broker_url, topics) as ear:
        async with worker(tmp_path, broker_url, topics):
            await ear.until("created", 1)
            await ear.assign(ear.created[0].proplet_id, 1, source="import time\ntime.sleep(1)\nresult = 1\n")
            await ear.assign(ear.created[0].proplet_id, 2)
            await ear.until("reports", 1)  # it runs
        assert [(one.run_id, one.state) for one in ear.reports] == [
            (RunId(f"{REQUEST}.1"), RunState.RUNNING),
            (RunId(f"{REQUEST}.1"), RunState.DONE),
        ]


async def test_probes_tell_how_the_worker_is(tmp_path: Path, broker_url: str, topics: Topics) -> None:
    async with manager(broker_url, topics) as ear, worker(tmp_path, broker_url, topics):
        await ear.until("created", 1)
        await ear.assign(ear.created[0].proplet_id, 1)
        await ear.until("reports", 1)
        said = record(Layout.at(tmp_path).processes / "worker-1.json")
        assert said["role"] == "worker"
        address = said["addresses"]["probe"]
        async with httpx.AsyncClient(base_url=f"http://{address}", trust_env=False) as http:
            health = (await http.get("/health")).json()
            assert health["worker_id"] == ear.created[0].proplet_id == WorkerId(health["worker_id"])
            metrics = (await http.get("/metrics")).text
        assert 'runs_total{state="done"} 1.0' in metrics
        assert "proplet_tasks_completed_total 1.0" in metrics
        assert "run_seconds_bucket" in metrics
