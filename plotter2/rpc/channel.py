"""Channels: how we call. Reconnects fast, never through a proxy, one connection of its own for each channel.

Refuses to retry calls: who knows whether a call may be repeated is the caller.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc

from plotter2.rpc import options

RECONNECT_MS_MIN = 100
RECONNECT_MS_MAX = 1_000
CONNECT_TIMEOUT_MS = 1_000


@asynccontextmanager
async def connect(
    address: str, *, max_message_bytes: int = options.MESSAGE_BYTES_MAX
) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to `host:port`, closed at the end of the block.

    Nothing is sent until the first call. A call to nobody fails at once (see `status.errors`) unless it is made with
    `wait_for_ready=True`; the channel itself goes on trying, at most a second apart.
    """
    channel = grpc.aio.insecure_channel(address, options=_arguments(max_message_bytes))
    try:
        yield channel
    finally:
        await channel.close(None)


def _arguments(message_bytes_max: int) -> options.Options:
    return [
        *options.common(message_bytes_max),
        ("grpc.initial_reconnect_backoff_ms", RECONNECT_MS_MIN),
        ("grpc.min_reconnect_backoff_ms", CONNECT_TIMEOUT_MS),
        ("grpc.max_reconnect_backoff_ms", RECONNECT_MS_MAX),
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.enable_http_proxy", 0),
    ]
