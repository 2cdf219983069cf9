"""Lineage in the store in memory: the same answers as from the tables, by looking at everything."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from manager.store import Batch, OutputRow, ServiceRow
from manager.store.ancestry import ASSET, FileAt, Follower, MadeReport, Place, RanCode, Reuse
from manager.store.memory.asked import Asked
from manager.store.memory.bundles import Bundles
from manager.store.rows import outputs_of
from plotter2.model.bundle import BundleVersion, Contents
from plotter2.model.lineage import Edge, EdgeKind, NodeKind, place_of, version_id
from plotter2.model.request import Request

_Key = tuple[str, EdgeKind, str]


class Recalling(Asked, Bundles):
    """What came from what, from everything that is remembered."""

    def __init__(self) -> None:
        super().__init__()
        self._edges: dict[_Key, Edge] = {}

    def _take_edges(self, batch: Batch) -> None:
        self._edges |= {(one.dst, one.kind, one.src): one for one in batch.edges}

    def _every_version(self) -> Iterator[Contents]:
        for versions in self._versions.values():
            yield from versions

    def _every_output(self) -> Iterator[OutputRow]:
        for run in self._runs.values():
            yield from outputs_of(run)

    async def known_files(self, files: Sequence[FileAt]) -> set[FileAt]:
        """Those of these files that are just so in just that version."""
        wanted = {(one.bundle, one.version) for one in files}
        known = {
            FileAt(each.bundle.path, each.bundle.version, one.path, one.digest)
            for each in self._every_version()
            if (each.bundle.path, each.bundle.version) in wanted
            for one in each.files
        }
        return known & set(files)

    async def outputs_at(self, paths: Collection[str]) -> list[OutputRow]:
        """Outputs by their paths."""
        return [row for row in self._every_output() if row.output.path in paths]

    async def outputs_like(self, digest: bytes, limit: int) -> list[OutputRow]:
        """Outputs with this content, newest first."""
        found = [row for row in self._every_output() if row.output.digest == digest and row.output.kind != ASSET]
        return sorted(found, key=lambda row: (row.created_at, row.output.path), reverse=True)[:limit]

    async def files_like(self, digest: bytes, limit: int) -> list[FileAt]:
        """Files of versions with this content."""
        made = sorted(self._every_version(), key=lambda one: (one.bundle.created_at, one.bundle.path))
        found = (
            FileAt(each.bundle.path, each.bundle.version, one.path, digest)
            for each in made
            for one in each.files
            if one.digest == digest
        )
        return list(found)[:limit]

    async def runs_named(self, runs: Collection[str]) -> list[RanCode]:
        """Runs with their code."""
        found = []
        for run in self._runs.values():
            if run.id in runs:
                row = self._tasks.get(run.task_id)
                bare = replace(run, outputs=())
                found.append(
                    RanCode(bare, row.task.filename, row.task.source_digest, (row.task.bundle, row.task.version))
                    if row is not None
                    else RanCode(bare)
                )
        return found

    async def requests_named(self, requests: Collection[str]) -> list[Request]:
        """Requests without their children."""
        return [replace(one, children=()) for one in self._requests.values() if one.id in requests]

    async def services_named(self, services: Collection[str]) -> list[ServiceRow]:
        """Service runs without the files of their code."""
        found = (one for one in self._services.values() if one.spec.service_id in services)
        return [replace(one, spec=replace(one.spec, files=())) for one in found]

    async def versions_at(self, places: Collection[Place]) -> list[BundleVersion]:
        """Versions."""
        return [
            one.bundle for one in self._every_version() if (one.bundle.path, one.bundle.version) in places
        ]  # fmt: skip

    async def makers_of(self, places: Collection[Place]) -> dict[Place, str]:
        """For each version that a service run left, that run's id."""
        runs = {one.status.delivery_id: one.spec.service_id for one in self._services.values()}
        made = [one for one in self._deliveries.values() if (one.bundle, one.version) in places and one.id in runs]
        made.sort(key=lambda one: (one.is_new, -one.installed_at))  # the one that holds comes last
        return {(one.bundle, one.version): runs[one.id] for one in made}

    async def made_by(self, services: Collection[str]) -> dict[str, Place]:
        """For each service run that left a version, that version."""
        left = {one.spec.service_id: self._deliveries.get(one.status.delivery_id) for one in self._services.values()}
        return {name: (one.bundle, one.version) for name, one in left.items() if one is not None and name in services}

    async def edges_into(self, names: Collection[str]) -> list[Edge]:
        """What runs have read and run, and what versions were given and build on."""
        return [one for one in self._edges.values() if one.dst in names]

    async def followers(self, places: Collection[Place], limit: int) -> list[Follower]:
        """What came of versions."""
        found: list[Follower] = []
        for place in places:
            name = version_id(*place)
            all_of = [(one.kind, _what(one.dst), one.dst) for one in self._edges.values() if one.src == name]
            read = {dst for kind, _, dst in all_of if kind is EdgeKind.READ}
            all_of += [
                (EdgeKind.ON, NodeKind.RUN, run.id)
                for run in self._runs.values()
                if (run.bundle, run.version) == place and run.id not in read
            ]
            all_of += [
                (EdgeKind.ON, NodeKind.SERVICE, one.spec.service_id)
                for one in self._services.values()
                if (one.spec.bundle, one.spec.version) == place
            ]
            all_of.sort(key=lambda one: (one[0], one[1], len(one[2]), one[2]))
            by_kind: Callable[[tuple[EdgeKind, NodeKind, str]], tuple[str, str]] = lambda one: (one[0], one[1])  # noqa: E731 -- one key for one grouping
            for (kind, what), group in groupby(all_of, by_kind):
                names = [one[2] for one in group]
                found += [
                    Follower(place, EdgeKind(kind), NodeKind(what), dst, len(names)) for dst in names[:limit]
                ]  # fmt: skip
        return found

    async def products(self, runs: Collection[str], limit: int) -> list[tuple[OutputRow, int]]:
        """The first outputs of each of these runs, and how many it has."""
        found: list[tuple[OutputRow, int]] = []
        for run in self._runs.values():
            if run.id in runs:
                made = [row for row in outputs_of(run) if row.output.kind != ASSET]
                found += [(row, len(made)) for row in made[:limit]]
        return found

    async def reuses(self, runs: Collection[str], limit: int) -> list[Reuse]:
        """Runs that were answered with what these left."""
        found: list[Reuse] = []
        for former in sorted(set(runs)):
            names = sorted(one.id for one in self._runs.values() if one.reused_of == former)
            found += [Reuse(former, name, len(names)) for name in names[:limit]]
        return found

    async def reports_of(self, runs: Collection[str]) -> list[MadeReport]:
        """The reports that these runs made."""
        return [
            MadeReport(one.bundle, one.number, one.run_id, one.made_at)
            for one in self._reports.values()
            if one.run_id in runs
        ]


def _what(name: str) -> NodeKind:
    return NodeKind.VERSION if place_of(name) else NodeKind.RUN
