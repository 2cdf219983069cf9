"""Requests with what they cause: runs, service runs, deliveries; in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from manager.store import (
    Delivery,
    HistoryRow,
    OutputRow,
    Page,
    ServiceRow,
    TaskRow,
)
from manager.store.memory.paging import page
from manager.store.rows import outputs_of, position_of
from plotter2.ids import DeliveryId, RequestId, RunId, ServiceId, TaskId
from plotter2.model.paths import is_below
from plotter2.model.request import Request
from plotter2.model.task import TaskRun


class Asked:
    """Requests, definitions, runs, service runs and deliveries by id."""

    def __init__(self) -> None:
        super().__init__()
        self._requests: dict[RequestId, Request] = {}
        self._keys: dict[str, RequestId] = {}
        self._tasks: dict[TaskId, TaskRow] = {}
        self._runs: dict[RunId, TaskRun] = {}
        self._services: dict[ServiceId, ServiceRow] = {}
        self._deliveries: dict[DeliveryId, Delivery] = {}

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
        return page(sorted(chosen, key=lambda one: (one.created_at, one.id), reverse=True), offset, limit)

    async def runs_of(self, request: RequestId) -> tuple[TaskRun, ...]:
        """All runs of a request, in index order, with outputs."""
        chosen = (self._with_outputs(run) for run in self._runs.values() if run.request_id == request)
        return tuple(sorted(chosen, key=lambda run: position_of(run.id)))

    async def get_run(self, run: RunId) -> TaskRun | None:
        """One run with its outputs."""
        found = self._runs.get(run)
        return self._with_outputs(found) if found is not None else None

    def _with_outputs(self, run: TaskRun) -> TaskRun:
        return replace(run, outputs=self._runs[run.reused_of].outputs) if run.reused_of else run

    async def find_memos(self, keys: Sequence[bytes]) -> dict[bytes, TaskRun]:
        """For each of these keys the newest run that left its results under it."""
        wanted = set(keys) - {b""}
        chosen = [run for run in self._runs.values() if run.memo_key in wanted and run.has_ended]
        chosen.sort(key=lambda run: (run.finished_at, run.id))
        return {run.memo_key: replace(run, outputs=()) for run in chosen}

    async def get_task(self, task: TaskId) -> TaskRow | None:
        """One definition."""
        return self._tasks.get(task)

    async def list_tasks(self, offset: int, limit: int) -> Page[TaskRow]:
        """Definitions that were created over HTTP, newest first."""
        chosen = (row for row in self._tasks.values() if not row.is_hidden)
        return page(sorted(chosen, key=lambda row: (row.task.created_at, row.task.id), reverse=True), offset, limit)

    async def list_history(self, bundle: str, offset: int, limit: int) -> Page[HistoryRow]:
        """Requests about a bundle or what lies below it, oldest first."""
        made = {one.request_id: one for one in sorted(self._deliveries.values(), key=lambda one: one.id, reverse=True)}
        chosen = [replace(one, children=()) for one in self._requests.values() if is_below(one.bundle, bundle)]
        history = (
            HistoryRow(one, was.version, was.is_new, was.id) if (was := made.get(one.id)) else HistoryRow(one)
            for one in sorted(chosen, key=lambda one: (one.created_at, one.id))
        )
        return page(history, offset, limit)

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

    async def list_outputs(
        self, offset: int, limit: int, *, bundle: str = "", request: str = "", kind: str = ""
    ) -> Page[OutputRow]:
        """Outputs, newest first."""
        taken = {run.reused_of for run in self._runs.values() if request and run.request_id == request}
        chosen = [
            ((row.created_at, row.run_id, position), row)
            for run in self._runs.values()
            for position, row in enumerate(outputs_of(run))
            if bundle in {"", row.bundle}
            and (request in {"", row.request_id} or run.id in taken)
            and kind in {"", row.output.kind}
        ]
        return page((row for _, row in sorted(chosen, key=lambda one: one[0], reverse=True)), offset, limit)
