"""`<home>/log/endpoints.json`: who runs, where they listen, since when. Main writes it anew at each change."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from plotter2 import files
from plotter2.clock import rfc3339
from plotter2.layout import Layout
from watchdogs import probing
from watchdogs.keeper import Keeper
from watchdogs.wards import Ward

MAIN_ADDRESS = {"manager": "grpc", "stager": "grpc", "servicer": "grpc"}


def entry(keeper: Keeper, layout: Layout) -> dict[str, Any]:
    """One process as endpoints.json shows it."""
    addresses = probing.record(layout, keeper.ward.name, keeper.pid).get("addresses", {}) or _of_socket(keeper.ward)
    main = addresses.get(MAIN_ADDRESS.get(keeper.ward.role, ""), "") or next(iter(addresses.values()), "")
    return {
        "role": keeper.ward.role,
        "name": keeper.ward.name,
        "address": main,
        "addresses": addresses,
        "pid": keeper.pid,
        "started_at": rfc3339(keeper.started_at),
        "state": str(keeper.case.state),
    }


def write(layout: Layout, entries: Sequence[dict[str, Any]]) -> None:
    """Replace the file, whole."""
    document = {"home": str(layout.home), "processes": list(entries)}
    files.write_durably(layout.endpoints, json.dumps(document, indent=2).encode())


def _of_socket(ward: Ward) -> dict[str, str]:
    if not ward.socket:
        return {}
    return {"mqtt" if ward.role == "broker" else "socket": ward.socket}


def of_record(layout: Layout, name: str, role: str) -> dict[str, Any]:
    """A process that another watchdog keeps, by the record it wrote; empty while it does not live."""
    found = probing.record_of_living(layout, name)
    if not found:
        return {}
    addresses = found.get("addresses", {})
    return {
        "role": role,
        "name": name,
        "address": addresses.get("grpc", ""),
        "addresses": addresses,
        "pid": found["pid"],
        "started_at": found.get("started_at", ""),
        "state": "running",
    }
