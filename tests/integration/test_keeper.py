"""A ward that is kept: small programs with /health, killed, frozen and swollen."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from prometheus_client import CollectorRegistry, Counter

from plotter2.clock import SystemClock
from plotter2.layout import Layout
from watchdogs import keeper, policy, probing
from watchdogs.actions import Processes
from watchdogs.keeper import Keeper
from watchdogs.policy import WardState
from watchdogs.wards import Ward

LIMIT_S = 30
KETTLE = """
import json, os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
class Probe(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response({status}); self.send_header("content-length", "0"); self.end_headers()
    def log_message(self, *words): pass
server = HTTPServer(("127.0.0.1", 0), Probe)
record = {{"pid": os.getpid(), "addresses": {{"probe": "127.0.0.1:%d" % server.server_port}}}}
path = os.environ["PLOTTER2_HOME"] + "/log/processes/kettle.json"
open(path + ".new", "w").write(json.dumps(record)); os.replace(path + ".new", path)
{extra}
server.serve_forever()
"""


def kettle(status: int = 200, extra: str = "") -> Ward:
    code = KETTLE.format(status=status, extra=extra)
    return Ward("kettle", "kettle", (sys.executable, "-c", code))


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout.at(tmp_path)
    made.create()
    made.processes.mkdir()
    return made


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(probing, "LOOK_S_MAX", 0.5)
    monkeypatch.setattr(policy, "PAUSE_S_MIN", 0.02)


@asynccontextmanager
async def kept(ward: Ward, layout: Layout, stop_s: float = 5.0) -> AsyncIterator[Keeper]:
    restarts = Counter("restarts", "", ["ward"], registry=CollectorRegistry())
    made = Keeper(ward, Processes(layout), layout, SystemClock(), restarts, lambda: None)
    async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as group:
        task = group.create_task(made.keep())
        try:
            yield made
        finally:
            task.cancel()
            await asyncio.wait({task})
            await made.end(stop_s)
    assert not made.pid or is_gone(made.pid)


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.01)


async def is_back(one: Keeper, pid: int) -> None:
    await until(lambda: one.pid != pid and one.case.state is WardState.RUNNING)
    assert is_gone(pid)


@pytest.mark.req("r077")
async def test_who_is_killed_is_back_and_the_restart_is_counted(layout: Layout) -> None:
    async with kept(kettle(), layout) as one:
        await one.is_well.wait()
        for restarts in (1, 2):
            pid = one.pid
            os.kill(pid, signal.SIGKILL)
            await is_back(one, pid)
            assert one.case.restarts == restarts


@pytest.mark.req("r077")
async def test_who_is_frozen_is_killed_and_started_anew(layout: Layout) -> None:
    async with kept(kettle(), layout) as one:
        await one.is_well.wait()
        pid = one.pid
        os.kill(pid, signal.SIGSTOP)
        await is_back(one, pid)


@pytest.mark.req("r079")
async def test_who_may_not_be_killed_is_let_be_while_it_is_frozen(layout: Layout) -> None:
    async with kept(replace(kettle(), may_kill=False), layout) as one:
        await one.is_well.wait()
        os.kill(one.pid, signal.SIGSTOP)
        await until(lambda: one.case.bad_looks > policy.BAD_LOOKS_MAX)
        assert not is_gone(one.pid)
        os.kill(one.pid, signal.SIGCONT)
        await until(lambda: one.case.bad_looks == 0)


@pytest.mark.req("r077")
async def test_who_takes_too_much_memory_is_started_anew(layout: Layout) -> None:
    leaks = f"if not os.path.exists({str(layout.temp / 'leaked')!r}):\n    open({str(layout.temp / 'leaked')!r}, 'w')\n"
    ward = replace(kettle(extra=leaks + "    water = b'x' * (300 << 20)"), memory_max_bytes=200 << 20)
    async with kept(ward, layout) as one:
        await one.is_well.wait()
        await is_back(one, one.pid)


async def test_who_is_not_ready_yet_is_not_well_and_is_waited_for(layout: Layout) -> None:
    async with kept(replace(kettle(status=503), start_s_max=60), layout) as one:
        await until(lambda: one.case.bad_looks > policy.BAD_LOOKS_MAX)
        assert not one.is_well.is_set()
        assert one.case.restarts == 0


async def test_who_never_starts_is_tried_again_after_the_limit(layout: Layout) -> None:
    async with kept(replace(kettle(status=503), start_s_max=0.3), layout) as one:
        await until(lambda: one.case.restarts == 1)


async def test_a_program_that_is_not_there_is_tried_again(layout: Layout) -> None:
    async with kept(Ward("kettle", "kettle", ("no-such-program",)), layout) as one:
        await until(lambda: one.case.restarts == 2)


async def test_who_speaks_something_else_is_not_well(layout: Layout) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"what who\r\n")
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        text = f'{{"pid": 7, "addresses": {{"probe": "{address}"}}}}'
        await asyncio.to_thread((layout.processes / "kettle.json").write_text, text)
        assert not await probing.is_alive(kettle(), layout, 7)


async def test_who_does_not_end_when_asked_is_killed(layout: Layout) -> None:
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    async with kept(kettle(extra=deaf), layout, stop_s=0.2) as one:
        await one.is_well.wait()
