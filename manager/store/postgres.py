"""The store on PostgreSQL: the truth of plotter2. One transaction a batch, durable when `commit` returns.

Owns the end of the event log: each commit moves it from where this process knows it to be, so two managers on one
database cannot fork the log. Refuses to guess: after a failure it reads the end again before it goes on.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

from manager.eventlog import READ_RECORDS_MAX
from manager.store import Batch, Snapshot, log, rows, tallies
from manager.store.atonce import AtOnce, is_small
from manager.store.growing import Grown, Leaf
from manager.store.log import Head
from manager.store.text import clean_batch
from manager.store.tracing import Tracer
from manager.store.writing import STAGED_ROWS_MIN, Writer
from plotter2.clock import Instant
from plotter2.errors import ConflictError, UsageError
from plotter2.ids import RequestId
from plotter2.model.automatic import ASKS_HOURLY_MAX
from plotter2.model.pins import Look
from plotter2.model.record import JOURNAL, Record
from plotter2.model.request import Child
from plotter2.pg import Connection, Database, Doorbell, Line, Queries, migrate

HERE = Path(__file__).parent
CHANNEL = "plotter2_records"
TURNS_KEPT = 10_000
TURNS_BETWEEN_SWEEPS = 1_000
PARTITION = 0


class PostgresStore(Tracer):
    """See `manager.store.Store`. Made by `open`."""

    def __init__(self, database: Database, line: Line, queries: Queries, head: Head) -> None:
        super().__init__(database, queries)
        self._line = line
        self._writer = Writer(queries)
        self._at_once = AtOnce(queries)
        self._head = head
        self._hoped: Head | None = None
        self._turns = 0
        self._commits = asyncio.Lock()

    @classmethod
    @asynccontextmanager
    async def open(cls, dsn: str) -> AsyncIterator[PostgresStore]:
        """Connect, migrate, and find the end of the log.

        Raises:
            ConfigError: not a PostgreSQL address.
            UnreachableError: the database did not answer in time.
            ConflictError: a newer version of plotter2 has written this database.
        """
        async with Database.open(dsn) as database:
            await migrate(database, HERE / "migrations")
            queries = Queries.load(HERE / "queries.sql")
            async with database.connection() as connection:
                row = await connection.fetchrow(queries["head"], JOURNAL, PARTITION)
            async with database.line() as line:
                yield cls(database, line, queries, _head(row))

    async def commit(self, batch: Batch) -> None:
        """Write the batch in one transaction; see `Store.commit`."""
        if not batch.turn:
            raise UsageError("A batch needs the name of its turn: without it a repeat cannot be recognised.")
        batch = clean_batch(batch)
        async with self._commits:
            if self._hoped is not None:
                await self._settle()
            records, after = log.place(batch.records, self._head, JOURNAL, PARTITION)
            self._hoped = after
            try:
                is_new = await self._write(batch, records, after)
            except BaseException:
                self._writer.forget()
                raise
            if is_new:
                self._head, self._hoped = after, None
                self._writer.written(batch)
            else:
                await self._settle()

    async def _write(self, batch: Batch, records: list[Record], after: Head) -> bool:
        """Commit it, at once where that can be; whether it was new."""
        begin = self._beginning(batch.turn, records, after)
        self._turns += 1
        if is_small(batch, STAGED_ROWS_MIN) and self._turns % TURNS_BETWEEN_SWEEPS:
            return await self._write_at_once(batch, begin)
        async with self._line.transaction() as connection:
            is_new = await self._begun(connection, self._at_once.statement((), (), len(begin)), begin)
            if is_new:
                await self._writer.write(connection, batch)
            if self._turns % TURNS_BETWEEN_SWEEPS == 0:
                await connection.execute(self._queries["forget_turns"], TURNS_KEPT)
            return is_new

    async def _write_at_once(self, batch: Batch, begin: Sequence[object]) -> bool:
        puts = {name: rows.columns(values) for name, values in self._writer.work(batch).items()}
        counts = tuple(len(columns) for columns in puts.values())
        statement = self._at_once.statement(tuple(puts), counts, len(begin))
        async with self._line.connection() as connection:
            return await self._begun(
                connection, statement, (*begin, *(one for columns in puts.values() for one in columns))
            )

    async def _begun(self, connection: Connection, statement: str, values: Sequence[object]) -> bool:
        """Whether the turn is new: else it was there already, or somebody else writes; `_settle` finds out which."""
        row = await connection.fetchrow(statement, *values)
        assert row is not None  # noqa: S101 -- a select without from gives one row
        return bool(row["is_moved"])

    def _beginning(self, turn: str, records: list[Record], after: Head) -> tuple[object, ...]:
        values = [rows.record_values(one) for one in records]
        columns = rows.columns(values) if values else [()] * 7
        before = self._head
        return turn, JOURNAL, PARTITION, before.end, before.hash, after.end, after.hash, *columns

    async def _settle(self) -> None:
        """Find out how a commit went whose answer was lost."""
        async with self._line.transaction() as connection:
            found = _head(await connection.fetchrow(self._queries["head_settled"], JOURNAL, PARTITION))
        if found not in {self._head, self._hoped}:
            raise self._forked()
        self._head, self._hoped = found, None

    def _forked(self) -> ConflictError:
        return ConflictError(
            f"Another manager writes to the database {self._database.where}: the event log goes on elsewhere than at "
            f"offset {self._head.end}. Stop one of the two."
        )

    async def load(self) -> Snapshot:
        """The live state; see `Store.load`."""
        queries = self._queries
        async with self._database.transaction(snapshot=True) as connection:
            children: dict[Any, list[Child]] = defaultdict(list)
            for row in await connection.fetch(queries["live_children"]):
                children[row["request_id"]].append(rows.to_child(row))
            lists = {
                row["digest"]: rows.to_files(row["entries"])
                for row in await connection.fetch(queries["live_file_lists"])
            }
            calls = {row["id"]: row for row in await connection.fetch(queries["live_calls"])}
            snapshot = Snapshot(
                requests=tuple(
                    rows.to_request({**row, **calls.get(row["id"], {})}, tuple(children.get(row["id"], ())))
                    for row in await connection.fetch(queries["live_requests"])
                ),
                runs=tuple(map(rows.to_run, await connection.fetch(queries["live_runs"]))),
                tasks=tuple(map(rows.to_task, await connection.fetch(queries["live_tasks"]))),
                bundles=tuple(map(rows.to_version, await connection.fetch(queries["newest_versions"]))),
                workers=tuple(map(rows.to_worker, await connection.fetch(queries["workers"]))),
                services=tuple(
                    rows.to_service(row, lists[row["files"]])
                    for row in await connection.fetch(queries["live_services"])
                ),
                held=tuple(rows.to_held(row, ()).short() for row in await connection.fetch(queries["live_held"])),
                inheritances={
                    row["digest"]: row["entries"] for row in await connection.fetch(queries["newest_inheritances"])
                },
                links=tuple(map(rows.to_link, await connection.fetch(queries["newest_links"]))),
                tallies=tuple(map(tallies.read, await connection.fetch(queries["orders"]))),
                reports={row["bundle"]: row["number"] for row in await connection.fetch(queries["newest_reports"])},
                switch=next((rows.to_request(row) for row in await connection.fetch(queries["newest_switch"])), None),
                automatic=tuple(
                    Instant(row["created_at"])
                    for row in await connection.fetch(queries["automatic_asks"], ASKS_HOURLY_MAX)
                ),
                trees=await self._grown(connection),
                looks=tuple(
                    Look(RequestId(row["request_id"]), row["place"], row["seen"])
                    for row in await connection.fetch(queries["live_looks"])
                ),
            )
        self._writer.know(snapshot)
        return snapshot

    async def _grown(self, connection: Connection) -> tuple[Grown, ...]:
        """Trees whose request has not ended, with all that was written of them."""
        trees = list(map(rows.to_tree, await connection.fetch(self._queries["live_trees"])))
        names = [one.id for one in trees]
        leaves: dict[str, list[Leaf]] = defaultdict(list)
        lines: dict[str, list[bytes]] = defaultdict(list)
        for row in await connection.fetch(self._queries["leaves_of"], names) if names else ():
            leaves[row["tree"]].append(rows.to_leaf(row))
        for row in await connection.fetch(self._queries["lines_of"], names) if names else ():
            lines[row["tree"]].append(row["entry"])
        return tuple(Grown(one, tuple(leaves[one.id]), tuple(lines[one.id])) for one in trees)

    # --- the event log ----------------------------------------------------------------------------------------------

    async def read(self, topic: str, partition: int, offset: int, limit: int) -> list[Record]:
        """Records from `offset` on; see `EventLog.read`."""
        found = await self._fetch("read_records", topic, partition, offset, max(0, min(limit, READ_RECORDS_MAX)))
        return [rows.to_record(row) for row in found]

    async def end(self, topic: str, partition: int) -> int:
        """The high watermark."""
        return (await self._read_head(topic, partition)).end

    async def _read_head(self, topic: str, partition: int) -> Head:
        return await self._one(_head, "head", topic, partition) or Head()

    async def tail(self, topic: str, partition: int, offset: int) -> AsyncIterator[Record]:
        """Records from `offset` on, waiting for new ones; a notification wakes it, and it looks every second anyway."""
        async with self._database.listening(CHANNEL) as bell:
            await bell.listen()
            following = log.tail(self.read, topic, partition, offset, lambda: _wait(bell))
            async with aclosing(following):
                async for record in following:
                    yield record

    async def commit_offset(self, group: str, topic: str, partition: int, offset: int) -> None:
        """Remember how far a consumer group has come; never back."""
        await self._fetch("put_group_offset", group, topic, partition, offset)

    async def committed_offset(self, group: str, topic: str, partition: int) -> int:
        """Where a consumer group goes on; 0 for a new one."""
        return await self._one(lambda row: int(row["offset"]), "group_offset", group, topic, partition) or 0

    async def verify(self, topic: str, partition: int) -> int:
        """Walk the chain; see `EventLog.verify`."""
        return await log.verify(self.read, topic, partition, await self._read_head(topic, partition))


def _head(row: rows.Row | None) -> Head:
    return Head(row["end"], row["hash"]) if row is not None else Head()


async def _wait(bell: Doorbell) -> None:
    if await bell.listen():
        await bell.wait(log.POLL_S)
    else:
        await asyncio.sleep(log.POLL_S)
