"""A gRPC server as a block of code: bound at once, health and reflection on, every error of ours mapped.

Refuses connections that share the port with another process (SO_REUSEPORT is off): a second server says so.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import grpc
from grpc_health.v1 import _async as health
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from prometheus_client import CollectorRegistry

from plotter2.clock import Clock, SystemClock
from plotter2.errors import ConfigError
from plotter2.rpc import options
from plotter2.rpc.interceptors import Interceptor, LimitTime, LogCalls, MapErrors, MeasureCalls

CALLS_MAX = 2_000
HEALTH = "grpc.health.v1.Health"
GRACE_S = 1.0


class Server:
    """What the block gets: where the server is bound, and the switch of its health."""

    def __init__(self, address: str, service_names: Sequence[str], servicer: health.HealthServicer) -> None:
        self.address = address
        self._names = ("", *service_names)
        self._health = servicer

    async def set_serving(self, is_serving: bool) -> None:  # noqa: FBT001 -- a switch
        """Say through grpc.health.v1 whether calls are welcome."""
        value = health_pb2.HealthCheckResponse
        for name in self._names:
            await self._health.set(name, value.SERVING if is_serving else value.NOT_SERVING)


@asynccontextmanager
async def serve(
    add: Callable[[grpc.aio.Server], None],
    service_names: Sequence[str],
    host: str,
    port: int,
    *,
    max_message_bytes: int = options.MESSAGE_BYTES_MAX,
    registry: CollectorRegistry | None = None,
) -> AsyncIterator[Server]:
    """Serve until the end of the block; calls that run then have a second to end.

    Args:
        add: adds the servicers, as `lambda server: add_ManagerServiceServicer_to_server(rpc, server)`.
        service_names: full names, for health and reflection.
        host: where to bind.
        port: 0 for any; what was bound is in `address`.
        max_message_bytes: limit of one message, both ways.
        registry: where metrics go; none: they are not taken.

    Raises:
        ConfigError: the address cannot be bound.
    """
    server = grpc.aio.server(
        interceptors=_interceptors(SystemClock(), registry),
        options=[
            *options.common(max_message_bytes),
            ("grpc.so_reuseport", 0),
            ("grpc.http2.min_ping_interval_without_data_ms", options.PING_INTERVAL_MS_MIN),
        ],
        maximum_concurrent_rpcs=CALLS_MAX,
    )
    servicer = health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    add(server)
    reflection.enable_server_reflection((*service_names, HEALTH, reflection.SERVICE_NAME), server)
    bound = Server(_bind(server, host, port), service_names, servicer)
    await bound.set_serving(False)
    await server.start()
    try:
        yield bound
    finally:
        await servicer.enter_graceful_shutdown()
        await server.stop(GRACE_S)


def _interceptors(clock: Clock, registry: CollectorRegistry | None) -> list[Interceptor]:
    # From the outside in: the outer ones see the status that the inner ones made.
    outer: list[Interceptor] = [LogCalls(clock)]
    if registry is not None:
        outer.append(MeasureCalls(clock, registry))
    return [*outer, MapErrors(), LimitTime()]


def _bind(server: grpc.aio.Server, host: str, port: int) -> str:
    literal = f"[{host}]" if ":" in host else host
    try:
        bound = server.add_insecure_port(f"{literal}:{port}")
    except RuntimeError:
        bound = 0
    if not bound:
        raise ConfigError(f"Cannot serve at {literal}:{port}: the port is taken or the host is not this machine's.")
    return f"{literal}:{bound}"
