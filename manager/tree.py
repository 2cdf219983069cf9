"""Keeps the folders under source/ in step with what is committed, also across a kill -9; lays out versions that run.

A version is materialised right after its commit. How far that has come is a consumer group's offset in the journal:
after a crash everything behind it is done again, which changes nothing where it had been done.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import structlog

from manager import edges
from manager.commands import KeepMemo, KeepRecord, KeepReport, Materialise
from manager.eventlog import READ_RECORDS_MAX
from manager.organizer import Organizer, Shown
from manager.organizer.records import Record, record_of, record_of_memo, record_of_report
from manager.store import Delivery, Store
from manager.store.ancestry import FileAt, ManyFiles, Place
from plotter2.errors import Plotter2Error
from plotter2.ids import DeliveryId, RunId
from plotter2.model.bundle import FileEntry
from plotter2.model.paths import BundlePath
from plotter2.model.quarantine import QuarantineItem
from plotter2.model.record import JOURNAL
from plotter2.model.record import Record as JournalRecord
from plotter2.model.task import TaskRun

GROUP = "tree"
Wanted = Materialise | KeepRecord | KeepReport | KeepMemo
CHECKPOINT_S = 10.0
ASKED_FILES_MAX = 100_000
"""So many files at a time the store is asked for."""


class Tree:
    """Shows versions, records and reports, and remembers how far it has come."""

    def __init__(self, organizer: Organizer, store: Store) -> None:
        self._organizer = organizer
        self._store = store
        self._showing = asyncio.Lock()
        self._locks: dict[tuple[str, int], asyncio.Lock] = {}
        self._laid_out: set[tuple[str, int]] = set()
        self._pending: Counter[str] = Counter()
        self._log = structlog.get_logger("manager.tree")

    async def believed(
        self, said: Sequence[tuple[Sequence[FileAt], Sequence[ManyFiles]]]
    ) -> list[tuple[list[FileAt], dict[Place, int]]]:
        """What of each was truly there to be read: files as versions have them, and how many more by version."""
        every = list(dict.fromkeys(one for files, _ in said for one in files))
        known: set[FileAt] = set()
        for start in range(0, len(every), ASKED_FILES_MAX):
            known |= await self._store.known_files(every[start : start + ASKED_FILES_MAX])
        places = {(one.bundle, one.version) for _, groups in said for one in groups}
        there = {place: await self._store.files_of(*place) for place in places}
        return [_believed(files, groups, known, there) for files, groups in said]

    def expect(self, bundle: str) -> None:
        """One more version will be shown: called before its task begins, so a checkpoint never passes it."""
        self._pending[bundle] += 1

    def is_expected(self, bundle: str) -> bool:
        """Whether a version of this bundle is committed and not shown yet."""
        return self._pending[bundle] > 0

    async def show(self, wanted: Sequence[Wanted]) -> list[QuarantineItem]:
        """Show what was expected, in its order, many with as many syncs as one.

        Of each bundle the newest version alone is shown: the last one here, unless a newer one was committed meanwhile.

        Returns:
            What stood in the way and is in quarantine now.
        """
        versions = {one.bundle: one for one in wanted if isinstance(one, Materialise)}
        try:
            async with self._showing:
                newest = {one.path: one.version for one in await self._store.newest_of([*versions])}
                chosen = [one for one in versions.values() if newest.get(BundlePath(one.bundle)) == one.version]
                others = [one for one in wanted if not isinstance(one, Materialise)]
                return await asyncio.to_thread(self._shown, [*chosen, *others])
        finally:
            for one in wanted:
                self._met(_bundle(one))

    def _shown(self, wanted: Sequence[Wanted]) -> list[QuarantineItem]:
        strays: list[QuarantineItem] = []
        for one, ended in zip(wanted, self._organizer.show([_piece(one) for one in wanted]), strict=True):
            if isinstance(ended, Plotter2Error):
                # The folders are a view: what is missing there is still in the store, and `verify` names it.
                self._log.error("show.failed", bundle=_bundle(one), what=type(one).__name__, why=ended.message)
            else:
                strays += ended
        return strays

    def _met(self, bundle: str) -> None:
        self._pending[bundle] -= 1
        if not self._pending[bundle]:
            del self._pending[bundle]

    async def record(self, delivery: Delivery) -> Record:
        """What the record of a delivery holds."""
        files = await self._store.files_of(delivery.bundle, delivery.version) if delivery.is_new else ()
        return record_of(delivery, files)

    async def show_again(self, bundle: str) -> list[QuarantineItem]:
        """Put right what the folder of a bundle shows.

        Raises:
            CorruptionError: content is missing.
            LimitError: the disk is full.
        """
        async with self._showing:
            newest = await self._store.get_bundle(bundle)
            if newest is None:
                return []
            files = await self._store.files_of(bundle, newest.version)
            return await asyncio.to_thread(self._organizer.materialise, bundle, files)

    async def lay_out(self, bundle: str, version: int) -> None:
        """Have the tree of a version that a program is about to run on.

        Raises:
            Plotter2Error: it cannot be made.
        """
        place = bundle, version
        if place in self._laid_out:
            return
        async with self._locks.setdefault(place, asyncio.Lock()):
            if place not in self._laid_out:
                files = await self._store.files_of(bundle, version)
                await asyncio.to_thread(self._organizer.make_version, bundle, version, files)
                self._laid_out.add(place)

    async def keep(self, wanted: Collection[tuple[str, int]]) -> None:
        """At a start, before anything runs: only the trees of versions that are still run stay."""
        try:
            await asyncio.to_thread(self._organizer.keep_versions, wanted)
        except Plotter2Error as wrong:
            self._log.error("keep.failed", why=wrong.message)

    async def catch_up(self) -> None:
        """After a start: show whatever was committed and perhaps not shown."""
        offset = await self._store.committed_offset(GROUP, JOURNAL, 0)
        while records := await self._store.read(JOURNAL, 0, offset, READ_RECORDS_MAX):
            for record in records:
                wanted = await self._behind(record)
                if wanted is not None:
                    self.expect(_bundle(wanted))
                    await self.show([wanted])
            offset = records[-1].offset + 1
        await self._store.commit_offset(GROUP, JOURNAL, 0, offset)

    async def _behind(self, record: JournalRecord) -> Wanted | None:
        """What a record of the journal has to show."""
        if record.kind == "bundle.installed":
            version = int(json.loads(record.payload_json)["version"])
            return Materialise(record.key, version, await self._store.files_of(record.key, version))
        if record.kind == "delivery.installed":
            delivery = await self._store.get_delivery(DeliveryId(record.key))
            if delivery is None:
                return None
            files = await self._store.files_of(delivery.bundle, delivery.version) if delivery.is_new else ()
            return KeepRecord(delivery, files)
        if record.kind == "report.numbered":
            report = await self._store.get_report(record.key, int(json.loads(record.payload_json)["number"]))
            return KeepReport(report) if report is not None else None
        if record.kind == "memo.kept":
            run = await self.known(RunId(json.loads(record.payload_json)["run"]))
            return KeepMemo(run) if run is not None else None
        return None

    async def known(self, run: RunId) -> TaskRun | None:
        """A run whose results are given again, with its outputs; None for one whose are not."""
        found = await self._store.get_run(run)
        return found if found is not None and found.memo_key else None

    async def checkpoint(self) -> None:
        """Remember how far it has come, now and then, until cancelled."""
        before = await self._store.end(JOURNAL, 0)
        while True:
            await asyncio.sleep(CHECKPOINT_S)
            # Whatever was committed up to the last look has been expected by now; with nothing pending it is shown.
            if not self._pending:
                await self._store.commit_offset(GROUP, JOURNAL, 0, before)
            before = await self._store.end(JOURNAL, 0)


def _believed(
    files: Sequence[FileAt],
    groups: Sequence[ManyFiles],
    known: Collection[FileAt],
    there: Mapping[Place, Sequence[FileEntry]],
) -> tuple[list[FileAt], dict[Place, int]]:
    named = [one for one in files if one in known]
    unnamed: dict[Place, int] = {}
    for group in groups:
        place = group.bundle, group.version
        found, more = edges.of_group(group, there[place])
        named += found
        unnamed[place] = unnamed.get(place, 0) + more
    return named, unnamed


def _bundle(wanted: Wanted) -> str:
    match wanted:
        case Materialise():
            return wanted.bundle
        case KeepRecord():
            return wanted.delivery.bundle
        case KeepReport():
            return wanted.report.bundle
        case KeepMemo():
            return wanted.run.bundle


def _piece(wanted: Wanted) -> Shown | Record:
    match wanted:
        case Materialise():
            return Shown(wanted.bundle, wanted.files)
        case KeepRecord():
            return record_of(wanted.delivery, wanted.files)
        case KeepReport():
            return record_of_report(wanted.report)
        case KeepMemo():
            return record_of_memo(wanted.run)
