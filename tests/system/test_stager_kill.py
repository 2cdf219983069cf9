"""kill -9 the stager in the middle of an upload and after its word: nothing that it acknowledged is lost (r198)."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3

from plotter2 import rpc
from plotter2.api.v1 import stager_pb2 as pb
from plotter2.api.v1.stager_pb2_grpc import StagerServiceStub
from plotter2.client import packing
from plotter2.client.upload import METHOD, push
from plotter2.clock import Instant, SystemClock, SystemIds
from plotter2.errors import UnreachableError
from plotter2.layout import Layout
from plotter2.model import manifest
from tests.stagerkit import FakeManager, home_at, serving, stager_process

CLOCK = SystemClock()
IDS = SystemIds(CLOCK)
PAPER = manifest.write("ada", Instant(1.7e9), {})
WAIT_S = 30.0


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return home_at(tmp_path / "home")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.02)


@pytest.mark.req("r075", "r198")
async def test_every_acknowledged_delivery_arrives_after_kill_9(tmp_path: Path, layout: Layout) -> None:
    manager = FakeManager()
    contents = [{f"{n}-{i}": os.urandom(1000 * (n + 1)) for i in range(20)} for n in range(6)]

    async def send(number: int, address: str) -> str:
        root = tmp_path / str(number)
        root.mkdir()
        for name, data in contents[number].items():
            (root / name).write_bytes(data)
        pushed = await push(root, f"b{number}", stager_address=address, user="ada", clock=CLOCK, ids=IDS, wait=False)
        return pushed.delivery_id

    away = f"127.0.0.1:{free_port()}"
    with stager_process(layout, away) as stager:  # the manager is not there yet
        names = await asyncio.gather(*(send(number, stager.address) for number in range(6)))
        stager.kill()  # not a moment after its last word
    async with serving(manager) as address:
        with stager_process(layout, address) as stager:
            await until(lambda: set(names) <= set(manager.installed))
            for number, expected in enumerate(contents):
                assert manager.contents(f"b{number}") == expected
            async with rpc.connect(stager.address) as channel:
                stub = StagerServiceStub(channel)
                for name in names:
                    answer = await stub.GetDelivery(pb.GetDeliveryRequest(delivery_id=name, wait_s=WAIT_S))
                    assert answer.state == pb.DELIVERY_STATE_CONFIRMED
            await until(lambda: not [path for path in layout.spool.iterdir() if path.is_dir()])
    assert len(manager.installed) == 6


@pytest.mark.req("r198")
async def test_killed_between_the_managers_word_and_its_own_note_a_delivery_is_sent_twice_and_installed_once(
    tmp_path: Path, layout: Layout
) -> None:
    manager = FakeManager()
    manager.gate.clear()
    (tmp_path / "a").write_bytes(b"a")
    async with serving(manager) as address:
        with stager_process(layout, address) as stager:
            await push(tmp_path / "a", "b", stager_address=stager.address, user="ada", clock=CLOCK, ids=IDS, wait=False)
            await until(lambda: len(manager.calls) == 1)
            stager.kill()
        manager.gate.set()
        await until(lambda: len(manager.installed) in {0, 1})
        with stager_process(layout, address):
            await until(lambda: len(manager.calls) == 2 and len(manager.installed) == 1)
            await until(lambda: not [path for path in layout.spool.iterdir() if path.is_dir()])
    assert manager.contents("b") == {"a": b"a"}


@pytest.mark.req("r198")
async def test_an_upload_goes_on_by_offset_after_kill_9(layout: Layout) -> None:
    manager, data, delivery = FakeManager(), os.urandom(6 << 20), IDS.delivery()
    request = pb.UploadRequest()
    request.begin.delivery_id, request.begin.bundle, request.begin.manifest_json = delivery, "b", PAPER
    request.begin.files.add(path="big", size_bytes=len(data), digest=blake3(data).digest(), mode=0o644)
    async with serving(manager) as address:
        with stager_process(layout, address) as stager:
            async with rpc.connect(stager.address) as channel:
                call: Any = channel.stream_stream(METHOD, None, pb.UploadResponse.FromString)(None)
                await call.write(request.SerializeToString())
                assert list((await call.read()).resume.offsets) == [0]
                await call.write(packing.frame([(0, 0, data[: 2 << 20])]))
                there = layout.spool / delivery / "0"
                await until(lambda: there.exists() and there.stat().st_size == 2 << 20)
                stager.kill()
        with stager_process(layout, address) as stager:
            async with rpc.connect(stager.address) as channel:
                again: Any = channel.stream_stream(METHOD, None, pb.UploadResponse.FromString)(None)
                await again.write(request.SerializeToString())
                assert list((await again.read()).resume.offsets) == [2 << 20]
                await again.write(packing.frame([(0, 2 << 20, data[2 << 20 :])]))
                await again.write(pb.UploadRequest(seal=pb.UploadSeal()).SerializeToString())
                await again.done_writing()
                assert (await again.read()).sealed.delivery_id == delivery
            await until(lambda: delivery in manager.installed)
    assert manager.contents("b") == {"big": data}


@pytest.mark.req("r075", "r198")
async def test_a_push_survives_a_stager_that_is_killed_again_and_again(tmp_path: Path, layout: Layout) -> None:
    manager, data, port = FakeManager(), os.urandom(96 << 20), free_port()
    (tmp_path / "big").write_bytes(data)
    sent, done, kills = [0], asyncio.Event(), 0

    def has_come_to(least_bytes: float) -> bool:
        return sent[0] >= least_bytes or done.is_set()

    async def kill_now_and_then(address: str) -> int:
        count = 0
        for share in (0.2, 0.4, 0.6):
            with ExitStack() as stack:
                stager = await asyncio.to_thread(
                    stack.enter_context, stager_process(layout, address, grpc_port=str(port))
                )
                await until(partial(has_come_to, share * len(data)))
                count += not done.is_set()
                await asyncio.to_thread(stager.kill)
        with ExitStack() as stack:
            await asyncio.to_thread(stack.enter_context, stager_process(layout, address, grpc_port=str(port)))
            await done.wait()
        return count

    async with serving(manager) as address, asyncio.TaskGroup() as group:
        killer = group.create_task(kill_now_and_then(address))
        await until((layout.processes / "stager.json").exists)
        pushed = await push(
            tmp_path / "big",
            "b",
            stager_address=f"127.0.0.1:{port}",
            user="ada",
            clock=CLOCK,
            ids=IDS,
            on_progress=lambda now, _total: sent.__setitem__(0, now),
        )
        done.set()
        kills = await killer
    assert kills >= 1
    assert (pushed.version, pushed.is_new) == (1, True)
    assert manager.contents("b") == {"big": data}


async def test_a_stager_that_never_was_there_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    with pytest.raises(UnreachableError, match="Nobody answers"):
        await push(tmp_path / "a", "b", stager_address=f"127.0.0.1:{free_port()}", user="ada", clock=CLOCK, ids=IDS)


async def test_it_stops_at_once_even_when_a_sender_waits(tmp_path: Path, layout: Layout) -> None:
    (tmp_path / "a").write_bytes(b"a")
    with stager_process(layout, f"127.0.0.1:{free_port()}") as stager:
        waiting = push(tmp_path / "a", "b", stager_address=stager.address, user="ada", clock=CLOCK, ids=IDS)
        async with asyncio.TaskGroup() as group:
            sender = group.create_task(waiting)
            async with rpc.connect(stager.address) as channel:
                stub = StagerServiceStub(channel)
                async with asyncio.timeout(WAIT_S):
                    while (await stub.GetBacklog(pb.GetBacklogRequest())).sealed == 0:
                        await asyncio.sleep(0.02)
            stager.process.terminate()
            assert await asyncio.to_thread(stager.process.wait, 5) == 0
            sender.cancel()
