"""What is left of a former life is ended; strangers are not."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from plotter2.clock import rfc3339
from plotter2.layout import Layout
from watchdogs import database, leftovers

SLEEPS = "import sys; print(1, flush=True); sys.stdin.read()"
PARENT = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {SLEEPS!r}], stdin=subprocess.PIPE)
print(child.pid, flush=True); child.wait()
"""


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout.at(tmp_path)
    made.create()
    made.processes.mkdir()
    return made


@pytest.fixture
def ward() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        yield process
        process.kill()


def record(layout: Layout, pid: int, began: float) -> None:
    (layout.processes / "manager.json").write_text(json.dumps({"pid": pid, "started_at": rfc3339(began)}))


def grandchild(ward: subprocess.Popen[bytes]) -> psutil.Process:
    assert ward.stdout is not None
    return psutil.Process(int(ward.stdout.readline()))


def test_a_process_that_was_left_is_ended_with_all_it_started(layout: Layout, ward: subprocess.Popen[bytes]) -> None:
    child = grandchild(ward)
    record(layout, ward.pid, psutil.Process(ward.pid).create_time())
    assert leftovers.clear(layout, None) == [ward.pid]
    assert not psutil.pid_exists(ward.pid)
    psutil.wait_procs([child], 5)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_another_process_with_the_same_number_is_left_alone(layout: Layout, ward: subprocess.Popen[bytes]) -> None:
    record(layout, ward.pid, psutil.Process(ward.pid).create_time() - 3600)
    assert leftovers.clear(layout, None) == []
    assert ward.poll() is None


def test_records_that_make_no_sense_are_passed_over(layout: Layout) -> None:
    for number, text in enumerate(["", "{", "[]", "3", '{"pid": "x"}', '{"pid": 1, "started_at": "soon"}']):
        (layout.processes / f"{number}.json").write_text(text)
    layout.endpoints.write_text('{"processes": [{"pid": 0, "started_at": "1970-01-01T00:00:00Z"}, 5]}')
    assert leftovers.clear(layout, None) == []


def test_a_postmaster_that_is_not_one_is_left_alone(layout: Layout, ward: subprocess.Popen[bytes]) -> None:
    data = layout.registry / "postgres"
    data.mkdir()
    (data / "postmaster.pid").write_text(f"{ward.pid}\n{data}\n")
    assert leftovers.clear(layout, database.Postgres(Path("/bin"), data, Path("/s"), ())) == []
    assert ward.poll() is None
