"""Pins: what a request sees beside the version that it runs on (pure).

Which version of each bundle below is fixed when it is asked. The list is named by its digest, so that all requests that
see the same share one. What is known only when its text is read, the bundles that it loads from and those that links
lead to, is fixed when somebody looks for the first time, and stays so for everybody who looks for the same request.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
from blake3 import blake3

from plotter2.ids import RequestId

Place = tuple[str, int]
"""A bundle and its version."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a request saw when it looked somewhere for the first time.

    Attributes:
        at: what was looked for, see `load_of` and `ways_of`.
        seen: what was found: the number of a version, 0 for none; or the hexadecimal digest of a text.
    """

    request_id: RequestId
    at: str
    seen: str


def load_of(bundle: str) -> str:
    """Looking for the bundle that a definition loads from, without a version."""
    return f"load {bundle}"


def ways_of(target: Place, origin: Place) -> str:
    """Looking for what a task of `origin` can call when it runs on `target`, and who lends it."""
    return f"links {target[0]}@{target[1]} {origin[0]}@{origin[1]}"


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
