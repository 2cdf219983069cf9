"""Migrations on the real PostgreSQL: once each, in order, whoever comes first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from manager.store import postgres
from plotter2.errors import ConfigError, ConflictError, FailedError
from plotter2.pg import Database, migrate


@pytest.fixture
async def database(postgres_dsn: str) -> AsyncIterator[Database]:
    async with Database.open(postgres_dsn) as opened:
        yield opened


def write(folder: Path, **files: str) -> Path:
    for name, sql in files.items():
        (folder / f"{name.removeprefix('m')}.sql").write_text(sql)
    return folder


async def tables(database: Database) -> set[str]:
    async with database.connection() as connection:
        rows = await connection.fetch("select tablename from pg_tables where schemaname = 'public'")
    return {row["tablename"] for row in rows}


async def test_each_migration_is_applied_once_and_later_ones_follow(database: Database, tmp_path: Path) -> None:
    folder = write(tmp_path, m0001_first="create table one (a int)")
    assert await migrate(database, folder) == 1
    assert await migrate(database, folder) == 0
    write(folder, m0002_second="create table two (a int); insert into one values (1)")
    assert await migrate(database, folder) == 1
    assert await tables(database) == {"schema_migrations", "one", "two"}


async def test_many_that_start_at_once_apply_it_once(database: Database, tmp_path: Path) -> None:
    folder = write(tmp_path, m0001_first="create table one (a int)", m0002_second="create table two (a int)")
    assert sorted(await asyncio.gather(*(migrate(database, folder) for _ in range(4)))) == [0, 0, 0, 2]


async def test_one_that_fails_leaves_nothing_of_any(database: Database, tmp_path: Path) -> None:
    folder = write(tmp_path, m0001_first="create table one (a int)", m0002_second="create nonsense")
    with pytest.raises(FailedError, match="nonsense"):
        await migrate(database, folder)
    assert await tables(database) == set()


async def test_a_migration_that_was_changed_afterwards_is_refused(database: Database, tmp_path: Path) -> None:
    await migrate(database, write(tmp_path, m0001_first="create table one (a int)"))
    with pytest.raises(ConflictError, match="0001_first was changed"):
        await migrate(database, write(tmp_path, m0001_first="create table one (b int)"))


async def test_a_database_of_a_newer_version_is_refused(database: Database, tmp_path: Path) -> None:
    folder = write(tmp_path, m0001_first="select 1", m0002_second="select 2")
    await migrate(database, folder)
    (folder / "0002_second.sql").unlink()
    with pytest.raises(ConflictError, match="newer version"):
        await migrate(database, folder)


@pytest.mark.parametrize("names", [["m0001_a", "m0003_c"], ["m0001_a", "m0001_b"], ["mfirst"]])
async def test_a_folder_out_of_order_is_refused(database: Database, tmp_path: Path, names: list[str]) -> None:
    with pytest.raises(ConfigError):
        await migrate(database, write(tmp_path, **dict.fromkeys(names, "select 1")))


async def test_the_managers_own_migrations_apply(database: Database) -> None:
    assert await migrate(database, postgres.HERE / "migrations") >= 1
    assert {"records", "runs", "versions", "files"} <= await tables(database)
