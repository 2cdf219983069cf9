"""Rows of linked trees of instances: the tree, its instances, lines of its journal (pure)."""

from __future__ import annotations

import msgspec

from manager.store.growing import Leaf, Lines, TreeRow
from manager.store.rows.shapes import Row, Values
from plotter2.clock import Instant
from plotter2.ids import RequestId, RunId, TaskId


def tree_values(one: TreeRow) -> Values:
    """For put_trees."""
    tasks = msgspec.json.encode(one.tasks).decode()
    return one.id, one.request_id, one.bundle, one.version, one.secret, tasks, one.created_at


def leaf_values(one: Leaf) -> Values:
    """For put_leaves."""
    return one.tree, one.number, one.run_id, one.place


def line_values(some: Lines) -> list[Values]:
    """For put_lines."""
    return [(some.tree, some.first + place, entry) for place, entry in enumerate(some.entries)]


def to_tree(row: Row) -> TreeRow:
    """A tree."""
    tasks = tuple(map(TaskId, msgspec.json.decode(row["tasks"], type=list[str])))
    return TreeRow(
        row["id"], RequestId(row["request_id"]), row["bundle"], row["version"], row["secret"], tasks,
        Instant(row["created_at"]),
    )  # fmt: skip


def to_leaf(row: Row) -> Leaf:
    """An instance."""
    return Leaf(row["tree"], row["number"], RunId(row["run_id"]), row["place"])
