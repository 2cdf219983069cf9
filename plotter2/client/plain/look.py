"""Look: what there is, and how it stands."""

from __future__ import annotations

from pathlib import Path

from plotter2.client.plain.thread import Thread
from plotter2.client.verbs.core import OnProgress
from plotter2.client.views import Bundle, Contents, DeclaredTask, OutputFile, Page, Pulled, Request, Run, Status, Worker


class Look(Thread):
    """The verbs that change nothing."""

    def ls(self, under: str = "", *, versions: bool = False, archived: bool = False) -> Page[Bundle]:
        """The bundles at and below `under` at their newest versions, or all versions of that one bundle."""
        return self._do(lambda p2: p2.ls(under, versions=versions, archived=archived))

    def bundle(  # noqa: PLR0913 -- what is told of a bundle is chosen one by one
        self, name: str, *, files: bool = True, below: bool = False, manifest: bool = False, verdicts: bool = False,
        files_max: int | None = None,
        after: str = "",
    ) -> Contents:  # fmt: skip
        """One bundle (`name` or `name@version`) with its files; where asked what lies below it, and more."""
        return self._do(
            lambda p2: p2.bundle(
                name,
                files=files,
                below=below,
                manifest=manifest,
                verdicts=verdicts,
                files_max=files_max,
                after=after,
            )
        )

    def request(self, request_id: str) -> Request:
        """One request as it stands."""
        return self._do(lambda p2: p2.request(request_id))

    def show(self, thing: str, *, files_max: int | None = None, after: str = "") -> Contents | Request | Run:
        """Whatever a name stands for: a bundle, a version, a request or a run; the others as in `bundle`."""
        return self._do(lambda p2: p2.show(thing, files_max=files_max, after=after))

    def requests(self, bundle: str = "", *, cause: str = "", limit: int = 0) -> Page[Request]:
        """Requests, newest first; only those about a bundle, or caused by another request."""
        return self._do(lambda p2: p2.requests(bundle, cause=cause, limit=limit))

    def workers(self) -> Page[Worker]:
        """The workers that were ever seen, and whether they live."""
        return self._do(lambda p2: p2.workers())

    def outputs(self, bundle: str = "", *, request: str = "", kind: str = "") -> Page[OutputFile]:
        """Figures, animations and reports, newest first."""
        return self._do(lambda p2: p2.outputs(bundle, request=request, kind=kind))

    def tasks(self, under: str = "") -> Page[DeclaredTask]:
        """The tasks that the bundles at and below `under` declare, and those that `under` itself has from ancestors."""
        return self._do(lambda p2: p2.tasks(under))

    def status(self) -> Status:
        """Every process of this installation, and what waits."""
        return self._do(lambda p2: p2.status())

    def pull(self, bundle: str, destination: str | Path, *, on_progress: OnProgress | None = None) -> Pulled:
        """Fetch a bundle (`name` or `name@version`) into a directory that is not there yet, or empty."""
        return self._do(lambda p2: p2.pull(bundle, destination, on_progress=on_progress))
