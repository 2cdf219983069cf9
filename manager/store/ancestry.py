"""What lineage asks of the store: many things at a time, so that a long way is few round trips.

Ids are those of `plotter2.model.lineage`. What is not there is left out of the answers, and nothing is in any order
unless it says so.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from plotter2.clock import Instant
from plotter2.ids import RunId
from plotter2.model.bundle import BundleVersion
from plotter2.model.lineage import Edge, EdgeKind, NodeKind
from plotter2.model.request import Request
from plotter2.model.task import TaskRun

if TYPE_CHECKING:  # the store is made of this
    from manager.store import OutputRow, ServiceRow

Place = tuple[str, int]
"""A version: its bundle and number."""
ASSET = "asset"
"""Outputs that pages share are nobody's result."""


@dataclass(frozen=True, slots=True)
class FileAt:
    """A file of a version."""

    bundle: str
    version: int
    path: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class ManyFiles:
    """Many files of one folder of a version, as a sidecar tells of them.

    Attributes:
        first, last: two of them, by their paths in the version.
        digest: over all of them, in the order of their paths: BLAKE3 of lines `digest path`.
    """

    bundle: str
    version: int
    first: str
    last: str
    count: int
    digest: str


@dataclass(frozen=True, slots=True)
class RanCode:
    """A run, without its outputs, with the code that it ran.

    Attributes:
        code: the file that the source came from.
        declared: the version that declares its task; version 0 for a task that came with its request.
    """

    run: TaskRun
    code: str = ""
    code_digest: bytes = b""
    declared: Place = ("", 0)


@dataclass(frozen=True, slots=True)
class Follower:
    """Something that came of a version.

    Attributes:
        src: the version.
        what: a run, service run or version.
        total: how many of its kind there are.
    """

    src: Place
    kind: EdgeKind
    what: NodeKind
    id: str
    total: int


@dataclass(frozen=True, slots=True)
class Reuse:
    """A run that was answered with what the run `former` had left.

    Attributes:
        total: how many such runs there are of that one.
    """

    former: str
    id: str
    total: int


@dataclass(frozen=True, slots=True)
class MadeReport:
    """A numbered report, and the run that it is of."""

    bundle: str
    number: int
    run_id: RunId
    made_at: Instant


class Ancestry(Protocol):
    """The part of the store that knows what came from what."""

    async def known_files(self, files: Sequence[FileAt]) -> set[FileAt]:
        """Those of these files that are just so in just that version."""
        ...

    async def outputs_at(self, paths: Collection[str]) -> list[OutputRow]:
        """Outputs by their paths below `output/`."""
        ...

    async def outputs_like(self, digest: bytes, limit: int) -> list[OutputRow]:
        """Outputs with this content, newest first; not what pages share."""
        ...

    async def files_like(self, digest: bytes, limit: int) -> list[FileAt]:
        """Files of versions with this content, in the order in which those were made, then by path."""
        ...

    async def runs_named(self, runs: Collection[str]) -> list[RanCode]:
        """Runs with their code."""
        ...

    async def requests_named(self, requests: Collection[str]) -> list[Request]:
        """Requests without their children."""
        ...

    async def services_named(self, services: Collection[str]) -> list[ServiceRow]:
        """Service runs without the files of their code."""
        ...

    async def versions_at(self, places: Collection[Place]) -> list[BundleVersion]:
        """Versions."""
        ...

    async def makers_of(self, places: Collection[Place]) -> dict[Place, str]:
        """For each version that a service run left, that run's id."""
        ...

    async def made_by(self, services: Collection[str]) -> dict[str, Place]:
        """For each service run that left a version, that version."""
        ...

    async def edges_into(self, names: Collection[str]) -> list[Edge]:
        """What runs have read and run, and what versions were given and build on."""
        ...

    async def followers(self, places: Collection[Place], limit: int) -> list[Follower]:
        """What came of versions: of each and each kind the first `limit`, by id, older first.

        A run that read files of a version is not listed as one on it too.
        """
        ...

    async def products(self, runs: Collection[str], limit: int) -> list[tuple[OutputRow, int]]:
        """The first `limit` outputs of each of these runs in order, without what pages share, and how many it has."""
        ...

    async def reuses(self, runs: Collection[str], limit: int) -> list[Reuse]:
        """Of each of these runs the first `limit` that were answered with what it left, by id, older first."""
        ...

    async def reports_of(self, runs: Collection[str]) -> list[MadeReport]:
        """The reports that these runs made."""
        ...
