"""`/health`, `/ready` and `/metrics` for daemons that serve no HTTP otherwise: a tiny ASGI application under uvicorn.

`/health` is 200 while the loop turns; `/ready` is 200 or 503; `/metrics` is Prometheus text.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from plotter2.errors import ConfigError
from plotter2.lifecycle import Life

Describe = Callable[[], dict[str, Any]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


@asynccontextmanager
async def serve(
    host: str, port: int, life: Life, registry: CollectorRegistry, describe: Describe
) -> AsyncIterator[str]:
    """Serve until the end of the block; yields `host:port` as bound. `describe` adds keys to `/health`.

    Raises:
        ConfigError: the address cannot be bound.
    """
    config = uvicorn.Config(
        _application(life, registry, describe), log_config=None, access_log=False, lifespan="off", interface="asgi3",
        ws="none", timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    listener = bind(host, port)
    bound_host, bound_port = listener.getsockname()[:2]
    async with asyncio.TaskGroup() as group:
        group.create_task(server._serve([listener]), name="probes")  # noqa: SLF001 -- serve() would take the signals
        try:
            yield f"{bound_host}:{bound_port}"
        finally:
            server.should_exit = True


def bind(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        ConfigError: the address cannot be bound.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as wrong:
        listener.close()
        raise ConfigError(f"Cannot serve at {host}:{port}: {wrong.strerror}.") from None
    return listener


def _application(life: Life, registry: CollectorRegistry, describe: Describe) -> Any:
    async def application(scope: dict[str, Any], receive: object, send: Send) -> None:
        del receive
        path = scope.get("path", "")
        if path == "/health":
            body = {"status": "ok", "ready": life.is_ready, **describe()}
            await _reply(send, 200, json.dumps(body, default=str).encode(), "application/json")
        elif path == "/ready":
            status = 200 if life.is_ready else 503
            await _reply(send, status, json.dumps({"ready": life.is_ready}).encode(), "application/json")
        elif path == "/metrics":
            await _reply(send, 200, generate_latest(registry), CONTENT_TYPE_LATEST)
        else:
            await _reply(send, 404, b"404 page not found\n", "text/plain")

    return application


async def _reply(send: Send, status: int, body: bytes, kind: str) -> None:
    headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
