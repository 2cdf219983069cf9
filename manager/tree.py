"""Keeps the folders under source/ in step with what is committed, also across a kill -9; lays out versions that run.

A version is materialised right after its commit. How far that has come is a consumer group's offset in the journal:
after a crash everything behind it is done again, which changes nothing where it had been done.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Collection, Sequence

import structlog

from manager.commands import KeepRecord, Materialise
from manager.eventlog import READ_RECORDS_MAX
from manager.organizer import Organizer
from manager.organizer.records import Record, record_of, record_of_report
from manager.store import Delivery, Store
from manager.store.ancestry import FileAt
from plotter2.errors import Plotter2Error
from plotter2.ids import DeliveryId
from plotter2.model.quarantine import QuarantineItem
from plotter2.model.record import JOURNAL
from plotter2.model.report import Report

GROUP = "tree"
CHECKPOINT_S = 10.0


class Tree:
    """Materialises versions, one at a time a bundle, and remembers how far it has come."""

    def __init__(self, organizer: Organizer, store: Store) -> None:
        self._organizer = organizer
        self._store = store
        self._locks: dict[str, asyncio.Lock] = {}
        self._laid_out: set[tuple[str, int]] = set()
        self._pending: Counter[str] = Counter()
        self._log = structlog.get_logger("manager.tree")

    async def known_files(self, files: Sequence[FileAt]) -> set[FileAt]:
        """Those of these files that are just so in just that version."""
        return await self._store.known_files(files)

    def expect(self, bundle: str) -> None:
        """One more version will be shown: called before its task begins, so a checkpoint never passes it."""
        self._pending[bundle] += 1

    def is_expected(self, bundle: str) -> bool:
        """Whether a version of this bundle is committed and not shown yet."""
        return self._pending[bundle] > 0

    async def show(self, wanted: Materialise) -> list[QuarantineItem]:
        """Make the folders show a version that was expected, unless a newer one came meanwhile.

        Returns:
            What stood in the way and is in quarantine now.
        """
        try:
            async with self._lock(wanted.bundle):
                newest = await self._store.get_bundle(wanted.bundle)
                if newest is not None and newest.version == wanted.version:
                    return await asyncio.to_thread(self._organizer.materialise, wanted.bundle, wanted.files)
        except Plotter2Error as wrong:
            # The folders are a view: what is missing there is still in the store, and `verify` names it.
            self._log.error("show.failed", bundle=wanted.bundle, version=wanted.version, why=wrong.message)
        finally:
            self._met(wanted.bundle)
        return []

    def _met(self, bundle: str) -> None:
        self._pending[bundle] -= 1
        if not self._pending[bundle]:
            del self._pending[bundle]

    async def keep_record(self, wanted: KeepRecord) -> list[QuarantineItem]:
        """Leave the record of a delivery that was expected.

        Returns:
            What stood in the way and is in quarantine now.
        """
        try:
            return await asyncio.to_thread(self._organizer.keep_record, record_of(wanted.delivery, wanted.files))
        except Plotter2Error as wrong:
            self._log.error("record.failed", delivery=wanted.delivery.id, why=wrong.message)
        finally:
            self._met(wanted.delivery.bundle)
        return []

    async def keep_report(self, report: Report) -> list[QuarantineItem]:
        """Show a report that was expected.

        Returns:
            What stood in the way and is in quarantine now.
        """
        try:
            return await asyncio.to_thread(self._organizer.keep_record, record_of_report(report))
        except Plotter2Error as wrong:
            self._log.error("report.failed", report=report.folder, why=wrong.message)
        finally:
            self._met(report.bundle)
        return []

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
        async with self._lock(bundle):
            newest = await self._store.get_bundle(bundle)
            if newest is None:
                return []
            files = await self._store.files_of(bundle, newest.version)
            return await asyncio.to_thread(self._organizer.materialise, bundle, files)

    def _lock(self, bundle: str) -> asyncio.Lock:
        return self._locks.setdefault(bundle, asyncio.Lock())

    async def lay_out(self, bundle: str, version: int) -> None:
        """Have the tree of a version that a program is about to run on.

        Raises:
            Plotter2Error: it cannot be made.
        """
        place = bundle, version
        async with self._lock(f"{bundle}@{version}"):
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
                if record.kind == "bundle.installed":
                    version = int(json.loads(record.payload_json)["version"])
                    files = await self._store.files_of(record.key, version)
                    self.expect(record.key)
                    await self.show(Materialise(record.key, version, files))
                elif record.kind == "delivery.installed":
                    await self._catch_up_record(DeliveryId(record.key))
                elif record.kind == "report.numbered":
                    report = await self._store.get_report(record.key, int(json.loads(record.payload_json)["number"]))
                    if report is not None:
                        self.expect(report.bundle)
                        await self.keep_report(report)
            offset = records[-1].offset + 1
        await self._store.commit_offset(GROUP, JOURNAL, 0, offset)

    async def _catch_up_record(self, delivery_id: DeliveryId) -> None:
        delivery = await self._store.get_delivery(delivery_id)
        if delivery is not None:
            files = await self._store.files_of(delivery.bundle, delivery.version) if delivery.is_new else ()
            self.expect(delivery.bundle)
            await self.keep_record(KeepRecord(delivery, files))

    async def checkpoint(self) -> None:
        """Remember how far it has come, now and then, until cancelled."""
        before = await self._store.end(JOURNAL, 0)
        while True:
            await asyncio.sleep(CHECKPOINT_S)
            # Whatever was committed up to the last look has been expected by now; with nothing pending it is shown.
            if not self._pending:
                await self._store.commit_offset(GROUP, JOURNAL, 0, before)
            before = await self._store.end(JOURNAL, 0)
