"""Propeller's tasks and proplets: the seed's three data flows by curl alone (spec/propeller 1.1)."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from starlette.responses import Response

from manager import proplets
from manager.doors import Doors
from manager.events import TaskCreated, TaskStarted, TaskStopped
from manager.http.shapes import proplet_to_json, task_from_json, task_to_json
from manager.publisher import INLINE_SOURCE_BYTES_MAX
from manager.store import TaskRow
from plotter2.datter.check import check_source
from plotter2.errors import LimitError, NotFoundError, UsageError
from plotter2.ids import TaskId, WorkerId
from plotter2.model.worker import Worker, WorkerState

LIMIT_DEFAULT = 100
LIMIT_MAX = 100
BODY_BYTES_MAX = 100 << 20


def router(doors: Doors) -> APIRouter:
    """Routes under /tasks and /proplets."""
    routes = APIRouter(redirect_slashes=True)
    _add_tasks(routes, doors)
    _add_proplets(routes, doors)
    return routes


def _add_tasks(routes: APIRouter, doors: Doors) -> None:
    @routes.post("/tasks", status_code=201, tags=["tasks"])
    async def create_task(request: Request) -> Response:
        """Create a definition: `{"name": ..., "script": "def task(a, b): ...", "inputs": [1, 2]}`."""
        if "application/json" not in request.headers.get("content-type", ""):
            raise UsageError("unsupported content type: send application/json")
        try:
            body = json.loads(await _body(request))
        except ValueError as wrong:
            raise UsageError(f"the body is not JSON: {wrong}") from None
        row = task_from_json(body, doors.ids.uuid(), doors.clock.now())
        await asyncio.to_thread(check_source, row.task.source, row.task.filename, row.task.kind)
        if len(row.task.source) > INLINE_SOURCE_BYTES_MAX:
            await asyncio.to_thread(doors.organizer.put, row.task.source_digest, [row.task.source.encode()])
        stored = await doors.desk.ask(lambda token: TaskCreated(token, row))
        assert isinstance(stored, TaskRow)  # noqa: S101 -- the machine answers with the row
        return JSONResponse(task_to_json(stored), 201, {"Location": f"/tasks/{row.task.id}"})

    @routes.get("/tasks", tags=["tasks"])
    async def list_tasks(
        offset: Annotated[int, Query(ge=0)] = 0, limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT
    ) -> dict[str, Any]:
        """A page of definitions, newest first."""
        page = await doors.store.list_tasks(offset, limit)
        tasks = [task_to_json(row) for row in page.items]
        return {"offset": offset, "limit": limit, "total": page.total, "tasks": tasks}

    @routes.get("/tasks/{task_id}", tags=["tasks"])
    async def get_task(task_id: str) -> dict[str, Any]:
        """One definition with its state and results."""
        return task_to_json(await _row(doors, task_id))

    _add_task_steps(routes, doors)


def _add_task_steps(routes: APIRouter, doors: Doors) -> None:
    @routes.get("/tasks/{task_id}/results", tags=["tasks"])
    async def get_results(task_id: str) -> dict[str, Any]:
        """What it gave."""
        row = await _row(doors, task_id)
        return {"results": json.loads(row.results_json) if row.results_json else None}

    @routes.post("/tasks/{task_id}/start", tags=["tasks"])
    async def start_task(task_id: str) -> dict[str, bool]:
        """Start it on the proplet whose turn it is."""
        request_id = doors.ids.request()
        await doors.desk.ask(lambda token: TaskStarted(token, request_id, TaskId(task_id)))
        return {"started": True}

    @routes.post("/tasks/{task_id}/stop", tags=["tasks"])
    async def stop_task(task_id: str) -> dict[str, bool]:
        """Stop it."""
        await doors.desk.ask(lambda token: TaskStopped(token, TaskId(task_id)))
        return {"stopped": True}


def _add_proplets(routes: APIRouter, doors: Doors) -> None:
    @routes.get("/proplets", tags=["proplets"])
    async def list_proplets(
        offset: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=0)] = LIMIT_DEFAULT,
        status: str = "",
    ) -> dict[str, Any]:
        """A page of workers; `status` is `active` or `inactive`."""
        if status not in {"", "active", "inactive"}:
            raise UsageError("invalid proplet status: it is 'active' or 'inactive'")
        found = sorted(doors.state.workers.values(), key=lambda worker: worker.id)
        if status:
            found = [one for one in found if (one.state is WorkerState.ALIVE) == (status == "active")]
        shown = [_view(doors, worker) for worker in found[offset : offset + limit]]
        return {"offset": offset, "limit": limit, "total": len(found), "proplets": shown}

    @routes.get("/proplets/{proplet_id}", tags=["proplets"])
    async def get_proplet(proplet_id: str) -> dict[str, Any]:
        """One worker."""
        worker = doors.state.workers.get(WorkerId(proplet_id))
        if worker is None:
            raise NotFoundError(f"There is no proplet {proplet_id!r}.")
        return _view(doors, worker)


def _view(doors: Doors, worker: Worker) -> dict[str, Any]:
    held = len(doors.state.load.get(worker.id, ())) + proplets.running_on(doors.state, worker.id)
    return proplet_to_json(worker, held)


async def _body(request: Request) -> bytes:
    found = bytearray()
    async for chunk in request.stream():
        found += chunk
        if len(found) > BODY_BYTES_MAX:
            raise LimitError(f"the body is longer than {BODY_BYTES_MAX} bytes; send large data as a bundle")
    return bytes(found)


async def _row(doors: Doors, task_id: str) -> TaskRow:
    row = await doors.store.get_task(TaskId(task_id))
    if row is None or row.is_hidden:
        raise NotFoundError(f"There is no task {task_id!r}.")
    return row
