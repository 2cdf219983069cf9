"""An installation at a glance: its processes as the endpoints file names them, each probed, and what waits where.

A part that does not answer is shown as such; asking for the status never fails because something is down.
"""

from __future__ import annotations

import asyncio
import urllib.request
from collections.abc import Awaitable
from pathlib import Path
from typing import TypeVar

import psutil

from plotter2 import discovery, rpc
from plotter2.api.v1 import manager_pb2, stager_pb2
from plotter2.api.v1.manager_pb2_grpc import ManagerServiceStub
from plotter2.api.v1.stager_pb2_grpc import StagerServiceStub
from plotter2.client.views import Process, Status
from plotter2.discovery import Endpoint
from plotter2.errors import Plotter2Error, UnreachableError

PROBE_TIMEOUT_S = 1.0
ASK_TIMEOUT_S = 2.0
T = TypeVar("T")


async def read(home: Path) -> Status:
    """The installation at `home` as it is now.

    Raises:
        UnreachableError: nothing runs there; the sentence says how to start it.
    """
    endpoints = discovery.read_endpoints(home)
    async with asyncio.TaskGroup() as group:
        probed = [group.create_task(_process(one), name=f"probe {one.name}") for one in endpoints]
        manager = group.create_task(_or_none(_manager(endpoints)), name="ask the manager")
        stager = group.create_task(_or_none(_stager(endpoints)), name="ask the stager")
    processes = tuple(task.result() for task in probed)
    told = manager.result()
    backlog = {**_manager_backlog(told), **_stager_backlog(stager.result())}
    return Status(
        home=str(home),
        processes=processes,
        backlog=backlog,
        version=told.version if told else "",
        installation=told.installation if told else "",
    )


async def _process(endpoint: Endpoint) -> Process:
    state = await asyncio.to_thread(_state, endpoint)
    return Process(endpoint.role, endpoint.name, endpoint.pid, state, endpoint.address, endpoint.started_at)


def _state(endpoint: Endpoint) -> str:
    if not psutil.pid_exists(endpoint.pid):
        return "gone"
    probe = endpoint.addresses.get("http") or endpoint.addresses.get("probe")
    if not probe:
        return "running"
    try:
        with urllib.request.urlopen(f"http://{probe}/ready", timeout=PROBE_TIMEOUT_S):
            return "ready"
    except OSError:
        return "starting"


async def _or_none(asked: Awaitable[T]) -> T | None:
    try:
        return await asked
    except Plotter2Error:
        return None


def _address(endpoints: list[Endpoint], role: str) -> str:
    found = next((one.addresses.get("grpc", "") for one in endpoints if one.role == role), "")
    if not found:
        raise UnreachableError(f"The {role} is not running.")
    return found


async def _manager(endpoints: list[Endpoint]) -> manager_pb2.GetStatusResponse:
    async with rpc.connect(_address(endpoints, "manager")) as channel:
        with rpc.errors():
            return await ManagerServiceStub(channel).GetStatus(manager_pb2.GetStatusRequest(), timeout=ASK_TIMEOUT_S)


async def _stager(endpoints: list[Endpoint]) -> stager_pb2.GetBacklogResponse:
    async with rpc.connect(_address(endpoints, "stager")) as channel:
        with rpc.errors():
            return await StagerServiceStub(channel).GetBacklog(stager_pb2.GetBacklogRequest(), timeout=ASK_TIMEOUT_S)


def _manager_backlog(told: manager_pb2.GetStatusResponse | None) -> dict[str, int]:
    if told is None:
        return {}
    return {
        "runs_queued": told.runs_queued,
        "runs_assigned": told.runs_assigned,
        "requests_open": told.requests_open,
        "services_running": told.services_running,
    }


def _stager_backlog(told: stager_pb2.GetBacklogResponse | None) -> dict[str, int]:
    if told is None:
        return {}
    return {
        "deliveries_receiving": told.receiving,
        "deliveries_sealed": told.sealed,
        "spool_bytes": told.size_bytes,
    }
