"""The client for asyncio programs: `async with plotter2.aio.connect() as p2: await p2.push(...)`. Names only."""

from __future__ import annotations

from plotter2.client.asynchronous import AsyncClient, connect

__all__ = ["AsyncClient", "connect"]
