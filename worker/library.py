"""Makes programs ready: their source and, for those on a bundle, the files they may read, as local paths."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from blake3 import blake3

from plotter2 import loads
from plotter2.api.v1 import manager_pb2
from plotter2.child.frames import Ground, Program
from plotter2.errors import AlteredError, RefusedError
from plotter2.layout import Layout
from plotter2.model import inheritance
from plotter2.model.additions import listed
from plotter2.model.bundle import CODE
from plotter2.model.inheritance import NOTHING, Snapshot
from plotter2.model.link import Link
from plotter2.model.task import Task, TaskKind
from plotter2.wire.ways import ways_from_proto
from worker.bulk import BulkLine
from worker.cache import Cache
from worker.commands import ProgramKey
from worker.settled import Settled

MODULE_SUFFIX = ".py"


@dataclass(slots=True)
class Prepared:
    """A program, and what of the cache it holds while it is known."""

    program: Program
    holds: list[bytes] = field(default_factory=list)


class Library:
    """Where programs come from."""

    def __init__(self, layout: Layout, line: BulkLine, cache: Cache) -> None:
        self._layout = layout
        self._line = line
        self._cache = cache
        self._settled = Settled()

    async def prepare(self, number: int, key: ProgramKey, task: Task) -> Prepared:
        """Get everything that runs of this program need.

        Raises:
            Plotter2Error: it cannot be had.
        """
        prepared = Prepared(Program(number, task.name, str(task.kind), "", task.filename))
        try:
            source = task.source or await self._source(task, prepared.holds)
            ground, modules, roots = Ground(), dict[str, str](), list[str]()
            links, lent = dict[str, tuple[Link, ...]](), list[Ground]()
            if key.bundle:
                found = await self._described(key, task)
                snapshots = {one.digest: inheritance.decode(one.inherited_json) for one in found.inheritances}
                ground = await self._ground(found, snapshots, prepared.holds)
                links = ways_from_proto(found.ways)
                lent = [await self._lent(one, prepared.holds) for one in found.lenders]
            loaded = await self._loads(source, task.kind, key.request_id, prepared.holds)
            additions = await self._additions(key.config, prepared.holds)
            if task.kind is TaskKind.SCRIPT:
                modules = await self._modules(task, ground, prepared.holds)
                roots = _roots(task.filename)
        except BaseException:
            self.release(prepared)
            raise
        prepared.program = Program(
            number, task.name, str(task.kind), source, task.filename, ground, modules, roots if modules else [],
            links, lent, loaded, key.config, additions,
        )  # fmt: skip
        return prepared

    async def _described(self, key: ProgramKey, task: Task) -> manager_pb2.GetBundleResponse:
        """What the runs of a program see; not asked for again where it must be the same."""
        place = (key.bundle, key.version), key.pins, (task.bundle, task.version)
        found = self._settled.get(place)
        if found is None:
            found = await self._line.bundle(*place[0], task=place[2], request=key.request_id)
            self._settled.put(place, found)
        return found

    def release(self, prepared: Prepared) -> None:
        """A program is done with."""
        self.let_go(prepared.holds)

    async def places(self, digests: list[str], holds: list[bytes]) -> dict[str, str]:
        """Local paths of content by its hexadecimal digest; what had to be brought here is noted in `holds`.

        Raises:
            NotFoundError: the manager has no such content.
        """
        paths = await self._paths(map(bytes.fromhex, digests), holds)
        return {digest: str(path) for digest, path in zip(digests, paths, strict=True)}

    def let_go(self, holds: list[bytes]) -> None:
        """What was noted is not needed any more."""
        self._cache.release(holds)
        holds.clear()

    async def keep(self, digest: bytes, path: Path) -> None:
        """Bring a file to the manager, so that nothing can lose it; from then on it is not where it was.

        Raises:
            Plotter2Error: the manager refuses it.
            OSError: it cannot be read.
        """
        await self._line.put(digest, path)
        if await self._line.is_shared():
            await asyncio.to_thread(path.unlink)
        else:
            await self._cache.take(digest, path)

    async def _additions(self, digest: bytes, holds: list[bytes]) -> dict[str, str]:
        """The files that the installation adds, as the list of this digest has them."""
        if not digest:
            return {}
        [path] = await self._paths([digest], holds)
        return await self._files(list(listed(await asyncio.to_thread(path.read_bytes)).items()), holds)

    async def _source(self, task: Task, holds: list[bytes]) -> str:
        if not task.source_digest or task.source_digest == blake3(b"").digest():
            return ""
        paths = await self._paths([task.source_digest], holds)
        raw = await asyncio.to_thread(paths[0].read_bytes)
        if blake3(raw).digest() != task.source_digest:
            raise AlteredError(f"The source of the task {task.name!r} is not what its digest says.")
        return raw.decode()

    async def _ground(
        self, found: manager_pb2.GetBundleResponse, snapshots: dict[bytes, Snapshot], holds: list[bytes]
    ) -> Ground:
        bundle = found.bundle
        return Ground(
            bundle.path,
            bundle.version,
            await self._files([(entry.path, entry.digest) for entry in found.files], holds),
            inheritance.effective_json(bundle.package_json, snapshots.get(bundle.inherited, NOTHING)),
            bundle.parameters_json,
            [await self._ground(one, snapshots, holds) for one in found.descendants],
        )

    async def _loads(self, source: str, kind: TaskKind, request: str, holds: list[bytes]) -> dict[str, Ground]:
        """The bundles that a definition names to load from; one that is not there is missed when it is run."""
        found: dict[str, Ground] = {}
        for spelled in loads.of(source, kind):
            name, _, number = spelled.partition("@")
            try:
                bundle = await self._line.bundle(name, int(number) if number.isdecimal() else 0, request=request)
            except RefusedError:
                continue
            known = {one.digest: inheritance.decode(one.inherited_json) for one in bundle.inheritances}
            found[spelled] = await self._ground(bundle, known, holds)
        return found

    async def _lent(self, lender: manager_pb2.GetBundleResponse, holds: list[bytes]) -> Ground:
        """Of a bundle that links lead to: its code, and the data behind heads."""
        bundle = lender.bundle
        files = await self._files([(entry.path, entry.digest) for entry in lender.files], holds)
        return Ground(bundle.path, bundle.version, files, bundle.package_json)

    async def _modules(self, task: Task, ground: Ground, holds: list[bytes]) -> dict[str, str]:
        """The modules that ship with the script: those of the bundle that declares it, else of the one it runs on."""
        if task.bundle and task.bundle != ground.bundle:
            found = await self._line.bundle(task.bundle, task.version)
            entries = [(entry.path, entry.digest) for entry in found.files if entry.path.endswith(MODULE_SUFFIX)]
            return await self._files(entries, holds)
        return {name: place for name, place in ground.files.items() if name.endswith(MODULE_SUFFIX)}

    async def _files(self, entries: list[tuple[str, bytes]], holds: list[bytes]) -> dict[str, str]:
        paths = await self._paths((digest for _, digest in entries), holds)
        return {name: str(path) for (name, _), path in zip(entries, paths, strict=True)}

    async def _paths(self, digests: Iterable[bytes], holds: list[bytes]) -> list[Path]:
        wanted = list(digests)
        here: list[Path | None] = [None] * len(wanted)
        if await self._line.is_shared():
            here = await asyncio.to_thread(lambda: [_existing(self._layout.blob(digest)) for digest in wanted])
        paths: list[Path] = []
        for digest, path in zip(wanted, here, strict=True):
            if path is None:
                path = await self._cache.hold(digest)  # noqa: PLW2901 -- the same file, brought here
                holds.append(digest)
            paths.append(path)
        return paths


def _existing(path: Path) -> Path | None:
    return path if path.exists() else None


def _roots(filename: str) -> list[str]:
    folder = filename.rpartition("/")[0]
    return [folder] if folder == CODE else [folder, CODE]
