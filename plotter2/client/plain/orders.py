"""Standing orders."""

from __future__ import annotations

from plotter2.client.plain.thread import Thread
from plotter2.client.views import Order, Page


class Orders(Thread):
    """The verbs about standing orders."""

    def orders(self, under: str = "") -> Page[Order]:
        """What happens by itself, by bundle; `under`: only of this bundle and of those below it."""
        return self._do(lambda p2: p2.orders(under))
