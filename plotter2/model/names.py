"""How a sentence about an unknown name ends: with the nearest known one (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

NAMED_MAX = 12
NOTHING_NEAR = "."
CLOSE = 0.6
"""How alike two names must be, of 1, so that one may be meant by the other."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a sentence: `; did you mean 'lr'?`, or a full stop where no known name is near."""
    close = get_close_matches(name, list(known), n=1, cutoff=CLOSE)
    return f"; did you mean {close[0]!r}?" if close else NOTHING_NEAR


def listed(known: Iterable[str]) -> str:
    """The known names in their order, not all where they are many."""
    names = list(known)
    more = f" and {len(names) - NAMED_MAX} more" if len(names) > NAMED_MAX else ""
    return (", ".join(names[:NAMED_MAX]) or "none") + more
