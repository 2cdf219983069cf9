"""/health, /ready and /metrics over a real socket."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter

from plotter2 import probes
from plotter2.clock import SystemClock, SystemIds
from plotter2.config import DaemonConfig
from plotter2.errors import ConfigError
from plotter2.lifecycle import Life

HOST = "127.0.0.1"


@pytest.fixture
async def life() -> AsyncIterator[Life]:
    clock = SystemClock()
    async with asyncio.TaskGroup() as group:
        yield Life(DaemonConfig(), group, clock, SystemIds(clock))


@pytest.fixture
async def client(life: Life) -> AsyncIterator[httpx.AsyncClient]:
    registry = CollectorRegistry()
    Counter("cups", "Cups that were poured", registry=registry).inc(3)
    async with (
        probes.serve(HOST, 0, life, registry, lambda: {"water_l": 1.5}) as address,
        httpx.AsyncClient(base_url=f"http://{address}") as made,
    ):
        yield made


@pytest.mark.req("r077")
async def test_health_answers_while_the_loop_turns_and_says_more(client: httpx.AsyncClient) -> None:
    answer = await client.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "ready": False, "water_l": 1.5})


async def test_ready_follows_the_life(client: httpx.AsyncClient, life: Life) -> None:
    assert (await client.get("/ready")).status_code == 503
    life.set_ready(True)
    assert (await client.get("/ready")).json() == {"ready": True}
    life.set_ready(False)
    assert (await client.get("/ready")).status_code == 503


async def test_metrics_are_prometheus_text(client: httpx.AsyncClient) -> None:
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "cups_total 3.0" in answer.text


async def test_anything_else_is_not_there(client: httpx.AsyncClient) -> None:
    assert (await client.get("/")).status_code == 404


async def test_many_may_ask_at_once(client: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(client.get("/health") for _ in range(50)))
    assert {answer.status_code for answer in answers} == {200}


async def test_an_address_that_is_taken_is_said(life: Life) -> None:
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ConfigError, match=f"Cannot serve at {HOST}:{port}: "):
            async with probes.serve(HOST, port, life, CollectorRegistry(), dict):
                pytest.fail("served")


async def test_nobody_listens_after_the_end(life: Life) -> None:
    async with probes.serve(HOST, 0, life, CollectorRegistry(), dict) as address:
        pass
    with pytest.raises(httpx.ConnectError):
        async with httpx.AsyncClient() as client:
            await client.get(f"http://{address}/health")
