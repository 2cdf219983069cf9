"""How a daemon lives and ends, in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from plotter2.clock import from_rfc3339

RUN = """
import asyncio, sys
from pathlib import Path
from plotter2 import config, lifecycle
from plotter2.errors import ConfigError
from plotter2.lifecycle import Life

{main}

settings = config.load(config.DaemonConfig, home=Path(sys.argv[1]), name="kettle-1")
sys.exit(lifecycle.run(settings.name, settings, main, drain_limit_s=0.3))
"""
WAITS = """
async def main(life):
    life.announce("kettle", probe="127.0.0.1:1")
    life.set_ready(True)
    print("ready", flush=True)
    await life.stopping.wait()
    print("drained", flush=True)
"""
Start = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    def begin(main: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", RUN.format(main=main), str(tmp_path)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    return begin


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=30)
    return process.returncode, out, err


def log(home: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (home / "log" / "kettle-1.jsonl").read_text().splitlines()]


@pytest.mark.req("r070")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_it_drain_and_end_well(start: Start, tmp_path: Path, number: signal.Signals) -> None:
    process = start(WAITS)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    record = json.loads((tmp_path / "log" / "processes" / "kettle-1.json").read_bytes())
    began = from_rfc3339(record.pop("started_at"))
    assert abs(began - psutil.Process(process.pid).create_time()) < 10
    assert record == {
        "role": "kettle", "name": "kettle-1", "pid": process.pid, "addresses": {"probe": "127.0.0.1:1"},
    }  # fmt: skip
    process.send_signal(number)
    assert ended(process) == (0, "drained\n", "")
    assert [line["event"] for line in log(tmp_path)] == ["starting", "ended"]


def test_who_does_not_drain_is_cancelled_after_the_limit(start: Start, tmp_path: Path) -> None:
    process = start('async def main(life):\n print("ready", flush=True)\n await asyncio.Event().wait()')
    assert process.stdout is not None
    process.stdout.readline()
    process.terminate()
    assert ended(process)[0] == 0
    assert [line["event"] for line in log(tmp_path)] == ["starting", "drain.limit", "ended"]


def test_an_exception_is_one_record_and_code_one(start: Start, tmp_path: Path) -> None:
    code, _, err = ended(start('async def main(life):\n raise ValueError("no water")'))
    assert (code, err) == (1, "kettle-1: ValueError: no water\n")
    last = log(tmp_path)[-1]
    assert (last["event"], last["level"]) == ("failed", "error")
    assert "no water" in last["exception"]


@pytest.mark.parametrize("where", ["", " await asyncio.sleep(0)\n"])
def test_a_setting_that_cannot_be_used_is_one_sentence(start: Start, tmp_path: Path, where: str) -> None:
    code, _, err = ended(start(f'async def main(life):\n{where} raise ConfigError("The kettle is cold.")'))
    assert (code, err) == (1, "kettle-1: The kettle is cold.\n")
    assert log(tmp_path)[-1]["event"] == "refused"


def test_what_fails_beside_main_ends_the_daemon(start: Start) -> None:
    main = """
async def burst():
    raise ValueError("steam")
async def main(life):
    life.spawn(burst(), "burst")
    await life.stopping.wait()
"""
    code, _, err = ended(start(main))
    assert (code, err) == (1, "kettle-1: ValueError: steam\n")


def test_what_runs_beside_main_ends_with_it(start: Start) -> None:
    main = """
async def boil():
    try:
        await asyncio.Event().wait()
    finally:
        print("off", flush=True)
async def main(life):
    life.spawn(boil(), "boil")
    await asyncio.sleep(0)
"""
    assert ended(start(main)) == (0, "off\n", "")


def test_its_loop_is_the_fast_one(start: Start) -> None:
    main = "async def main(life):\n print(type(asyncio.get_running_loop()).__module__)"
    assert ended(start(main))[1] == "uvloop\n" or os.name == "nt"


@pytest.mark.req("r091")
def test_work_that_blocks_shares_a_few_threads_however_much_of_it_there_is(start: Start) -> None:
    process = start("""
import threading, time
from plotter2.lifecycle import DISK_THREADS_MAX

async def main(life):
    let = threading.Event()
    begun = threading.Semaphore(0)
    def work():
        begun.release()
        let.wait()
    async with asyncio.TaskGroup() as group:
        for _ in range(200):
            group.create_task(asyncio.to_thread(work))
        while begun._value < DISK_THREADS_MAX:
            await asyncio.sleep(0.01)
        print(threading.active_count() - 1 == DISK_THREADS_MAX, begun._value == DISK_THREADS_MAX)
        let.set()
""")
    assert ended(process)[:2] == (0, "True True\n")
