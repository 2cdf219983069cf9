"""The store when PostgreSQL dies, answers get lost, or somebody else writes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest

from manager.store import Batch
from manager.store.postgres import PostgresStore
from plotter2.errors import ConfigError, ConflictError, UnreachableError
from plotter2.model.record import JOURNAL
from plotter2.pg import Database, Line
from tests.contract.samples import batch, child, note, request
from tests.embedded import Cluster

LIMIT_S = 60


@pytest.fixture
async def store(postgres_dsn: str) -> AsyncIterator[PostgresStore]:
    async with PostgresStore.open(postgres_dsn) as opened:
        yield opened


async def insist(store: PostgresStore, wanted: Batch) -> None:
    """What the manager's loop does: the same batch until it is in."""
    async with asyncio.timeout(LIMIT_S):
        while True:
            try:
                return await store.commit(wanted)
            except UnreachableError:
                await asyncio.sleep(0.05)


@pytest.mark.req("r198")
async def test_the_same_store_goes_on_after_the_database_was_killed(store: PostgresStore, cluster: Cluster) -> None:
    await store.commit(batch(request(1), note(1)))
    cluster.kill()
    try:
        lost = batch(request(2), note(2))
        with pytest.raises(UnreachableError, match="does not answer"):
            await store.commit(lost)
        with pytest.raises(UnreachableError):
            await store.get_request(request(1).id)
    finally:
        await asyncio.to_thread(cluster.start)
    await insist(store, lost)
    await insist(store, lost)
    assert (await store.list_requests(0, 9)).total == 2
    assert await store.verify(JOURNAL, 0) == 2


@pytest.mark.req("r198")
async def test_no_commit_is_lost_or_doubled_while_the_database_is_killed(
    store: PostgresStore, cluster: Cluster
) -> None:
    """Killed in the middle of commits; whatever was confirmed is there, and each batch once."""

    async def write() -> None:
        for number in range(400):
            await insist(store, batch(request(number), note(number)))

    async with asyncio.TaskGroup() as group:
        writing = group.create_task(write())
        for after in (40, 120, 250):
            async with asyncio.timeout(LIMIT_S):
                while not writing.done() and store._head.end < after:
                    await asyncio.sleep(0)
            cluster.kill()
            await asyncio.to_thread(cluster.start)
    assert (await store.list_requests(0, 0)).total == 400
    assert await store.verify(JOURNAL, 0) == 400


async def test_a_follower_survives_a_restart_of_the_database(store: PostgresStore, cluster: Cluster) -> None:
    await store.commit(batch(note(0)))
    async with aclosing(store.tail(JOURNAL, 0, 0)) as records:
        assert (await anext(records)).offset == 0
        cluster.kill()
        await asyncio.to_thread(cluster.start)
        await insist(store, batch(note(1)))
        async with asyncio.timeout(LIMIT_S):
            assert (await anext(records)).offset == 1


@pytest.mark.req("r198")
async def test_an_answer_that_was_lost_is_recognised_when_the_batch_comes_again(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.commit(batch(note(0)))
    whole = Line.transaction

    @asynccontextmanager
    async def deaf(self: Line, **given: Any) -> AsyncIterator[Any]:
        async with whole(self, **given) as connection:
            yield connection
        raise UnreachableError("the answer was lost")

    wanted = batch(request(1, children=(child(0),)), note(1))
    with monkeypatch.context() as patch:
        patch.setattr(Line, "transaction", deaf)
        with pytest.raises(UnreachableError):
            await store.commit(wanted)
    await store.commit(wanted)
    await store.commit(batch(note(2)))
    assert await store.verify(JOURNAL, 0) == 3


async def test_a_commit_that_was_cancelled_leaves_the_store_usable(store: PostgresStore) -> None:
    for number in range(20):
        async with asyncio.TaskGroup() as group:
            task = group.create_task(store.commit(batch(note(number))))
            for _ in range(number):
                await asyncio.sleep(0)
            task.cancel()
    await store.commit(batch(note(100)))
    assert await store.verify(JOURNAL, 0) == await store.end(JOURNAL, 0)


async def test_a_line_keeps_its_connection_until_that_is_lost(postgres_dsn: str) -> None:
    pids = []
    async with Database.open(postgres_dsn, connections_max=2) as database, database.line() as line:
        for _ in range(2):
            async with line.transaction() as connection:
                pids.append(await connection.fetchval("select pg_backend_pid()"))
        async with database.connection() as other:
            await other.fetchval("select pg_terminate_backend($1, 10000)", pids[0])
        async with line.transaction() as connection:
            pids.append(await connection.fetchval("select pg_backend_pid()"))
    assert pids[0] == pids[1] != pids[2]


@pytest.mark.req("S20")
async def test_two_managers_cannot_fork_the_log(store: PostgresStore, postgres_dsn: str) -> None:
    async with PostgresStore.open(postgres_dsn) as other:
        await store.commit(batch(note(1)))
        for _ in range(2):
            with pytest.raises(ConflictError, match="Another manager"):
                await other.commit(batch(request(7), note(2)))
    await store.commit(batch(note(3)))
    assert await store.get_request(request(7).id) is None
    assert await store.verify(JOURNAL, 0) == 2


@pytest.mark.req("S20")
async def test_of_two_managers_that_commit_at_the_same_moment_one_writes_and_the_other_nothing(
    store: PostgresStore, postgres_dsn: str
) -> None:
    async with PostgresStore.open(postgres_dsn) as other:
        both = (store.commit(batch(request(1), note(1))), other.commit(batch(request(2), note(2))))
        ended = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(type(one).__name__ for one in ended) == ["ConflictError", "NoneType"]
    lost = 1 if ended[0] is not None else 2
    assert await store.get_request(request(lost).id) is None
    assert await store.get_request(request(3 - lost).id) is not None
    assert await store.end(JOURNAL, 0) == 1


async def test_only_the_recent_turns_are_kept(
    store: PostgresStore, postgres_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("manager.store.postgres.TURNS_KEPT", 3)
    monkeypatch.setattr("manager.store.postgres.TURNS_BETWEEN_SWEEPS", 5)
    for number in range(10):
        await store.commit(batch(note(number)))
    async with Database.open(postgres_dsn) as database, database.connection() as connection:
        assert await connection.fetchval("select count(*) from turns") == 4


async def test_a_database_that_is_not_there_is_reported_after_a_while(postgres_dsn: str) -> None:
    away = postgres_dsn.replace("host=", "host=/nowhere")
    began = time.perf_counter()
    with pytest.raises(UnreachableError, match="does not answer"):
        async with Database.open(away, patience_s=0.3):
            pass
    assert time.perf_counter() - began < LIMIT_S
    with pytest.raises(ConfigError):
        async with PostgresStore.open("sqlite://x"):
            pass
