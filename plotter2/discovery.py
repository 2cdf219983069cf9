"""Who listens where: reads `<home>/log/endpoints.json` and the lock of `plotter2 up`. Writes nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from plotter2.clock import from_rfc3339
from plotter2.errors import UnreachableError
from plotter2.layout import Layout

LOCK_NAME = "up.lock"
START_S_OFF_MAX = 2.0
"""A process's start is known to some 10 ms, and the clock may be set a little."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One process of an installation: `address` is its main one, `addresses` all by kind (grpc, http, probe, mqtt)."""

    role: str
    name: str
    address: str
    pid: int
    started_at: str
    addresses: dict[str, str] = field(default_factory=dict)
    state: str = "running"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a home: the watchdog main of a running installation, and who starts that again when it is killed.

    Attributes:
        guardian: pid of the one above main; 0 where the operating system is it.
    """

    pid: int
    since: str
    guardian: int = 0


def read_endpoints(home: Path) -> list[Endpoint]:
    """All processes of the installation in this home.

    Raises:
        UnreachableError: plotter2 is not running there.
    """
    try:
        document = json.loads(Layout.at(home).endpoints.read_bytes())
        found = [Endpoint(**process) for process in document["processes"]]
    except (OSError, ValueError, KeyError, TypeError):
        found = []
    if not found or holder(home) is None:
        raise UnreachableError(f"plotter2 is not running for {home}; start it with `plotter2 up --home {home}`.")
    return found


def has_crashed(home: Path) -> bool:
    """Whether the installation in this home ended without saying so: its list of processes was never emptied."""
    try:
        return bool(json.loads(Layout.at(home).endpoints.read_bytes())["processes"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def address_of(home: Path, role: str, kind: str = "grpc") -> str:
    """Where a role listens, as `host:port`.

    Raises:
        UnreachableError: plotter2 is not running there, or that role is not.
    """
    for endpoint in read_endpoints(home):
        if endpoint.role == role and endpoint.addresses.get(kind):
            return endpoint.addresses[kind]
    raise UnreachableError(f"The {role} of plotter2 in {home} is not running; see `plotter2 status`.")


def holder(home: Path) -> Holder | None:
    """Who holds this home, if it lives, or if its guardian does: then it is about to be back."""
    try:
        document = json.loads((Layout.at(home).log / LOCK_NAME).read_bytes())
        found = Holder(int(document["pid"]), str(document["since"]), int(document.get("guardian", 0)))
        since = from_rfc3339(found.since)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if _is_of_then(found.pid, since) or _is_of_then(found.guardian, since) else None


def _is_of_then(pid: int, since: float) -> bool:
    """Whether the process lives, and is not a later one that got the same number."""
    try:
        process = psutil.Process(pid)
        is_living = pid > 0 and process.status() != psutil.STATUS_ZOMBIE
        return is_living and process.create_time() <= since + START_S_OFF_MAX
    except psutil.Error:
        return False
