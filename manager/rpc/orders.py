"""Standing orders: what waits, and for what."""

from __future__ import annotations

from dataclasses import replace

from manager import orders
from manager.events import AskedFor, OrderAsked
from manager.prompting import AskFor
from manager.rpc.asking import AskCalls
from manager.rpc.requests import page_of
from plotter2.api.v1 import manager_pb2 as pb
from plotter2.errors import Plotter2Error, UnreachableError, UsageError
from plotter2.ids import RequestId
from plotter2.model import ask, paths
from plotter2.model.ask import OrderAsk
from plotter2.rpc import Context
from plotter2.wire import asks as wire_asks
from plotter2.wire import orders as wire


class OrderCalls(AskCalls):
    """What happens by itself."""

    async def ask_pause(self, request: pb.SubmitRequest, replay_of: str) -> RequestId:
        """Have a standing order wait."""
        return await self._order(request, request.pause, replay_of, paused=True)

    async def ask_resume(self, request: pb.SubmitRequest, replay_of: str) -> RequestId:
        """Have it fire again."""
        return await self._order(request, request.resume, replay_of, paused=False)

    async def _order(self, request: pb.SubmitRequest, about: pb.OrderAsk, replay_of: str, *, paused: bool) -> RequestId:
        if not about.order:
            raise UsageError("The ask names no standing order; `plotter2 orders` lists them.")
        asked = OrderAsk(paths.bundle_path(about.bundle), about.order, replay_of)
        event = OrderAsked(0, self._doors.ids.request(), request.user, asked, paused, request.client_key)
        refused = self._refusal(request, event.request_id, event.kind, event.bundle, ask.encode(asked))
        return await self._known(refused) or await self._ask(lambda token: replace(event, token=token))

    async def ask_for(self, wanted: AskFor) -> None:
        """What a firing wants, asked for as people ask; a repeat is answered with the first."""
        request = pb.SubmitRequest(
            redo=wire_asks.redo_to_proto(wanted.redo),
            user=wanted.user,
            client_key=wanted.client_key,
            cause=wanted.cause,
        )
        try:
            await self.submit(request)
        except UnreachableError:  # we are stopping: the next process asks again
            return
        except Plotter2Error as wrong:
            await self._doors.loop.put(AskedFor(wanted.cause, wrong.message, wrong.code))
            return
        await self._doors.loop.put(AskedFor(wanted.cause))

    async def ListOrders(self, request: pb.ListOrdersRequest, context: Context) -> pb.ListOrdersResponse:  # noqa: N802 -- gRPC's name
        """By bundle, in the order in which each declares them."""
        del context
        under = paths.bundle_path(request.under) if request.under else ""
        found = orders.listed(self._doors.state, under)
        if under and not found:
            self._doors.state.catalog.check_place(under)
        offset, limit = page_of(request.page)
        shown = [wire.order_to_proto(order, tally) for order, tally in found[offset : offset + limit]]
        return pb.ListOrdersResponse(orders=shown, total=len(found))
