"""The client for asyncio: one method a verb of design 7. Every write carries a key, so it may be repeated safely.

Owns: the verbs and what they mean on the wire. Refuses: local doors. What is not asked of the manager or the stager is
not done here.
"""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from plotter2 import rpc
from plotter2.api.v1 import common_pb2, manager_pb2
from plotter2.client import asks, download, status, upload
from plotter2.client.calls import CallPool, Definition
from plotter2.client.link import Link, Patience
from plotter2.client.sources import Given, JsonText, is_path, read
from plotter2.client.views import Bundle, Contents, DeclaredTask, OutputFile, Page, Pulled, Request, Run, Status, Worker
from plotter2.clock import Clock, IdSource, SystemClock, SystemIds
from plotter2.errors import NotFoundError, UnreachableError

T = TypeVar("T")
OnChange = Callable[[Request, list[str]], None]
OnProgress = Callable[[int, int], None]

PAGE = 1000
MAP_WINDOW = 2048
MAP_CHUNK = 256


class AsyncClient:
    """A connected client. Made by `connect`."""

    def __init__(self, link: Link, pool: CallPool, clock: Clock, ids: IdSource, user: str) -> None:
        self._link = link
        self._pool = pool
        self._clock = clock
        self._ids = ids
        self._user = user

    # --- give information ---------------------------------------------------------------------------------------

    async def push(
        self,
        path: str | Path,
        bundle: str,
        *,
        wait: bool = True,
        on_progress: OnProgress | None = None,
        meta: dict[str, Any] | None = None,
    ) -> upload.Pushed:
        """Send a directory or a file into a bundle; a new version, unless nothing has changed.

        Args:
            path: what to send.
            bundle: where it goes.
            wait: until the manager has it; else until it is safe on the stager's disk.
            on_progress: called with bytes sent and bytes in all.
            meta: goes into the manifest.
        """
        return await upload.push(
            Path(path),
            bundle,
            stager_address=self._link.stager_address(),
            user=self._user,
            clock=self._clock,
            ids=self._ids,
            wait=wait,
            on_progress=on_progress,
            meta=meta,
        )

    # --- ask for something --------------------------------------------------------------------------------------

    async def run(
        self,
        task: Given,
        on: str | None = None,
        *,
        source: Given | None = None,
        parameters: Mapping[str, Any] | JsonText | None = None,
        wait: bool = True,
        on_change: OnChange | None = None,
    ) -> Request:
        """Run a task on a bundle.

        Args:
            task: a name that the bundle (or one above it) declares, or a .py or .json file, or a list of steps.
            on: the bundle, as `name` or `name@version`; none: the task runs on no bundle.
            source: the definition to run under the name `task`.
            parameters: given to the task.
            wait: until it has ended. `Request.check()` raises if it did not end well.
            on_change: called with each new state and the lines printed since.
        """
        bundle, version = asks.bundle_and_version(on or "")
        ask = manager_pb2.RunAsk(bundle=bundle, version=version, parameters_json=asks.dumps(parameters or {}))
        if source is None and (is_path(task) or not isinstance(task, str)):
            asks.put_source(ask, read(task))
        elif source is not None:
            asks.put_source(ask, read(source, str(task)))
        else:
            ask.task = str(task)
        return await self._submit(manager_pb2.SubmitRequest(run=ask), wait=wait, on_change=on_change)

    async def redo(
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
        """Run an experiment again, once a value: `redo("experiments/digits", lr=[0.1, 0.2])`.

        Args:
            bundle: the experiment.
            axes: parameter to values, in the order given; several axes make a grid, the last one fastest.
            parallel: at most so many at a time.
            force: run again what was already run with the same code and data.
            wait: until all values have ended.
            on_change: called with each new state.
            more: axes as keywords.
        """
        ask = manager_pb2.RedoAsk(bundle=bundle, parallel=parallel, force=force)
        ask.axes.extend(asks.axes({**(axes or {}), **more}))
        return await self._submit(manager_pb2.SubmitRequest(redo=ask), wait=wait, on_change=on_change)

    async def archive(self, bundle: str, *, archived: bool = True) -> Request:
        """Put a bundle aside (nothing is deleted), or bring it back."""
        ask = manager_pb2.ArchiveAsk(bundle=bundle, archived=archived)
        return await self._submit(manager_pb2.SubmitRequest(archive=ask), wait=True)

    async def cancel(self, request_id: str) -> Request:
        """End what a request still has running."""
        message = manager_pb2.CancelRequestRequest(request_id=request_id)
        answer = await self._link.ask(lambda stub: stub.CancelRequest(message, timeout=asks.TIMEOUT_S))
        return asks.request_of(answer.request)

    async def wait(self, request_id: str, *, on_change: OnChange | None = None) -> Request:
        """The request when it has ended."""
        patience = Patience(self._clock)
        found = await self.request(request_id)
        message = manager_pb2.WatchRequestRequest(request_id=request_id)
        while True:
            try:
                with rpc.errors():
                    async for news in self._link.stub.WatchRequest(message):
                        self._link.heard()
                        patience.renew()
                        if news.HasField("request"):
                            found = asks.request_of(news.request)
                        if on_change is not None:
                            on_change(found, [line.text for line in news.lines])
                        if found.has_ended:
                            return found
            except UnreachableError as gone:
                await self._link.again(patience, gone)

    async def _submit(
        self, message: manager_pb2.SubmitRequest, *, wait: bool, on_change: OnChange | None = None
    ) -> Request:
        message.client_key = self._ids.uuid()
        message.user = self._user
        answer = await self._link.ask(lambda stub: stub.Submit(message, timeout=asks.TIMEOUT_S))
        request = asks.accepted(asks.request_of(answer.request))
        if wait and not request.has_ended:
            return await self.wait(request.id, on_change=on_change)
        return request

    # --- many small tasks ---------------------------------------------------------------------------------------

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

    # --- look ---------------------------------------------------------------------------------------------------

    async def ls(self, under: str = "", *, versions: bool = False, archived: bool = False) -> Page[Bundle]:
        """The bundles at and below `under` at their newest versions, or all versions of that one bundle."""

        async def page(part: common_pb2.PageRequest) -> tuple[list[Bundle], int]:
            message = manager_pb2.ListBundlesRequest(page=part, under=under, versions=versions, with_archived=archived)
            answer = await self._link.ask(lambda stub: stub.ListBundles(message, timeout=asks.TIMEOUT_S))
            return [asks.bundle_of(one) for one in answer.bundles], answer.total

        return await _all(page)

    async def bundle(self, name: str, *, files: bool = True, below: bool = False) -> Contents:
        """One bundle (`name` or `name@version`) with its files and what lies below it."""
        path, version = asks.bundle_and_version(name)
        message = manager_pb2.GetBundleRequest(bundle=path, version=version, with_files=files, with_descendants=below)
        answer = await self._link.ask(lambda stub: stub.GetBundle(message, timeout=asks.TIMEOUT_S))
        return asks.contents_of(answer)

    async def request(self, request_id: str) -> Request:
        """One request as it stands."""
        message = manager_pb2.GetRequestRequest(request_id=request_id)
        answer = await self._link.ask(lambda stub: stub.GetRequest(message, timeout=asks.TIMEOUT_S))
        return asks.request_of(answer.request)

    async def show(self, thing: str) -> Contents | Request | Run:
        """Whatever a name stands for: a bundle, `bundle@version`, a request or one of its runs."""
        if not thing.startswith("req-"):
            return await self.bundle(thing, below=True)
        head, _, _ = thing.partition(".")
        request = await self.request(head)
        if head == thing:
            return request
        for run in request.runs:
            if run.id == thing:
                return run
        raise NotFoundError(f"Request {head} has no run {thing}; `plotter2 show {head}` lists them.")

    async def requests(self, bundle: str = "", *, cause: str = "", limit: int = 0) -> Page[Request]:
        """Requests, newest first; only those about a bundle, or caused by another request."""

        async def page(part: common_pb2.PageRequest) -> tuple[list[Request], int]:
            message = manager_pb2.ListRequestsRequest(page=part, bundle=bundle, cause=cause)
            answer = await self._link.ask(lambda stub: stub.ListRequests(message, timeout=asks.TIMEOUT_S))
            return [asks.request_of(one) for one in answer.requests], answer.total

        return await _all(page, limit)

    async def history(self, bundle: str) -> Page[Request]:
        """Everything that was asked about a bundle, oldest first."""
        await self.bundle(bundle, files=False)
        found = await self.requests(asks.bundle_and_version(bundle)[0])
        return Page(tuple(reversed(found.items)), found.total)

    async def workers(self) -> Page[Worker]:
        """The workers that were ever seen, and whether they live."""

        async def page(part: common_pb2.PageRequest) -> tuple[list[Worker], int]:
            message = manager_pb2.ListWorkersRequest(page=part)
            answer = await self._link.ask(lambda stub: stub.ListWorkers(message, timeout=asks.TIMEOUT_S))
            return [asks.worker_of(one) for one in answer.workers], answer.total

        return await _all(page)

    async def outputs(self, bundle: str = "", *, request: str = "", kind: str = "") -> Page[OutputFile]:
        """Figures, animations and reports, newest first."""

        async def page(part: common_pb2.PageRequest) -> tuple[list[OutputFile], int]:
            message = manager_pb2.ListOutputsRequest(page=part, bundle=bundle, request_id=request, kind=kind)
            answer = await self._link.ask(lambda stub: stub.ListOutputs(message, timeout=asks.TIMEOUT_S))
            return [asks.output_of(one) for one in answer.outputs], answer.total

        return await _all(page)

    async def tasks(self, under: str = "") -> Page[DeclaredTask]:
        """The tasks that bundles declare."""
        found = asks.declared_tasks(await self.ls(under))
        return Page(found, len(found))

    async def status(self) -> Status:
        """Every process of this installation, and what waits."""
        return await status.read(self._link.home)

    async def pull(self, bundle: str, destination: str | Path, *, on_progress: OnProgress | None = None) -> Pulled:
        """Fetch a bundle (`name` or `name@version`) into a directory that is not there yet, or empty."""
        contents = await self.bundle(bundle)
        return await download.pull(self._link, contents, Path(destination), on_progress)


async def _all(page: Callable[[common_pb2.PageRequest], Awaitable[tuple[list[T], int]]], limit: int = 0) -> Page[T]:
    found: list[T] = []
    while True:
        want = min(PAGE, limit - len(found)) if limit else PAGE
        items, total = await page(common_pb2.PageRequest(offset=len(found), limit=want))
        found += items
        if not items or len(found) >= total or (limit and len(found) >= limit):
            return Page(tuple(found), total)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


@asynccontextmanager
async def _connect(address: str | None, home: str | Path | None) -> AsyncIterator[AsyncClient]:
    clock = SystemClock()
    ids = SystemIds(clock)
    user = _user()
    async with Link(clock, asks.home_of(home), address) as link, CallPool(link, clock, ids, user) as pool:
        yield AsyncClient(link, pool, clock, ids, user)


def connect(address: str | None = None, home: str | Path | None = None) -> AbstractAsyncContextManager[AsyncClient]:
    """A client of the manager at `address`, else of the installation at `home` (else of the default home).

    Raises:
        UnreachableError: no plotter2 is running there; the sentence says how to start it.
    """
    return _connect(address, home)


__all__ = ["AsyncClient", "connect"]
