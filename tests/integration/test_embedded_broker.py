"""The broker that needs no installation."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import psutil
import pytest

from plotter2.layout import Layout
from plotter2.mqtt import bus
from tests.embedded import accepts, free_port, wait_until
from watchdogs import broker

PAYLOAD = bytes(5 << 20)


class Server:
    """A broker that can be killed and started again."""

    def __init__(self, home: Path) -> None:
        self.layout = Layout.at(home)
        self.layout.create()
        self.port = free_port()
        self.command = broker.prepare(self.layout, "127.0.0.1", self.port)
        self.process = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        with (self.layout.log / "broker.out").open("ab") as out:
            self.process = subprocess.Popen(self.command, stdout=out, stderr=out)
        wait_until(lambda: accepts(self.port))
        return self.process

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.mark.req("r082")
async def test_messages_of_the_largest_size_pass(broker_url: str) -> None:
    async with (
        asyncio.timeout(30),
        bus.connect(broker_url, "big-reader", subscriptions=[bus.Subscription("embedded/big")]) as reader,
        bus.connect(broker_url, "big-writer") as writer,
    ):
        while not reader.is_connected:
            await asyncio.sleep(0.01)
        await writer.publish("embedded/big", PAYLOAD)
        async for message in reader.messages():
            assert message.payload == PAYLOAD
            break


def test_everything_it_listens_on_is_loopback_and_it_ends_when_asked(tmp_path: Path) -> None:
    server = Server(tmp_path)
    try:
        listening = [
            one for one in psutil.Process(server.process.pid).net_connections("inet") if one.status == "LISTEN"
        ]
        assert server.port in {one.laddr.port for one in listening}
        assert {one.laddr.ip for one in listening} == {"127.0.0.1"}
        server.process.terminate()
        server.process.wait(10)
    finally:
        server.kill()


@pytest.mark.req("r082")
async def test_after_a_kill_it_serves_again_at_the_same_place(tmp_path: Path) -> None:
    server = await asyncio.to_thread(Server, tmp_path)
    try:
        url = f"mqtt://127.0.0.1:{server.port}"
        async with asyncio.timeout(60), bus.connect(url, "one", subscriptions=[bus.Subscription("a/b")]) as one:
            while not one.is_connected:
                await asyncio.sleep(0.01)
            server.kill()
            while one.is_connected:
                await asyncio.sleep(0.01)
            await asyncio.to_thread(server.start)
            await one.publish("a/b", b"again")
            async for message in one.messages():
                assert message.payload == b"again"
                break
    finally:
        server.kill()
