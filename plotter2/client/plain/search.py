"""Search: bundles and runs by what they were given, what they measured, and how they are marked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plotter2.client.plain.thread import Thread
from plotter2.client.views import Found, Page, Request


class Search(Thread):
    """The verbs that find."""

    def search(
        self, where: str = "", *, sort: str = "", limit: int = 0, under: str = "", archived: bool = False
    ) -> Page[Found]:
        """Bundles and runs: `search('param.lr < 0.1 and metric.accuracy > 0.9', sort="-metric.accuracy", limit=10)`.

        A data frame of them is `pandas.DataFrame(one.flat for one in found)`.
        """
        return self._do(lambda p2: p2.search(where, sort=sort, limit=limit, under=under, archived=archived))

    def tag(self, bundle: str, tags: Mapping[str, Any] | None = None, *, key: str = "", **more: Any) -> Request:
        """Set tags on a bundle: `tag("experiments/digits", model="mlp")`; None takes one away."""
        return self._do(lambda p2: p2.tag(bundle, tags, key=key, **more))
