"""From clients: what a planner shall think about, and whether automatic users may ask."""

from __future__ import annotations

from dataclasses import dataclass

from manager.events.token import Token
from plotter2.ids import RequestId
from plotter2.model.ask import PlannerAsk, WishAsk
from plotter2.model.request import RequestKind


@dataclass(frozen=True, slots=True)
class PlannerAsked:
    """Have a planner think about a bundle, or let automatic users ask, or not."""

    token: Token
    request_id: RequestId
    user: str
    asked: WishAsk | PlannerAsk
    client_key: str = ""

    @property
    def kind(self) -> RequestKind:
        """Which of the two."""
        return RequestKind.WISH if isinstance(self.asked, WishAsk) else RequestKind.PLANNER

    @property
    def bundle(self) -> str:
        """The bundle that shall be thought about; "" for the switch."""
        return self.asked.bundle if isinstance(self.asked, WishAsk) else ""
