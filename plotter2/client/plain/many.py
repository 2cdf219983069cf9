"""Many small tasks over one stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from typing import Any

from plotter2.client import asks
from plotter2.client.calls import Definition
from plotter2.client.plain.thread import Thread
from plotter2.client.sources import Given, read
from plotter2.client.verbs.many import MAP_CHUNK, MAP_WINDOW


class Many(Thread):
    """The verbs for tasks that take milliseconds."""

    def call(self, source: Given, on: str = "", /, **parameters: Any) -> Any:
        """Run a script or pipeline once and give its result."""
        return self.submit(source, on, **parameters).result()

    def submit(self, source: Given, on: str = "", /, **parameters: Any) -> Future[Any]:
        """Run a script or pipeline once; the future gives its result, or raises TaskFailedError."""
        return self._send(Definition(read(source), on), [asks.dumps(parameters)])[0]

    def map(
        self, source: Given, parameters: Iterable[Mapping[str, Any]], *, on: str = "", name: str = ""
    ) -> Iterator[Any]:
        """Run a definition once for each of `parameters`; results in their order, a bounded number under way."""
        definition = Definition(read(source, name), on)
        for future in asks.windowed(parameters, lambda texts: self._send(definition, texts), MAP_WINDOW, MAP_CHUNK):
            yield future.result()
