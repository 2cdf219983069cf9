"""Many small runs of one definition over one stream: calls in, committed results out, in any order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from blake3 import blake3

from manager.asks import calls_task_id, key_taken
from manager.doors import Doors
from manager.events import CallsAdded, CallsClosed, CallsOpened
from manager.hub import Watch
from manager.rpc.asking import json_object
from plotter2.api.v1 import manager_pb2 as pb
from plotter2.errors import RefusedError, UsageError
from plotter2.ids import RequestId
from plotter2.model import ask, paths
from plotter2.model.automatic import is_automatic
from plotter2.model.task import SOURCE_BYTES_MAX, RunState, Task, TaskKind
from plotter2.rpc import Context
from plotter2.wire import tasks as wire

OUTSTANDING_CALLS_MAX = 20_000
"""More than so many calls without a result make the stream wait: nothing piles up on either side."""


class _Count:
    """Calls asked and answered on one stream."""

    def __init__(self) -> None:
        self.asked = 0
        self.answered = 0
        self.is_complete = False
        self.moved = asyncio.Event()


class StreamCalls:
    """ManagerService.Call."""

    _doors: Doors
    keep_source: Callable[[str], Awaitable[None]]

    async def Call(  # noqa: N802 -- gRPC's name
        self, request_iterator: AsyncIterator[pb.CallRequest], context: Context
    ) -> AsyncIterator[pb.CallResponse]:
        """Begin, then batches of parameters; results as they are committed."""
        del context
        first = await anext(aiter(request_iterator), None)
        if first is None or first.WhichOneof("step") != "begin":
            raise UsageError("The first message of a stream of calls must be 'begin'.")
        key = ask.check_key(first.begin.client_key)
        if is_automatic(first.begin.user):
            raise RefusedError(
                f"{first.begin.user!r} is an automatic user: it asks by Submit, with a scope and a reason."
            )
        known = await self._doors.store.find_request(key) if key else None
        if known is not None:
            raise key_taken(key, known.id)
        request_id = self._doors.ids.request()
        task = self._task(first.begin, request_id)
        await self.keep_source(task.source)
        with self._doors.hub.watch(request_id) as watch:
            await self._doors.desk.ask(lambda token: CallsOpened(token, request_id, first.begin.user, task, key))
            yield pb.CallResponse(request_id=request_id)
            count = _Count()
            async with asyncio.TaskGroup() as group:
                feeding = group.create_task(self._feed(request_iterator, request_id, count), name="calls.feed")
                try:
                    async for answer in _answers(watch, count):
                        yield answer
                finally:
                    feeding.cancel()
                    await self._doors.loop.put(CallsClosed(request_id))

    def _task(self, begin: pb.CallBegin, request_id: RequestId) -> Task:
        raw = begin.source.encode()
        if not raw or len(raw) > SOURCE_BYTES_MAX:
            raise UsageError(f"A stream of calls needs a source of 1 to {SOURCE_BYTES_MAX} bytes.")
        return Task(
            calls_task_id(request_id),
            begin.name or "call",
            wire.kind_from_proto(begin.kind) if begin.kind else TaskKind.SCRIPT,
            begin.source,
            blake3(raw).digest(),
            begin.filename,
            paths.bundle_path(begin.bundle) if begin.bundle else "",
            wire.limits_from_proto(begin.limits).checked(),
            self._doors.clock.now(),
        )

    async def _feed(self, incoming: AsyncIterator[pb.CallRequest], request_id: RequestId, count: _Count) -> None:
        async for message in incoming:
            batch = tuple(json_object(text, "parameters of a call") for text in message.batch.parameters_json)
            while count.asked - count.answered + len(batch) > OUTSTANDING_CALLS_MAX and count.asked > count.answered:
                count.moved.clear()
                await count.moved.wait()
            await self._doors.loop.put(CallsAdded(request_id, count.asked, batch))
            count.asked += len(batch)
        count.is_complete = True
        await self._doors.loop.put(CallsClosed(request_id))


async def _answers(watch: Watch, count: _Count) -> AsyncIterator[pb.CallResponse]:
    while True:
        news = await watch.next()
        if news.ends:
            count.answered += len(news.ends)
            count.moved.set()
            yield pb.CallResponse(
                results=[
                    pb.CallResult(
                        index=end.index,
                        state=wire.run_state_to_proto(RunState(end.state)),
                        results_json=end.results_json,
                        error=end.error,
                    )
                    for end in news.ends
                ]
            )
        if news.request is not None and news.request.has_ended:
            return
