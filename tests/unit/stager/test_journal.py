import asyncio
import sqlite3
from pathlib import Path

import pytest

from plotter2.errors import ConfigError
from stager import journal as module
from stager.deliveries import Delivery, DeliveryState, Refusal
from stager.journal import Journal
from tests.unit.stager.kit import IDS, order, receipt


async def test_what_is_written_down_is_there_after_a_restart(tmp_path: Path) -> None:
    receiving = Delivery(order("b"), DeliveryState.RECEIVING)
    sealed = Delivery(order("c"), DeliveryState.SEALED, frozenset({0}), number=3)
    async with Journal.open(tmp_path / "journal.db") as journal:
        await journal.begin(receiving)
        await journal.begin(Delivery(sealed.order, DeliveryState.RECEIVING))
        await journal.seal(sealed, ())
        assert await journal.exchange("boot", "1") == ""
    async with Journal.open(tmp_path / "journal.db") as journal:
        assert sorted(await journal.load(), key=lambda one: one.number) == [receiving, sealed]
        assert await journal.exchange("boot", "2") == "1"


async def test_outcomes_are_remembered_and_refused_data_is_still_known(tmp_path: Path) -> None:
    one, two = Delivery(order("b"), DeliveryState.SEALED), Delivery(order("c"), DeliveryState.SEALED)
    async with Journal.open(tmp_path / "journal.db") as journal:
        for delivery in (one, two):
            await journal.seal(delivery, ())
        assert await journal.outcome(one.id) is None
        await journal.end(one.id, receipt())
        await journal.end(two.id, Refusal("package", "no"))
        await journal.forget(one.id)
        assert await journal.outcome(one.id) == receipt()
        assert await journal.outcome(two.id) == Refusal("package", "no")
        assert [(known.id, known.state) for known in await journal.load()] == [(two.id, DeliveryState.REFUSED)]


async def test_deliveries_that_are_sealed_together_share_a_transaction(tmp_path: Path) -> None:
    async with Journal.open(tmp_path / "journal.db") as journal:
        before = journal.commits
        await asyncio.gather(*(journal.seal(Delivery(order(), DeliveryState.SEALED), ()) for _ in range(50)))
        assert journal.commits - before < 25
        assert len(await journal.load()) == 50


async def test_old_outcomes_are_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ENDED_ROWS_MAX", 3)
    async with Journal.open(tmp_path / "journal.db") as journal:
        names = [IDS.delivery() for _ in range(5)]
        for name in names:
            await journal.end(name, receipt())
        assert [await journal.outcome(name) is not None for name in names] == [False, False, True, True, True]


async def test_a_second_stager_on_the_same_spool_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUSY_TIMEOUT_S", 0.05)
    async with Journal.open(tmp_path / "journal.db"):
        with pytest.raises(ConfigError, match="does another stager run there"):
            async with Journal.open(tmp_path / "journal.db"):
                pass


async def test_the_journal_is_durable_at_each_commit(tmp_path: Path) -> None:
    async with Journal.open(tmp_path / "journal.db") as journal:
        assert (await journal._do(lambda base: base.execute("PRAGMA synchronous").fetchone()))[0] == 2
        assert (await journal._do(lambda base: base.execute("PRAGMA journal_mode").fetchone()))[0] == "wal"


async def test_one_that_fails_does_not_stop_the_thread(tmp_path: Path) -> None:
    def broken(base: sqlite3.Connection) -> None:
        base.execute("SELECT nonsense")

    async with Journal.open(tmp_path / "journal.db") as journal:
        with pytest.raises(Exception, match="cannot be written"):
            await journal._do(broken)
        assert await journal.load() == []
