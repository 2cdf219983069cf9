"""Versions: what differs between two, and what was asked over time."""

from __future__ import annotations

from collections.abc import AsyncIterator

from manager import finding
from manager.doors import Doors
from manager.rpc.requests import page_of
from plotter2.api.v1 import manager_pb2 as pb
from plotter2.model import difference, paths
from plotter2.model.bundle import BundleVersion
from plotter2.model.difference import ChangeKind
from plotter2.rpc import Context
from plotter2.wire import bundles as wire
from plotter2.wire import requests as wire_requests

CHANGES_READ_MAX = 10_000
"""Changes that are asked of the store at a time."""
CHANGES_SENT_MAX = 1_000
"""Changes in one message: with the longest names it stays below the 16 MiB that a message may have."""


async def version_of(doors: Doors, name: str, number: int) -> BundleVersion:
    """One version of a bundle; 0 is the newest.

    Raises:
        NotFoundError: there is no such bundle, or no such version; the message says what there is.
    """
    return await finding.version_of(doors.store, doors.state.catalog, name, number)


class VersionCalls:
    """What became of a bundle over time."""

    _doors: Doors

    async def DiffBundles(  # noqa: N802 -- gRPC's name
        self, request: pb.DiffBundlesRequest, context: Context
    ) -> AsyncIterator[pb.DiffBundlesResponse]:
        """The two versions with their parameters, then the files that differ, then how many do not."""
        del context
        before = await version_of(self._doors, request.before, request.before_version)
        after = await version_of(self._doors, request.after, request.after_version)
        yield pb.DiffBundlesResponse(
            before=wire.bundle_to_proto(before),
            after=wire.bundle_to_proto(after),
            parameters=[wire.parameter_change_to_proto(one) for one in difference.parameters(before, after)],
        )
        places, last, same = ((before.path, before.version), (after.path, after.version)), "", before.files
        while found := await self._doors.store.changed_files(*places, last, CHANGES_READ_MAX):
            last = found[-1].path
            same -= sum(one.kind is not ChangeKind.ADDED for one in found)
            for start in range(0, len(found), CHANGES_SENT_MAX):
                part = found[start : start + CHANGES_SENT_MAX]
                yield pb.DiffBundlesResponse(files=[wire.file_change_to_proto(one) for one in part])
        yield pb.DiffBundlesResponse(unchanged=same)

    async def ListHistory(self, request: pb.ListHistoryRequest, context: Context) -> pb.ListHistoryResponse:  # noqa: N802 -- gRPC's name
        """Oldest first."""
        del context
        path = paths.bundle_path(request.bundle)
        page = await self._doors.store.list_history(path, *page_of(request.page))
        if not page.total:
            self._doors.state.catalog.need(path)
        entries = [
            pb.HistoryEntry(
                request=wire_requests.request_to_proto(one.request),
                version=one.version,
                is_new=one.is_new,
                delivery_id=one.delivery_id,
            )
            for one in page.items
        ]
        return pb.ListHistoryResponse(entries=entries, total=page.total)
