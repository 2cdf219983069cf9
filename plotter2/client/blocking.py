"""The client for ordinary programs: the asynchronous one on a background thread, every verb a plain call.

What a verb means stands in `plotter2.client.verbs`; the plain ones lie in `plotter2.client.plain`, file by file.
"""

from __future__ import annotations

from pathlib import Path

from plotter2.client import asynchronous
from plotter2.client.plain.ask import Ask
from plotter2.client.plain.config import Configuring
from plotter2.client.plain.give import Give
from plotter2.client.plain.lineage import Lineages
from plotter2.client.plain.links import Links
from plotter2.client.plain.look import Look
from plotter2.client.plain.many import Many
from plotter2.client.plain.orders import Orders
from plotter2.client.plain.planner import Planning
from plotter2.client.plain.quarantine import Quarantine
from plotter2.client.plain.search import Search
from plotter2.client.plain.versions import Versions


class Client(Give, Ask, Many, Look, Versions, Search, Quarantine, Links, Lineages, Orders, Planning, Configuring):
    """A connected client, as a context manager: `with plotter2.connect() as p2: ...`."""


def connect(address: str | None = None, home: str | Path | None = None) -> Client:
    """A client of the manager at `address`, else of the installation at `home` (else of the default home).

    Raises:
        UnreachableError: when entered, if no plotter2 is running there; the sentence says how to start it.
    """
    return Client(lambda: asynchronous.connect(address, home))
