"""Automatic users: whether they may ask, and wishes, which a planner turns into ordinary asks."""

from __future__ import annotations

from plotter2.api.v1 import manager_pb2
from plotter2.client import asks
from plotter2.client.verbs.core import Core
from plotter2.client.views import Planner, Request
from plotter2.client.views.page import when
from plotter2.clock import Instant


class Planning(Core):
    """The verbs about automatic users."""

    async def planner(self) -> Planner:
        """Whether automatic users may ask, who said so, and how often they did within the last hour."""
        message = manager_pb2.GetPlannerRequest()
        one = await self._link.ask(lambda stub: stub.GetPlanner(message, timeout=asks.TIMEOUT_S))
        return Planner(one.is_on, one.by, when(Instant(one.at)), one.identity, one.asked, one.hourly_max)

    async def switch_planner(self, *, on: bool, key: str = "") -> Request:
        """Let automatic users ask, or not. Until somebody lets them they may not."""
        ask = manager_pb2.PlannerAsk(on=on)
        return await self._submit(manager_pb2.SubmitRequest(planner=ask), wait=False, key=key)

    async def wish(self, bundle: str, text: str, *, key: str = "", wait: bool = True) -> Request:
        """Have a planner think about a bundle, in your words: it asks for what fulfils the wish.

        Args:
            bundle: what the wish is about; the planner asks about this and what lies below, and nothing else.
            text: the wish.
            key: makes a repeat harmless.
            wait: until the planner has asked. What it asked for are requests with this one as their cause:
                `requests(cause=wish.id)`.

        Raises:
            ConflictError: the planner is off.
        """
        ask = manager_pb2.WishAsk(bundle=bundle, text=text)
        return await self._submit(manager_pb2.SubmitRequest(wish=ask), wait=wait, key=key)
