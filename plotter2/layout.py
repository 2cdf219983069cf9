"""The seven directories of a home (requirements 007 to 013), and every path that a daemon may derive from it.

`source temp config service registry output log` under one root. Paths only: making and writing is for their owners:
the manager writes `source`, `registry/blobs` and `output`; the stager `temp/spool`; workers `temp/runs`; the servicer
`service`; everybody `log`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from blake3 import blake3

from plotter2.errors import ConfigError

DIRECTORIES = ("source", "temp", "config", "service", "registry", "output", "log")
SOCKET_PATH_BYTES_MAX = 107
VERSION_NAME_CHARS_MAX = 40


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything of one installation lies. `home` is absolute."""

    home: Path

    @classmethod
    def at(cls, home: Path) -> Layout:
        """The layout under `home`, made absolute; nothing is created."""
        return cls(home.expanduser().absolute())

    @property
    def source(self) -> Path:
        """The managed tree that people browse: read-only links into the blobs."""
        return self.home / "source"

    @property
    def blobs(self) -> Path:
        """Content by digest; the same file system as `source`, `temp` and `output`, so hand-overs are hard links."""
        return self.home / "source" / ".blobs"

    def blob(self, digest: bytes) -> Path:
        """Where the content with this BLAKE3 digest lies (whether or not it is there)."""
        name = digest.hex()
        return self.blobs / name[:2] / name

    @property
    def temp(self) -> Path:
        """Staging ground."""
        return self.home / "temp"

    @property
    def spool(self) -> Path:
        """The stager's deliveries and journal."""
        return self.home / "temp" / "spool"

    @property
    def dropbox(self) -> Path:
        """The watched directory (requirement 015)."""
        return self.home / "temp" / "dropbox"

    @property
    def runs(self) -> Path:
        """What worker children write before the manager takes it: one directory a run and epoch."""
        return self.home / "temp" / "runs"

    @property
    def steps(self) -> Path:
        """What children worked out that others need too, sealed; bounded."""
        return self.home / "temp" / "steps"

    @property
    def versions(self) -> Path:
        """The trees of versions that programs run on."""
        return self.home / "temp" / "versions"

    def version(self, bundle: str, number: int) -> Path:
        """Where a program finds this version of a bundle, whatever the folders under `source` show meanwhile."""
        last = bundle.rpartition("/")[2][:VERSION_NAME_CHARS_MAX]
        return self.versions / f"{blake3(bundle.encode()).hexdigest()[:16]}-{last}@{number}"

    @property
    def config(self) -> Path:
        """Settings, templates, extensions."""
        return self.home / "config"

    @property
    def service(self) -> Path:
        """One working directory a service run."""
        return self.home / "service"

    @property
    def registry(self) -> Path:
        """The databases of record: PostgreSQL's cluster, the broker's store."""
        return self.home / "registry"

    @property
    def output(self) -> Path:
        """Figures, animations, reports."""
        return self.home / "output"

    @property
    def log(self) -> Path:
        """Logs, pid records, endpoints."""
        return self.home / "log"

    @property
    def processes(self) -> Path:
        """One JSON record a process: role, name, pid, start time, what it has bound. Written by each at its start."""
        return self.log / "processes"

    @property
    def endpoints(self) -> Path:
        """Who listens where: written by the watchdog, read by CLI and SDK."""
        return self.log / "endpoints.json"

    @property
    def installation(self) -> Path:
        """A file with this installation's UUID: two processes that read the same one share a file system."""
        return self.registry / "installation"

    def create(self) -> None:
        """Make the seven directories where they are missing.

        Raises:
            ConfigError: the home cannot be made or written.
        """
        try:
            for name in DIRECTORIES:
                (self.home / name).mkdir(parents=True, exist_ok=True)
        except OSError as wrong:
            raise ConfigError(f"The home {self.home} cannot be used: {wrong.strerror} ({wrong.filename}).") from wrong
