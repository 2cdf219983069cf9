"""Quarantine: what is kept and not used, and the walk that looks for more."""

from __future__ import annotations

from plotter2.client.plain.thread import Thread
from plotter2.client.verbs.quarantine import OnCounts
from plotter2.client.views import Page, QuarantineItem, Request, Verification


class Quarantine(Thread):
    """The verbs about quarantine."""

    def verify(self, *, contents: bool = True, on_counts: OnCounts | None = None) -> Verification:
        """Look whether everything at rest is what was put there; put right what can be, and tell what was found."""
        return self._do(lambda p2: p2.verify(contents=contents, on_counts=on_counts))

    def release(self, item: str, *, key: str = "") -> Request:
        """Take in a delivery that is in quarantine, if its conditions hold by now."""
        return self._do(lambda p2: p2.release(item, key=key))

    def refuse(self, item: str, *, key: str = "") -> Request:
        """Let something in quarantine be, for good: its push ends as refused, and nothing is deleted."""
        return self._do(lambda p2: p2.refuse(item, key=key))

    def quarantine(self, *, decided: bool = False) -> Page[QuarantineItem]:
        """What is kept and not used, oldest first; `decided`: also what somebody has decided about."""
        return self._do(lambda p2: p2.quarantine(decided=decided))
