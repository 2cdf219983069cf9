"""The PostgreSQL that needs no root, no container and no installation."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import asyncpg
import psutil
import pytest

from plotter2.layout import Layout
from plotter2.pg import Database
from tests.embedded import Cluster, wait_until
from watchdogs import database, leftovers


@pytest.fixture(scope="module")
def own(short_home: Path) -> Iterator[Cluster]:
    """A cluster of these tests' own: nobody else's connections are cut."""
    made = Cluster(short_home / "own")
    made.start()
    yield made
    made.stop()


async def ask(dsn: str, *statements: str) -> list[object]:
    async with Database.open(dsn, connections_max=1) as opened, opened.connection() as connection:
        return [await connection.fetchval(statement) for statement in statements]


@pytest.mark.req("r011")
async def test_its_database_is_there_checked_and_in_unicode(own: Cluster) -> None:
    found = await ask(
        own.postgres.dsn,
        "select current_database()", "show server_encoding", "show data_checksums", "show fsync",
        "show synchronous_commit", "show listen_addresses", "select current_setting('server_version_num')::int / 10000",
    )  # fmt: skip
    assert found[:6] == ["plotter2", "UTF8", "on", "on", "on", ""]
    assert found[6] == 18


def test_nobody_reaches_it_over_the_network_and_no_other_user_over_its_socket(own: Cluster) -> None:
    assert own.process is not None
    process = psutil.Process(own.process.pid)
    assert not [one for one in process.net_connections("inet") if one.status == psutil.CONN_LISTEN]
    assert stat.S_IMODE(own.postgres.socket.stat().st_mode) == 0o700
    assert stat.S_IMODE(own.postgres.data.stat().st_mode) == 0o700


def test_it_is_made_once(own: Cluster) -> None:
    before = (own.postgres.data / "PG_VERSION").stat().st_mtime_ns
    assert database.prepare(own.layout, None) == own.postgres
    assert (own.postgres.data / "PG_VERSION").stat().st_mtime_ns == before


@pytest.mark.req("r198")
async def test_what_was_committed_is_there_after_a_kill(own: Cluster) -> None:
    await ask(own.postgres.dsn, "create table kept (n int)", "insert into kept values (7)")
    own.kill()
    own.start()  # tried again while the shared memory of the killed one lingers; its pid file stays where it is
    assert await ask(own.postgres.dsn, "select n from kept") == [7]


async def test_after_a_kill_no_backend_lives_on_and_commits_what_it_was_sent(own: Cluster) -> None:
    """Killing only the postmaster is no power cut: a backend that has work already does it first."""
    connection = await asyncpg.connect(own.postgres.dsn)
    backend = psutil.Process(connection.get_server_pid())
    backend.suspend()
    with pytest.RaisesGroup(asyncpg.PostgresConnectionError):
        async with asyncio.TaskGroup() as group:
            group.create_task(connection.execute("create table late (n int)"))
            await asyncio.sleep(0)  # the task begins, and what it writes lies in the socket
            own.kill()
            with suppress(psutil.NoSuchProcess):
                backend.resume()
    own.start()
    assert await ask(own.postgres.dsn, "select to_regclass('late')") == [None]


@pytest.mark.req("r070")
def test_one_that_a_killed_watchdog_left_is_ended_gently(own: Cluster) -> None:
    assert own.process is not None
    assert leftovers.clear(own.layout, own.postgres) == [own.process.pid]
    wait_until(lambda: own.process is not None and own.process.poll() is not None)
    assert not (own.postgres.data / "postmaster.pid").exists()
    own.start()


def test_a_home_with_a_long_path_works_as_well(short_home: Path) -> None:
    home = short_home / ("a-home-with-a-long-name-" * 6)
    made = Cluster(home)
    try:
        made.start()
        assert len(os.fsencode(made.postgres.socket)) < 108
        assert made.fresh()
    finally:
        made.stop()
        made.postgres.sockets.rmdir()


def test_an_installation_that_was_cut_short_is_begun_anew(short_home: Path) -> None:
    layout = Layout.at(short_home / "cut")
    layout.create()
    half = layout.registry / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("1")
    found = database.prepare(layout, None)
    assert (found.data / "PG_VERSION").read_text().strip() == "18"
    assert not half.exists()
