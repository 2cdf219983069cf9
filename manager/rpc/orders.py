"""Standing orders: what waits, and for what."""

from __future__ import annotations

from manager.doors import Doors
from manager.rpc.requests import page_of
from plotter2.api.v1 import manager_pb2 as pb
from plotter2.model import paths
from plotter2.rpc import Context
from plotter2.wire import orders as wire


class OrderCalls:
    """What happens by itself."""

    _doors: Doors

    async def ListOrders(self, request: pb.ListOrdersRequest, context: Context) -> pb.ListOrdersResponse:  # noqa: N802 -- gRPC's name
        """By bundle, in the order in which each declares them."""
        del context
        state = self._doors.state
        under = paths.bundle_path(request.under) if request.under else ""
        found = [
            (node, order)
            for path in sorted(state.catalog.paths())
            if (not under or paths.is_below(path, under)) and (node := state.catalog.get(path)) is not None
            for order in node.package.standing
        ]
        offset, limit = page_of(request.page)
        shown = [
            wire.order_to_proto(order, state.tally(node.version.path, order.name))
            for node, order in found[offset : offset + limit]
        ]
        return pb.ListOrdersResponse(orders=shown, total=len(found))
