"""What the installation adds by files of its config directory."""

from __future__ import annotations

from plotter2.client.plain.thread import Thread
from plotter2.client.views import Config


class Configuring(Thread):
    """The verb about what is added."""

    def config(self) -> Config:
        """Templates, words and visual types of the installation's own, as its files are now; and what is left out."""
        return self._do(lambda p2: p2.config())
