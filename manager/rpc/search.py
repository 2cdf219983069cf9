"""Search: a query is read here, and answered by the store."""

from __future__ import annotations

from manager.doors import Doors
from manager.rpc.requests import page_of
from manager.store import Page
from plotter2.api.v1 import manager_pb2 as pb
from plotter2.model import paths, query
from plotter2.model.entry import Entry
from plotter2.model.query import Field, Order, Own, Search
from plotter2.rpc import Context
from plotter2.wire import search as wire

NEWEST_FIRST = (Order(Field(Own.TIME), is_descending=True),)


class SearchCalls:
    """What is found."""

    _doors: Doors

    async def Search(self, request: pb.SearchRequest, context: Context) -> pb.SearchResponse:  # noqa: N802 -- gRPC's name
        """One page of what a query finds."""
        del context
        under = paths.bundle_path(request.under) if request.under else ""
        page = await find(
            self._doors, request.where, request.sort, page_of(request.page), under, archived=request.with_archived
        )
        return pb.SearchResponse(entries=[wire.entry_to_proto(one) for one in page.items], total=page.total)


async def find(
    doors: Doors, where: str, sort: str, page: tuple[int, int], under: str = "", *, archived: bool = False
) -> Page[Entry]:
    """Read a query and ask the store; `page` is offset and limit.

    Raises:
        UsageError: it is no query; the column, and what would be right.
        NotFoundError: it names what no run has; the column, and the nearest that one has.
    """
    condition, order = query.parse(where), query.parse_sort(sort)
    asked = {"where": [*query.fields(condition)], "sort": [key.field for key in order]}
    if any(not isinstance(field.of, Own) for fields in asked.values() for field in fields):
        known = await doors.store.fact_names()
        for what, fields in asked.items():
            query.check_names(what, fields, known)
    return await doors.store.search(Search(condition, order or NEWEST_FIRST, under, archived), *page)
