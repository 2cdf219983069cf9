"""One database as the rest of plotter2 sees it: connections out of a pool, transactions, and a doorbell.

The pool connects again by itself after the database was away. Every failure leaves here as one of our errors.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

import asyncpg
import stamina
from typing_extensions import override

from plotter2.errors import ConfigError, UnreachableError
from plotter2.pg.doorbell import Doorbell
from plotter2.pg.faults import KNOWN, translate

Row = Mapping[str, Any]
CONNECTIONS_MAX = 8
CONNECT_S = 10.0
COMMAND_S = 60.0
PATIENCE_S = 30.0
"""How long `open` waits for a database that is starting."""
CLOSE_S = 3.0
SETTINGS = {"synchronous_commit": "on", "timezone": "UTC", "jit": "off", "application_name": "plotter2"}


class Connection(Protocol):
    """What a store may do with a connection."""

    async def execute(self, query: str, *args: object) -> str:
        """Run a statement, or several without arguments."""
        ...

    async def executemany(self, command: str, args: Iterable[Sequence[object]]) -> None:
        """Run a statement for each of many rows."""
        ...

    async def fetch(self, query: str, *args: object) -> Sequence[Row]:
        """All rows."""
        ...

    async def fetchrow(self, query: str, *args: object) -> Row | None:
        """The first row."""
        ...

    async def fetchval(self, query: str, *args: object) -> Any:
        """The first column of the first row."""
        ...

    async def copy_records_to_table(
        self, table_name: str, *, records: Iterable[Sequence[object]], columns: Sequence[str]
    ) -> str:
        """Bring in many rows by COPY."""
        ...


class _Source(ABC):
    """Where connections to one database come from.

    Attributes:
        where: the database, for messages.
    """

    where: str

    @abstractmethod
    def connection(self) -> AbstractAsyncContextManager[Connection]:
        """A connection for as long as the block lasts.

        Raises:
            UnreachableError: the database is away, or the connection was lost: the outcome is unknown.
            ConflictError: a constraint speaks against it.
            FailedError: the database refused for another reason.
        """

    @asynccontextmanager
    async def transaction(self, *, snapshot: bool = False) -> AsyncIterator[Connection]:
        """A transaction, committed at the end of the block. `snapshot`: read only, all reads see one moment."""
        async with self.connection() as connection:
            begin: Any = connection.transaction  # type: ignore[attr-defined]  # asyncpg's; stores need no other way in
            async with begin(isolation="repeatable_read", readonly=True) if snapshot else begin():
                yield connection


class Line(_Source):
    """One connection that is kept from one use to the next, by whoever is alone in using it; made by `Database.line`.

    Taking a connection out of the pool and giving it back takes as long as a short statement. One that has failed is
    given back, and the next use takes another.
    """

    def __init__(self, pool: Any, where: str) -> None:
        self._pool = pool
        self._held: Any = None
        self.where = where

    @override
    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """It, or a new one where it is lost."""
        try:
            if not self._is_there():
                await self.hang_up()
                self._held = await self._pool.acquire(timeout=CONNECT_S)
        except KNOWN as wrong:
            raise translate(wrong, self.where, is_closed=True) from wrong
        held = self._held
        try:
            yield held
        except KNOWN as wrong:
            is_closed = not self._is_there()
            await self.hang_up()
            raise translate(wrong, self.where, is_closed=is_closed) from wrong
        except BaseException:
            await self.hang_up()
            raise

    def _is_there(self) -> bool:
        try:
            return self._held is not None and not self._held.is_closed()
        except KNOWN:  # the pool took it back when it was lost
            return False

    async def hang_up(self) -> None:
        """Give the connection back, whatever state it is in."""
        held, self._held = self._held, None
        if held is not None:
            with suppress(*KNOWN):  # a broken one: the pool has closed it
                await self._pool.release(held)


class Database(_Source):
    """A pool of connections to one database."""

    def __init__(self, pool: Any, dsn: str) -> None:
        """Use `open`."""
        self._pool = pool
        self._dsn = dsn
        self.where = describe(dsn)

    @classmethod
    @asynccontextmanager
    async def open(
        cls, dsn: str, *, connections_max: int = CONNECTIONS_MAX, patience_s: float = PATIENCE_S
    ) -> AsyncIterator[Database]:
        """Connect, waiting a while for a database that is only starting; everything is closed at the end.

        Raises:
            ConfigError: not a PostgreSQL address.
            UnreachableError: it did not answer in `patience_s`.
        """
        where = describe(dsn)
        pool: Any = None
        async for attempt in stamina.retry_context(
            on=UnreachableError, attempts=None, timeout=patience_s, wait_initial=0.05, wait_max=1.0
        ):
            with attempt:
                pool = await _connect(dsn, where, connections_max)
        try:
            yield cls(pool, dsn)
        finally:
            await _close(pool)

    @override
    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """One out of the pool, for as long as the block lasts."""
        try:
            async with self._pool.acquire(timeout=CONNECT_S) as connection:
                try:
                    yield connection
                except KNOWN as wrong:
                    raise translate(wrong, self.where, is_closed=connection.is_closed()) from wrong
        except KNOWN as wrong:  # getting one out of the pool, or giving it back
            raise translate(wrong, self.where, is_closed=True) from wrong

    @asynccontextmanager
    async def line(self) -> AsyncIterator[Line]:
        """One connection for who uses it alone and often, for as long as the block lasts."""
        line = Line(self._pool, self.where)
        try:
            yield line
        finally:
            await line.hang_up()

    @asynccontextmanager
    async def listening(self, channel: str) -> AsyncIterator[Doorbell]:
        """Hear NOTIFY on a channel, on a connection of its own, for as long as the block lasts."""
        bell = Doorbell(lambda: asyncpg.connect(self._dsn, timeout=CONNECT_S, server_settings=SETTINGS), channel)
        try:
            yield bell
        finally:
            await bell.close()


def describe(dsn: str) -> str:
    """The address for messages, without the password.

    Raises:
        ConfigError: not a PostgreSQL address.
    """
    try:
        parts = urlsplit(dsn)
        host = parts.hostname or parse_qs(parts.query).get("host", [""])[0] or "localhost"
        port = f":{parts.port}" if parts.port else ""
    except ValueError as wrong:
        raise ConfigError(f"The database address cannot be read: {wrong}.") from None
    if parts.scheme not in {"postgresql", "postgres"}:
        raise ConfigError("The database address must look like postgresql://user@host:port/name.")
    return f"{parts.path.lstrip('/') or 'postgres'} at {host}{port}"


async def _as_it_is(connection: Connection) -> None:
    """Nothing to tidy up between two uses: sessions hold no state of ours, and tidying costs a round trip a use."""
    del connection


async def _connect(dsn: str, where: str, connections_max: int) -> Any:
    try:
        pool = await asyncpg.create_pool(
            dsn,
            min_size=0,
            max_size=connections_max,
            timeout=CONNECT_S,
            command_timeout=COMMAND_S,
            server_settings=SETTINGS,
            reset=_as_it_is,
        )
    except KNOWN as wrong:
        raise translate(wrong, where, is_closed=False) from wrong
    try:
        async with pool.acquire():  # whether anybody answers
            return pool
    except KNOWN as wrong:
        await _close(pool)
        raise translate(wrong, where, is_closed=False) from wrong


async def _close(pool: Any) -> None:
    try:
        async with asyncio.timeout(CLOSE_S):
            await pool.close()
    except KNOWN:  # busy or broken connections: the server rolls back whatever they had begun
        pool.terminate()
