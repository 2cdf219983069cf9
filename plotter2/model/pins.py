"""Pins: which version of each bundle below another one a request sees, fixed when it is asked (pure).

The list is named by its digest, so that all requests that see the same share one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from blake3 import blake3

Place = tuple[str, int]
"""A bundle and its version."""


def encode(places: Iterable[Place]) -> str:
    """The list as a text, in the order of the tree."""
    return msgspec.json.encode(list(places)).decode()


def decode(text: str) -> Sequence[Place]:
    """The list of a text."""
    return msgspec.json.decode(text, type=list[Place])


def digest_of(text: str) -> bytes:
    """What a list is named by."""
    return blake3(text.encode()).digest()


NOTHING_BELOW = digest_of(encode(()))
"""The name of the list of a bundle that has nothing below it; it is written nowhere."""
UNPINNED = b""
"""Of a request that fixes nothing: it sees what is newest."""
