"""Walks everything at rest, now and then or when asked: is it what was put there, and did nobody else put something?

Content is compared with its digest, folders with the versions they show. What differs in the folders is put right from
the blob store; what nobody explains is moved into quarantine, written down, and never loaded (requirement 003). Lost
content is named. One walk at a time, in bounded memory: the names of the files of the bundles above one folder.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TypeVar

import structlog
from blake3 import blake3

from manager.desk import Desk
from manager.events import StraysFound, Verified
from manager.organizer import Organizer
from manager.organizer.folders import LISTINGS, SKELETON
from manager.organizer.records import PLACE, Record, memo_in, name_of, record_of_memo, record_of_report
from manager.organizer.strays import QUARANTINE
from manager.state import State
from manager.store import Store
from manager.tree import Tree
from plotter2.errors import FailedError, LimitError, Plotter2Error
from plotter2.ids import DeliveryId
from plotter2.layout import Layout
from plotter2.model.bundle import FileEntry
from plotter2.model.paths import CHILDREN
from plotter2.model.quarantine import QuarantineItem
from plotter2.model.report import parsed
from plotter2.model.verification import Counts, Fault, Finding

T = TypeVar("T")
PAGE = 1_000
BLOBS_AT_A_TIME = 32
UNEXPLAINED = "is explained by no version"
REWRITTEN = "is not as it is written now"


@dataclass(frozen=True, slots=True)
class Step:
    """What was found since the last one, and how far the walk has come."""

    counts: Counts
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the folder of a bundle may hold, as paths below source/."""

    bundle: str
    version: int
    files: frozenset[str]
    folders: frozenset[str]


