"""The way between the threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, ExitStack
from types import TracebackType
from typing import Any, Self, TypeVar

from plotter2.client.asynchronous import AsyncClient
from plotter2.client.background import BACKGROUND
from plotter2.client.calls import Definition
from plotter2.errors import UnreachableError

T = TypeVar("T")


class Thread:
    """An asynchronous client on a background thread, without its verbs."""

    def __init__(self, opening: Callable[[], AbstractAsyncContextManager[AsyncClient]]) -> None:
        self._opening = opening
        self._stack = ExitStack()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: AsyncClient | None = None

    def __enter__(self) -> Self:
        loop = self._stack.enter_context(BACKGROUND.loop())
        opened: Future[AsyncClient] = Future()
        stop = asyncio.Event()
        life = asyncio.run_coroutine_threadsafe(self._live(opened, stop), loop)
        try:
            self._client = opened.result()
        except BaseException:
            self._stack.close()
            raise
        self._loop = loop
        self._stack.callback(life.result)
        self._stack.callback(loop.call_soon_threadsafe, stop.set)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client = self._loop = None
        self._stack.close()

    async def _live(self, opened: Future[AsyncClient], stop: asyncio.Event) -> None:
        try:
            async with self._opening() as client:
                opened.set_result(client)
                await stop.wait()
        except BaseException as wrong:
            if opened.done():
                raise
            opened.set_exception(wrong)

    def _do(self, verb: Callable[[AsyncClient], Coroutine[Any, Any, T]]) -> T:
        if self._loop is None or self._client is None:
            raise UnreachableError("This client is closed; use it inside `with plotter2.connect() as p2:`.")
        future = asyncio.run_coroutine_threadsafe(verb(self._client), self._loop)
        try:
            return future.result()
        except KeyboardInterrupt:
            future.cancel()
            raise

    def _send(self, definition: Definition, texts: list[str]) -> list[Future[Any]]:
        if self._loop is None or self._client is None:
            raise UnreachableError("This client is closed; use it inside `with plotter2.connect() as p2:`.")
        futures: list[Future[Any]] = [Future() for _ in texts]
        for future in futures:
            future.set_running_or_notify_cancel()
        self._loop.call_soon_threadsafe(self._client.push_calls, definition, texts, futures)
        return futures
