"""The real PostgreSQL and the real broker, started by the code that starts them in production."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from plotter2.layout import Layout
from watchdogs import broker, database
from watchdogs.database import Postgres

START_S_MAX = 30.0
STOP_S = 60
"""Its last checkpoint waits for a disk that others use too."""


def wait_until(condition: Callable[[], bool], limit_s: float = START_S_MAX) -> None:
    """Poll a condition, or fail after the limit."""
    end = time.monotonic() + limit_s  # noqa: TID251 -- a test's own limit
    while not condition():
        assert time.monotonic() < end, "the condition did not come true in time"  # noqa: TID251 -- a test's own limit
        time.sleep(0.01)


def free_port() -> int:
    """A port nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def accepts(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def running(command: tuple[str, ...], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process for the length of a block."""
    with log.open("ab") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Cluster:
    """A PostgreSQL that can be killed and started again."""

    def __init__(self, home: Path) -> None:
        self.layout = Layout.at(home)
        self.layout.create()
        self.postgres: Postgres = database.prepare(self.layout, None)
        self.process: subprocess.Popen[bytes] | None = None
        self._databases = 0

    def start(self) -> None:
        """Start it and wait until it answers; tried again while shared memory of a killed one lingers."""
        for _ in range(20):
            with (self.layout.log / "postgres.out").open("ab") as out:
                self.process = subprocess.Popen(self.postgres.command, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
            if self._has_come(self.process):
                return
            time.sleep(0.2)
        raise AssertionError("PostgreSQL did not start")

    def _has_come(self, process: subprocess.Popen[bytes]) -> bool:
        wait_until(lambda: process.poll() is not None or self._answers())
        return process.poll() is None

    def kill(self) -> None:
        """kill -9 of all its processes, as a power cut does: a backend outlives the postmaster by one more commit."""
        assert self.process is not None
        backends = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        self.process.wait()
        for backend in backends:
            with suppress(psutil.NoSuchProcess):
                backend.kill()
        _, alive = psutil.wait_procs(backends, STOP_S)
        assert not alive, f"these outlived a kill -9: {alive}"

    def stop(self) -> None:
        """Fast shutdown."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(2)
            self.process.wait(STOP_S)

    def fresh(self) -> str:
        """The DSN of a new, empty database."""
        self._databases += 1
        name = f"t{self._databases}"
        self._sql(f"CREATE DATABASE {name} STRATEGY file_copy")
        return self.postgres.dsn.replace(f"/{database.NAME}?", f"/{name}?")

    def _sql(self, text: str) -> None:
        subprocess.run(self._psql(text), check=True, capture_output=True)

    def _psql(self, text: str) -> list[str]:
        place = ["-h", str(self.postgres.sockets), "-p", str(database.PORT), "-U", database.USER, "-d", database.NAME]
        return [str(self.postgres.binaries / "psql"), "-X", "-q", *place, "-c", text]

    def _answers(self) -> bool:
        return subprocess.run(self._psql("SELECT 1"), check=False, capture_output=True).returncode == 0


@contextmanager
def broker_running(home: Path) -> Iterator[str]:
    """The address of a broker for the length of a block."""
    layout = Layout.at(home)
    layout.create()
    port = free_port()
    with running(broker.prepare(layout, "127.0.0.1", port), layout.log / "broker.out"):
        wait_until(lambda: accepts(port))
        yield f"mqtt://127.0.0.1:{port}"
