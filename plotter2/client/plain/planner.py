"""Automatic users: whether they may ask, and wishes, which a planner turns into ordinary asks."""

from __future__ import annotations

from plotter2.client.plain.thread import Thread
from plotter2.client.views import Planner, Request


class Planning(Thread):
    """The verbs about automatic users."""

    def planner(self) -> Planner:
        """Whether automatic users may ask, who said so, and how often they did within the last hour."""
        return self._do(lambda p2: p2.planner())

    def switch_planner(self, *, on: bool, key: str = "") -> Request:
        """Let automatic users ask, or not. Until somebody lets them they may not."""
        return self._do(lambda p2: p2.switch_planner(on=on, key=key))

    def wish(self, bundle: str, text: str, *, key: str = "", wait: bool = True) -> Request:
        """Have a planner think about a bundle, in your words: it asks for what fulfils the wish."""
        return self._do(lambda p2: p2.wish(bundle, text, key=key, wait=wait))
