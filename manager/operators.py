"""The lines to workers whose instances ask their ledgers: what was answered goes out over the newest line of a worker.

Nothing is kept for a worker without a line: it asks again when it has one, and the ledger gives the same answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from manager.commands import Tell
from plotter2.errors import LimitError
from plotter2.ids import WorkerId

LINES_MAX = 10_000
"""As many as there can be workers."""


class Line:
    """One worker's letter box; at most one answer for each instance that it runs waits in it."""

    def __init__(self) -> None:
        self._told: list[Tell] = []
        self._full = asyncio.Event()
        self._is_over = False

    def put(self, told: Tell) -> None:
        """Something was answered."""
        self._told.append(told)
        self._full.set()

    def close(self) -> None:
        """There is a newer line."""
        self._is_over = True
        self._full.set()

    async def next(self) -> list[Tell]:
        """Wait for answers: all since the last look, nothing when this line is over."""
        await self._full.wait()
        if self._is_over:
            return []
        self._full.clear()
        told, self._told = self._told, []
        return told


class Operators:
    """Lines by worker."""

    def __init__(self) -> None:
        self._lines: dict[WorkerId, Line] = {}

    @contextmanager
    def line(self, worker: WorkerId) -> Iterator[Line]:
        """A line to a worker, as long as the block lasts, or until the same worker opens another.

        Raises:
            LimitError: too many are open.
        """
        if len(self._lines) >= LINES_MAX and worker not in self._lines:
            raise LimitError(f"{LINES_MAX} workers ask already.")
        former = self._lines.get(worker)
        if former is not None:
            former.close()
        line = self._lines[worker] = Line()
        try:
            yield line
        finally:
            if self._lines.get(worker) is line:
                del self._lines[worker]

    def tell(self, told: Tell) -> None:
        """Answer, if the worker has a line."""
        line = self._lines.get(told.worker_id)
        if line is not None:
            line.put(told)
