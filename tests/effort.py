"""How much work something is, the same on every machine and however busy it is: calls are counted, not seconds."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

CALLS_PER_S = 1_000_000
"""Calls of small functions that CPython makes in a second, at least; no machine that we know makes fewer."""


@dataclass
class Effort:
    """What was counted."""

    calls: int = 0
    """Calls of functions, built-in ones too, and turns of generators."""


@contextmanager
def counted() -> Iterator[Effort]:
    """Count the calls of this thread inside the block."""
    effort = Effort()

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        if event in {"call", "c_call"}:
            effort.calls += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        yield effort
    finally:
        sys.setprofile(before)
