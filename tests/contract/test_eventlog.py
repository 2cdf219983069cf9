"""One suite for every event log: dense, in order, chained, and followed without gap or repeat."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from manager.store import Store, log
from manager.store.memory import MemoryStore
from plotter2.errors import CorruptionError
from plotter2.model.record import GENESIS, JOURNAL, Record
from plotter2.pg import Database
from tests.contract.conftest import World
from tests.contract.samples import batch, note, put

pytestmark = pytest.mark.req("S20")


async def fill(store: Store, first: int, count: int) -> None:
    await store.commit(batch(records=[note(number) for number in range(first, first + count)]))


async def follow(store: Store, offset: int, count: int) -> list[Record]:
    found: list[Record] = []
    async with aclosing(store.tail(JOURNAL, 0, offset)) as records:
        async for record in records:
            found.append(record)
            if len(found) == count:
                break
    return found


async def test_offsets_are_dense_and_each_record_holds_the_hash_of_its_predecessor(world: World) -> None:
    await fill(world.store, 0, 2)
    store = await world.open()
    await fill(store, 2, 2)
    records = await store.read(JOURNAL, 0, 0, 100)
    assert [one.offset for one in records] == [0, 1, 2, 3]
    assert [one.previous for one in records] == [GENESIS, *(one.hash for one in records[:-1])]
    assert [(one.kind, one.key, one.at) for one in records] == [
        (new.kind, new.key, new.at) for new in (note(number) for number in range(4))
    ]


async def test_reading_goes_from_an_offset_up_to_a_limit(store: Store) -> None:
    await fill(store, 0, 5)
    assert [one.offset for one in await store.read(JOURNAL, 0, 2, 2)] == [2, 3]
    assert await store.read(JOURNAL, 0, 5, 10) == []
    assert await store.read(JOURNAL, 0, 0, 0) == []
    assert await store.end(JOURNAL, 0) == 5


async def test_a_log_that_nobody_wrote_is_empty(store: Store) -> None:
    assert await store.end("other", 3) == 0
    assert await store.read("other", 3, 0, 10) == []
    assert await store.verify("other", 3) == 0


async def test_a_follower_gets_what_was_there_and_what_comes_each_once(store: Store) -> None:
    await fill(store, 0, 3)
    async with asyncio.TaskGroup() as group, asyncio.timeout(20):
        following = group.create_task(follow(store, 1, 6))
        for number in range(3, 7):
            await put(store, note(number))
        assert [one.offset for one in await following] == [1, 2, 3, 4, 5, 6]


async def test_a_follower_is_woken_and_does_not_have_to_look(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "POLL_S", 3600.0)
    async with asyncio.TaskGroup() as group, asyncio.timeout(20):
        following = group.create_task(follow(store, 0, 2))
        while not following.done():
            await put(store, note(1))
            await asyncio.sleep(0.02)


async def test_a_consumer_group_goes_on_where_it_was_and_never_back(world: World) -> None:
    store = world.store
    assert await store.committed_offset("tree", JOURNAL, 0) == 0
    await store.commit_offset("tree", JOURNAL, 0, 7)
    await store.commit_offset("tree", JOURNAL, 0, 3)
    await store.commit_offset("other", JOURNAL, 0, 1)
    store = await world.open()
    assert await store.committed_offset("tree", JOURNAL, 0) == 7
    assert await store.committed_offset("other", JOURNAL, 0) == 1


async def test_a_record_that_was_changed_is_found(world: World) -> None:
    await fill(world.store, 0, 5)
    assert await world.store.verify(JOURNAL, 0) == 5
    await _damage(world, 'update records set payload = \'{"a": 1}\' where "offset" = 3', 3)
    with pytest.raises(CorruptionError, match="offset 3"):
        await world.store.verify(JOURNAL, 0)


async def test_records_that_were_cut_off_are_missed(world: World) -> None:
    await fill(world.store, 0, 5)
    await _damage(world, 'delete from records where "offset" = 4', None)
    with pytest.raises(CorruptionError, match="ends at offset 4"):
        await world.store.verify(JOURNAL, 0)


async def _damage(world: World, sql: str, changed: int | None) -> None:
    if isinstance(world.store, MemoryStore):
        records = world.store._records
        if changed is None:
            records.pop()
        else:
            old = records[changed]
            records[changed] = Record(
                old.topic, old.partition, old.offset, old.at, old.kind, old.key, '{"a": 1}', old.previous, old.hash
            )
        return
    async with Database.open(world.dsn, connections_max=1) as database, database.connection() as connection:
        await connection.execute(sql)
