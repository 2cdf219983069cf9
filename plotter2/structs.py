"""What msgspec knows of our structs, worked out before there are threads.

It does so at the first use of each, and a process in which two threads use one for the first time at once may crash
(seen: a manager killed by SIGSEGV as it took over the outputs of many runs).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import msgspec


def prepare() -> None:
    """Have msgspec look at every struct that is defined by now."""
    for one in _below(msgspec.Struct):
        with suppress(TypeError, NameError):  # one that is never decoded: its annotations need not be known
            msgspec.json.Decoder(one)


def _below(base: type[Any]) -> Iterator[type[Any]]:
    for one in base.__subclasses__():
        yield one
        yield from _below(one)
