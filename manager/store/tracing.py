"""Lineage on PostgreSQL: what came from what, each question one statement over its indexes."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from manager.store import OutputRow, ServiceRow, rows
from manager.store.ancestry import FileAt, Follower, MadeReport, Place, RanCode, Reuse
from manager.store.reading import Reader
from plotter2.clock import Instant
from plotter2.ids import RunId
from plotter2.model.bundle import BundleVersion
from plotter2.model.lineage import Edge, EdgeKind, NodeKind, ReadFile, place_of, version_id
from plotter2.model.request import Request


class Tracer(Reader):
    """Reads lineage; see `manager.store.ancestry.Ancestry`."""

    async def known_files(self, files: Sequence[FileAt]) -> set[FileAt]:
        """Those of these files that are just so in just that version."""
        columns = rows.columns([(one.bundle, one.version, one.path, one.digest) for one in files] or [("", 0, "", b"")])
        found = await self._fetch("known_files", *columns)
        return {files[row["place"] - 1] for row in found} if files else set()

    async def outputs_at(self, paths: Collection[str]) -> list[OutputRow]:
        """Outputs by their paths."""
        return [rows.to_output_row(row) for row in await self._fetch("outputs_at", list(paths))]

    async def outputs_like(self, digest: bytes, limit: int) -> list[OutputRow]:
        """Outputs with this content, newest first."""
        return [rows.to_output_row(row) for row in await self._fetch("outputs_like", digest, limit)]

    async def files_like(self, digest: bytes, limit: int) -> list[FileAt]:
        """Files of versions with this content."""
        found = await self._fetch("files_like", digest, limit)
        return [FileAt(row["bundle"], row["version"], row["path"], digest) for row in found]

    async def runs_named(self, runs: Collection[str]) -> list[RanCode]:
        """Runs with their code."""
        return [
            RanCode(
                rows.to_run(row),
                row["filename"] or "",
                row["source_digest"] or b"",
                (row["declared_bundle"] or "", row["declared_version"] or 0),
            )
            for row in await self._fetch("runs_named", list(runs))
        ]

    async def requests_named(self, requests: Collection[str]) -> list[Request]:
        """Requests without their children."""
        return [rows.to_request(row) for row in await self._fetch("requests_named", list(requests))]

    async def services_named(self, services: Collection[str]) -> list[ServiceRow]:
        """Service runs without the files of their code."""
        return [rows.to_service(row, ()) for row in await self._fetch("services_named", list(services))]

    async def versions_at(self, places: Collection[Place]) -> list[BundleVersion]:
        """Versions."""
        return [rows.to_version(row) for row in await self._fetch("versions_at", *_columns(places))]

    async def makers_of(self, places: Collection[Place]) -> dict[Place, str]:
        """For each version that a service run left, that run's id."""
        found = await self._fetch("makers_of", *_columns(places))
        return {(row["path"], row["version"]): row["id"] for row in found}

    async def made_by(self, services: Collection[str]) -> dict[str, Place]:
        """For each service run that left a version, that version."""
        found = await self._fetch("made_by", list(services))
        return {row["id"]: (row["bundle"], row["version"]) for row in found}

    async def edges_into(self, names: Collection[str]) -> list[Edge]:
        """What runs have read and run, and what versions were given and build on."""
        return [to_edge(row) for row in await self._fetch("edges_into", list(names))]

    async def followers(self, places: Collection[Place], limit: int) -> list[Follower]:
        """What came of versions."""
        return [
            Follower(
                (row["path"], row["version"]), EdgeKind(row["kind"]), NodeKind(row["what"]), row["dst"], row["total"]
            )
            for row in await self._fetch("followers", *_columns(places), limit)
        ]

    async def products(self, runs: Collection[str], limit: int) -> list[tuple[OutputRow, int]]:
        """The first outputs of each of these runs, and how many it has."""
        found = await self._fetch("products", list(runs), limit)
        return [(rows.to_output_row(row), row["total"]) for row in found]

    async def reuses(self, runs: Collection[str], limit: int) -> list[Reuse]:
        """Runs that were answered with what these left."""
        found = await self._fetch("reuses", list(runs), limit)
        return [Reuse(row["reused_of"], row["id"], row["total"]) for row in found]

    async def reports_of(self, runs: Collection[str]) -> list[MadeReport]:
        """The reports that these runs made."""
        return [
            MadeReport(row["bundle"], row["number"], RunId(row["run_id"]), Instant(row["made_at"]))
            for row in await self._fetch("reports_of", list(runs))
        ]


def _columns(places: Collection[Place]) -> tuple[list[str], list[int]]:
    return [path for path, _ in places], [version for _, version in places]


def edge_values(one: Edge) -> rows.Values:
    """For put_edges; its source is a version."""
    place = place_of(one.src)
    assert place is not None  # noqa: S101 -- only what came of versions is kept
    files = msgspec.json.encode([(file.path, file.digest) for file in one.files]).decode()
    return one.dst, one.kind, *place, files, one.more_files


def to_edge(row: rows.Row) -> Edge:
    """What came of a version."""
    files = msgspec.json.decode(row["files"], type=list[tuple[str, str]])
    src = version_id(row["bundle"], row["version"])
    return Edge(src, row["dst"], EdgeKind(row["kind"]), tuple(ReadFile(*one) for one in files), row["more_files"])
