"""The store in memory: complete, small, gone with the process. For tests and trials; same contract suite as PostgreSQL.

A batch is checked as a whole before anything of it is taken: like a transaction, it is in or it is not.

One file a family of what is kept.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from manager.store import (
    Batch,
    ServiceRow,
    Snapshot,
    entries,
    log,
)
from manager.store.memory import automatic
from manager.store.memory.apart import Apart
from manager.store.memory.eventlog import Events
from manager.store.memory.lineage import Recalling
from manager.store.memory.searching import Entries
from manager.store.memory.trees import Trees
from manager.store.rows import position_of
from manager.store.text import clean_batch, clean_child
from plotter2.errors import ConflictError, UsageError
from plotter2.ids import RequestId, WorkerId
from plotter2.model.link import SaidLink
from plotter2.model.order import Tally
from plotter2.model.pins import Look
from plotter2.model.record import JOURNAL
from plotter2.model.request import Request, RequestKind
from plotter2.model.service import SERVICE_ENDS
from plotter2.model.task import RUN_SUCCESSES
from plotter2.model.worker import Worker


class MemoryStore(Trees, Recalling, Entries, Events, Apart):
    """See `manager.store.Store`."""

    def __init__(self) -> None:
        super().__init__()
        self._turns: set[str] = set()
        self._workers: dict[WorkerId, Worker] = {}
        self._links: list[SaidLink] = []
        self._tallies: dict[tuple[str, str], Tally] = {}
        self._looks: dict[tuple[str, str], Look] = {}

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
        self._take_edges(batch)
        self._take_trees(batch)
        self._links += batch.links
        self._tallies |= batch.tallies
        self._reports |= {(one.bundle, one.number): one for one in batch.reports}
        for contents in batch.bundles:
            self._take_version(contents)
        self._inheritances = batch.inheritances | self._inheritances
        self._pins = batch.pins | self._pins
        self._looks = {(one.request_id, one.at): one for one in batch.looks} | self._looks
        self._archived |= {path: is_so for path, is_so in batch.archived.items() if path in self._versions}
        self._tags |= {path: one.by_hand_json for path, one in batch.tags.items() if path in self._versions}
        self._grown.set()
        self._grown = asyncio.Event()

    def _counted(self, request: Request) -> Request:
        """A stream of calls is written now and then while it is open: how far it is, its runs tell."""
        if request.kind is not RequestKind.CALL:
            return request
        runs = [one for one in self._runs.values() if one.request_id == request.id]
        ended = [one for one in runs if one.has_ended]
        failed = sum(one.state not in RUN_SUCCESSES for one in ended)
        return replace(request, total=len(runs), finished=len(ended), failed=failed)

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

    async def load(self) -> Snapshot:
        """The live state; see `Store.load`."""
        runs = sorted(
            (one for one in self._runs.values() if not one.has_ended),
            key=lambda run: (run.created_at, run.request_id, position_of(run.id)),
        )
        trees = self._trees_of({one.id for one in self._requests.values() if not one.has_ended})
        spoken_of = {run.task_id for run in runs} | {task for one in trees for task in one.row.tasks}
        tasks = (row for row in self._tasks.values() if not row.is_hidden or row.task.id in spoken_of)
        services = (row for row in self._services.values() if row.status.state not in SERVICE_ENDS)
        bundles = tuple(self._newest(path) for path in sorted(self._versions))
        spoken = {one.inherited for one in bundles}
        newest = {(word.src, word.dst, word.operation): word for word in self._links}
        return Snapshot(
            requests=tuple(
                sorted(
                    (self._counted(one) for one in self._requests.values() if not one.has_ended),
                    key=lambda r: (r.created_at, r.id),
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
            switch=automatic.switch(self._requests.values()),
            automatic=automatic.asks(self._requests.values()),
            trees=trees,
            looks=tuple(one for _, one in sorted(self._looks.items()) if not self._requests[one.request_id].has_ended),
        )


def _service_order(row: ServiceRow) -> tuple[str, int, str]:
    return row.request_id, len(row.spec.service_id), row.spec.service_id
