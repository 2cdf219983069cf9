"""Channel arguments that both ends share, spelled out rather than left to the library's defaults."""

from __future__ import annotations

MESSAGE_BYTES_MAX = 16 << 20
METADATA_BYTES_MAX = 64 << 10
KEEPALIVE_INTERVAL_MS = 20_000
KEEPALIVE_TIMEOUT_MS = 10_000
PING_INTERVAL_MS_MIN = 5_000

Options = list[tuple[str, str | int]]


def common(message_bytes_max: int) -> Options:
    """What client and server must agree on: sizes and keepalive."""
    return [
        ("grpc.max_send_message_length", message_bytes_max),
        ("grpc.max_receive_message_length", message_bytes_max),
        # An error's sentence travels in the trailing metadata, twice; beyond the default of 8 KiB the stream is cut.
        ("grpc.max_metadata_size", METADATA_BYTES_MAX),
        ("grpc.absolute_max_metadata_size", 2 * METADATA_BYTES_MAX),
        ("grpc.keepalive_time_ms", KEEPALIVE_INTERVAL_MS),
        ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
    ]
