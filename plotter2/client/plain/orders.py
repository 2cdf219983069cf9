"""Standing orders."""

from __future__ import annotations

from plotter2.client.plain.thread import Thread
from plotter2.client.views import Order, Page, Request


class Orders(Thread):
    """The verbs about standing orders."""

    def orders(self, under: str = "") -> Page[Order]:
        """What happens by itself, by bundle; `under`: only of this bundle and of those below it."""
        return self._do(lambda p2: p2.orders(under))

    def pause(self, bundle: str, order: str, *, key: str = "") -> Request:
        """Have a standing order wait: what it would have fired on is passed over, and counted in `Order.missed`."""
        return self._do(lambda p2: p2.pause(bundle, order, key=key))

    def resume(self, bundle: str, order: str, *, key: str = "") -> Request:
        """Have it fire again, from now on."""
        return self._do(lambda p2: p2.resume(bundle, order, key=key))
