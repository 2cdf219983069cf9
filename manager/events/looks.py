"""From workers that make a run ready: what its request sees."""

from __future__ import annotations

from dataclasses import dataclass

from manager.events.token import Token
from plotter2.model.pins import Look


@dataclass(frozen=True, slots=True)
class Looked:
    """Somebody looked for a request; it is answered with what that saw when it looked there first.

    Attributes:
        look: what is there now.
        text: behind its digest; "" for a look that has none.
    """

    token: Token
    look: Look
    text: str = ""
