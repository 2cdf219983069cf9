"""Each store in turn, empty, and able to be opened again on what it holds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from manager.store import Store
from manager.store.memory import MemoryStore
from manager.store.postgres import PostgresStore
from plotter2.pg import Database
from tests.embedded import Cluster


class World:
    """A store, and a way to come back to it as a new process would."""

    def __init__(self, stack: AsyncExitStack, dsn: str) -> None:
        self._stack = stack
        self._memory = MemoryStore()
        self.dsn = dsn
        self.store: Store = self._memory

    async def open(self) -> Store:
        """The same data, nothing remembered (where that means anything)."""
        self.store = await self._stack.enter_async_context(PostgresStore.open(self.dsn)) if self.dsn else self._memory
        return self.store


async def emptied(dsn: str) -> str:
    """The database, with nothing in it."""
    async with Database.open(dsn, connections_max=1) as database, database.connection() as connection:
        await connection.execute("drop schema public cascade; create schema public")
    return dsn


@pytest.fixture(scope="session")
def contract_dsn(cluster: Cluster) -> str:
    """One database for the suite: emptying it is faster than making a new one for each test."""
    return cluster.fresh()


@pytest.fixture(params=["memory", "postgres"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    dsn = await emptied(request.getfixturevalue("contract_dsn")) if request.param == "postgres" else ""
    async with AsyncExitStack() as stack:
        found = World(stack, dsn)
        await found.open()
        yield found


@pytest.fixture
def store(world: World) -> Store:
    return world.store
