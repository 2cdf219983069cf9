"""Search: a page of what a query finds."""

from __future__ import annotations

from manager.doors import Doors
from manager.finding import find
from manager.rpc.requests import page_of
from plotter2.api.v1 import manager_pb2 as pb
from plotter2.model import paths
from plotter2.rpc import Context
from plotter2.wire import search as wire


class SearchCalls:
    """What is found."""

    _doors: Doors

    async def Search(self, request: pb.SearchRequest, context: Context) -> pb.SearchResponse:  # noqa: N802 -- gRPC's name
        """One page of what a query finds."""
        del context
        under = paths.bundle_path(request.under) if request.under else ""
        page = await find(
            self._doors.store, request.where, request.sort, page_of(request.page), under, archived=request.with_archived
        )
        return pb.SearchResponse(entries=[wire.entry_to_proto(one) for one in page.items], total=page.total)
