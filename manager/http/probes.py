"""Health, readiness and metrics on the manager's own port, in Propeller's shapes (spec/propeller 1.5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.responses import Response

from manager.doors import Doors


def router(doors: Doors, registry: CollectorRegistry, is_ready: Callable[[], bool]) -> APIRouter:
    """The three probes."""
    routes = APIRouter(tags=["probes"])

    @routes.get("/health")
    async def health() -> dict[str, Any]:
        """Whether this process does its work."""
        return {
            "status": "pass",
            "version": doors.version,
            "commit": "none",
            "description": "manager service",
            "build_time": "unknown",
            "instance_id": doors.installation,
            "ready": is_ready(),
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
