"""Who watches which request: news of it, printed lines, ended calls. Nothing here is durable; all of it is committed.

A watcher sees the newest state, never a backlog of old ones; printed lines are bounded, ended calls are all delivered
(their number is bounded by what the stream may have outstanding).
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from manager.commands import CallEnd, Notify, NotifyCalls, NotifyLines, NotifyProgress
from manager.operators import Operators
from plotter2.errors import LimitError
from plotter2.ids import RequestId, RunId
from plotter2.model.request import Request

LINES_MAX = 10_000
WATCHERS_MAX = 10_000
"""Of all requests together: each holds a letter box of up to `LINES_MAX` lines."""
SAID_REQUESTS_MAX = 256
SAID_LINES_MAX = 1_000
SAID_LINE_CHARS_MAX = 1_000
"""What a request's runs printed is kept for those who come late: so many of the newest requests and lines."""
Happening = Notify | NotifyCalls | NotifyLines | NotifyProgress


class Line(NamedTuple):
    """A printed line, and which of its run's attempt it is, from 1 on."""

    run_id: RunId
    text: str
    place: int
    attempt: int


@dataclass(slots=True)
class News:
    """What has happened since the last look."""

    request: Request | None = None
    lines: list[Line] = field(default_factory=list)
    progress: dict[RunId, tuple[float, float]] = field(default_factory=dict)
    ends: list[CallEnd] = field(default_factory=list)


def lines_of(news: NotifyLines) -> list[Line]:
    """Each line with its place."""
    return [Line(news.run_id, text, place, news.attempt) for place, text in enumerate(news.lines, news.first + 1)]


class Watch:
    """One watcher's letter box."""

    def __init__(self) -> None:
        self._request: Request | None = None
        self._lines: deque[Line] = deque(maxlen=LINES_MAX)
        self._progress: dict[RunId, tuple[float, float]] = {}
        self._ends: list[CallEnd] = []
        self._full = asyncio.Event()

    def put(self, news: Happening) -> None:
        """Something happened."""
        match news:
            case Notify():
                self._request = news.request
            case NotifyCalls():
                self._ends.extend(news.ends)
            case NotifyLines():
                self._lines.extend(lines_of(news))
            case NotifyProgress():
                self._progress[news.run_id] = news.done, news.total
        self._full.set()

    async def next(self) -> News:
        """Wait for news; everything since the last look at once."""
        await self._full.wait()
        return self.rest()

    def rest(self) -> News:
        """Everything since the last look, if there is anything."""
        self._full.clear()
        news = News(self._request, list(self._lines), self._progress, self._ends)
        self._request, self._progress, self._ends = None, {}, []
        self._lines.clear()
        return news


class Hub:
    """Watchers by request, and the lines to workers whose instances ask."""

    def __init__(self) -> None:
        self.operators = Operators()
        self._watches: dict[RequestId, set[Watch]] = {}
        self._watchers = 0
        self._said: OrderedDict[RequestId, deque[Line]] = OrderedDict()

    @contextmanager
    def watch(self, request: RequestId) -> Iterator[Watch]:
        """A letter box for one request, as long as the block lasts. Open it before reading the present state.

        Raises:
            LimitError: too many watch already.
        """
        if self._watchers >= WATCHERS_MAX:
            raise LimitError(f"{WATCHERS_MAX} requests are watched already; ask for its state now and then instead.")
        self._watchers += 1
        watch = Watch()
        self._watches.setdefault(request, set()).add(watch)
        try:
            yield watch
        finally:
            self._watchers -= 1
            left = self._watches[request]
            left.discard(watch)
            if not left:
                del self._watches[request]

    def said(self, request: RequestId) -> list[Line]:
        """What the runs of a request have printed so far; the newest lines, as long as they are kept."""
        return list(self._said.get(request, ()))

    def put(self, request: RequestId, news: Happening) -> None:
        """Tell everybody who watches, and keep what is printed for those who come late."""
        if isinstance(news, NotifyLines):
            kept = self._said.setdefault(request, deque(maxlen=SAID_LINES_MAX))
            kept.extend(one._replace(text=one.text[:SAID_LINE_CHARS_MAX]) for one in lines_of(news))
            if len(self._said) > SAID_REQUESTS_MAX:
                self._said.popitem(last=False)
        for watch in self._watches.get(request, ()):
            watch.put(news)
