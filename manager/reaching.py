"""A store that is away is no fault of whoever needs it: work is done again until it could be done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from plotter2.errors import UnreachableError

T = TypeVar("T")

RETRY_S = 1.0

_log = structlog.get_logger("manager.reaching")


async def until_reached(run: str, work: Callable[[], Awaitable[T]]) -> T:
    """Do work for a run that can be done again without harm."""
    while True:
        try:
            return await work()
        except UnreachableError as wrong:
            _log.warning("work.again", run=run, why=wrong.message)
            await asyncio.sleep(RETRY_S)
