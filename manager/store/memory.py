"""The store in memory: complete, small, gone with the process. For tests and trials; same contract suite as PostgreSQL.

A batch is checked as a whole before anything of it is taken: like a transaction, it is in or it is not.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import replace
from itertools import islice
from typing import TypeVar

from manager.eventlog import READ_RECORDS_MAX
from manager.store import (
    FACT_NAMES_MAX,
    Batch,
    Delivery,
    HistoryRow,
    OutputRow,
    Page,
    ServiceRow,
    Snapshot,
    TaskRow,
    entries,
    log,
    matching,
)
from manager.store.apart import Apart
from manager.store.log import Head
from manager.store.rows import outputs_of, position_of
from manager.store.text import clean_batch, clean_child
from plotter2.errors import ConflictError, UsageError
from plotter2.ids import DeliveryId, RequestId, RunId, ServiceId, TaskId, WorkerId
from plotter2.model import difference
from plotter2.model.bundle import BundleVersion, Contents, FileEntry
from plotter2.model.difference import FileChange
from plotter2.model.entry import Entry, Space, facts
from plotter2.model.link import SaidLink
from plotter2.model.order import Tally
from plotter2.model.paths import is_below
from plotter2.model.query import Search
from plotter2.model.record import JOURNAL, Record
from plotter2.model.report import Report
from plotter2.model.request import Request
from plotter2.model.service import SERVICE_ENDS
from plotter2.model.task import TaskRun
from plotter2.model.worker import Worker

T = TypeVar("T")


class MemoryStore(Apart):
    """See `manager.store.Store`."""

    def __init__(self) -> None:
        super().__init__()
        self._turns: set[str] = set()
        self._records: list[Record] = []
        self._head = Head()
        self._offsets: dict[tuple[str, str, int], int] = {}
        self._requests: dict[RequestId, Request] = {}
        self._keys: dict[str, RequestId] = {}
        self._tasks: dict[TaskId, TaskRow] = {}
        self._runs: dict[RunId, TaskRun] = {}
        self._versions: dict[str, list[Contents]] = {}
        self._archived: dict[str, bool] = {}
        self._inheritances: dict[bytes, str] = {}
        self._tags: dict[str, str] = {}
        self._workers: dict[WorkerId, Worker] = {}
        self._services: dict[ServiceId, ServiceRow] = {}
        self._deliveries: dict[DeliveryId, Delivery] = {}
        self._entries: dict[str, Entry] = {}
        self._fact_names: set[tuple[Space, str]] = set()
        self._links: list[SaidLink] = []
        self._tallies: dict[tuple[str, str], Tally] = {}
        self._reports: dict[tuple[str, int], Report] = {}
        self._grown = asyncio.Event()

    async def commit(self, batch: Batch) -> None:
        """Take the batch; see `Store.commit`."""
        if not batch.turn:
            raise UsageError("A batch needs the name of its turn: without it a repeat cannot be recognised.")
        if batch.turn in self._turns:
            return
        batch = clean_batch(batch)
        self._check(batch)
        self._turns.add(batch.turn)
        records, self._head = log.place(batch.records, self._head, JOURNAL)
        self._records += records
        for request in batch.requests.values():
            former = self._requests.get(request.id)
            children = {child.index: child for child in (former.children if former is not None else ())}
            children |= {child.index: clean_child(child) for child in request.children}
            self._requests[request.id] = replace(request, children=tuple(children[index] for index in sorted(children)))
        self._keys |= {one.client_key: one.id for one in batch.requests.values() if one.client_key}
        self._tasks |= batch.tasks
        self._runs |= batch.runs
        self._workers |= batch.workers
        self._take_entries(entries.changes(batch, self._services))
        self._hide_entries(batch.archived)
        self._services |= batch.services
        self._deliveries |= batch.deliveries
        self._set_apart(batch)
        self._links += batch.links
        self._tallies |= batch.tallies
        self._reports |= {(one.bundle, one.number): one for one in batch.reports}
        for contents in batch.bundles:
            self._take_version(contents)
        self._inheritances = batch.inheritances | self._inheritances
        self._archived |= {path: is_so for path, is_so in batch.archived.items() if path in self._versions}
        self._tags |= {path: one.by_hand_json for path, one in batch.tags.items() if path in self._versions}
        self._grown.set()
        self._grown = asyncio.Event()

    def _check(self, batch: Batch) -> None:
        keys: dict[str, RequestId] = dict(self._keys)
        for request in batch.requests.values():
            if request.client_key and keys.setdefault(request.client_key, request.id) != request.id:
                raise ConflictError(f"Client key {request.client_key!r} belongs to another request.")
        known = {(path, one.bundle.version) for path, versions in self._versions.items() for one in versions}
        for contents in batch.bundles:
            place = contents.bundle.path, contents.bundle.version
            if place in known:
                raise ConflictError(f"Bundle {place[0]!r} has a version {place[1]} already.")
            known.add(place)

    def _take_entries(self, changes: entries.Changes) -> None:
        for entry in changes.entries.values():
            if entries.supersedes(entry, self._entries.get(entry.path)):
                self._take_entry(entry)
        for path, tags_json in changes.tags.items():
            if path in self._entries:
                self._take_entry(replace(self._entries[path], tags_json=tags_json))
        for path, state, at in changes.states:
            known = self._entries.get(path)
            if known is not None and known.version == 0:
                self._entries[path] = replace(known, state=state, at=at)

    def _hide_entries(self, archived: dict[str, bool]) -> None:
        for path, is_so in archived.items():
            if path in self._entries:
                self._entries[path] = replace(self._entries[path], archived=is_so)

    def _take_entry(self, entry: Entry) -> None:
        self._entries[entry.path] = entry
        self._fact_names |= {(fact.space, fact.name) for fact in facts(entry)}

    def _take_version(self, contents: Contents) -> None:
        path = contents.bundle.path
        versions = self._versions.setdefault(path, [])
        if not versions or versions[-1].bundle.version < contents.bundle.version:
            self._archived[path] = contents.bundle.archived
            self._tags[path] = contents.bundle.tags_json
        versions.append(replace(contents, files=tuple(sorted(contents.files))))
        versions.sort(key=lambda one: one.bundle.version)

    async def load(self) -> Snapshot:
        """The live state; see `Store.load`."""
        runs = sorted(
            (one for one in self._runs.values() if not one.has_ended),
            key=lambda run: (run.created_at, run.request_id, position_of(run.id)),
        )
        spoken_of = {run.task_id for run in runs}
        tasks = (row for row in self._tasks.values() if not row.is_hidden or row.task.id in spoken_of)
        services = (row for row in self._services.values() if row.status.state not in SERVICE_ENDS)
        bundles = tuple(self._newest(path) for path in sorted(self._versions))
        spoken = {one.inherited for one in bundles}
        newest = {(word.src, word.dst, word.operation): word for word in self._links}
        return Snapshot(
            requests=tuple(
                sorted(
                    (one for one in self._requests.values() if not one.has_ended), key=lambda r: (r.created_at, r.id)
                )
            ),
            runs=tuple(runs),
            tasks=tuple(sorted(tasks, key=lambda row: (row.task.created_at, row.task.id))),
            bundles=bundles,
            workers=tuple(sorted(self._workers.values(), key=lambda worker: worker.id)),
            services=tuple(sorted(services, key=_service_order)),
            held=self._waiting(),
            inheritances={digest: text for digest, text in self._inheritances.items() if digest in spoken},
            links=tuple(newest[place] for place in sorted(newest)),
            tallies=tuple(one for _, one in sorted(self._tallies.items())),
            reports=dict(sorted(self._reports)),
        )

    # --- single things and pages ------------------------------------------------------------------------------------

    async def get_request(self, request: RequestId) -> Request | None:
        """One request with its children."""
        return self._requests.get(request)

    async def find_request(self, client_key: str) -> Request | None:
        """The request that was made under this client key."""
        found = self._keys.get(client_key)
        return self._requests[found] if found else None

    async def list_requests(self, offset: int, limit: int, bundle: str = "", cause: str = "") -> Page[Request]:
        """Newest first, without their children."""
        chosen = (
            replace(one, children=())
            for one in self._requests.values()
            if (not bundle or is_below(one.bundle, bundle)) and (not cause or one.cause == cause)
        )
        return _page(sorted(chosen, key=lambda one: (one.created_at, one.id), reverse=True), offset, limit)

    async def runs_of(self, request: RequestId) -> tuple[TaskRun, ...]:
        """All runs of a request, in index order, with outputs."""
        chosen = (run for run in self._runs.values() if run.request_id == request)
        return tuple(sorted(chosen, key=lambda run: position_of(run.id)))

    async def get_task(self, task: TaskId) -> TaskRow | None:
        """One definition."""
        return self._tasks.get(task)

    async def list_tasks(self, offset: int, limit: int) -> Page[TaskRow]:
        """Definitions that were created over HTTP, newest first."""
        chosen = (row for row in self._tasks.values() if not row.is_hidden)
        return _page(sorted(chosen, key=lambda row: (row.task.created_at, row.task.id), reverse=True), offset, limit)

    async def list_bundles(
        self, offset: int, limit: int, under: str = "", *, archived: bool = False
    ) -> Page[BundleVersion]:
        """The newest version of each bundle, by path."""
        chosen = (
            self._newest(path)
            for path in sorted(self._versions)
            if (not under or is_below(path, under)) and (archived or not self._archived[path])
        )
        return _page(chosen, offset, limit)

    async def list_versions(self, bundle: str, offset: int, limit: int) -> Page[BundleVersion]:
        """All versions of one bundle, newest first."""
        return _page([self._shown(one) for one in reversed(self._versions.get(bundle, ()))], offset, limit)

    async def get_bundle(self, bundle: str, version: int = 0) -> BundleVersion | None:
        """One version; 0 means the newest."""
        found = self._contents(bundle, version)
        return self._shown(found) if found else None

    async def files_of(self, bundle: str, version: int) -> tuple[FileEntry, ...]:
        """The files of a version, by path."""
        found = self._contents(bundle, version) if version else None
        return found.files if found else ()

    async def newest_of(self, bundles: Sequence[str]) -> tuple[BundleVersion, ...]:
        """The newest version of each of these bundles."""
        return tuple(self._newest(path) for path in set(bundles) if path in self._versions)

    async def files_of_many(self, places: Sequence[tuple[str, int]]) -> dict[tuple[str, int], tuple[FileEntry, ...]]:
        """The files of each of these versions."""
        return {place: files for place in places if (files := await self.files_of(*place))}

    async def get_inheritance(self, digest: bytes) -> str:
        """The text of a snapshot of what is inherited."""
        return self._inheritances.get(digest, "")

    async def changed_files(
        self, before: tuple[str, int], after: tuple[str, int], from_path: str, limit: int
    ) -> tuple[FileChange, ...]:
        """Files that differ between two versions, by path."""
        found = difference.files(await self.files_of(*before), await self.files_of(*after))
        return tuple(islice((one for one in found if one.path > from_path), limit))

    async def list_history(self, bundle: str, offset: int, limit: int) -> Page[HistoryRow]:
        """Requests about a bundle or what lies below it, oldest first."""
        made = {one.request_id: one for one in sorted(self._deliveries.values(), key=lambda one: one.id, reverse=True)}
        chosen = [replace(one, children=()) for one in self._requests.values() if is_below(one.bundle, bundle)]
        history = (
            HistoryRow(one, was.version, was.is_new, was.id) if (was := made.get(one.id)) else HistoryRow(one)
            for one in sorted(chosen, key=lambda one: (one.created_at, one.id))
        )
        return _page(history, offset, limit)

    async def find_run_keys(self, run_keys: Sequence[bytes]) -> dict[bytes, BundleVersion]:
        """For each of these keys the newest version that a successful service run left under it."""
        wanted = set(run_keys) - {b""}
        chosen = [
            one
            for versions in self._versions.values()
            for one in versions
            if one.bundle.run_key in wanted and one.bundle.ok
        ]
        chosen.sort(key=lambda one: one.bundle.created_at)
        return {one.bundle.run_key: self._shown(one) for one in chosen}

    async def get_service(self, service: ServiceId) -> ServiceRow | None:
        """One service run, ended or not."""
        return self._services.get(service)

    async def find_maker(self, bundle: str, version: int) -> ServiceRow | None:
        """The service run whose output became this version."""
        made = [one for one in self._deliveries.values() if (one.bundle, one.version) == (bundle, version)]
        made.sort(key=lambda one: (not one.is_new, one.installed_at))
        runs = {one.status.delivery_id: one for one in self._services.values() if one.status.delivery_id}
        return next((runs[one.id] for one in made if one.id in runs), None)

    async def get_delivery(self, delivery: DeliveryId) -> Delivery | None:
        """What became of a delivery."""
        return self._deliveries.get(delivery)

    async def get_delivery_of(self, request: RequestId) -> Delivery | None:
        """The delivery that a push was."""
        made = [one for one in self._deliveries.values() if one.request_id == request]
        return min(made, key=lambda one: one.id) if made else None

    async def get_report(self, bundle: str, number: int) -> Report | None:
        """A report of a bundle, by its number."""
        return self._reports.get((bundle, number))

    async def list_outputs(
        self, offset: int, limit: int, *, bundle: str = "", request: str = "", kind: str = ""
    ) -> Page[OutputRow]:
        """Outputs, newest first."""
        chosen = [
            ((row.created_at, row.run_id, position), row)
            for run in self._runs.values()
            for position, row in enumerate(outputs_of(run))
            if bundle in {"", row.bundle} and request in {"", row.request_id} and kind in {"", row.output.kind}
        ]
        return _page((row for _, row in sorted(chosen, key=lambda one: one[0], reverse=True)), offset, limit)

    async def search(self, search: Search, offset: int, limit: int) -> Page[Entry]:
        """The bundles and runs that a search finds."""
        return _page(matching.search(self._entries.values(), search), offset, limit)

    async def fact_names(self) -> dict[Space, tuple[str, ...]]:
        """Names under which any entry has, or once had, a value."""
        found = sorted(self._fact_names)[:FACT_NAMES_MAX]
        return {space: tuple(name for of, name in found if of is space) for space in Space}

    def _contents(self, bundle: str, version: int) -> Contents | None:
        versions = self._versions.get(bundle, [])
        if not version:
            return versions[-1] if versions else None
        return next((one for one in versions if one.bundle.version == version), None)

    def _shown(self, one: Contents) -> BundleVersion:
        path = one.bundle.path
        return replace(one.bundle, archived=self._archived[path], tags_json=self._tags[path])

    def _newest(self, path: str) -> BundleVersion:
        return self._shown(self._versions[path][-1])

    # --- the event log ----------------------------------------------------------------------------------------------

    async def read(self, topic: str, partition: int, offset: int, limit: int) -> list[Record]:
        """Records from `offset` on."""
        if (topic, partition) != (JOURNAL, 0):
            return []
        return self._records[offset : offset + max(0, min(limit, READ_RECORDS_MAX))]

    async def end(self, topic: str, partition: int) -> int:
        """The high watermark."""
        return self._head_of(topic, partition).end

    def _head_of(self, topic: str, partition: int) -> Head:
        return self._head if (topic, partition) == (JOURNAL, 0) else Head()

    async def tail(self, topic: str, partition: int, offset: int) -> AsyncIterator[Record]:
        """Records from `offset` on, waiting for new ones."""
        following = log.tail(self.read, topic, partition, offset, self._more)
        async with aclosing(following):
            async for record in following:
                yield record

    async def _more(self) -> None:
        await self._grown.wait()

    async def commit_offset(self, group: str, topic: str, partition: int, offset: int) -> None:
        """Remember how far a consumer group has come; never back."""
        place = group, topic, partition
        self._offsets[place] = max(offset, self._offsets.get(place, 0))

    async def committed_offset(self, group: str, topic: str, partition: int) -> int:
        """Where a consumer group goes on; 0 for a new one."""
        return self._offsets.get((group, topic, partition), 0)

    async def verify(self, topic: str, partition: int) -> int:
        """Walk the chain; see `EventLog.verify`."""
        return await log.verify(self.read, topic, partition, self._head_of(topic, partition))


def _page(items: Iterable[T], offset: int, limit: int) -> Page[T]:
    found = tuple(items)
    return Page(found[offset : offset + limit], len(found))


def _service_order(row: ServiceRow) -> tuple[str, int, str]:
    return row.request_id, len(row.spec.service_id), row.spec.service_id
