"""Deliveries to the manager, at least once, until it says that it has them, or that it does not want them.

Where manager and stager read the same installation file they share a file system and only names travel; else content
goes first, what is missing of it. Refuses to give up: an unreachable manager is asked again, for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from plotter2 import rpc, telemetry
from plotter2.api.v1 import manager_pb2
from plotter2.api.v1.manager_pb2_grpc import ManagerServiceStub
from plotter2.errors import Plotter2Error, RefusedError, UnreachableError
from plotter2.model.delivery import Order
from stager.deliveries import Delivery, Receipt, Refusal
from stager.keeper import Keeper
from stager.spool import Spool
from stager.wire import delivery_to_proto, receipt_from_proto

if TYPE_CHECKING:
    from plotter2.api.v1.manager_pb2_grpc import ManagerServiceAsyncStub as Stub

PAUSE_S_MIN = 0.05
PAUSE_S_MAX = 1.0
FAILED_PAUSE_S_MAX = 30.0
HAVE_TIMEOUT_S = 2.0
HAVE_DIGESTS_MAX = 50_000
ASK_TIMEOUT_S = 10.0
DELIVER_TIMEOUT_S = 600.0
PUT_BYTES = 1 << 20

_log = telemetry.logger("forwarder")


class Line:
    """The line to the manager; opened anew after a loss, perhaps to another address."""

    def __init__(self, find: Callable[[], str], installation: Path) -> None:
        self._find = find
        self._installation = installation
        self._stack = AsyncExitStack()
        self._address = ""
        self._stub: Stub | None = None

    @classmethod
    @asynccontextmanager
    async def open(cls, find: Callable[[], str], installation: Path) -> AsyncIterator[Line]:
        """A line that is closed at the end of the block; `find` says where the manager is now."""
        line = cls(find, installation)
        try:
            yield line
        finally:
            await line._stack.aclose()

    async def stub(self) -> Stub:
        """The manager's methods.

        Raises:
            UnreachableError: nobody knows where it is.
        """
        address = await asyncio.to_thread(self._find)
        if self._stub is None or address != self._address:
            before = self._stack.pop_all()
            self._stub = ManagerServiceStub(await self._stack.enter_async_context(rpc.connect(address)))
            self._address = address
            await before.aclose()
        return self._stub

    def installation(self) -> str:
        """Our reading of the installation file; "" where there is none."""
        try:
            return self._installation.read_text().strip()
        except OSError:
            return ""

    async def held(self, order: Order) -> frozenset[int]:
        """Which files of a delivery the manager has already; none where it does not answer at once."""
        asked = [index for index, entry in enumerate(order.files) if entry.digest and entry.size_bytes]
        found: set[int] = set()
        try:
            stub = await self.stub()
            for start in range(0, len(asked), HAVE_DIGESTS_MAX):
                part = asked[start : start + HAVE_DIGESTS_MAX]
                request = manager_pb2.HaveBlobsRequest(digests=[order.files[index].digest for index in part])
                with rpc.errors():
                    answer = await stub.HaveBlobs(request, timeout=HAVE_TIMEOUT_S)
                found.update(index for index, have in zip(part, answer.have, strict=True) if have)
        except (Plotter2Error, ValueError) as wrong:
            _log.debug("have.unanswered", why=str(wrong))
            return frozenset()
        return frozenset(found)


class Forwarder:
    """Takes from the keeper what shall go to the manager, as many at a time as the machine lets out."""

    def __init__(self, line: Line, keeper: Keeper, spool: Spool) -> None:
        self._line = line
        self._keeper = keeper
        self._spool = spool

    async def run(self) -> None:
        """Forward until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                delivery = await self._keeper.to_forward.get()
                group.create_task(self._until_ended(delivery), name=f"forward {delivery.id}")

    async def _until_ended(self, delivery: Delivery) -> None:
        pause_s = PAUSE_S_MIN
        while True:
            try:
                await self._once(delivery)
            except UnreachableError as gone:
                _log.debug("manager.away", delivery=delivery.id, why=gone.message)
                pause_s = min(pause_s * 2, PAUSE_S_MAX)
            except (Plotter2Error, OSError) as wrong:
                _log.warning("forward.failed", delivery=delivery.id, why=str(wrong))
                pause_s = min(pause_s * 2, FAILED_PAUSE_S_MAX)
            else:
                return
            await asyncio.sleep(pause_s)

    async def _once(self, delivery: Delivery) -> None:
        try:
            receipt = await self._deliver(delivery)
        except RefusedError as refused:
            if refused.retry:
                raise
            await self._keeper.refuse(delivery.id, Refusal(refused.code, refused.message))
        else:
            await self._keeper.confirm(delivery.id, receipt)

    async def _deliver(self, delivery: Delivery) -> Receipt:
        stub = await self._line.stub()
        installation = await asyncio.to_thread(self._line.installation)
        with rpc.errors():
            status = await stub.GetStatus(manager_pb2.GetStatusRequest(), timeout=ASK_TIMEOUT_S)
            is_shared = bool(installation) and status.installation == installation
            if not is_shared:
                await self._put_missing(stub, delivery)
            path = str(self._spool.directory(delivery.id)) if is_shared else ""
            request = delivery_to_proto(delivery, path, installation)
            return receipt_from_proto(await stub.Deliver(request, timeout=DELIVER_TIMEOUT_S))

    async def _put_missing(self, stub: Stub, delivery: Delivery) -> None:
        have = await self._line.held(delivery.order)
        for index in range(len(delivery.order.files)):
            if index not in have and index not in delivery.held:
                await stub.PutBlob(self._pieces(delivery, index))

    async def _pieces(self, delivery: Delivery, index: int) -> AsyncIterator[manager_pb2.PutBlobRequest]:
        entry = delivery.order.files[index]
        begin = manager_pb2.PutBlobBegin(digest=entry.digest, size_bytes=entry.size_bytes)
        yield manager_pb2.PutBlobRequest(begin=begin)
        with (self._spool.directory(delivery.id) / str(index)).open("rb") as file:
            while data := await asyncio.to_thread(file.read, PUT_BYTES):
                yield manager_pb2.PutBlobRequest(data=data)
