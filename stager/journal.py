"""The stager's memory of what it has promised: SQLite, one thread, one transaction for all that waits.

A sealed delivery's row is committed only after one sync of everything that was sealed in the same batch, so whoever
reads "sealed" here finds the data. Owns the file `journal.db` beside the deliveries; nothing else opens it.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from plotter2 import files
from plotter2.errors import ConfigError, FailedError, LimitError
from plotter2.ids import DeliveryId
from stager.deliveries import Delivery, DeliveryState, Receipt, Refusal

BATCH_MAX = 256
ENDED_ROWS_MAX = 10_000
"""How many outcomes are remembered for senders that ask again; the manager remembers them for ever."""
BUSY_TIMEOUT_S = 10.0
_FULL = "database or disk is full"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS open_deliveries (
  id TEXT PRIMARY KEY, state INTEGER NOT NULL, delivery BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS ended_deliveries (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, state INTEGER NOT NULL, outcome BLOB NOT NULL
) STRICT;
"""

Work = Callable[[sqlite3.Connection], Any]


@dataclass(frozen=True, slots=True)
class _Job:
    work: Work
    done: Future[Any]
    fresh: tuple[Path, ...] | None = None


class Journal:
    """What is written down. Every method returns when it is on disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self.commits = 0

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path) -> AsyncIterator[Journal]:
        """The journal at `path`, made when it is missing.

        Raises:
            ConfigError: another process has it, or it is not a journal.
        """
        journal = cls(path)
        journal._thread.start()
        try:
            await journal._do(_prepare)
            yield journal
        finally:
            journal._jobs.put(None)
            await asyncio.to_thread(journal._thread.join)

    async def begin(self, delivery: Delivery) -> None:
        """Note that a delivery is being received."""
        await self._do(lambda base: _put(base, delivery))

    async def seal(self, delivery: Delivery, fresh: tuple[Path, ...]) -> None:
        """Sync the files `fresh`, then note that the delivery is complete. Those who seal together share both.

        Raises:
            LimitError: the disk is full.
        """
        await self._do(lambda base: _put(base, delivery), fresh)

    async def end(self, delivery_id: DeliveryId, outcome: Receipt | Refusal) -> None:
        """Note how a delivery ended. What was refused stays open as well: its data is still here."""
        await self._do(lambda base: _end(base, delivery_id, outcome))

    async def forget(self, delivery_id: DeliveryId) -> None:
        """Note that nothing of a delivery is here any more."""
        await self._do(lambda base: base.execute("DELETE FROM open_deliveries WHERE id = ?", (delivery_id,)))

    async def load(self) -> list[Delivery]:
        """Every delivery that takes room here."""
        rows = await self._do(lambda base: base.execute("SELECT delivery FROM open_deliveries").fetchall())
        return [msgspec.msgpack.decode(row[0], type=Delivery) for row in rows]

    async def outcome(self, delivery_id: DeliveryId) -> Receipt | Refusal | None:
        """How a delivery ended; None if it has not, or too long ago."""
        query = "SELECT state, outcome FROM ended_deliveries WHERE id = ?"
        row = await self._do(lambda base: base.execute(query, (delivery_id,)).fetchone())
        if row is None:
            return None
        if row[0] == DeliveryState.CONFIRMED:
            return msgspec.msgpack.decode(row[1], type=Receipt)
        return msgspec.msgpack.decode(row[1], type=Refusal)

    async def exchange(self, key: str, value: str) -> str:
        """Remember `value` under `key`; gives what was there before."""
        return str(await self._do(lambda base: _exchange(base, key, value)))

    async def _do(self, work: Work, fresh: tuple[Path, ...] | None = None) -> Any:
        job = _Job(work, Future(), fresh)
        self._jobs.put(job)
        try:
            return await asyncio.wrap_future(job.done)
        except sqlite3.Error as wrong:
            if _FULL in str(wrong):
                raise LimitError("The stager's disk is full; try again when there is room.") from wrong
            raise FailedError(f"The stager's journal {self._path} cannot be written: {wrong}.") from wrong

    # --- in the thread --------------------------------------------------------------------------------------------

    def _run(self) -> None:
        base: sqlite3.Connection | None = None
        try:
            while (job := self._jobs.get()) is not None:
                if base is None:
                    base = self._connect(job)
                if base is not None:
                    self._commit(base, self._with_all_that_waits(job))
        finally:
            if base is not None:
                base.close()

    def _connect(self, job: _Job) -> sqlite3.Connection | None:
        try:
            return sqlite3.connect(self._path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
        except sqlite3.Error as wrong:
            job.done.set_exception(ConfigError(f"The stager's journal {self._path} cannot be opened: {wrong}."))
            return None

    def _with_all_that_waits(self, first: _Job) -> list[_Job]:
        batch = [first]
        while len(batch) < BATCH_MAX:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:
                self._jobs.put(None)
                break
            batch.append(job)
        return batch

    def _commit(self, base: sqlite3.Connection, batch: list[_Job]) -> None:
        try:
            fresh = [path for job in batch for path in job.fresh or ()]
            if any(job.fresh is not None for job in batch):
                files.sync_tree(self._path.parent, fresh)
            answers = self._transact(base, batch)
        except (sqlite3.Error, OSError, ConfigError) as wrong:
            for job in batch:
                job.done.set_exception(wrong)
        else:
            self.commits += 1
            for job, answer in zip(batch, answers, strict=True):
                job.done.set_result(answer)

    def _transact(self, base: sqlite3.Connection, batch: list[_Job]) -> list[Any]:
        if batch[0].work is _prepare:  # pragmas do not belong into a transaction
            return [job.work(base) for job in batch]
        base.execute("BEGIN IMMEDIATE")
        try:
            answers = [job.work(base) for job in batch]
            base.execute("COMMIT")
        except sqlite3.Error:
            if base.in_transaction:
                base.execute("ROLLBACK")
            raise
        return answers


def _prepare(base: sqlite3.Connection) -> None:
    try:
        base.execute("PRAGMA journal_mode = WAL")
        base.execute("PRAGMA synchronous = FULL")
        # One stager a spool: the lock is held as long as the connection.
        base.execute("PRAGMA locking_mode = EXCLUSIVE")
        base.executescript(_SCHEMA)
    except sqlite3.Error as wrong:
        raise ConfigError(f"The stager's journal cannot be used: {wrong}; does another stager run there?") from wrong


def _put(base: sqlite3.Connection, delivery: Delivery) -> None:
    base.execute(
        "INSERT INTO open_deliveries (id, state, delivery) VALUES (?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET state = excluded.state, delivery = excluded.delivery",
        (delivery.id, int(delivery.state), msgspec.msgpack.encode(delivery)),
    )


def _end(base: sqlite3.Connection, delivery_id: DeliveryId, outcome: Receipt | Refusal) -> None:
    state = DeliveryState.CONFIRMED if isinstance(outcome, Receipt) else DeliveryState.REFUSED
    base.execute(
        "INSERT OR IGNORE INTO ended_deliveries (id, state, outcome) VALUES (?, ?, ?)",
        (delivery_id, int(state), msgspec.msgpack.encode(outcome)),
    )
    base.execute(
        "DELETE FROM ended_deliveries WHERE number <= (SELECT max(number) FROM ended_deliveries) - ?",
        (ENDED_ROWS_MAX,),
    )
    if state is DeliveryState.REFUSED:
        row = base.execute("SELECT delivery FROM open_deliveries WHERE id = ?", (delivery_id,)).fetchone()
        if row is not None:
            known = msgspec.msgpack.decode(row[0], type=Delivery)
            _put(base, replace(known, state=state))


def _exchange(base: sqlite3.Connection, key: str, value: str) -> str:
    row = base.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    base.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, value))
    return str(row[0]) if row else ""
