"""What all verbs need: the way to the manager, a request sent and waited for, a list read page by page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from plotter2 import rpc
from plotter2.api.v1 import common_pb2, manager_pb2
from plotter2.client import asks
from plotter2.client.calls import CallPool
from plotter2.client.link import Link, Patience
from plotter2.client.views import Page, Request
from plotter2.clock import Clock, IdSource
from plotter2.errors import UnreachableError

T = TypeVar("T")
OnChange = Callable[[Request, list[str]], None]
OnProgress = Callable[[int, int], None]

PAGE = 1000


class Core:
    """A connected client without its verbs."""

    def __init__(self, link: Link, pool: CallPool, clock: Clock, ids: IdSource, user: str) -> None:
        self._link = link
        self._pool = pool
        self._clock = clock
        self._ids = ids
        self._user = user

    async def request(self, request_id: str) -> Request:
        """One request as it stands."""
        message = manager_pb2.GetRequestRequest(request_id=request_id)
        answer = await self._link.ask(lambda stub: stub.GetRequest(message, timeout=asks.TIMEOUT_S))
        return await self._with_all(asks.request_of(answer.request))

    async def _with_all(self, found: Request) -> Request:
        """The request with those of its runs too that did not fit into one message."""
        while found.runs and len(found.runs) < found.total:
            message = manager_pb2.GetRequestRequest(request_id=found.id, first_run=len(found.runs))
            answer = await self._more(message)
            more = asks.request_of(answer.request).runs
            if not more:
                break
            found = replace(found, runs=(*found.runs, *more))
        return found

    async def _more(self, message: manager_pb2.GetRequestRequest) -> manager_pb2.GetRequestResponse:
        return await self._link.ask(lambda stub: stub.GetRequest(message, timeout=asks.TIMEOUT_S))

    async def wait(self, request_id: str, *, on_change: OnChange | None = None) -> Request:
        """The request when it has ended."""
        return await self._followed(await self.request(request_id), on_change)

    async def _followed(self, found: Request, on_change: OnChange | None) -> Request:
        patience = Patience(self._clock)
        message = manager_pb2.WatchRequestRequest(request_id=found.id)
        seen: dict[tuple[str, int], int] = {}
        while True:
            try:
                with rpc.errors():
                    async for news in self._link.stub.WatchRequest(message):
                        self._link.heard()
                        patience.renew()
                        if news.HasField("request"):
                            found = asks.told(found, news)
                        told = {one.run_id: (one.done, one.total) for one in news.progress}
                        if told:
                            found = replace(found, progress={**found.progress, **told})
                        if on_change is not None:
                            on_change(found, asks.fresh(news.lines, seen))
                        if found.has_ended:
                            return await self._with_all(found)
            except UnreachableError as gone:
                await self._link.again(patience, gone)

    async def _submit(
        self, message: manager_pb2.SubmitRequest, *, wait: bool, key: str = "", on_change: OnChange | None = None
    ) -> Request:
        message.client_key = key or self._ids.uuid()
        message.user = self._user
        answer = await self._link.ask(lambda stub: stub.Submit(message, timeout=asks.TIMEOUT_S))
        request = asks.accepted(asks.request_of(answer.request))
        if wait and not request.has_ended:
            return await self._followed(request, on_change)
        return request


async def everything(
    page: Callable[[common_pb2.PageRequest], Awaitable[tuple[list[T], int]]], limit: int = 0
) -> Page[T]:
    """All items of a list, or the first `limit`, asked for page by page."""
    found: list[T] = []
    while True:
        want = min(PAGE, limit - len(found)) if limit else PAGE
        items, total = await page(common_pb2.PageRequest(offset=len(found), limit=want))
        found += items
        if not items or len(found) >= total or (limit and len(found) >= limit):
            return Page(tuple(found), total)
