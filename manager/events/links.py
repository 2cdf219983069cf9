"""From clients: what shall be linked to what."""

from __future__ import annotations

from dataclasses import dataclass

from manager.events.token import Token
from plotter2.ids import RequestId
from plotter2.model.ask import LinkAsk, UnlinkAsk
from plotter2.model.paths import is_below
from plotter2.model.request import RequestKind


@dataclass(frozen=True, slots=True)
class LinkAsked:
    """Link an operation of one bundle to another bundle, or have it linked no more."""

    token: Token
    request_id: RequestId
    user: str
    asked: LinkAsk | UnlinkAsk
    client_key: str = ""

    @property
    def kind(self) -> RequestKind:
        """Which of the two."""
        return RequestKind.UNLINK if isinstance(self.asked, UnlinkAsk) else RequestKind.LINK

    @property
    def bundle(self) -> str:
        """The bundle it is told under: the one below, so that the history of both has it."""
        return self.asked.dst if is_below(self.asked.dst, self.asked.src) else self.asked.src
