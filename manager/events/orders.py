"""From clients: which standing orders shall wait."""

from __future__ import annotations

from dataclasses import dataclass

from manager.events.token import Token
from plotter2.ids import RequestId
from plotter2.model.ask import OrderAsk
from plotter2.model.request import RequestKind


@dataclass(frozen=True, slots=True)
class OrderAsked:
    """Have a standing order wait, or fire again."""

    token: Token
    request_id: RequestId
    user: str
    asked: OrderAsk
    paused: bool
    client_key: str = ""

    @property
    def kind(self) -> RequestKind:
        """Which of the two."""
        return RequestKind.PAUSE if self.paused else RequestKind.RESUME

    @property
    def bundle(self) -> str:
        """The bundle that declares the order."""
        return self.asked.bundle
