"""What bundles look like to runs, kept where nothing but versions and pins decides it: so it is asked for once."""

from __future__ import annotations

from collections import OrderedDict

from plotter2.api.v1 import manager_pb2

KEPT_BYTES_MAX = 16 << 20
"""Of all that is kept, as messages."""

Place = tuple[str, int]
Key = tuple[Place, bytes, Place]
"""A bundle and its version, what is pinned below it, and where the task is declared."""


class Settled:
    """Descriptions of bundles, those used last."""

    def __init__(self, bytes_max: int = KEPT_BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._kept: OrderedDict[Key, manager_pb2.GetBundleResponse] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Key) -> manager_pb2.GetBundleResponse | None:
        """A description that is kept; nobody may change it."""
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def put(self, key: Key, found: manager_pb2.GetBundleResponse) -> None:
        """Keep a description, if it is settled and pinned; those that were not used for the longest time go."""
        if not (found.is_settled and key[1]) or key in self._kept:
            return
        self._kept[key] = found
        self._bytes += found.ByteSize()
        while self._bytes > self._bytes_max:
            _, gone = self._kept.popitem(last=False)
            self._bytes -= gone.ByteSize()
