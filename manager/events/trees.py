"""About linked trees of instances: what they ask, and what was found out about who is in them."""

from __future__ import annotations

from dataclasses import dataclass

from plotter2.datter.ledger.ops import Define, Instance, Question
from plotter2.ids import RunId, WorkerId
from plotter2.model.task import Task


@dataclass(frozen=True, slots=True)
class OpAsked:
    """One question of one instance.

    Attributes:
        ask: what the answer goes by.
        seq: the how manieth op of this attempt; 0 for what only reads.
    """

    run_id: RunId
    epoch: int
    ask: int
    seq: int
    question: Question


@dataclass(frozen=True, slots=True)
class OpsAsked:
    """A worker brings what its instances ask."""

    worker_id: WorkerId
    asks: tuple[OpAsked, ...]


@dataclass(frozen=True, slots=True)
class Sprout:
    """The instances of one definition, planned.

    Attributes:
        places: where each stands on its axis.
        parameters: what each is given with its keys, a JSON object each.
        warning: why there are none.
        config: the digest of what the installation added when the tree was asked for.
    """

    definition: str
    instances: tuple[Instance, ...]
    places: tuple[float, ...]
    parameters: tuple[str, ...]
    warning: str = ""
    config: bytes = b""


@dataclass(frozen=True, slots=True)
class TreePlanned:
    """A run is a tree.

    Attributes:
        secret: what its transfer keys are made with.
        definitions: all that can be started in it, that of the run first, each as its ledger is told of it.
        sprouts: what starts now: what is linked before what it is linked to, so the run's own definition is last.
    """

    run_id: RunId
    secret: bytes
    definitions: tuple[tuple[Task, Define], ...]
    sprouts: tuple[Sprout, ...]


@dataclass(frozen=True, slots=True)
class StartPlanned:
    """What an instance wants started is planned, or cannot be: then `error` says why."""

    tree: str
    number: int
    epoch: int
    seq: int
    given: str
    sprouts: tuple[Sprout, ...] = ()
    error: str = ""
    error_code: str = ""
