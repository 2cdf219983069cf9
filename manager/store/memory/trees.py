"""Linked trees of instances in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container

from manager.store import Batch
from manager.store.growing import Grown, Leaf, TreeRow
from plotter2.ids import RequestId


class Trees:
    """What was written of trees."""

    def __init__(self) -> None:
        super().__init__()
        self._trees: dict[str, TreeRow] = {}
        self._leaves: dict[str, list[Leaf]] = defaultdict(list)
        self._lines: dict[str, list[bytes]] = defaultdict(list)

    def _take_trees(self, batch: Batch) -> None:
        self._trees |= {one.id: one for one in batch.trees}
        for leaf in batch.leaves:
            self._leaves[leaf.tree].append(leaf)
        for some in batch.lines:
            self._lines[some.tree] += some.entries

    def _trees_of(self, live: Container[RequestId]) -> tuple[Grown, ...]:
        """Those of these requests, in the order in which they were made."""
        trees = sorted(self._trees.values(), key=lambda one: (one.created_at, one.id))
        return tuple(
            Grown(one, tuple(self._leaves[one.id]), tuple(self._lines[one.id]))
            for one in trees if one.request_id in live
        )  # fmt: skip
