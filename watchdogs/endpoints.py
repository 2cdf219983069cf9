"""`<home>/log/endpoints.json`: who runs, where they listen, since when. Main writes it anew at each change.

A ward that is down stays in it, with its last pid and the address it will have again: whoever asks waits for it there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from plotter2 import files
from plotter2.clock import rfc3339
from plotter2.layout import Layout
from watchdogs import probing
from watchdogs.keeper import Keeper
from watchdogs.policy import WardState
from watchdogs.wards import Ward

MAIN_ADDRESS = {"manager": "grpc", "stager": "grpc", "servicer": "grpc", "broker": "mqtt", "database": "socket"}


def of_keeper(keeper: Keeper, layout: Layout) -> dict[str, Any]:
    """A process that we keep."""
    announced = probing.record(layout, keeper.ward.name, keeper.pid)
    return _entry(keeper.ward, announced, keeper.pid, rfc3339(keeper.started_at), keeper.case.state)


def of_record(ward: Ward, layout: Layout) -> dict[str, Any]:
    """A process that another watchdog keeps, by the record it wrote; empty before it has written one."""
    announced, is_living = probing.last_record(layout, ward.name)
    if not announced:
        return {}
    state = WardState.RUNNING if is_living else WardState.BACKING_OFF
    return _entry(ward, announced, announced["pid"], announced.get("started_at", ""), state)


def write(layout: Layout, entries: Sequence[dict[str, Any]]) -> None:
    """Replace the file, whole."""
    document = {"home": str(layout.home), "processes": list(entries)}
    files.write_durably(layout.endpoints, json.dumps(document, indent=2).encode())


def _entry(ward: Ward, announced: dict[str, Any], pid: int, started_at: str, state: WardState) -> dict[str, Any]:
    addresses = {**ward.addresses, **announced.get("addresses", {})}
    main = addresses.get(MAIN_ADDRESS.get(ward.role, "probe"), "")
    return {
        "role": ward.role,
        "name": ward.name,
        "address": main,
        "addresses": addresses,
        "pid": pid,
        "started_at": started_at,
        "state": str(state),
    }
