"""Asks and requests: submit, look, list, watch, cancel."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial

from blake3 import blake3

from manager import redo
from manager.doors import Doors
from manager.events import (
    ArchiveAsked,
    AskRefused,
    Event,
    PlannedChild,
    RedoAsked,
    RequestCancelled,
    RunAsked,
    Token,
)
from manager.hub import News
from manager.publisher import INLINE_SOURCE_BYTES_MAX
from plotter2.api.v1 import manager_pb2 as pb
from plotter2.datter.check import check_source
from plotter2.errors import ConflictError, NotFoundError, RefusedError, UsageError
from plotter2.ids import RequestId
from plotter2.model import paths
from plotter2.model.bundle import Contents
from plotter2.model.request import Request, RequestKind
from plotter2.model.task import SOURCE_BYTES_MAX, TaskKind
from plotter2.rpc import Context
from plotter2.wire import requests as wire
from plotter2.wire import tasks as wire_tasks

PAGE_DEFAULT = 100
PAGE_MAX = 1000
PLAN_TRIES_MAX = 5


def page_of(page: object) -> tuple[int, int]:
    """Offset and limit of a PageRequest, within bounds."""
    offset, limit = int(getattr(page, "offset", 0)), int(getattr(page, "limit", 0))
    return offset, min(limit or PAGE_DEFAULT, PAGE_MAX)


def json_object(text: str, what: str) -> str:
    """The text, if it is a JSON object; empty means an empty one.

    Raises:
        UsageError: it is not.
    """
    try:
        value = json.loads(text or "{}")
    except ValueError as wrong:
        raise UsageError(f"The {what} are not JSON: {wrong}.") from None
    if not isinstance(value, dict):
        raise UsageError(f"The {what} must be a JSON object.")
    return text or "{}"


def _with_token(asked: RedoAsked, token: Token) -> Event:
    return replace(asked, token=token)


class RequestCalls:
    """What people ask for."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors

    async def Submit(self, request: pb.SubmitRequest, context: Context) -> pb.SubmitResponse:  # noqa: N802 -- gRPC's name
        """An ask, remembered before it is answered."""
        del context
        doors = self._doors
        if request.client_key:
            known = await doors.store.find_request(request.client_key)
            if known is not None:
                return pb.SubmitResponse(request=await self._whole(known.id))
        ask = request.WhichOneof("ask")
        if ask == "redo":
            made = await self._redo(request)
        elif ask == "run":
            made = await self._asked_run(request)
        elif ask == "archive":
            bundle = paths.bundle_path(request.archive.bundle)
            made = await doors.desk.ask(
                lambda token: ArchiveAsked(
                    token, doors.ids.request(), request.user, bundle, request.archive.archived, request.client_key
                )
            )
        else:
            raise UsageError("The request asks for nothing: set one of run, redo, archive.")
        return pb.SubmitResponse(request=await self._whole(RequestId(str(made))))

    async def _asked_run(self, request: pb.SubmitRequest) -> object:
        """Check a source that came along before anything is made of it; a fault is refused with file and line."""
        make, ask = self._run(request), request.run
        if ask.source:
            kind = wire_tasks.kind_from_proto(ask.kind) if ask.kind else TaskKind.SCRIPT
            try:
                await asyncio.to_thread(check_source, ask.source, ask.filename or ask.task, kind)
            except RefusedError as wrong:
                ask_json = json.dumps({"task": ask.task, "bundle": ask.bundle})
                event = AskRefused(
                    0, self._doors.ids.request(), RequestKind.RUN, request.user, ask.bundle, ask_json, wrong
                )
                return await self._doors.desk.ask(lambda token: replace(event, token=token))
            await self.keep_source(ask.source)
        return await self._doors.desk.ask(make)

    async def keep_source(self, source: str) -> None:
        """A source that is too long for a message is fetched by its digest: put it where that works."""
        raw = source.encode()
        if INLINE_SOURCE_BYTES_MAX < len(raw) <= SOURCE_BYTES_MAX:
            await asyncio.to_thread(self._doors.organizer.put, blake3(raw).digest(), [raw])

    def _run(self, request: pb.SubmitRequest) -> Callable[[Token], Event]:
        doors, ask = self._doors, request.run
        if len(ask.source.encode()) > SOURCE_BYTES_MAX:
            raise UsageError(f"The task's source is longer than {SOURCE_BYTES_MAX} bytes.")
        if not ask.task:
            raise UsageError("The ask names no task.")
        kind = wire_tasks.kind_from_proto(ask.kind) if ask.kind else TaskKind.SCRIPT
        asked = RunAsked(
            0,
            doors.ids.request(),
            request.user,
            ask.task,
            paths.bundle_path(ask.bundle) if ask.bundle else "",
            ask.version,
            ask.source,
            kind,
            ask.filename,
            json_object(ask.parameters_json, "parameters"),
            request.client_key,
        )
        return lambda token: replace(asked, token=token)

    async def _redo(self, request: pb.SubmitRequest) -> object:
        """Plan at the edge, where the store can be asked; again if a new version came in between."""
        bundle = paths.bundle_path(request.redo.bundle)
        request_id = self._doors.ids.request()
        for left in range(PLAN_TRIES_MAX, 0, -1):
            try:
                asked = await self._plan(request, bundle, request_id)
            except RefusedError as wrong:
                return await self._remember_refusal(request, bundle, request_id, wrong)
            try:
                return await self._doors.desk.ask(partial(_with_token, asked))
            except ConflictError:
                if left == 1:
                    raise
        raise AssertionError

    async def _plan(self, request: pb.SubmitRequest, bundle: str, request_id: RequestId) -> RedoAsked:
        ask = request.redo
        axes = [redo.Axis(axis.parameter, tuple(axis.values_json)) for axis in ask.axes]
        contents = await self._contents(bundle)
        children = await self._look_up(redo.plan(contents, axes))
        described = {
            "bundle": bundle,
            "version": contents.bundle.version,
            "set": {axis.parameter: [json.loads(value) for value in axis.values_json] for axis in axes},
            "parallel": max(1, ask.parallel),
            "force": ask.force,
        }
        return RedoAsked(
            0,
            request_id,
            request.user,
            contents,
            children,
            ask.parallel,
            ask.force,
            json.dumps(described),
            request.client_key,
        )

    async def _remember_refusal(
        self, request: pb.SubmitRequest, bundle: str, request_id: RequestId, wrong: RefusedError
    ) -> object:
        """What was refused at the edge is remembered as well; answers by raising the refusal."""
        asked = {axis.parameter: list(axis.values_json) for axis in request.redo.axes}
        ask_json = json.dumps({"bundle": bundle, "set": asked})
        event = AskRefused(0, request_id, RequestKind.REDO, request.user, bundle, ask_json, wrong)
        return await self._doors.desk.ask(lambda token: replace(event, token=token))

    async def _contents(self, bundle: str) -> Contents:
        newest = await self._doors.store.get_bundle(bundle)
        if newest is None:
            self._doors.state.catalog.need(bundle)  # its message names those nearby
            raise NotFoundError(f"There is no bundle {bundle!r}.")
        return Contents(newest, await self._doors.store.files_of(bundle, newest.version))

    async def _look_up(self, children: tuple[PlannedChild, ...]) -> tuple[PlannedChild, ...]:
        found = []
        for child in children:
            existing = await self._doors.store.find_run_key(child.run_key)
            found.append(PlannedChild(child.bundle, child.parameters_json, child.run_key, existing))
        return tuple(found)

    async def GetRequest(self, request: pb.GetRequestRequest, context: Context) -> pb.GetRequestResponse:  # noqa: N802 -- gRPC's name
        """One request with its children and runs."""
        del context
        return pb.GetRequestResponse(request=await self._whole(RequestId(request.request_id)))

    async def ListRequests(self, request: pb.ListRequestsRequest, context: Context) -> pb.ListRequestsResponse:  # noqa: N802 -- gRPC's name
        """Newest first."""
        del context
        offset, limit = page_of(request.page)
        page = await self._doors.store.list_requests(offset, limit, request.bundle, request.cause)
        return pb.ListRequestsResponse(requests=[wire.request_to_proto(one) for one in page.items], total=page.total)

    async def WatchRequest(  # noqa: N802 -- gRPC's name
        self, request: pb.WatchRequestRequest, context: Context
    ) -> AsyncIterator[pb.WatchRequestResponse]:
        """The request now, and at each change until it has ended."""
        del context
        request_id = RequestId(request.request_id)
        with self._doors.hub.watch(request_id) as watch:
            whole = await self._whole(request_id)
            yield pb.WatchRequestResponse(request=whole)
            ended = (await self._need(request_id)).has_ended
            if ended:
                # It may have ended between the two reads: the last word is the whole of it.
                yield pb.WatchRequestResponse(request=await self._whole(request_id))
            while not ended:
                news = await watch.next()
                ended = news.request is not None and news.request.has_ended
                yield await self._news(request_id, news, ended=ended)

    async def _news(self, request_id: RequestId, news: News, *, ended: bool) -> pb.WatchRequestResponse:
        now = self._doors.clock.now()
        lines = [pb.LogLine(run_id=run, at=now, text=line) for run, line in news.lines]
        if ended:
            return pb.WatchRequestResponse(request=await self._whole(request_id), lines=lines)
        if news.request is None:
            return pb.WatchRequestResponse(lines=lines)
        return pb.WatchRequestResponse(request=wire.request_to_proto(news.request), lines=lines)

    async def CancelRequest(self, request: pb.CancelRequestRequest, context: Context) -> pb.CancelRequestResponse:  # noqa: N802 -- gRPC's name
        """End what a request still has running."""
        del context
        request_id = RequestId(request.request_id)
        await self._need(request_id)
        await self._doors.desk.ask(lambda token: RequestCancelled(token, request_id))
        return pb.CancelRequestResponse(request=await self._whole(request_id))

    async def _need(self, request_id: RequestId) -> Request:
        found = await self._doors.store.get_request(request_id)
        if found is None:
            raise NotFoundError(f"There is no request {request_id!r}.")
        return found

    async def _whole(self, request_id: RequestId) -> pb.Request:
        found = await self._need(request_id)
        runs = await self._doors.store.runs_of(request_id)
        return wire.request_to_proto(found, runs)
