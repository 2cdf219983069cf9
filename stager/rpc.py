"""StagerRpc: chunked upload with resume by offset, and how deliveries stand.

A stream is Begin, Chunks, Seal. What lies on this machine is fetched instead of sent. While one batch of pieces is
being written in a thread, the next one is taken from the line.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import grpc
from typing_extensions import override

from plotter2 import ids
from plotter2.api.v1 import stager_pb2 as pb
from plotter2.api.v1 import stager_pb2_grpc
from plotter2.errors import BY_CODE, ConflictError, NotFoundError, Plotter2Error, RefusedError, UsageError
from plotter2.host import boot_id
from plotter2.ids import DeliveryId
from plotter2.model.delivery import Order, examined
from plotter2.model.manifest import Manifest
from plotter2.rpc import Context, RpcServer
from stager.deliveries import Receipt, Refusal, declared, other_content
from stager.fetcher import Fetcher
from stager.frames import Chunk, Piece, decode
from stager.inspection import completed
from stager.keeper import Keeper
from stager.receiver import Receiver
from stager.wire import order_from_proto, receipt_to_proto

SERVICE_NAME = pb.DESCRIPTOR.services_by_name["StagerService"].full_name
PROGRESS_BYTES = 16 << 20
PROGRESS_PARTS = 256
"""At most so many progress messages a delivery: a sender that never reads them must not block us."""
AHEAD_MESSAGES_MAX = 4
"""So much is taken from the line while a batch is being written, and no more: a slow disk slows the sender down."""
WAIT_S_MAX = 300.0

Message = Chunk | pb.UploadRequest
Held = Callable[[Order], Awaitable[frozenset[int]]]


@dataclass(frozen=True, slots=True)
class Stream:
    """One upload after its Begin: what is to come, where it lies if that is here, and what comes over the line."""

    order: Order
    paper: Manifest
    source: Path | None
    requests: AsyncIterator[Message]


class StagerRpc(stager_pb2_grpc.StagerServiceServicer):
    """The service; everything it decides, the keeper's machine decides."""

    def __init__(self, keeper: Keeper, held: Held, quota_bytes: int, count: Callable[[int], None]) -> None:
        self._keeper = keeper
        self._held = held
        self._quota_bytes = quota_bytes
        self._count = count

    @override
    async def Upload(
        self, request_iterator: AsyncIterator[Message], context: Context
    ) -> AsyncIterator[pb.UploadResponse]:
        """One delivery in."""
        del context
        first = await anext(aiter(request_iterator), None)
        if not isinstance(first, pb.UploadRequest) or first.WhichOneof("step") != "begin":
            raise UsageError("An upload begins with Begin.")
        order, paper = await asyncio.to_thread(lambda: examined(order_from_proto(first.begin)))
        stream = Stream(order, paper, _source(first.begin), request_iterator)
        outcome = await self._keeper.outcome(order.delivery_id)
        known = outcome.declared if outcome is not None else b""
        if known and declared(order) not in {known, b""}:
            raise other_content(order.delivery_id)
        held = frozenset[int]() if outcome or self._keeper.find(order.delivery_id) else await self._held(order)
        if await self._keeper.outcome(order.delivery_id) is None:
            async for answer in self._receive(stream, held):
                yield answer
        else:
            yield pb.UploadResponse(resume=pb.UploadResume(sealed=True))
        yield pb.UploadResponse(sealed=pb.UploadSealed(delivery_id=order.delivery_id, warnings=paper.warnings))
        if first.begin.wait:
            outcome = await self._keeper.ended(order.delivery_id)
            if isinstance(outcome, Refusal):
                _raise(outcome)
            yield pb.UploadResponse(confirmed=receipt_to_proto(outcome))

    async def _receive(self, stream: Stream, held: frozenset[int]) -> AsyncIterator[pb.UploadResponse]:
        order = stream.order
        async with self._keeper.receiving(order, held) as receiver:
            if receiver is None:
                yield pb.UploadResponse(resume=pb.UploadResume(sealed=True))
                return
            token, offsets = await asyncio.to_thread(receiver.take)
            try:
                if stream.source is not None:
                    fetcher = Fetcher(receiver, token, order, stream.source)
                    async for done_bytes in self._fetch(fetcher, sum(offsets), order.size_bytes):
                        yield _progress(done_bytes)
                    offsets = await asyncio.to_thread(receiver.offsets, token)
                yield pb.UploadResponse(resume=pb.UploadResume(offsets=offsets))
                intake = Intake(receiver, token, sum(offsets), order.size_bytes, self._count)
                async with self._spoiled_by(UsageError, order):
                    async for received_bytes in intake.run(stream.requests):
                        yield _progress(received_bytes)
                if not intake.is_sealed:
                    raise UsageError("The upload ended without Seal; what has come so far is kept for a while.")
                async with self._spoiled_by(RefusedError, order):
                    complete = await asyncio.to_thread(completed, receiver, token, intake.digests, stream.paper)
                await self._keeper.seal(complete)
            finally:
                await asyncio.to_thread(receiver.close, token)

    @asynccontextmanager
    async def _spoiled_by(self, kind: type[Plotter2Error], order: Order) -> AsyncIterator[None]:
        """What proves that this delivery will never be whole leaves nothing of it here."""
        try:
            yield
        except kind as wrong:
            if not wrong.retry and not isinstance(wrong, ConflictError):  # another stream may go on with it
                await self._keeper.spoil(order.delivery_id)
            raise

    async def _fetch(self, fetcher: Fetcher, done_bytes: int, size_bytes: int) -> AsyncIterator[int]:
        """Take what lies on this machine; gives how much is there, now and then."""
        said_bytes, steps = done_bytes, fetcher.steps()
        while (step_bytes := await asyncio.to_thread(next, steps, None)) is not None:
            done_bytes += step_bytes
            self._count(step_bytes)
            if done_bytes - said_bytes >= _progress_bytes(size_bytes):
                said_bytes = done_bytes
                yield said_bytes

    @override
    async def GetDelivery(self, request: pb.GetDeliveryRequest, context: Context) -> pb.GetDeliveryResponse:
        """How a delivery stands; waits for its end as long as asked."""
        del context
        delivery_id = DeliveryId(ids.check("dlv", request.delivery_id))
        outcome = await self._keeper.outcome(delivery_id)
        if outcome is None and request.wait_s > 0 and self._keeper.find(delivery_id):
            try:
                async with asyncio.timeout(min(request.wait_s, WAIT_S_MAX)):
                    outcome = await self._keeper.ended(delivery_id)
            except TimeoutError:
                pass  # the answer says that it still waits
        answer = pb.GetDeliveryResponse(delivery_id=delivery_id)
        match outcome:
            case Receipt():
                answer.state = pb.DELIVERY_STATE_CONFIRMED
                answer.confirmed.CopyFrom(receipt_to_proto(outcome))
            case Refusal():
                answer.state = pb.DELIVERY_STATE_REFUSED
                answer.reason, answer.reason_code = outcome.reason, outcome.code
            case None:
                answer.state = self._open_state(delivery_id)
        return answer

    def _open_state(self, delivery_id: DeliveryId) -> pb.DeliveryState.ValueType:
        delivery = self._keeper.find(delivery_id)
        if delivery is None:
            raise NotFoundError(f"There is no delivery {delivery_id} at this stager.")
        return pb.DeliveryState.ValueType(int(delivery.state))

    @override
    async def GetBacklog(self, request: pb.GetBacklogRequest, context: Context) -> pb.GetBacklogResponse:
        """Counts and bytes of what waits."""
        del request, context
        left = self._keeper.backlog()
        return pb.GetBacklogResponse(
            receiving=left.receiving, sealed=left.sealed, size_bytes=left.size_bytes, quota_bytes=self._quota_bytes
        )


