"""Settings of a worker: PLOTTER2_WORKER_… or <home>/config/worker.toml. Units are last in the names."""

from __future__ import annotations

import socket
import uuid
from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from plotter2.config import DaemonConfig
from plotter2.layout import Layout
from plotter2.model.task import Limits
from plotter2.model.worker import HEARTBEAT_INTERVAL_S
from worker.paper import Press
from worker.state import Policy


class WorkerConfig(DaemonConfig):
    """What a worker can be told.

    Attributes:
        worker_id: its name on the bus, a UUID; empty: derived from host, home and name, so it stays after a restart.
        probe_port: /health, /ready, /metrics; 0 for any free one.
        manager_address: host:port for bulk data; empty: as the assignments say, else as the home says.
        children: how many interpreters compute at a time.
        window_runs: how many runs may be in hand for each of them.
        slots: how many runs are taken at a time; 0: children times window.
        parked_max: how many instances may wait inside interpreters; beyond, some wait without one and begin again.
        wall_limit_s, cpu_limit_s, memory_limit_bytes: of one run that has no limits of its own; 0 for none.
        recycle_runs, recycle_age_s, recycle_memory_bytes: when an interpreter is replaced by a fresh one.
        cache_bytes_max: content fetched from a manager on another machine.
        drain_s: how long runs may go on when the worker stops.
        threads_per_child: of numerical libraries, inside each interpreter.
        io_scopes: whether tasks may be given places of the file system of their own; off, as nobody can give them any
            yet: children get what the manager loads, and a worker that is told otherwise does not start.
        browser: what prints reports as PDF: a program, `none`, or empty for Chromium, Chrome or Edge where found.
        pdf_limit_s, pdf_bytes_max: of one report; beyond them there is none, and its sidecar says so.
    """

    model_config = SettingsConfigDict(env_prefix="PLOTTER2_WORKER_", extra="ignore")

    name: str = "worker-1"
    worker_id: str = ""
    probe_port: int = Field(default=9092, ge=0)
    manager_address: str = ""
    broker_url: str = "mqtt://127.0.0.1:1883"
    tenant_id: str = "plotter2"
    channel_id: str = "main"
    beat_s: float = Field(default=HEARTBEAT_INTERVAL_S, gt=0)
    children: int = Field(default=1, ge=1, le=256)
    window_runs: int = Field(default=64, ge=1, le=4096)
    slots: int = Field(default=0, ge=0)
    parked_max: int = Field(default=20_000, ge=1)
    wall_limit_s: float = Field(default=300.0, ge=0)
    cpu_limit_s: float = Field(default=0.0, ge=0)
    memory_limit_bytes: int = Field(default=4 << 30, ge=0)
    recycle_runs: int = Field(default=50_000, ge=1)
    recycle_age_s: float = Field(default=3600.0, gt=0)
    recycle_memory_bytes: int = Field(default=1 << 30, gt=0)
    cache_bytes_max: int = Field(default=8 << 30, gt=0)
    drain_s: float = Field(default=4.0, ge=0)
    threads_per_child: int = Field(default=1, ge=1)
    io_scopes: bool = False

    @field_validator("io_scopes")
    @classmethod
    def _is_off(cls, value: bool) -> bool:  # noqa: FBT001 -- pydantic hands it over so
        if value:
            raise ValueError("tasks have no places of the file system of their own yet; leave it false")
        return value

    browser: str = ""
    pdf_limit_s: float = Field(default=120.0, gt=0)
    pdf_bytes_max: int = Field(default=64 << 20, gt=0)

    def policy(self) -> Policy:
        """What the machine decides by."""
        return Policy(
            self.children,
            self.window_runs,
            Limits(self.wall_limit_s, self.cpu_limit_s, self.memory_limit_bytes),
            self.recycle_runs,
            self.recycle_age_s,
            self.recycle_memory_bytes,
            self.slots,
            self.parked_max,
        )

    def press(self) -> Press:
        """What prints reports."""
        return Press(self.browser, self.pdf_limit_s, self.pdf_bytes_max)

    def identity(self) -> str:
        """The worker's id."""
        place = f"{socket.gethostname()}:{self.home}:{self.name}"
        return self.worker_id or str(uuid.uuid5(uuid.NAMESPACE_URL, f"plotter2:{place}"))


def installation(home: Path) -> str:
    """The UUID of the installation that this home belongs to, "" where it has none."""
    try:
        return Layout.at(home).installation.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
