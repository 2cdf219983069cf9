"""Health, readiness and metrics on the manager's own port, in Propeller's shapes (spec/propeller 1.5)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.responses import Response

from manager.doors import Doors
from manager.store import Store
from plotter2.errors import UnreachableError
from plotter2.model.record import JOURNAL

STORE_LOOK_S_MAX = 0.5
"""A watchdog waits 2 s for /health, and a store that is away is no reason to start the manager anew."""


def router(
    doors: Doors, registry: CollectorRegistry, is_ready: Callable[[], bool], is_connected: Callable[[], bool]
) -> APIRouter:
    """The three probes; `is_connected` says whether the broker is there now."""
    routes = APIRouter(tags=["probes"])

    @routes.get("/health")
    async def health() -> dict[str, Any]:
        """Whether this process does its work, and whom of those that it needs it reaches."""
        return {
            "status": "pass",
            "version": doors.version,
            "commit": "none",
            "description": "manager service",
            "build_time": "unknown",
            "instance_id": doors.installation,
            "ready": is_ready(),
            "broker": is_connected(),
            "storage": await _is_there(doors.store),
        }

    @routes.get("/ready")
    async def ready() -> Response:
        """Whether it takes work now: 200, or 503."""
        return JSONResponse({"ready": is_ready()}, 200 if is_ready() else 503)

    @routes.get("/metrics")
    async def metrics() -> Response:
        """Prometheus."""
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return routes


async def _is_there(store: Store) -> bool:
    try:
        async with asyncio.timeout(STORE_LOOK_S_MAX):
            await store.end(JOURNAL, 0)
    except (TimeoutError, UnreachableError):
        return False
    return True
