"""Which ports are used: the well-known ones, or any free ones, the same again after a restart while they are free."""

from __future__ import annotations

import json
import socket
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Literal

from plotter2 import files
from plotter2.errors import ConfigError
from plotter2.layout import Layout
from watchdogs.wards import Ports

NAMES = {"http": 7070, "grpc": 7071, "stager": 7072, "servicer": 7073, "broker": 1883}
PROBE_FIRST = 9092


def choose(mode: Literal["default", "auto"], host: str, workers: int, layout: Layout) -> Ports:
    """Decide every port and write the decision to `<home>/log/ports.json`.

    Raises:
        ConfigError: a well-known port is taken.
    """
    ports = _well_known(host, workers) if mode == "default" else _free(host, workers, layout)
    files.write_durably(path(layout), json.dumps(asdict(ports)).encode())
    return ports


def path(layout: Layout) -> Path:
    """Where the decision is written."""
    return layout.log / "ports.json"


def read(layout: Layout) -> Ports:
    """The decision that main has made.

    Raises:
        ConfigError: there is none.
    """
    try:
        document = json.loads(path(layout).read_bytes())
        return Ports(**{**document, "probes": tuple(document["probes"])})
    except (OSError, ValueError, TypeError, KeyError):
        raise ConfigError(f"No ports were decided for {layout.home}; start `plotter2 up`.") from None


def _well_known(host: str, workers: int) -> Ports:
    ports = Ports(host, **NAMES, probes=tuple(range(PROBE_FIRST, PROBE_FIRST + workers)))
    for name, port in NAMES.items():
        if not _is_free(host, port):
            raise ConfigError(
                f"Port {port} ({name}) is taken by another program; end that, or use `plotter2 up --ports auto`."
            )
    return Ports(host, **NAMES, probes=tuple(port if _is_free(host, port) else 0 for port in ports.probes))


def _free(host: str, workers: int, layout: Layout) -> Ports:
    try:
        before = read(layout)
    except ConfigError:
        before = None
    count = len(NAMES) + workers
    if before is not None and before.host == host and len(before.probes) == workers:
        known = [getattr(before, name) for name in NAMES]
        if all(_is_free(host, port) for port in [*known, *before.probes]):
            return before
    with ExitStack() as stack:
        found = [stack.enter_context(_listener(host, 0)).getsockname()[1] for _ in range(count)]
    return Ports(host, **dict(zip(NAMES, found, strict=False)), probes=tuple(found[len(NAMES) :]))


def _listener(host: str, port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
        made.listen(1)
    except OSError:
        made.close()
        raise
    return made


def _is_free(host: str, port: int) -> bool:
    try:
        _listener(host, port).close()
    except OSError:
        return False
    return True
