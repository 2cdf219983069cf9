"""Effects that have plotter2 ask for something by itself: by the door that people use, each the same when repeated."""

from __future__ import annotations

from dataclasses import dataclass

from plotter2.ids import RequestId
from plotter2.model.ask import OWN_KEY, RedoAsk


@dataclass(frozen=True, slots=True)
class AskFor:
    """Ask for the redo that the firing `cause` of a standing order wants."""

    cause: RequestId
    user: str
    redo: RedoAsk

    @property
    def client_key(self) -> str:
        """What the ask is known by, so that a repeat is answered with the first."""
        return f"{OWN_KEY}{self.cause}"


@dataclass(frozen=True, slots=True)
class Consider:
    """Have a planner think about the wish `cause`, and ask for what it proposes."""

    cause: RequestId

    def client_key(self, number: int) -> str:
        """What its ask of this number is known by."""
        return f"{OWN_KEY}{self.cause}.{number}"
