"""Versions: what differs, what was asked over time, what is put aside. Nothing is ever deleted."""

from __future__ import annotations

from plotter2.client.plain.thread import Thread
from plotter2.client.views import Difference, HistoryEntry, Page, Request


class Versions(Thread):
    """The verbs about versions."""

    def diff(self, before: str, after: str) -> Difference:
        """What differs between two versions, each as `name` or `name@version`; they may be of two bundles."""
        return self._do(lambda p2: p2.diff(before, after))

    def history(self, bundle: str) -> Page[HistoryEntry]:
        """Everything that was asked about a bundle or what lies below it, oldest first, and what each push came to."""
        return self._do(lambda p2: p2.history(bundle))

    def inherit(self, bundle: str, *, key: str = "") -> Request:
        """Take anew what a bundle has from its parents as they are now: a new version, unless nothing differs."""
        return self._do(lambda p2: p2.inherit(bundle, key=key))

    def archive(self, bundle: str, *, key: str = "") -> Request:
        """Put a bundle aside: it is not listed any more, and all of it stays as it is."""
        return self._do(lambda p2: p2.archive(bundle, key=key))

    def unarchive(self, bundle: str, *, key: str = "") -> Request:
        """List a bundle again that was put aside."""
        return self._do(lambda p2: p2.unarchive(bundle, key=key))
