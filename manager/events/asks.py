"""From clients: what they ask for."""

from __future__ import annotations

from dataclasses import dataclass

from manager.events.automatic import PlannerAsked
from manager.events.links import LinkAsked
from manager.events.orders import OrderAsked
from manager.events.token import Token
from manager.experiment import Experiment
from manager.store import Held
from plotter2.clock import ZERO, Instant
from plotter2.errors import RefusedError
from plotter2.ids import RequestId
from plotter2.model.bundle import BundleVersion, Contents
from plotter2.model.conditions import Condition
from plotter2.model.enclosed import Enclosed
from plotter2.model.quarantine import QuarantineItem
from plotter2.model.request import Over, RequestKind
from plotter2.model.task import Limits, Task, TaskKind


@dataclass(frozen=True, slots=True)
class RunAsked:
    """Run a task on a bundle. `source` is set for a task that no bundle declares.

    Attributes:
        source_digest: of a source that the store has already, where the text is not at hand.
        on: what it waits for before it runs, about the bundle `of`, from the moment `since` on; "" for nothing.
    """

    token: Token
    request_id: RequestId
    user: str
    task: str
    bundle: str = ""
    version: int = 0
    source: str = ""
    kind: TaskKind = TaskKind.SCRIPT
    filename: str = ""
    parameters_json: str = "{}"
    client_key: str = ""
    replay_of: str = ""
    over: Over = Over.SELF
    with_forced: bool = False
    cause: RequestId = RequestId("")
    limits: Limits = Limits()
    force: bool = False
    round: int = 0
    config: bytes = b""
    source_digest: bytes = b""
    on: str = ""
    of: str = ""
    since: Instant = ZERO


@dataclass(frozen=True, slots=True)
class PlannedChild:
    """One value of a redo as it was planned at the edge: parameters bound, key computed, looked up in the store.

    Attributes:
        existing: the version that the same run left before, if any.
    """

    bundle: str
    parameters_json: str
    run_key: bytes
    existing: BundleVersion | None = None


@dataclass(frozen=True, slots=True)
class RedoAsked:
    """Run an experiment again, as it was planned at the edge.

    Attributes:
        experiment: the version to run; unless it is pinned it must still be the newest.
        is_pinned: that very version was asked for.
        force: run again what was run before.
    """

    token: Token
    request_id: RequestId
    user: str
    experiment: Experiment
    children: tuple[PlannedChild, ...]
    parallel: int
    force: bool
    ask_json: str
    client_key: str = ""
    is_pinned: bool = False


@dataclass(frozen=True, slots=True)
class QuarantineAsked:
    """Decide about something in quarantine.

    Attributes:
        item: as it was when it was looked up at the edge.
        released: take it in after all; else it is refused for good.
        held: of a delivery: all about it.
        conditions: those of its manifest.
        tasks: those that its manifest describes.
    """

    token: Token
    request_id: RequestId
    user: str
    item: QuarantineItem
    released: bool
    held: Held | None = None
    conditions: tuple[Condition, ...] = ()
    tasks: tuple[Enclosed, ...] = ()
    client_key: str = ""
    replay_of: str = ""


@dataclass(frozen=True, slots=True)
class AskRefused:
    """An ask made no sense at the edge already; it is remembered with its reason."""

    token: Token
    request_id: RequestId
    kind: RequestKind
    user: str
    bundle: str
    ask_json: str
    wrong: RefusedError
    client_key: str = ""


@dataclass(frozen=True, slots=True)
class ArchiveAsked:
    """Hide a bundle, or show it again."""

    token: Token
    request_id: RequestId
    user: str
    bundle: str
    archived: bool
    client_key: str = ""
    replay_of: str = ""


@dataclass(frozen=True, slots=True)
class TagsAsked:
    """Set tags on a bundle (a checked JSON object); null takes one away."""

    token: Token
    request_id: RequestId
    user: str
    bundle: str
    tags_json: str
    client_key: str = ""
    replay_of: str = ""


@dataclass(frozen=True, slots=True)
class InheritAsked:
    """Take anew what a bundle has from its parents. `contents` must still be its newest version."""

    token: Token
    request_id: RequestId
    user: str
    contents: Contents
    client_key: str = ""
    replay_of: str = ""


Asked = (
    RunAsked
    | RedoAsked
    | ArchiveAsked
    | TagsAsked
    | LinkAsked
    | InheritAsked
    | QuarantineAsked
    | OrderAsked
    | PlannerAsked
    | AskRefused
)
"""Asks that may carry a client key: a repeat is answered with the first one."""


@dataclass(frozen=True, slots=True)
class RequestCancelled:
    """Somebody wants a request ended."""

    token: Token
    request_id: RequestId


@dataclass(frozen=True, slots=True)
class CallsOpened:
    """A stream of many small runs begins."""

    token: Token
    request_id: RequestId
    user: str
    task: Task
    client_key: str = ""


@dataclass(frozen=True, slots=True)
class CallsAdded:
    """Calls of an open stream: one JSON object of parameters each; the first has index `first`."""

    request_id: RequestId
    first: int
    parameters_json: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CallsClosed:
    """No more calls will come on this stream."""

    request_id: RequestId
