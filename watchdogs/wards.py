"""The wards: what is started, in which order, with which settings (pure).

Every port is decided before anything starts, so that each ward is told where the others are, and finds them there again
after any of them was started anew.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from plotter2 import launch
from plotter2.layout import Layout
from watchdogs.config import Rank

START_S_MAX = 60.0


@dataclass(frozen=True, slots=True)
class Ports:
    """Where everybody listens, on one host."""

    host: str
    http: int
    grpc: int
    stager: int
    servicer: int
    broker: int
    probes: tuple[int, ...]

    def address(self, port: int) -> str:
        """`host:port`."""
        return f"{self.host}:{port}"


@dataclass(frozen=True, slots=True)
class Ward:
    """One process to keep.

    Attributes:
        role: as endpoints.json names it.
        command: argv.
        environment: settings beside those that everybody gets.
        addresses: where it will listen, by kind, as far as that is decided before it starts.
        http_probe: whether it announces itself and answers /health; else it is alive while `socket` accepts.
        socket: `host:port`, or a path of a Unix socket.
        start_s_max: how long it may take until it answers.
        stop_signal: how it is asked to end, a name of `signal`.
        may_kill: whether it is ended when it is stuck; else only its own end makes it start anew (requirement 079).
        memory_max_bytes: what it may have to itself for some seconds before it is started anew; 0 for any amount.
    """

    name: str
    role: str
    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    http_probe: bool = True
    socket: str = ""
    start_s_max: float = START_S_MAX
    stop_signal: str = "SIGTERM"
    may_kill: bool = True
    memory_max_bytes: int = 0


def manager(ports: Ports, dsn: str, broker_url: str) -> Ward:
    """The manager."""
    return Ward(
        "manager", "manager", tuple(launch.command("manager")),
        {
            "PLOTTER2_MANAGER_HOST": ports.host,
            "PLOTTER2_MANAGER_HTTP_PORT": str(ports.http),
            "PLOTTER2_MANAGER_GRPC_PORT": str(ports.grpc),
            "PLOTTER2_MANAGER_DSN": dsn,
            "PLOTTER2_MANAGER_BROKER_URL": broker_url,
            "PLOTTER2_MANAGER_SERVICER_ADDRESS": ports.address(ports.servicer),
        },
        {"grpc": ports.address(ports.grpc), "http": ports.address(ports.http)},
    )  # fmt: skip


def stager(ports: Ports) -> Ward:
    """The stager."""
    return Ward(
        "stager", "stager", tuple(launch.command("stager")),
        {
            "PLOTTER2_STAGER_HOST": ports.host,
            "PLOTTER2_STAGER_GRPC_PORT": str(ports.stager),
            "PLOTTER2_STAGER_MANAGER_ADDRESS": ports.address(ports.grpc),
        },
        {"grpc": ports.address(ports.stager)},
    )  # fmt: skip


def servicer(ports: Ports) -> Ward:
    """The servicer."""
    return Ward(
        "servicer", "servicer", tuple(launch.command("servicer")),
        {
            "PLOTTER2_SERVICER_HOST": ports.host,
            "PLOTTER2_SERVICER_GRPC_PORT": str(ports.servicer),
            "PLOTTER2_SERVICER_MANAGER_ADDRESS": ports.address(ports.grpc),
            "PLOTTER2_SERVICER_STAGER_ADDRESS": ports.address(ports.stager),
        },
        {"grpc": ports.address(ports.servicer)},
    )  # fmt: skip


def worker(number: int, ports: Ports, broker_url: str) -> Ward:
    """The n-th worker, from 1."""
    return Ward(
        f"worker-{number}", "worker", tuple(launch.command("worker")),
        {
            "PLOTTER2_WORKER_HOST": ports.host,
            "PLOTTER2_WORKER_NAME": f"worker-{number}",
            "PLOTTER2_WORKER_PROBE_PORT": str(ports.probes[number - 1]),
            "PLOTTER2_WORKER_MANAGER_ADDRESS": ports.address(ports.grpc),
            "PLOTTER2_WORKER_BROKER_URL": broker_url,
        },
    )  # fmt: skip


def watchdog(rank: Rank, environment: dict[str, str]) -> Ward:
    """Another watchdog; it reads the ports that main has decided. Nobody kills the one that guards data."""
    command = tuple(launch.command("watchdogs", rank))
    return Ward(f"watchdog-{rank}", "watchdog", command, environment, may_kill=rank is not Rank.BUFFER)


def broker(command: tuple[str, ...], address: str) -> Ward:
    """The broker."""
    return Ward("broker", "broker", command, addresses={"mqtt": address}, http_probe=False, socket=address)


def database(command: tuple[str, ...], socket_path: Path) -> Ward:
    """PostgreSQL. SIGINT is its fast shutdown: sessions are ended, what was committed stays."""
    socket = str(socket_path)
    return Ward(
        "database", "database", command,
        addresses={"socket": socket}, http_probe=False, socket=socket, stop_signal="SIGINT",
    )  # fmt: skip


def log_of(ward: Ward, layout: Layout) -> Path:
    """Where a ward's own words go, beside its structured log."""
    return layout.log / f"{ward.name}.out"
