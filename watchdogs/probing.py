"""Looking at wards: records they wrote, /health, sockets, their memory. Every look ends within a limit."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from plotter2.layout import Layout
from watchdogs.wards import Ward

LOOK_S_MAX = 2.0
HTTP_OK = 200


def record(layout: Layout, name: str, pid: int) -> dict[str, Any]:
    """What a process with this pid has announced of itself; empty while it has not."""
    try:
        found = json.loads((layout.processes / f"{name}.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) and found.get("pid") == pid else {}


def last_record(layout: Layout, name: str) -> tuple[dict[str, Any], bool]:
    """What a process has announced of itself, and whether it lives; empty when none ever has."""
    try:
        found = json.loads((layout.processes / f"{name}.json").read_bytes())
        return found, psutil.pid_exists(int(found["pid"]))
    except (OSError, ValueError, KeyError, TypeError):
        return {}, False


async def is_well(ward: Ward, layout: Layout, pid: int) -> bool:
    """Whether a ward does its work now."""
    return await _answers(ward, layout, pid, "/ready")


async def is_alive(ward: Ward, layout: Layout, pid: int) -> bool:
    """Whether a ward that was well still answers. That it waits for somebody else is no reason to kill it."""
    return await _answers(ward, layout, pid, "/health")


async def _answers(ward: Ward, layout: Layout, pid: int, path: str) -> bool:
    try:
        async with asyncio.timeout(LOOK_S_MAX):
            if not ward.http_probe:
                return await _accepts(ward.socket)
            addresses = record(layout, ward.name, pid).get("addresses", {})
            probe = addresses.get("probe") or addresses.get("http")
            return bool(probe) and await _status(probe, path) == HTTP_OK
    except (TimeoutError, OSError, ValueError):  # nobody there, or somebody who speaks something else
        return False


def own_memory_bytes(pid: int) -> int:
    """How much memory a process has to itself: files it has mapped do not count. 0 when it is gone."""
    try:
        found = psutil.Process(pid).memory_info()
    except psutil.Error:
        return 0
    return int(found.rss - getattr(found, "shared", 0))


async def _accepts(place: str) -> bool:
    if place.startswith("/"):
        if not Path(place).exists():  # noqa: ASYNC240 -- one stat
            return False
        _, writer = await asyncio.open_unix_connection(place)
    else:
        host, _, port = place.rpartition(":")
        _, writer = await asyncio.open_connection(host, int(port))
    await _close(writer)
    return True


async def _status(address: str, path: str) -> int:
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n".encode())
        line = await reader.readline()
        parts = line.split()
        return int(parts[1]) if len(parts) > 1 else 0
    finally:
        await _close(writer)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
