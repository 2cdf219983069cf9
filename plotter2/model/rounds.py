"""What a run asks for when it has ended: to be done again, at once or when something happens (r174; pure)."""

from __future__ import annotations

import msgspec

RUNS_MAX = 1_000
"""Runs that one run asks for."""
ROUNDS_MAX = 100
"""Runs that came of one another before the next is refused."""
EVENTS = {
    "version": "a new version of {of!r}",
    "child": "a new version of a bundle right below {of!r}",
    "settled": "the end of an experiment: all that was asked of {of!r} is in",
}
"""What a run can wait for, in words; beside these, the name of a standing order of the bundle: its next firing."""


class Again(msgspec.Struct, frozen=True, omit_defaults=True):
    """A run again.

    Attributes:
        over: the parameters of each, a JSON object; none: as it was.
        times: as it was, so often in all; 0: until its script says otherwise.
        on: what it waits for, one of `EVENTS` or the name of a standing order; "": for nothing.
        of: the bundle that this is about.
    """

    over: tuple[str, ...] = ()
    times: int = 0
    on: str = ""
    of: str = ""


def encode(again: Again) -> str:
    """As it travels."""
    return msgspec.json.encode(again).decode()


def decode(text: str) -> Again:
    """As it was meant; what is no such text asks for nothing."""
    try:
        return msgspec.json.decode(text, type=Again)
    except msgspec.MsgspecError:
        return Again(times=1)


def told(on: str, of: str) -> str:
    """What is waited for, in words."""
    return EVENTS.get(on, "the next firing of the standing order {on!r} of {of!r}").format(on=on, of=of)
