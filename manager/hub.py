"""Who watches which request: news of it, printed lines, ended calls. Nothing here is durable; all of it is committed.

A watcher sees the newest state, never a backlog of old ones; printed lines are bounded, ended calls are all delivered
(their number is bounded by what the stream may have outstanding).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from manager.commands import CallEnd, Notify, NotifyCalls, NotifyLines
from plotter2.ids import RequestId, RunId
from plotter2.model.request import Request

LINES_MAX = 10_000
WATCHERS_MAX = 10_000


@dataclass(slots=True)
class News:
    """What has happened since the last look."""

    request: Request | None = None
    lines: list[tuple[RunId, str]] = field(default_factory=list)
    ends: list[CallEnd] = field(default_factory=list)


class Watch:
    """One watcher's letter box."""

    def __init__(self) -> None:
        self._request: Request | None = None
        self._lines: deque[tuple[RunId, str]] = deque(maxlen=LINES_MAX)
        self._ends: list[CallEnd] = []
        self._full = asyncio.Event()

    def put(self, news: Notify | NotifyCalls | NotifyLines) -> None:
        """Something happened."""
        match news:
            case Notify():
                self._request = news.request
            case NotifyCalls():
                self._ends.extend(news.ends)
            case NotifyLines():
                self._lines.extend((news.run_id, line) for line in news.lines)
        self._full.set()

    async def next(self) -> News:
        """Wait for news; everything since the last look at once."""
        await self._full.wait()
        self._full.clear()
        news = News(self._request, list(self._lines), self._ends)
        self._request, self._ends = None, []
        self._lines.clear()
        return news


class Hub:
    """Watchers by request."""

    def __init__(self) -> None:
        self._watches: dict[RequestId, set[Watch]] = {}

    @contextmanager
    def watch(self, request: RequestId) -> Iterator[Watch]:
        """A letter box for one request, as long as the block lasts. Open it before reading the present state."""
        watch = Watch()
        self._watches.setdefault(request, set()).add(watch)
        try:
            yield watch
        finally:
            left = self._watches[request]
            left.discard(watch)
            if not left:
                del self._watches[request]

    def put(self, request: RequestId, news: Notify | NotifyCalls | NotifyLines) -> None:
        """Tell everybody who watches."""
        for watch in self._watches.get(request, ()):
            watch.put(news)
