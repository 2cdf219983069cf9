"""The line to the manager: finds it, keeps one channel, and finds it again after it was restarted elsewhere.

Every ask may be repeated (reads change nothing, writes carry a key), so an unreachable manager is waited for while the
installation's watchdog lives: it will bring the manager back. Nobody there at all is said at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

import psutil

from plotter2 import discovery, rpc
from plotter2.api.v1.manager_pb2_grpc import ManagerServiceStub
from plotter2.clock import Clock
from plotter2.errors import UnreachableError

if TYPE_CHECKING:
    from plotter2.api.v1.manager_pb2_grpc import ManagerServiceAsyncStub as Stub

T = TypeVar("T")

PATIENCE_S = 30.0
RESTART_S = 10.0
"""How long nobody at all may be there before it is taken for a clean stop."""
PAUSE_S = 0.1
PAUSE_S_MAX = 1.0
ASK_TIMEOUT_S = 60.0


class Link:
    """A line to one manager, as an async context manager."""

    def __init__(self, clock: Clock, home: Path, address: str | None) -> None:
        self._clock = clock
        self._home = home
        self._address = address
        self._stack = AsyncExitStack()
        self._stub: Stub | None = None
        self._bound = ""
        self._was_heard = False
        self._lost_at = 0.0
        self._lock = asyncio.Lock()

    async def __aenter__(self) -> Self:
        patience = Patience(self._clock)
        while True:
            try:
                await self._open()
            except UnreachableError as gone:
                if not await asyncio.to_thread(self._will_return):
                    raise
                await patience.pause(gone)
            else:
                return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    @property
    def home(self) -> Path:
        """The home that addresses are looked up in."""
        return self._home

    @property
    def stub(self) -> Stub:
        """The manager's methods over the present channel."""
        if self._stub is None:
            raise UnreachableError("This client is closed.")
        return self._stub

    def stager_address(self) -> str:
        """Where bulk data goes.

        Raises:
            UnreachableError: no stager is known; the sentence says how to start one.
        """
        return discovery.address_of(self._home, "stager")

    async def ask(self, call: Callable[[Stub], Awaitable[T]]) -> T:
        """One call that may be repeated, until it is answered or patience ends.

        Raises:
            UnreachableError: nobody answers, and nobody will.
            Plotter2Error: what the manager answered instead.
        """
        patience = Patience(self._clock)
        while True:
            try:
                with rpc.errors():
                    answer = await call(self.stub)
            except UnreachableError as gone:
                await self.again(patience, gone)
            else:
                self.heard()
                return answer

    def heard(self) -> None:
        """Note that the manager has answered over this link."""
        self._was_heard = True
        self._lost_at = 0.0

    async def again(self, patience: Patience, gone: UnreachableError) -> None:
        """Wait a moment for the manager to come back, and look where it is now.

        Raises:
            UnreachableError: nobody will bring it back, or patience has ended.
        """
        self._lost_at = self._lost_at or self._clock.monotonic()
        if not await asyncio.to_thread(self._will_return):
            raise gone
        await patience.pause(gone)
        async with self._lock:
            with suppress(UnreachableError):  # not back yet: patience goes on
                if self._where() != self._bound:
                    await self._open()

    def _will_return(self) -> bool:
        if self._address is not None:
            return self._was_heard
        try:
            endpoints = discovery.read_endpoints(self._home)
        except UnreachableError:
            # After a crash somebody may bring everything back; a clean stop says so by an empty list, as does a
            # watchdog that is only beginning anew: a moment tells them apart.
            is_new = self._clock.monotonic() - self._lost_at < RESTART_S
            return self._was_heard and (is_new or discovery.has_crashed(self._home))
        return any(one.role == "watchdog" and psutil.pid_exists(one.pid) for one in endpoints)

    def _where(self) -> str:
        return self._address or discovery.address_of(self._home, "manager")

    async def _open(self) -> None:
        address = self._where()
        stack = AsyncExitStack()
        channel = await stack.enter_async_context(rpc.connect(address))
        await self._stack.aclose()
        self._stack, self._bound = stack, address
        self._stub = ManagerServiceStub(channel)


class Patience:
    """How long one ask is repeated: pauses that grow, and an end."""

    def __init__(self, clock: Clock, limit_s: float = PATIENCE_S) -> None:
        self._clock = clock
        self._end = clock.monotonic() + limit_s
        self._pause_s = PAUSE_S

    async def pause(self, gone: UnreachableError) -> None:
        """Sleep a little.

        Raises:
            UnreachableError: `gone`, when the time is up.
        """
        if self._clock.monotonic() >= self._end:
            raise gone
        await asyncio.sleep(self._pause_s)
        self._pause_s = min(self._pause_s * 2, PAUSE_S_MAX)

    def renew(self, limit_s: float = PATIENCE_S) -> None:
        """Begin anew: somebody has answered."""
        self._end = self._clock.monotonic() + limit_s
        self._pause_s = PAUSE_S
