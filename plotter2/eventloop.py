"""Which event loop we run on: uvloop where there is one, as each wake-up of a loop is a part of what one task takes."""

from __future__ import annotations

import sys
from asyncio import AbstractEventLoop
from collections.abc import Callable


def loop_factory() -> Callable[[], AbstractEventLoop] | None:
    """What makes the loop, for `asyncio.Runner`; None: Python's own."""
    if sys.platform == "win32":
        return None
    import uvloop  # noqa: PLC0415 -- not on every system

    return uvloop.new_event_loop
