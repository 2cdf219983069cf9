"""The manager's HTTP edge: Propeller's routes, the probes, the pages people look at, and the files under output/."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response

from manager.doors import Doors
from manager.http import lineage, orders, pages, probes, runs, tasks
from plotter2 import probes as probes_edge
from plotter2.errors import (
    ConflictError,
    LimitError,
    NotFoundError,
    Plotter2Error,
    RefusedError,
    UnreachableError,
    UsageError,
)

STATUS: tuple[tuple[type[Plotter2Error], int], ...] = (
    (NotFoundError, 404),
    (ConflictError, 409),
    (UsageError, 400),
    (LimitError, 413),
    (RefusedError, 400),
    (UnreachableError, 503),
)


def build(
    doors: Doors, registry: CollectorRegistry, is_ready: Callable[[], bool], is_connected: Callable[[], bool]
) -> FastAPI:
    """The application; also where the OpenAPI page at /docs comes from."""
    app = FastAPI(title="plotter2", version=doors.version, description="The server between data and experiments.")
    app.include_router(probes.router(doors, registry, is_ready, is_connected))
    app.include_router(tasks.router(doors))
    app.include_router(pages.router(doors))
    app.include_router(runs.router(doors, pages.environment()))
    app.include_router(orders.router(doors, pages.environment()))
    app.include_router(lineage.router(doors, pages.environment()))
    app.add_exception_handler(Plotter2Error, _on_error)
    app.add_exception_handler(RequestValidationError, _on_query)
    app.add_exception_handler(HTTPException, _on_http)
    return app


async def _on_error(_: Request, wrong: Exception) -> Response:
    status = next((code for kind, code in STATUS if isinstance(wrong, kind)), 500)
    message = wrong.message if isinstance(wrong, Plotter2Error) else "internal error"
    return JSONResponse({"error": message}, status)


async def _on_query(_: Request, wrong: Exception) -> Response:
    said = wrong.errors() if isinstance(wrong, RequestValidationError) else []
    return JSONResponse({"error": "; ".join(f"{one['loc'][-1]!r}: {one['msg']}" for one in said)}, 400)


async def _on_http(_: Request, wrong: Exception) -> Response:
    if isinstance(wrong, HTTPException) and wrong.status_code == 404:  # noqa: PLR2004 -- the contract's own text
        return PlainTextResponse("404 page not found\n", 404)
    if isinstance(wrong, HTTPException) and wrong.status_code == 405:  # noqa: PLR2004 -- the contract's empty body
        return Response(status_code=405, headers=wrong.headers)
    detail = wrong.detail if isinstance(wrong, HTTPException) else "internal error"
    return JSONResponse({"error": detail}, wrong.status_code if isinstance(wrong, HTTPException) else 500)


@asynccontextmanager
async def serve(app: FastAPI, host: str, port: int) -> AsyncIterator[str]:
    """Serve in this loop; yields the address really bound (`host:port`).

    Signals stay with the lifecycle: uvicorn installs no handler of its own.
    """
    config = uvicorn.Config(
        app, host=host, port=port, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=2,
        h11_max_incomplete_event_size=1 << 20,
    )  # fmt: skip
    server = uvicorn.Server(config)
    listener = probes_edge.bind(host, port)
    bound_host, bound_port = listener.getsockname()[:2]
    async with asyncio.TaskGroup() as group:
        group.create_task(server._serve([listener]), name="http")  # noqa: SLF001 -- serve() would take the signals
        try:
            yield f"{bound_host}:{bound_port}"
        finally:
            server.should_exit = True
