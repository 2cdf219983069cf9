"""What a request sees below its bundle is fixed when it is asked (pure).

So a worker that is lost, or one that joins, changes nothing. Requests that see the same share one list, and so do most
that follow one another; like all that is at rest, lists stay.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from manager.catalog import Catalog
from manager.commands import Command, SavePins
from plotter2.model.pins import NOTHING_BELOW, Place, digest_of, encode

KNOWN_MAX = 10_000
"""Of so many bundles it is remembered what lies below, until something changes; so many lists are not written twice."""


class Pins:
    """What requests see."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._written: OrderedDict[bytes, None] = OrderedDict()
        self._seen: OrderedDict[str, tuple[int, bytes]] = OrderedDict()

    def current(self, bundle: str) -> bytes:
        """What a request on a bundle would see now."""
        return self._current(bundle)[0]

    def take(self, bundle: str) -> tuple[bytes, list[Command]]:
        """A request on a bundle begins: what it sees, and the write of that, where it may be new."""
        digest, text = self._current(bundle)
        if digest == NOTHING_BELOW or digest in self._written:
            return digest, []
        self._written[digest] = None
        if len(self._written) > KNOWN_MAX:
            self._written.popitem(last=False)
        return digest, [SavePins(digest, text or self._text(bundle))]

    def _current(self, bundle: str) -> tuple[bytes, str]:
        """The digest, and the text where it had to be put together."""
        known = self._seen.get(bundle)
        if known is not None and known[0] == self._catalog.changes:
            return known[1], ""
        text = self._text(bundle)
        self._seen[bundle] = self._catalog.changes, digest_of(text)
        if len(self._seen) > KNOWN_MAX:
            self._seen.popitem(last=False)
        return self._seen[bundle][1], text

    def _text(self, bundle: str) -> str:
        return encode(self._below(bundle))

    def _below(self, bundle: str) -> Iterable[Place]:
        for path in self._catalog.below(bundle):
            node = self._catalog.get(path)
            if node is not None and not node.version.archived:
                yield str(path), node.version.version
