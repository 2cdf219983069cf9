"""The line to the manager for bulk data: found, kept, found again after it has moved. Asks; decides nothing.

The channel's methods come from the generated stub; grpc itself is `plotter2.rpc`'s.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

from plotter2 import discovery, rpc, telemetry
from plotter2.api.v1 import manager_pb2
from plotter2.api.v1.manager_pb2_grpc import ManagerServiceStub
from plotter2.errors import UnreachableError
from plotter2.wire.bundles import put_together

if TYPE_CHECKING:
    from plotter2.api.v1.manager_pb2_grpc import ManagerServiceAsyncStub as Stub

T = TypeVar("T")

ASK_TIMEOUT_S = 30.0
PAUSE_S_MIN = 0.1
PAUSE_S_MAX = 2.0
CHUNK_BYTES = 1 << 20
ASKED_MAX = 10_000
"""Digests in one question."""

_log = telemetry.logger("bulk")


class BulkLine:
    """One channel to the manager, opened when it is first needed."""

    def __init__(self, home: Path, configured: str, installation: Callable[[], str]) -> None:
        self._home = home
        self._configured = configured
        self._installation = installation
        self._heard = ""
        self._bound = ""
        self._stub: Stub | None = None
        self._stack = AsyncExitStack()
        self._lock = asyncio.Lock()
        self._is_shared: bool | None = None

    @classmethod
    @asynccontextmanager
    async def open(cls, home: Path, configured: str, installation: Callable[[], str]) -> AsyncIterator[Self]:
        """A line for the length of a block.

        Args:
            home: where the manager is looked for when nobody says where it is.
            configured: its address, when a setting says it.
            installation: reads which installation this worker's files belong to; "" for none.
        """
        line = cls(home, configured, installation)
        try:
            yield line
        finally:
            await line._stack.aclose()

    def hear(self, address: str) -> None:
        """The manager says where it is; a setting says more."""
        self._heard = address

    async def until_answered(self, ask: Callable[[Stub], Awaitable[T]]) -> T:
        """One call, again and again until somebody answers it: a manager that is away comes back.

        Raises:
            Plotter2Error: what it answered instead.
        """
        pause_s = PAUSE_S_MIN
        while True:
            try:
                stub = await self._open()
                with rpc.errors(self._bound):
                    return await ask(stub)
            except UnreachableError as away:
                _log.info("manager.away", why=away.message, pause_s=pause_s)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, PAUSE_S_MAX)

    async def is_shared(self) -> bool:
        """Whether the manager sees the same files as this worker."""
        if self._is_shared is None:
            status = await self.until_answered(
                lambda stub: stub.GetStatus(manager_pb2.GetStatusRequest(), timeout=ASK_TIMEOUT_S)
            )
            # Read only now: the manager writes it when it first starts, maybe after this worker has.
            here = await asyncio.to_thread(self._installation)
            self._is_shared = bool(here) and status.installation == here
        return self._is_shared

    async def bundle(
        self, path: str, version: int, *, task: tuple[str, int] | None = None, request: str = ""
    ) -> manager_pb2.GetBundleResponse:
        """A bundle version with its files; version 0 is the newest.

        Args:
            path: the bundle.
            version: which one.
            task: who declares the task that runs on it, bundle and version; then everything below the bundle comes
                too, and what the task can call. None: nobody runs on it.
            request: for which one it runs; below the bundle is what was there when that was asked, and what is newest
                or linked is what somebody found who looked for that request before.

        Raises:
            NotFoundError: there is none.
        """
        message = manager_pb2.GetBundleRequest(
            bundle=path, version=version, with_files=True, with_descendants=task is not None, pinned_by=request,
            with_ways=task is not None,
        )  # fmt: skip
        if task is not None:
            message.task_bundle, message.task_version = task

        async def ask(stub: Stub) -> manager_pb2.GetBundleResponse:
            asked = manager_pb2.ReadBundleRequest(bundle=message)
            return put_together([one.part async for one in stub.ReadBundle(asked)])

        return await self.until_answered(ask)

    async def fetch(self, digest: bytes, take: Callable[[int, bytes], None]) -> None:
        """Content by digest; `take` is given offset and data, from 0 again when the line broke.

        Raises:
            NotFoundError: the manager has no such content.
        """

        async def ask(stub: Stub) -> None:
            offset = 0
            async for part in stub.FetchBlob(manager_pb2.FetchBlobRequest(digest=digest)):
                take(offset, part.data)
                offset += len(part.data)

        await self.until_answered(ask)

    async def missing(self, digests: Sequence[bytes]) -> list[bytes]:
        """Which of these contents the manager does not have."""
        found: list[bytes] = []
        for first in range(0, len(digests), ASKED_MAX):
            part = digests[first : first + ASKED_MAX]
            request = manager_pb2.HaveBlobsRequest(digests=part)
            answer = await self.until_answered(partial(_have, request))
            found += [digest for digest, have in zip(part, answer.have, strict=True) if not have]
        return found

    async def put(self, digest: bytes, path: Path) -> None:
        """Bring a file's content to the manager.

        Raises:
            AlteredError: the file is not what the digest says.
        """

        async def ask(stub: Stub) -> None:
            await stub.PutBlob(_chunks(digest, path))

        await self.until_answered(ask)

    async def _open(self) -> Stub:
        async with self._lock:
            wanted = self._configured or self._heard or discovery.address_of(self._home, "manager")
            if self._stub is None or wanted != self._bound:
                # The old channel stays until the end: closing it would cancel whoever still waits on it.
                channel = await self._stack.enter_async_context(rpc.connect(wanted))
                self._stub, self._bound = ManagerServiceStub(channel), wanted
            return self._stub


async def _have(request: manager_pb2.HaveBlobsRequest, stub: Stub) -> manager_pb2.HaveBlobsResponse:
    return await stub.HaveBlobs(request, timeout=ASK_TIMEOUT_S)


async def _chunks(digest: bytes, path: Path) -> AsyncIterator[manager_pb2.PutBlobRequest]:
    size = (await asyncio.to_thread(path.stat)).st_size
    yield manager_pb2.PutBlobRequest(begin=manager_pb2.PutBlobBegin(digest=digest, size_bytes=size))
    with await asyncio.to_thread(path.open, "rb") as file:
        while data := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield manager_pb2.PutBlobRequest(data=data)
