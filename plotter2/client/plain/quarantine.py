"""Quarantine: what is kept and not used, and the walk that looks for more."""

from __future__ import annotations

from plotter2.client.plain.thread import Thread
from plotter2.client.verbs.quarantine import OnCounts
from plotter2.client.views import Page, QuarantineItem, Verification


class Quarantine(Thread):
    """The verbs about quarantine."""

    def verify(self, *, contents: bool = True, on_counts: OnCounts | None = None) -> Verification:
        """Look whether everything at rest is what was put there; put right what can be, and tell what was found."""
        return self._do(lambda p2: p2.verify(contents=contents, on_counts=on_counts))

    def quarantine(self, *, decided: bool = False) -> Page[QuarantineItem]:
        """What is kept and not used, oldest first; `decided`: also what somebody has decided about."""
        return self._do(lambda p2: p2.quarantine(decided=decided))
