"""Standing orders."""

from __future__ import annotations

from plotter2.api.v1 import common_pb2, manager_pb2
from plotter2.client import asks
from plotter2.client.verbs.core import Core, everything
from plotter2.client.views import Order, Page, Request
from plotter2.wire import orders as wire


class Orders(Core):
    """The verbs about standing orders."""

    async def orders(self, under: str = "") -> Page[Order]:
        """What happens by itself, by bundle; `under`: only of this bundle and of those below it."""

        async def page(part: common_pb2.PageRequest) -> tuple[list[Order], int]:
            message = manager_pb2.ListOrdersRequest(page=part, under=under)
            answer = await self._link.ask(lambda stub: stub.ListOrders(message, timeout=asks.TIMEOUT_S))
            return [
                Order.of(wire.tally_from_proto(one), wire.order_from_proto(one)) for one in answer.orders
            ], answer.total

        return await everything(page)

    async def pause(self, bundle: str, order: str, *, key: str = "") -> Request:
        """Have a standing order wait: what it would have fired on is passed over, and counted in `Order.missed`.

        Args:
            bundle: the bundle that declares it.
            order: its name.
            key: makes a repeat harmless.

        Raises:
            NotFoundError: there is no such order; the message names those that there are.
        """
        about = manager_pb2.OrderAsk(bundle=bundle, order=order)
        return await self._submit(manager_pb2.SubmitRequest(pause=about), wait=False, key=key)

    async def resume(self, bundle: str, order: str, *, key: str = "") -> Request:
        """Have it fire again, from now on; see `pause`."""
        about = manager_pb2.OrderAsk(bundle=bundle, order=order)
        return await self._submit(manager_pb2.SubmitRequest(resume=about), wait=False, key=key)
