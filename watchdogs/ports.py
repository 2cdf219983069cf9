"""Which ports are used: the well-known ones, or any free ones, the same again after a restart while they are free."""

from __future__ import annotations

import json
import secrets
import socket
from collections.abc import Iterator
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
FREE_FIRST, FREE_LAST = 20_000, 29_999
"""Where free ports are looked for: below those that systems give to whoever asks for any port, as our watchdogs do, and
as each connection that goes out has one. Such a one could be taken between this choice and the start of its daemon."""
STRIDE = 64
"""Two installations that choose at the same time begin at places so far apart."""


def choose(mode: Literal["default", "auto"], host: str, workers: int, layout: Layout) -> Ports:
    """Decide every port and write the decision to `<home>/log/ports.json`.

    Raises:
        ConfigError: a well-known port is taken, or too few ports are free.
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
        known = [*(getattr(before, name) for name in NAMES), *before.probes]
        if all(port <= FREE_LAST and _is_free(host, port) for port in known):
            return before
    with ExitStack() as stack:
        found: list[int] = []
        for port in _candidates():
            try:
                stack.enter_context(_listener(host, port))
            except OSError:
                continue
            found.append(port)
            if len(found) == count:
                break
        else:
            raise ConfigError(f"Of the ports {FREE_FIRST} to {FREE_LAST} fewer than {count} are free on {host}.")
    return Ports(host, **dict(zip(NAMES, found, strict=False)), probes=tuple(found[len(NAMES) :]))


def _candidates() -> Iterator[int]:
    """All that may be used, from one chosen by chance on."""
    every = range(FREE_FIRST, FREE_LAST + 1)
    start = secrets.randbelow(len(every) // STRIDE) * STRIDE
    yield from every[start:]
    yield from every[:start]


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
