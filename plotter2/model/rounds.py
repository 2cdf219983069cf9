"""What a run asks for when it has ended: to be done again (requirement 174; pure)."""

from __future__ import annotations

import msgspec

RUNS_MAX = 1_000
"""Runs that one run asks for."""
ROUNDS_MAX = 100
"""Runs that came of one another before the next is refused."""


class Again(msgspec.Struct, frozen=True, omit_defaults=True):
    """A run again.

    Attributes:
        over: the parameters of each, a JSON object; none: as it was.
        times: as it was, so often in all; 0: until its script says otherwise.
    """

    over: tuple[str, ...] = ()
    times: int = 0


def encode(again: Again) -> str:
    """As it travels."""
    return msgspec.json.encode(again).decode()


def decode(text: str) -> Again:
    """As it was meant; what is no such text asks for nothing."""
    try:
        return msgspec.json.decode(text, type=Again)
    except msgspec.MsgspecError:
        return Again(times=1)
