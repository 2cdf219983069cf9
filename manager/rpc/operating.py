"""What instances ask their ledgers, over one stream a worker: questions in, committed answers out, in any order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import msgspec

from manager.commands import Tell
from manager.doors import Doors
from manager.events import OpAsked, OpsAsked
from plotter2.api.v1 import device_pb2 as pb
from plotter2.datter.ledger import ops
from plotter2.errors import RefusedError, UsageError
from plotter2.ids import RunId, WorkerId
from plotter2.rpc import Context

ASKS_MAX = 10_000
"""In one message."""
BYTES_MAX = 1 << 20
"""Of answers in one message, unless one alone is longer."""


class OperateCalls:
    """ManagerService.Operate."""

    _doors: Doors

    async def Operate(  # noqa: N802 -- gRPC's name
        self, request_iterator: AsyncIterator[pb.OperateRequest], context: Context
    ) -> AsyncIterator[pb.OperateResponse]:
        """Questions of one worker's instances, and their answers, some much later."""
        del context
        first = await anext(aiter(request_iterator), None)
        if first is None or not first.worker_id:
            raise UsageError("The first message of a stream of ops names the worker.")
        worker = WorkerId(first.worker_id)
        with self._doors.hub.operators.line(worker) as line:
            async with asyncio.TaskGroup() as group:
                asking = group.create_task(self._hear_all(first, request_iterator, worker), name=f"asks {worker}")
                try:
                    while told := await line.next():
                        for response in _responses(told):
                            yield response
                finally:
                    asking.cancel()

    async def _hear_all(
        self, first: pb.OperateRequest, more: AsyncIterator[pb.OperateRequest], worker: WorkerId
    ) -> None:
        await self._hear(first, worker)
        async for message in more:
            await self._hear(message, worker)

    async def _hear(self, message: pb.OperateRequest, worker: WorkerId) -> None:
        if len(message.asks) > ASKS_MAX:
            raise UsageError(f"A message has {len(message.asks):,} asks; at most {ASKS_MAX:,} go into one.")
        asked = []
        for one in message.asks:
            try:
                question = ops.unpacked(one.op)
            except RefusedError as wrong:
                answer = ops.Answer(None, wrong.code, wrong.message)
                self._doors.hub.operators.tell(Tell(worker, RunId(one.run_id), one.epoch, one.ask, answer))
                continue
            asked.append(OpAsked(RunId(one.run_id), one.epoch, one.ask, one.seq, question))
        if asked:
            await self._doors.loop.put(OpsAsked(worker, tuple(asked)))


def _responses(told: Sequence[Tell]) -> list[pb.OperateResponse]:
    found = [pb.OperateResponse()]
    size = 0
    for one in told:
        value = msgspec.msgpack.encode(one.answer.value)
        if size and size + len(value) > BYTES_MAX:
            found.append(pb.OperateResponse())
            size = 0
        size += len(value)
        found[-1].told.add(
            run_id=one.run_id,
            epoch=one.epoch,
            ask=one.ask,
            code=one.answer.code,
            message=one.answer.message,
            value=value,
        )
    return found
