"""The one thread on which all blocking clients of a process live, with its event loop.

gRPC's asyncio side bears only one busy event loop a process, so clients share theirs. The thread starts with the first
client and ends with the last.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager

from plotter2.eventloop import loop_factory


class Background:
    """A counted event loop on a thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._stop = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @contextmanager
    def loop(self) -> Iterator[asyncio.AbstractEventLoop]:
        """The running loop, for as long as the block lasts."""
        with self._lock:
            loop = self._loop or self._start()
            self._users += 1
        try:
            yield loop
        finally:
            with self._lock:
                self._users -= 1
                if self._users == 0:
                    self._end()

    def _start(self) -> asyncio.AbstractEventLoop:
        started: Future[asyncio.AbstractEventLoop] = Future()

        async def live() -> None:
            self._stop = asyncio.Event()
            started.set_result(asyncio.get_running_loop())
            await self._stop.wait()

        def run() -> None:
            with asyncio.Runner(loop_factory=loop_factory()) as runner:
                runner.run(live())

        self._thread = threading.Thread(target=run, name="plotter2 client", daemon=True)
        self._thread.start()
        self._loop = started.result()
        return self._loop

    def _end(self) -> None:
        if self._loop is None or self._thread is None:
            return
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop = self._thread = None


BACKGROUND = Background()
