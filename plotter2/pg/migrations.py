"""Migrations: numbered SQL files, applied once each, in order, all that are missing in one transaction.

An advisory lock lets several processes start at a time. Refuses a file that was changed after it was applied, and a
database that a newer version has written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from blake3 import blake3

from plotter2.errors import ConfigError, ConflictError
from plotter2.pg.database import Connection, Database, Row

LOCK = 0x706C6F74746572  # "plotter": the key of the advisory lock, the same for every process
_FILE = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_TABLE = """
create table if not exists schema_migrations (
    number integer primary key,
    name text not null,
    digest bytea not null,
    applied_at timestamptz not null default now()
)
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file."""

    number: int
    name: str
    sql: str

    @property
    def digest(self) -> bytes:
        """BLAKE3 of its text."""
        return blake3(self.sql.encode()).digest()


def find(folder: Path) -> list[Migration]:
    """The migrations in a folder, in order.

    Raises:
        ConfigError: a name that is none, or a number missing or there twice.
    """
    found: list[Migration] = []
    for path in sorted(folder.glob("*.sql")):
        match = _FILE.fullmatch(path.name)
        if match is None:
            raise ConfigError(f"{path.name} is no migration: its name would be like 0001_initial.sql.")
        found.append(Migration(int(match[1]), match[2], path.read_text()))
    if [one.number for one in found] != list(range(1, len(found) + 1)):
        raise ConfigError(f"The migrations in {folder.name} are not numbered 1 to {len(found)} without gap.")
    return found


async def migrate(database: Database, folder: Path) -> int:
    """Bring the database to what the folder says; returns how many migrations that took.

    Raises:
        ConflictError: the database was made by a newer version, or a file was changed after it was applied.
        ConfigError: the folder is not in order, or the database does not speak UTF-8.
    """
    known = find(folder)
    async with database.transaction() as connection:
        await connection.execute(f"select pg_advisory_xact_lock({LOCK})")
        encoding = await connection.fetchval("show server_encoding")
        if encoding != "UTF8":
            raise ConfigError(f"The database {database.where} is encoded in {encoding}; it must be UTF8.")
        await connection.execute(_TABLE)
        applied = await connection.fetch("select number, name, digest from schema_migrations order by number")
        _check(known, applied, database.where)
        return await _apply(connection, known[len(applied) :])


def _check(known: list[Migration], applied: Sequence[Row], where: str) -> None:
    if len(applied) > len(known):
        raise ConflictError(f"The database {where} was made by a newer version: it knows migration {len(applied):04}.")
    for one, row in zip(known, applied, strict=False):
        if row["digest"] != one.digest:
            raise ConflictError(f"Migration {one.number:04}_{one.name} was changed after {where} had applied it.")


async def _apply(connection: Connection, missing: list[Migration]) -> int:
    for one in missing:
        await connection.execute(one.sql)
        await connection.execute(
            "insert into schema_migrations (number, name, digest) values ($1, $2, $3)", one.number, one.name, one.digest
        )
    return len(missing)
