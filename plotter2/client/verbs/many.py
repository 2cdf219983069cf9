"""Many small tasks over one stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

from plotter2.client import asks
from plotter2.client.calls import Definition
from plotter2.client.sources import Given, read
from plotter2.client.verbs.core import Core

MAP_WINDOW = 2048
MAP_CHUNK = 256


class Many(Core):
    """The verbs for tasks that take milliseconds."""

    async def call(self, source: Given, on: str = "", /, **parameters: Any) -> Any:
        """Run a script or pipeline once and give its result; durable, and fast when repeated.

        Raises:
            TaskFailedError: the user's code failed; the message is its traceback.
        """
        sink: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._pool.push(Definition(read(source), on), [asks.dumps(parameters)], [sink])
        return await sink

    async def map(
        self, source: Given, parameters: Iterable[Mapping[str, Any]], *, on: str = "", name: str = ""
    ) -> AsyncIterator[Any]:
        """Run a definition once for each of `parameters`; results in their order.

        Raises:
            TaskFailedError: one of them failed, when its turn comes.
        """
        definition = Definition(read(source, name), on)
        loop = asyncio.get_running_loop()

        def send(texts: list[str]) -> list[asyncio.Future[Any]]:
            sinks: list[asyncio.Future[Any]] = [loop.create_future() for _ in texts]
            self._pool.push(definition, texts, sinks)
            return sinks

        for sink in asks.windowed(parameters, send, MAP_WINDOW, MAP_CHUNK):
            yield await sink

    def push_calls(self, definition: Definition, parameters: list[str], sinks: list[Any]) -> None:
        """Send prepared calls; for those who bring their own futures. On the client's loop only."""
        self._pool.push(definition, parameters, sinks)
