"""The client for asyncio: one method a verb of design 7. Every write carries a key, so it may be repeated safely.

Owns: the verbs and what they mean on the wire (`plotter2.client.verbs`, one file a family). Refuses: local doors. What
is not asked of the manager or the stager is not done here.
"""

from __future__ import annotations

import getpass
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from plotter2.client import asks
from plotter2.client.calls import CallPool
from plotter2.client.link import Link
from plotter2.client.verbs.ask import Ask
from plotter2.client.verbs.config import Configuring
from plotter2.client.verbs.give import Give
from plotter2.client.verbs.lineage import Lineages
from plotter2.client.verbs.links import Links
from plotter2.client.verbs.look import Look
from plotter2.client.verbs.many import Many
from plotter2.client.verbs.orders import Orders
from plotter2.client.verbs.planner import Planning
from plotter2.client.verbs.quarantine import Quarantine
from plotter2.client.verbs.search import Search
from plotter2.client.verbs.versions import Versions
from plotter2.clock import SystemClock, SystemIds


class AsyncClient(Give, Ask, Many, Look, Versions, Search, Quarantine, Links, Lineages, Orders, Planning, Configuring):
    """A connected client. Made by `connect`."""


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


@asynccontextmanager
async def _connect(address: str | None, home: str | Path | None) -> AsyncIterator[AsyncClient]:
    clock = SystemClock()
    ids = SystemIds(clock)
    user = _user()
    async with Link(clock, asks.home_of(home), address) as link, CallPool(link, clock, ids, user) as pool:
        yield AsyncClient(link, pool, clock, ids, user)


def connect(address: str | None = None, home: str | Path | None = None) -> AbstractAsyncContextManager[AsyncClient]:
    """A client of the manager at `address`, else of the installation at `home` (else of the default home).

    Raises:
        UnreachableError: no plotter2 is running there; the sentence says how to start it.
    """
    return _connect(address, home)


__all__ = ["AsyncClient", "connect"]
