"""Identifiers: what each looks like, and how one is made from a time and some random bytes (pure).

Every identifier sorts by the time of its making. Tasks and workers carry a bare UUID, because Propeller's clients parse
them as such; everything of our own says its kind: `req-…` a request, `dlv-…` a delivery. What a request causes is named
after it, so a repeat makes the same name: run `req-….12`, service run `req-….s3`. Identifiers are never reused.
"""

from __future__ import annotations

import re
from typing import NewType

from plotter2.errors import UsageError

RequestId = NewType("RequestId", str)
DeliveryId = NewType("DeliveryId", str)
TaskId = NewType("TaskId", str)
RunId = NewType("RunId", str)
ServiceId = NewType("ServiceId", str)
WorkerId = NewType("WorkerId", str)

RANDOM_BYTES = 10
_GRAMMAR = re.compile(r"(req|dlv)-[0-9a-f]{32}")


def uuid7(unix_ms: int, chance: bytes) -> str:
    """A version 7 UUID (RFC 9562) from Unix milliseconds and 10 random bytes."""
    value = (unix_ms & (1 << 48) - 1) << 80 | int.from_bytes(chance[:RANDOM_BYTES], "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0b11 << 62) | 0b10 << 62
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def request_id(unix_ms: int, chance: bytes) -> RequestId:
    """A new request's name."""
    return RequestId("req-" + uuid7(unix_ms, chance).replace("-", ""))


def delivery_id(unix_ms: int, chance: bytes) -> DeliveryId:
    """A new delivery's name."""
    return DeliveryId("dlv-" + uuid7(unix_ms, chance).replace("-", ""))


def run_id(request: RequestId, index: int) -> RunId:
    """The name of the index-th task run that a request causes."""
    return RunId(f"{request}.{index}")


def service_id(request: RequestId, index: int) -> ServiceId:
    """The name of the index-th service run that a request causes."""
    return ServiceId(f"{request}.s{index}")


def request_of(caused: str) -> RequestId:
    """The request that caused a run or service run."""
    return RequestId(caused.partition(".")[0])


def check(kind: str, text: str) -> str:
    """Return `text` if it is an identifier of that kind (`req`, `dlv`).

    Raises:
        UsageError: it is not.
    """
    if not text.startswith(kind + "-") or not _GRAMMAR.fullmatch(text):
        raise UsageError(f"{text!r} is not a {kind} identifier: it would be {kind}- and 32 hexadecimal digits.")
    return text
