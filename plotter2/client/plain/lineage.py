"""Lineage: why something is there, and what it was used for."""

from __future__ import annotations

from pathlib import Path

from plotter2.client.plain.thread import Thread
from plotter2.client.views import Lineage


class Lineages(Thread):
    """The verbs that follow lineage. They change nothing."""

    def why(self, thing: str | Path, *, fan: int = 0, everything: bool = False) -> Lineage:
        """What led to an output, a file anywhere, `bundle@3`, a request or run: versions, code, parameters, who asked.

        Of each thing `fan` neighbours of one kind are shown (8 unless told); with `everything` all, to 20,000 things.
        """
        return self._do(lambda p2: p2.why(thing, fan=fan, everything=everything))

    def uses(self, thing: str | Path, *, fan: int = 0, everything: bool = False) -> Lineage:
        """What was made from a bundle, `bundle@3` or a file anywhere: runs, figures, children, and what of those.

        Of each thing `fan` neighbours of one kind are shown (8 unless told); with `everything` all, to 20,000 things.
        """
        return self._do(lambda p2: p2.uses(thing, fan=fan, everything=everything))
