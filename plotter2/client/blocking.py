"""The client for ordinary programs: the asynchronous one on a background thread, every verb a plain call.

Owns: the way between the threads. What a verb means stands in `plotter2.client.asynchronous`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from plotter2.client import asks, asynchronous
from plotter2.client.asynchronous import MAP_CHUNK, MAP_WINDOW, AsyncClient, OnChange, OnProgress
from plotter2.client.background import BACKGROUND
from plotter2.client.calls import Definition
from plotter2.client.sources import Given, JsonText, read
from plotter2.client.upload import Pushed
from plotter2.client.views import Bundle, Contents, DeclaredTask, OutputFile, Page, Pulled, Request, Run, Status, Worker
from plotter2.errors import UnreachableError

T = TypeVar("T")


class Client:
    """A connected client, as a context manager: `with plotter2.connect() as p2: ...`."""

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

    # --- give information ---------------------------------------------------------------------------------------

    def push(
        self,
        path: str | Path,
        bundle: str,
        *,
        wait: bool = True,
        on_progress: OnProgress | None = None,
        meta: dict[str, Any] | None = None,
    ) -> Pushed:
        """Send a directory or a file into a bundle; a new version, unless nothing has changed."""
        return self._do(lambda p2: p2.push(path, bundle, wait=wait, on_progress=on_progress, meta=meta))

    # --- ask for something --------------------------------------------------------------------------------------

    def run(
        self,
        task: Given,
        on: str | None = None,
        *,
        source: Given | None = None,
        parameters: Mapping[str, Any] | JsonText | None = None,
        wait: bool = True,
        on_change: OnChange | None = None,
    ) -> Request:
        """Run a task on a bundle: a declared name, or a .py or .json file. `.check()` raises if it did not end well."""
        return self._do(
            lambda p2: p2.run(task, on, source=source, parameters=parameters, wait=wait, on_change=on_change)
        )

    def redo(
        self,
        bundle: str,
        axes: Mapping[str, Any] | None = None,
        *,
        parallel: int = 1,
        force: bool = False,
        wait: bool = True,
        on_change: OnChange | None = None,
        **more: Any,
    ) -> Request:
        """Run an experiment again, once a value: `redo("experiments/digits", lr=[0.1, 0.2], parallel=2)`."""
        return self._do(
            lambda p2: p2.redo(bundle, axes, parallel=parallel, force=force, wait=wait, on_change=on_change, **more)
        )

    def archive(self, bundle: str, *, archived: bool = True) -> Request:
        """Put a bundle aside (nothing is deleted), or bring it back."""
        return self._do(lambda p2: p2.archive(bundle, archived=archived))

    def cancel(self, request_id: str) -> Request:
        """End what a request still has running."""
        return self._do(lambda p2: p2.cancel(request_id))

    def wait(self, request_id: str, *, on_change: OnChange | None = None) -> Request:
        """The request when it has ended."""
        return self._do(lambda p2: p2.wait(request_id, on_change=on_change))

    # --- many small tasks ---------------------------------------------------------------------------------------

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

    # --- look ---------------------------------------------------------------------------------------------------

    def ls(self, under: str = "", *, versions: bool = False, archived: bool = False) -> Page[Bundle]:
        """The bundles at and below `under` at their newest versions, or all versions of that one bundle."""
        return self._do(lambda p2: p2.ls(under, versions=versions, archived=archived))

    def bundle(self, name: str, *, files: bool = True, below: bool = False) -> Contents:
        """One bundle (`name` or `name@version`) with its files and what lies below it."""
        return self._do(lambda p2: p2.bundle(name, files=files, below=below))

    def request(self, request_id: str) -> Request:
        """One request as it stands."""
        return self._do(lambda p2: p2.request(request_id))

    def show(self, thing: str) -> Contents | Request | Run:
        """Whatever a name stands for: a bundle, `bundle@version`, a request or one of its runs."""
        return self._do(lambda p2: p2.show(thing))

    def requests(self, bundle: str = "", *, cause: str = "", limit: int = 0) -> Page[Request]:
        """Requests, newest first; only those about a bundle, or caused by another request."""
        return self._do(lambda p2: p2.requests(bundle, cause=cause, limit=limit))

    def history(self, bundle: str) -> Page[Request]:
        """Everything that was asked about a bundle, oldest first."""
        return self._do(lambda p2: p2.history(bundle))

    def workers(self) -> Page[Worker]:
        """The workers that were ever seen, and whether they live."""
        return self._do(lambda p2: p2.workers())

    def outputs(self, bundle: str = "", *, request: str = "", kind: str = "") -> Page[OutputFile]:
        """Figures, animations and reports, newest first."""
        return self._do(lambda p2: p2.outputs(bundle, request=request, kind=kind))

    def tasks(self, under: str = "") -> Page[DeclaredTask]:
        """The tasks that bundles declare."""
        return self._do(lambda p2: p2.tasks(under))

    def status(self) -> Status:
        """Every process of this installation, and what waits."""
        return self._do(lambda p2: p2.status())

    def pull(self, bundle: str, destination: str | Path, *, on_progress: OnProgress | None = None) -> Pulled:
        """Fetch a bundle (`name` or `name@version`) into a directory that is not there yet, or empty."""
        return self._do(lambda p2: p2.pull(bundle, destination, on_progress=on_progress))


def connect(address: str | None = None, home: str | Path | None = None) -> Client:
    """A client of the manager at `address`, else of the installation at `home` (else of the default home).

    Raises:
        UnreachableError: when entered, if no plotter2 is running there; the sentence says how to start it.
    """
    return Client(lambda: asynchronous.connect(address, home))
