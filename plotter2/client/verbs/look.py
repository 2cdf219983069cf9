"""Look: what there is, and how it stands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from plotter2 import rpc
from plotter2.api.v1 import common_pb2, manager_pb2
from plotter2.client import asks, download, status
from plotter2.client.verbs.core import Core, OnProgress, everything
from plotter2.client.views import Bundle, Contents, DeclaredTask, OutputFile, Page, Pulled, Request, Run, Status, Worker
from plotter2.errors import NotFoundError, UsageError
from plotter2.wire.bundles import put_together

if TYPE_CHECKING:
    from plotter2.api.v1.manager_pb2_grpc import ManagerServiceAsyncStub as Stub


class Look(Core):
    """The verbs that change nothing."""

    async def ls(self, under: str = "", *, versions: bool = False, archived: bool = False) -> Page[Bundle]:
        """The bundles at and below `under` at their newest versions, or all versions of that one bundle."""

        async def page(part: common_pb2.PageRequest) -> tuple[list[Bundle], int]:
            message = manager_pb2.ListBundlesRequest(page=part, under=under, versions=versions, with_archived=archived)
            answer = await self._link.ask(lambda stub: stub.ListBundles(message, timeout=asks.TIMEOUT_S))
            return [asks.bundle_of(one) for one in answer.bundles], answer.total

        return await everything(page)

    async def bundle(  # noqa: PLR0913 -- what is told of a bundle is chosen one by one
        self, name: str, *, files: bool = True, below: bool = False, manifest: bool = False, verdicts: bool = False,
        files_max: int | None = None, after: str = "",
    ) -> Contents:  # fmt: skip
        """One bundle (`name` or `name@version`) with its files; where asked what lies below it, and more.

        Args:
            name: the bundle.
            files: with its files.
            below: with what lies below it.
            manifest: with the manifest it came with.
            verdicts: with what it is to its parents.
            files_max: at most so many of its own files, by path, and none of those below it; None: all of them.
            after: of its own files only those behind this path: `next` of the page before.
        """
        path, version = asks.bundle_and_version(name)
        message = manager_pb2.GetBundleRequest(
            bundle=path,
            version=version,
            with_files=files,
            with_descendants=below,
            with_manifest=manifest,
            with_verdicts=verdicts,
            files_max=files_max,
            files_after=after,
        )
        return asks.contents_of(await self._link.ask(lambda stub: _whole(stub, message)))

    async def show(self, thing: str, *, files_max: int | None = None, after: str = "") -> Contents | Request | Run:
        """Whatever a name stands for: a bundle, `bundle@version`, a request or a run.

        `files_max` and `after` as in `bundle`.

        Raises:
            UsageError: `after` was given for what has no files.
        """
        if not thing.startswith("req-"):
            return await self.bundle(thing, below=True, manifest=True, verdicts=True, files_max=files_max, after=after)
        if after:
            raise UsageError(f"{thing} is a request or run and has no list of files to go on with; bundles have.")
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

        return await everything(page, limit)

    async def workers(self) -> Page[Worker]:
        """The workers that were ever seen, and whether they live."""

        async def page(part: common_pb2.PageRequest) -> tuple[list[Worker], int]:
            message = manager_pb2.ListWorkersRequest(page=part)
            answer = await self._link.ask(lambda stub: stub.ListWorkers(message, timeout=asks.TIMEOUT_S))
            return [asks.worker_of(one) for one in answer.workers], answer.total

        return await everything(page)

    async def outputs(self, bundle: str = "", *, request: str = "", kind: str = "") -> Page[OutputFile]:
        """Figures, animations and reports, newest first."""

        async def page(part: common_pb2.PageRequest) -> tuple[list[OutputFile], int]:
            message = manager_pb2.ListOutputsRequest(page=part, bundle=bundle, request_id=request, kind=kind)
            answer = await self._link.ask(lambda stub: stub.ListOutputs(message, timeout=asks.TIMEOUT_S))
            return [asks.output_of(one) for one in answer.outputs], answer.total

        return await everything(page)

    async def tasks(self, under: str = "") -> Page[DeclaredTask]:
        """The tasks that the bundles at and below `under` declare, and those that `under` itself has from ancestors."""
        bundles = await self.ls(under)
        found = asks.declared_tasks(bundles)
        if any(one.bundle == under for one in bundles):
            found += asks.inherited_tasks(await self.bundle(under, files=False))
        return Page(found, len(found))

    async def status(self) -> Status:
        """Every process of this installation, and what waits."""
        return await status.read(self._link.home)

    async def pull(self, bundle: str, destination: str | Path, *, on_progress: OnProgress | None = None) -> Pulled:
        """Fetch a bundle (`name` or `name@version`) into a directory that is not there yet, or empty."""
        contents = await self.bundle(bundle)
        return await download.pull(self._link, contents, Path(destination), on_progress)


async def _whole(stub: Stub, message: manager_pb2.GetBundleRequest) -> manager_pb2.GetBundleResponse:
    """A bundle, in as many parts as it takes."""
    with rpc.errors():
        parts = [one.part async for one in stub.ReadBundle(manager_pb2.ReadBundleRequest(bundle=message))]
    return put_together(parts)
