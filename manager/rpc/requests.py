"""Requests: look, list, watch, cancel."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from manager import authority, waiting
from manager.doors import Doors
from manager.events import RequestCancelled
from manager.hub import News
from manager.rpc import repeats
from plotter2.api.v1 import manager_pb2 as pb
from plotter2.errors import NotFoundError
from plotter2.ids import RequestId, RunId
from plotter2.model import paths
from plotter2.model.request import Child, Request
from plotter2.model.task import TaskRun
from plotter2.rpc import Context
from plotter2.wire import requests as wire

PAGE_DEFAULT = 100
PAGE_MAX = 1000
RUNS_BYTES_MAX = 3 << 20
"""Of the runs in one message, counted in characters, of which each takes up to 4 bytes."""
RUN_BYTES = 300
"""Of a run, or of one of its outputs, without its texts."""
CHILD_TOLD_S = 1e-6
"""After each news of a request, so much time a child is left to other work: what happens meanwhile is told at once."""


def page_of(page: object) -> tuple[int, int]:
    """Offset and limit of a PageRequest, within bounds."""
    offset, limit = int(getattr(page, "offset", 0)), int(getattr(page, "limit", 0))
    return offset, min(limit or PAGE_DEFAULT, PAGE_MAX)


def fitting(runs: Sequence[TaskRun]) -> Sequence[TaskRun]:
    """As many of these, from the first on, as go into one message; at least one."""
    size = 0
    for place, run in enumerate(runs):
        size += RUN_BYTES + len(run.results_json) + len(run.error) + len(run.parameters_json)
        size += RUN_BYTES * len(run.outputs)
        if size > RUNS_BYTES_MAX and place:
            return runs[:place]
    return runs


class RequestCalls:
    """What became of what was asked."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors

    async def GetRequest(self, request: pb.GetRequestRequest, context: Context) -> pb.GetRequestResponse:  # noqa: N802 -- gRPC's name
        """One request with its children and runs."""
        del context
        return pb.GetRequestResponse(request=await self.whole(RequestId(request.request_id), request.first_run))

    async def ListRequests(self, request: pb.ListRequestsRequest, context: Context) -> pb.ListRequestsResponse:  # noqa: N802 -- gRPC's name
        """Newest first."""
        del context
        offset, limit = page_of(request.page)
        page = await self._doors.store.list_requests(offset, limit, request.bundle, request.cause)
        if request.bundle and not page.total:
            self._doors.state.catalog.check_place(paths.bundle_path(request.bundle))
        return pb.ListRequestsResponse(requests=[self._told(one) for one in page.items], total=page.total)

    async def WatchRequest(  # noqa: N802 -- gRPC's name
        self, request: pb.WatchRequestRequest, context: Context
    ) -> AsyncIterator[pb.WatchRequestResponse]:
        """The request now, and at each change until it has ended."""
        del context
        request_id = RequestId(request.request_id)
        with self._doors.hub.watch(request_id) as watch:
            before = News(None, self._doors.hub.said(request_id))  # what comes from now on is in the letter box
            known: dict[int, Child] = {}
            first = await self._news(request_id, before, known, ended=True)
            ended = wire.request_from_proto(first.request).has_ended
            if ended:  # perhaps while it was read, and then its last lines are in the letter box
                first.lines.extend(self._lines(watch.rest()))
            first.progress.extend(self._progress(first.request))
            yield first
            if ended:
                return
            ended = (await self.need(request_id)).has_ended
            if ended:
                # It may have ended between the two reads: the last word is the whole of it.
                yield await self._news(request_id, watch.rest(), known, ended=True)
            while not ended:
                news = await watch.next()
                ended = news.request is not None and news.request.has_ended
                yield await self._news(request_id, news, known, ended=ended)
                if not ended and news.request is not None:  # a request of thousands of children is told less often
                    await asyncio.sleep(len(news.request.children) * CHILD_TOLD_S)

    async def _news(
        self, request_id: RequestId, news: News, known: dict[int, Child], *, ended: bool
    ) -> pb.WatchRequestResponse:
        """What is told; of children that are `known` already only those that are another now."""
        told = pb.WatchRequestResponse(lines=self._lines(news))
        for run, (done, total) in news.progress.items():
            told.progress.add(run_id=run, done=done, total=total)
        if ended:
            told.request.CopyFrom(await self.whole(request_id))
        elif news.request is not None:
            changed = tuple(one for one in news.request.children if known.get(one.index) is not one)
            known.update((one.index, one) for one in changed)
            told.request.CopyFrom(self._told(replace(news.request, children=changed)))
            told.changed.extend(one.index for one in changed)
        return told

    def _lines(self, news: News) -> list[pb.LogLine]:
        now = self._doors.clock.now()
        return [
            pb.LogLine(run_id=one.run_id, at=now, text=one.text, place=one.place, attempt=one.attempt)
            for one in news.lines
        ]

    def _progress(self, request: pb.Request) -> list[pb.RunProgress]:
        """How far the runs of a request are that have said so."""
        known = self._doors.state.progress
        said = ((run.id, known.get(RunId(run.id))) for run in request.runs)
        return [pb.RunProgress(run_id=run, done=one[0], total=one[1]) for run, one in said if one is not None]

    async def CancelRequest(self, request: pb.CancelRequestRequest, context: Context) -> pb.CancelRequestResponse:  # noqa: N802 -- gRPC's name
        """End what a request still has running."""
        del context
        request_id = RequestId(request.request_id)
        await self.need(request_id)
        await self._doors.desk.ask(lambda token: RequestCancelled(token, request_id))
        return pb.CancelRequestResponse(request=await self.whole(request_id))

    async def need(self, request_id: RequestId) -> Request:
        """One request.

        Raises:
            NotFoundError: there is none.
        """
        found = await self._doors.store.get_request(request_id)
        if found is None:
            raise NotFoundError(f"There is no request {request_id!r}; `plotter2 requests` lists them.")
        return found

    async def whole(self, request_id: RequestId, first_run: int = 0) -> pb.Request:
        """One request with its children and runs, as it travels; of very many runs those that fit, from one on."""
        found = await self.need(request_id)
        runs = fitting((await self._doors.store.runs_of(request_id))[first_run:])
        seen = authority.shown(self._doors.state, runs)
        told = wire.request_to_proto(found, seen, await repeats.compared(self._doors, found))
        told.waits_for = waiting.words(self._doors.state, found)
        return told

    def _told(self, request: Request) -> pb.Request:
        """A request without its runs."""
        told = wire.request_to_proto(request)
        told.waits_for = waiting.words(self._doors.state, request)
        return told
