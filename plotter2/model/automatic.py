"""Automatic users: who asks without being a person, what they may, what they propose (requirements 019, 020).

Pure. Their names begin with `ai:`. plotter2 has the last word about each ask of theirs, as about everybody's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from plotter2.clock import ZERO, Instant
from plotter2.ids import RequestId
from plotter2.model.package import Package, Parameter

PREFIX = "ai:"
RULES = "ai:rules"
"""The planner that comes with plotter2: it follows rules, the same for the same wish."""
HOUR_S = 3600.0
ASKS_HOURLY = 20
ASKS_HOURLY_MAX = 1_000
"""No setting allows more: so many asks are looked back at."""
PROPOSALS_MAX = 10
"""Asks that one wish may lead to."""
WISH_CHARS_MAX = 2_000


def is_automatic(user: str) -> bool:
    """Whether this is the name of an automatic user."""
    return user.startswith(PREFIX)


@dataclass(frozen=True, slots=True)
class Switch:
    """Whether automatic users may ask: what somebody asked for last; until then they may not."""

    is_on: bool = False
    by: str = ""
    at: Instant = ZERO


@dataclass(frozen=True, slots=True)
class Wish:
    """What a planner is asked to think about.

    Attributes:
        scope: the bundle that it is about; nothing outside of it can be asked for.
        text: what a person wishes, in their words; "" where a redo has ended well and the question is what follows.
        of: that redo.
    """

    scope: str
    text: str = ""
    of: RequestId = RequestId("")


@dataclass(frozen=True, slots=True)
class Sight:
    """What a planner is shown of a scope; never more, and nothing of it can be changed.

    Attributes:
        declared: the package.json of the bundle.
        data: keys of data, its own and inherited ones.
        tasks: names of tasks, its own and inherited ones.
        parameters: what a redo of the bundle can be given.
        runs: how many bundles below it were made by runs of it.
    """

    bundle: str
    version: int
    declared: Package = field(default_factory=Package)
    data: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    runs: int = 0


@dataclass(frozen=True, slots=True)
class RunDraft:
    """A task to run on the scope.

    Attributes:
        source: a script of its own; "" for a task that the bundle has.
    """

    task: str
    source: str = ""
    parameters_json: str = "{}"


@dataclass(frozen=True, slots=True)
class RedoDraft:
    """An experiment to run again: values of each parameter, as JSON texts."""

    axes: Mapping[str, Sequence[str]]
    parallel: int = 1


@dataclass(frozen=True, slots=True)
class Proposal:
    """An ordinary ask that a planner would make, and why.

    Attributes:
        because: one sentence for people; it stays with the request.
    """

    draft: RunDraft | RedoDraft
    because: str


class Proposer(Protocol):
    """Who thinks of asks. Rules are one; a language model can take this seat.

    Whatever it proposes is asked for under its name, by the door that people use, and may be refused there.

    Attributes:
        identity: its name, which begins with `ai:`.
    """

    identity: str

    async def propose(self, wish: Wish, sight: Sight) -> Sequence[Proposal]:
        """What to ask for; nothing where nothing follows.

        Raises:
            RefusedError: the wish is not understood, or cannot be fulfilled; the message says what could be.
        """
        ...
