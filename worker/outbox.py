"""What the manager shall hear, gathered: everything that ended while the last message was on its way goes in the next.

So an idle worker reports at once, and a busy one many at a time: messages leave some milliseconds apart, and up to
a tenth of a second while all its children have enough to do, for then others wait anyway. What could not be handed to
the broker is handed to it again; what was lost after that, the manager asks for again by repeating the assignment: the
answer has all lines of the attempt.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress

from plotter2 import telemetry
from plotter2.errors import UnreachableError
from plotter2.ids import WorkerId
from plotter2.mqtt.payloads import Report, ReportBatch, encode_report_batch

REPORTS_MAX = 256
BATCH_BYTES_MAX = 512 << 10
REPORT_BYTES = 200
GATHER_S = 0.002
"""From one message to the next: each costs broker and manager as much as some reports more would."""
GATHER_S_MAX = 0.1
"""The same while there is much to do: a message costs all who touch it, and the database, some milliseconds."""
GATHER_PART = 0.25
"""Of the time for which every child has work, this much may pass between messages: new work comes long before."""

_log = telemetry.logger("outbox")


class Outbox:
    """Reports in order, published one batch after the other."""

    def __init__(
        self,
        worker_id: WorkerId,
        incarnation: str,
        publish: Callable[[bytes], Awaitable[None]],
        ahead_s: Callable[[], float],
    ) -> None:
        """`ahead_s`: for how long no child will be without work, whatever comes back for a report."""
        self._worker_id = worker_id
        self._incarnation = incarnation
        self._publish = publish
        self._ahead_s = ahead_s
        self._soon = asyncio.Event()
        self._sent_at = 0.0
        self._waiting: deque[Report] = deque()
        self._filled = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, report: Report) -> None:
        """Have this told."""
        self._waiting.append(report)
        self._filled.set()
        self._empty.clear()
        if len(self._waiting) >= REPORTS_MAX or self._pause_s() <= 0:
            self._soon.set()

    async def emptied(self) -> None:
        """Until the broker has everything."""
        await self._empty.wait()

    async def run(self) -> None:
        """Publish, for as long as the worker lives."""
        loop = asyncio.get_running_loop()
        while True:
            await self._filled.wait()
            # What else has ended in this turn of the loop belongs to the same message.
            await asyncio.sleep(0)
            batch = self._next()
            self._sent_at = loop.time()
            if not self._waiting:  # else the message was full
                self._soon.clear()
            payload = encode_report_batch(ReportBatch(self._worker_id, self._incarnation, tuple(batch)))
            while not await self._is_published(payload):
                pass
            if not self._waiting:
                self._filled.clear()
                self._empty.set()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pause_s()):
                    await self._soon.wait()
            await asyncio.sleep(self._sent_at + GATHER_S - loop.time())

    def _pause_s(self) -> float:
        """How long the next message may still gather; it gets shorter as runs end."""
        gather_s = min(self._ahead_s() * GATHER_PART, GATHER_S_MAX)
        return self._sent_at + gather_s - asyncio.get_running_loop().time()

    def _next(self) -> list[Report]:
        batch: list[Report] = []
        size = 0
        while self._waiting and len(batch) < REPORTS_MAX:
            size += _weight(self._waiting[0])
            if batch and size > BATCH_BYTES_MAX:
                break
            batch.append(self._waiting.popleft())
        return batch

    async def _is_published(self, payload: bytes) -> bool:
        try:
            await self._publish(payload)
        except UnreachableError as away:
            _log.warning("report.waits", why=away.message)
            return False
        return True


def _weight(report: Report) -> int:
    texts = len(report.results_json) + len(report.error) + sum(map(len, report.lines))
    return REPORT_BYTES * (1 + len(report.made)) + texts
