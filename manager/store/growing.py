"""What is written of linked trees of instances: the tree and each instance once, the journal line by line (pure)."""

from __future__ import annotations

from dataclasses import dataclass

from plotter2.clock import Instant
from plotter2.ids import RequestId, RunId, TaskId


@dataclass(frozen=True, slots=True)
class TreeRow:
    """A tree when it was planted.

    Attributes:
        id: the run that was asked for, whose instances are its last.
        bundle: what all of it runs on, at `version`.
        secret: what its transfer keys are made with.
        tasks: the definitions that can be started in it, in the order in which its ledger knows them.
    """

    id: str
    request_id: RequestId
    bundle: str
    version: int
    secret: bytes
    tasks: tuple[TaskId, ...]
    created_at: Instant


@dataclass(frozen=True, slots=True)
class Leaf:
    """One instance: which run it is.

    Attributes:
        number: its number in the ledger, from 1.
        place: where it stands on its axis.
    """

    tree: str
    number: int
    run_id: RunId
    place: float


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of a tree's journal; `first` is the place of the first of them, from 1."""

    tree: str
    first: int
    entries: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Grown:
    """A tree with everything that was written of it; its journal from the first line on."""

    row: TreeRow
    leaves: tuple[Leaf, ...] = ()
    lines: tuple[bytes, ...] = ()