def add(servicer: StagerRpc, server: RpcServer) -> None:
    """Serve it, as the generated function would, save that the messages of uploads are read by `frames`."""
    handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
        "Upload": grpc.stream_stream_rpc_method_handler(
            servicer.Upload, request_deserializer=decode, response_serializer=pb.UploadResponse.SerializeToString
        ),
        "GetDelivery": grpc.unary_unary_rpc_method_handler(
            servicer.GetDelivery,
            request_deserializer=pb.GetDeliveryRequest.FromString,
            response_serializer=pb.GetDeliveryResponse.SerializeToString,
        ),
        "GetBacklog": grpc.unary_unary_rpc_method_handler(
            servicer.GetBacklog,
            request_deserializer=pb.GetBacklogRequest.FromString,
            response_serializer=pb.GetBacklogResponse.SerializeToString,
        ),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE_NAME, handlers),))


class Intake:
    """The chunks of one stream: one batch is written while the next is taken from the line."""

    def __init__(
        self, receiver: Receiver, token: int, received_bytes: int, size_bytes: int, count: Callable[[int], None]
    ) -> None:
        self._receiver = receiver
        self._token = token
        self._received_bytes = received_bytes
        self._step_bytes = _progress_bytes(size_bytes)
        self._count = count
        self._writing: asyncio.Future[None] | None = None
        self._ahead: list[Piece] = []
        self._ahead_messages = 0
        self.digests: list[bytes] = []
        self.is_sealed = False

    async def run(self, requests: AsyncIterator[Message]) -> AsyncIterator[int]:
        """Take everything up to Seal, or the end of the stream; gives how much is written, now and then.

        Raises:
            UsageError: a piece that does not fit, or the stream begins again.
        """
        said_bytes = self._received_bytes
        try:
            async for message in requests:
                if not isinstance(message, Chunk):
                    await self._write_all()
                    self.digests, self.is_sealed = _sealing(message), True
                    return
                self._ahead += message.pieces
                self._ahead_messages += 1
                if self._writing is None or self._writing.done():
                    await self._written()
                    self._writing = asyncio.ensure_future(self._write_ahead())
                elif self._ahead_messages >= AHEAD_MESSAGES_MAX:
                    await self._written()
                if self._received_bytes - said_bytes >= self._step_bytes:
                    said_bytes = self._received_bytes
                    yield said_bytes
            await self._write_all()
        finally:
            if self._writing is not None:  # the stream broke: what is being written ends before the file is closed
                await asyncio.wait([self._writing])
                self._writing.exception()

    async def _write_ahead(self) -> None:
        """Write what has come until nothing waits: also when the sender pauses, nothing lies about in memory."""
        loop = asyncio.get_running_loop()
        while self._ahead:
            pieces, self._ahead, self._ahead_messages = self._ahead, [], 0
            size_bytes = await loop.run_in_executor(None, self._receiver.write, self._token, pieces)
            self._received_bytes += size_bytes
            self._count(size_bytes)

    async def _write_all(self) -> None:
        await self._written()
        await self._write_ahead()

    async def _written(self) -> None:
        if self._writing is not None:
            writing, self._writing = self._writing, None
            await writing


def _source(begin: pb.UploadBegin) -> Path | None:
    """Where the sender's files lie, if that is a directory of this machine."""
    source = Path(begin.source)
    return source if begin.source and source.is_absolute() and begin.machine == boot_id() != "" else None


def _progress_bytes(size_bytes: int) -> int:
    return max(PROGRESS_BYTES, size_bytes // PROGRESS_PARTS)


def _progress(received_bytes: int) -> pb.UploadResponse:
    return pb.UploadResponse(progress=pb.UploadProgress(received_bytes=received_bytes))


def _sealing(message: pb.UploadRequest) -> list[bytes]:
    if message.WhichOneof("step") != "seal":
        raise UsageError("After Begin come Chunks and Seal.")
    return list(message.seal.digests)


def _raise(refusal: Refusal) -> NoReturn:
    raise BY_CODE.get(refusal.code, RefusedError)(refusal.reason)
