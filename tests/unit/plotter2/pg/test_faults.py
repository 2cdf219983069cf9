"""What a failure of the database means."""

from __future__ import annotations

import asyncpg
import pytest

from plotter2.errors import ConfigError, ConflictError, FailedError, UnreachableError
from plotter2.pg.database import describe
from plotter2.pg.faults import translate


@pytest.mark.parametrize(
    "wrong",
    [
        ConnectionRefusedError(111, "refused"),
        FileNotFoundError(2, "no socket"),
        TimeoutError(),
        asyncpg.ConnectionDoesNotExistError("gone"),
        asyncpg.CannotConnectNowError("starting up"),
        asyncpg.AdminShutdownError("bye"),
        asyncpg.DiskFullError("no space left"),
        asyncpg.DeadlockDetectedError("deadlock"),
    ],
)
def test_what_may_pass_is_worth_another_try(wrong: Exception) -> None:
    found = translate(wrong, "here", is_closed=False)
    assert isinstance(found, UnreachableError)
    assert found.retry


def test_anything_on_a_connection_that_is_gone_is_worth_another_try() -> None:
    assert isinstance(translate(asyncpg.InterfaceError("closed"), "here", is_closed=True), UnreachableError)


def test_what_stands_against_it_is_a_conflict_and_the_rest_a_failure() -> None:
    assert isinstance(translate(asyncpg.UniqueViolationError("twice"), "here", is_closed=False), ConflictError)
    wrong = translate(asyncpg.UndefinedTableError("no such table"), "t at here", is_closed=False)
    assert type(wrong) is FailedError
    assert wrong.message == "The database t at here refused: no such table."


def test_an_address_is_told_without_its_password() -> None:
    assert describe("postgresql://ann:secret@db.example:5433/lab") == "lab at db.example:5433"
    assert describe("postgresql://ann@/lab?host=/run/pg") == "lab at /run/pg"


@pytest.mark.parametrize("dsn", ["mysql://x/y", "nonsense", "postgresql://h:port/x"])
def test_an_address_that_is_none_is_refused(dsn: str) -> None:
    with pytest.raises(ConfigError):
        describe(dsn)