class Verifier:
    """Looks at everything at rest."""

    def __init__(
        self, desk: Desk, store: Store, organizer: Organizer, tree: Tree, layout: Layout, state: State
    ) -> None:
        """`state` may be ahead of what is committed: then more is explained, never less."""
        self._desk = desk
        self._store = store
        self._organizer = organizer
        self._tree = tree
        self._layout = layout
        self._catalog = state.catalog
        self._turn = asyncio.Lock()
        self._log = structlog.get_logger("manager.verifier")

    async def every(self, pause_s: float, *, contents: bool) -> None:
        """Walk after each pause, until cancelled; 0 means never."""
        while pause_s > 0:
            await asyncio.sleep(pause_s)
            try:
                async for step in self.walk(contents=contents):
                    for one in step.findings:
                        self._log.warning("found", path=one.path, problem=one.problem, remedy=one.remedy)
            except Plotter2Error as wrong:
                self._log.error("verify.failed", why=wrong.message)

    async def walk(self, *, contents: bool) -> AsyncGenerator[Step, None]:
        """One walk; waits for the one before. What it moved into quarantine is committed when it is told.

        Args:
            contents: read all content as well; else only names are compared.
        """
        async with self._turn:
            counts = Counts()
            parts = [self._folders(counts), self._strays(), self._quarantine()]
            if contents:
                parts.insert(0, self._blobs(counts))
            for part in parts:
                async for found in part:
                    for one in found:
                        counts.add(one)
                    yield Step(replace(counts), tuple(found))
            await self._desk.ask(lambda token: Verified(token, replace(counts), contents))

    async def _blobs(self, counts: Counts) -> AsyncIterator[list[Finding]]:
        steps = self._organizer.check_blobs()
        while looked := await asyncio.to_thread(_take, steps, BLOBS_AT_A_TIME):
            counts.blobs += len(looked)
            counts.blob_bytes += sum(one.size_bytes for one in looked)
            found = [one.finding for one in looked if one.finding is not None]
            strange = [one for one in found if one.fault is Fault.STRAY]
            moved = [finding for one in strange for finding in await self._aside([_below(one.path)], (), one.problem)]
            yield [one for one in found if one.fault is not Fault.STRAY] + moved

    async def _folders(self, counts: Counts) -> AsyncIterator[list[Finding]]:
        offset = 0
        while True:
            page = await self._store.list_bundles(offset, PAGE, archived=True)
            for one in page.items:
                files = await self._store.files_of(one.path, one.version)
                counts.bundles += 1
                counts.files += len(files)
                if await asyncio.to_thread(self._organizer.check_folder, one.path, files):
                    yield await self._shown_again(one.path)
            if not page.items:
                return
            offset += len(page.items)
            yield []

    async def _shown_again(self, bundle: str) -> list[Finding]:
        """Put right what a folder shows, unless it is about to be shown anyway."""
        if self._tree.is_expected(bundle):
            return []
        newest = await self._store.get_bundle(bundle)
        files = await self._store.files_of(bundle, newest.version) if newest else ()
        found = await asyncio.to_thread(self._organizer.check_folder, bundle, files)
        hidden = [one for one in found if one.fault is Fault.HIDDEN]
        if not hidden:
            return found
        try:
            strays = await self._tree.show_again(bundle)
        except Plotter2Error as wrong:
            self._log.warning("show.failed", bundle=bundle, why=wrong.message)
            return found
        kept = [one for one in found if one.fault is not Fault.HIDDEN]
        return kept + [replace(one, remedy="is shown again") for one in hidden] + await self._told(strays)

    async def _strays(self) -> AsyncIterator[list[Finding]]:
        stack: list[tuple[str, tuple[_Shown, ...]]] = [("", ())]
        while stack:
            folder, above = stack.pop()
            if self._catalog.get(folder) is not None:
                above = (*above, await self._shown(folder))
            names, below = await asyncio.to_thread(self._organizer.scan, folder)
            names, below = [_join(folder, one) for one in names], [_join(folder, one) for one in below]
            if not folder:
                below = [one for one in below if one not in {self._blob_folder, LISTINGS, QUARANTINE}]
                yield await self._listings()
            known = [one for one in below if self._is_folder(one, above)]
            stack += ((one, above) for one in reversed(known))
            for record in [found for one in below if one not in known and (found := await self._record(one))]:
                known.append(record.folder)
                yield await self._check_record(record)
                stack.append((record.folder, (*above, _explained(record))))
            strange = [one for one in names if not any(one in shown.files for shown in above)]
            strange += [one for one in below if one not in known]
            if strange:
                yield await self._judged(strange, above)

    @property
    def _blob_folder(self) -> str:
        return self._layout.blobs.relative_to(self._layout.source).as_posix()

    async def _judged(self, strange: Sequence[str], above: tuple[_Shown, ...]) -> list[Finding]:
        """Look again: a version that came since the bundles above were read may explain it."""
        fresh = [await self._shown(one.bundle) if self._is_old(one) else one for one in above]
        left = [
            one for one in strange if not any(one in shown.files for shown in fresh) and not self._is_folder(one, fresh)
        ]
        return await self._aside(left, [one.bundle for one in above], UNEXPLAINED)

    def _is_old(self, shown: _Shown) -> bool:
        node = self._catalog.get(shown.bundle)
        return node is not None and node.version.version != shown.version

    def _is_folder(self, path: str, above: Sequence[_Shown]) -> bool:
        """Whether something of ours is, or may come to be, in this folder."""
        tree = path.removesuffix("/" + CHILDREN)
        is_place = self._catalog.get(path) is not None or self._catalog.has_below(tree)
        return is_place or any(path in shown.folders for shown in above)

    async def _record(self, folder: str) -> Record | None:
        """What a folder holds, if it is the record of a delivery, or a numbered report."""
        if (numbered := parsed(folder)) is not None:
            report = await self._store.get_report(*numbered)
            return record_of_report(report) if report is not None else None
        if (kept := memo_in(folder)) is not None:
            run = await self._tree.known(kept[1])
            return record_of_memo(run) if run is not None and run.bundle == kept[0] else None
        place, _, name = folder.rpartition("/")
        bundle = place.removesuffix(f"/{PLACE}")
        delivery = await self._store.get_delivery(DeliveryId(name.partition("-")[2])) if bundle != place else None
        if delivery is None or (delivery.bundle, name_of(delivery)) != (bundle, name):
            return None
        return await self._tree.record(delivery)

    async def _check_record(self, record: Record) -> list[Finding]:
        found = await asyncio.to_thread(self._organizer.check_folder, record.folder, record.files)
        # What is written for it can be written again: a newer plotter2 may write it otherwise.
        root = (self._layout.source / record.folder).relative_to(self._layout.home).as_posix()
        ours = {f"{root}/{one.path}" for one in record.files if one.digest in record.documents}
        found = [replace(one, problem=REWRITTEN, fault=Fault.HIDDEN) if one.path in ours else one for one in found]
        hidden = [one for one in found if one.fault is Fault.HIDDEN]
        if not hidden or self._tree.is_expected(record.bundle):
            return [one for one in found if one.fault is not Fault.HIDDEN]
        try:
            strays = await asyncio.to_thread(self._organizer.keep_record, record)
        except Plotter2Error as wrong:
            self._log.warning("record.failed", record=record.folder, why=wrong.message)
            return found
        kept = [one for one in found if one.fault is not Fault.HIDDEN]
        return kept + [replace(one, remedy="is shown again") for one in hidden] + await self._told(strays)

    async def _shown(self, bundle: str) -> _Shown:
        newest = await self._store.get_bundle(bundle)
        version = newest.version if newest else 0
        files = await self._store.files_of(bundle, version) if newest else ()
        return _shown(bundle, version, files, SKELETON)

    async def _listings(self) -> list[Finding]:
        """Of our own notes on what is shown where, those that belong to no bundle."""
        names, below = await asyncio.to_thread(self._organizer.scan, LISTINGS)
        ours = {blake3(path.encode()).hexdigest() for path in self._catalog.paths()} if names else set()
        strange = [_join(LISTINGS, one) for one in (*names, *below) if one not in ours]
        return await self._aside(strange, (), UNEXPLAINED) if strange else []

    async def _aside(self, paths: Sequence[str], bundles: Sequence[str], reason: str) -> list[Finding]:
        try:
            items = await asyncio.to_thread(self._organizer.set_aside, paths, bundles, reason)
        except (LimitError, FailedError) as wrong:
            source = self._layout.source.relative_to(self._layout.home).as_posix()
            return [Finding(f"{source}/{path}", f"{reason}: {wrong.message}", Fault.STRAY) for path in paths]
        return await self._told(items)

    async def _quarantine(self) -> AsyncIterator[list[Finding]]:
        """What lies in quarantine and was never written down: a crash came between, or somebody put it there."""
        unknown = [
            one
            for one in await asyncio.to_thread(self._organizer.quarantined)
            if await self._store.get_item(one.id) is None
        ]
        yield await self._told(unknown)

    async def _told(self, items: Sequence[QuarantineItem]) -> list[Finding]:
        if items:
            await self._desk.ask(lambda token: StraysFound(token, tuple(items)))
        return [Finding(one.place, one.reason, Fault.STRAY, f"lies in {one.kept} now", one.id) for one in items]


def _shown(folder: str, version: int, files: Sequence[FileEntry], folders: Sequence[str]) -> _Shown:
    names = frozenset(f"{folder}/{entry.path}" for entry in files)
    kept = {f"{folder}/{one}/" for one in folders}
    return _Shown(folder, version, names, frozenset(path[:end] for path in (*names, *kept) for end in _slashes(path)))


def _explained(record: Record) -> _Shown:
    return _shown(record.folder, 0, record.files, record.folders)


def _take(steps: Iterator[T], count: int) -> list[T]:
    return list(islice(steps, count))


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _below(path: str) -> str:
    """A path below the home as one below source/."""
    return path.partition("/")[2]


def _slashes(path: str) -> Iterator[int]:
    return (index for index, char in enumerate(path) if char == "/")
