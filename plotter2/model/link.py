"""Links: what one bundle expects and another satisfies (requirements 036 to 047; pure).

A link A -> B joins an in head of A ("this is expected") to an out head of B ("this satisfies it"). Arguments go from A
to B, what is returned comes back from B to A; an epsilon may translate on either way::

    A.params --> forward --> B.params
    A.returns <-- backward <-- B.returns

A link fits when every arrow's end accepts what its beginning gives. Links that fit can be put one after another, and
what comes out fits again: that is how a grandchild does what is asked of the child above it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from plotter2.clock import ZERO, Instant
from plotter2.ids import RequestId
from plotter2.model import types
from plotter2.model.package import Head as DeclaredHead
from plotter2.model.package import LinkDeclaration, Package
from plotter2.model.types import ANY, Mode, Type

Params = tuple[tuple[str, Type], ...] | None
"""What is taken, in order; None: nothing is said of it."""


class Form(StrEnum):
    """What a head is: a function of the bundle's code, a task, or data that is there."""

    FUNCTION = "function"
    TASK = "task"
    DATA = "data"


_STANDS_FOR = {
    Form.FUNCTION: frozenset({Form.FUNCTION, Form.DATA}),
    Form.DATA: frozenset({Form.DATA, Form.FUNCTION}),
    Form.TASK: frozenset({Form.TASK}),
}
"""What can stand where something of a form is expected. Data can alias a function's result, and be made by one."""


@dataclass(frozen=True, slots=True)
class Head:
    """One end of a link: what a bundle does or has, under a name.

    Attributes:
        place: `path:function`, the name of the task, or the path of the data.
        params: what it takes; data takes nothing: what it is given is dropped.
        returns: what it gives.
    """

    bundle: str
    name: str
    form: Form
    place: str = ""
    params: Params = None
    returns: Type = ANY

    def at(self, bundle: str) -> Head:
        """The same head of another bundle."""
        return Head(bundle, self.name, self.form, self.place, self.params, self.returns)

    @property
    def shape(self) -> str:
        """What it takes and gives, as one text."""
        taken = "…" if self.params is None else ", ".join(str(kind) for _, kind in self.params)
        return f"({taken}) -> {self.returns}"


@dataclass(frozen=True, slots=True)
class Epsilon:
    """What translates, step by step, each way; without steps nothing changes.

    Attributes:
        forward: functions from the arguments A gives to those B takes.
        backward: functions from what B returns to what A expects.
    """

    forward: tuple[Head, ...] = ()
    backward: tuple[Head, ...] = ()

    def then(self, other: Epsilon) -> Epsilon:
        """First this one, then the other: arguments go in, results come back through both."""
        return Epsilon(self.forward + other.forward, other.backward + self.backward)


PLAIN = Epsilon()


class Origin(StrEnum):
    """Who says that there is a link."""

    SHARED = "shared"
    """B does nothing of its own: it shares what A does, by A's own means."""
    FOUND = "found"
    """plotter2 did: both bundles have a head of one name, and the shapes fit."""
    DECLARED = "declared"
    """A package.json."""
    ASKED = "asked"
    """A request."""


_WEIGHTS = tuple(Origin)
"""Of two links that make one, the weightier origin is named."""


@dataclass(frozen=True, slots=True)
class Link:
    """One link, from a bundle that expects something to one that satisfies it.

    Attributes:
        expected: A's in head.
        given: B's out head.
        is_forced: somebody wants it although it does not fit; flagged wherever it is counted.
    """

    expected: Head
    given: Head
    mode: Mode = Mode.CONSTANT
    epsilon: Epsilon = PLAIN
    origin: Origin = Origin.FOUND
    is_forced: bool = False

    @property
    def operation(self) -> str:
        """What of A this is about."""
        return self.expected.name

    @property
    def steps(self) -> tuple[Head, ...]:
        """Every head that is called or read where the link is followed."""
        return (self.given, *self.epsilon.forward, *self.epsilon.backward)

    def then(self, other: Link) -> Link:
        """A -> B and B -> C make A -> C. Sizes may vary as soon as they may on one of the two."""
        is_mutable = Mode.MUTABLE in (self.mode, other.mode)
        return Link(
            self.expected,
            other.given,
            Mode.MUTABLE if is_mutable else Mode.CONSTANT,
            self.epsilon.then(other.epsilon),
            max(self.origin, other.origin, key=_WEIGHTS.index),
            is_forced=self.is_forced or other.is_forced,
        )


def identity(head: Head) -> Link:
    """The link of a head to itself."""
    return Link(head, head)


def misfit(link: Link) -> str:
    """Why a link does not fit, as the end of a sentence that names both types; "" if it does."""
    return _wrong_form(link) or _wrong_arguments(link) or _wrong_result(link)


def _wrong_form(link: Link) -> str:
    if link.expected.form is Form.TASK and link.epsilon != PLAIN:
        return f"{_called(link.expected)} is a task, which runs as it is: only functions and data are translated"
    for step in (*link.epsilon.forward, *link.epsilon.backward):
        if step.form is not Form.FUNCTION:
            return f"{_called(step)} is to translate and is no function"
    if link.given.form in _STANDS_FOR[link.expected.form]:
        return ""
    return f"{_called(link.expected)} is a {link.expected.form} and {_called(link.given)} is a {link.given.form}"


def _wrong_arguments(link: Link) -> str:
    giver, given = link.expected, link.expected.params
    for step in (*link.epsilon.forward, link.given):
        if not _taken(step.params, given, link.mode):
            what = "nothing that is said" if given is None else _spelled(given)
            return f"{_called(step)} takes {_spelled(step.params)} and {_called(giver)} gives {what}"
        giver, given = step, (("", step.returns),)
    return ""


def _taken(params: Params, given: Params, mode: Mode) -> bool:
    """Whether arguments can be taken, in their order. What takes nothing drops what it is given."""
    if not params:
        return True
    if given is None or len(given) != len(params):
        return False
    return all(types.accepts(mine, theirs, mode) for (_, mine), (_, theirs) in zip(params, given, strict=True))


def _wrong_result(link: Link) -> str:
    giver = link.given
    for step in link.epsilon.backward:
        if not _taken(step.params, (("", giver.returns),), link.mode):
            return f"{_called(step)} takes {_spelled(step.params)} and {_called(giver)} returns {giver.returns}"
        giver = step
    part = types.difference(link.expected.returns, giver.returns, link.mode)
    if not part:
        return ""
    return (
        f"{_called(link.expected)} returns {link.expected.returns} and {_called(giver)} returns {giver.returns}: "
        f"another {part}"
    )


def _called(head: Head) -> str:
    return f"{head.name!r} of {head.bundle!r}"


def _spelled(params: Params) -> str:
    return "anything" if params is None else f"({', '.join(str(kind) for _, kind in params)})"


@dataclass(frozen=True, slots=True)
class Heads:
    """What a bundle declares that links can join.

    Attributes:
        operations: what it does or has, by name: what its members are measured by.
        tools: heads that only translate in its own links.
    """

    operations: Mapping[str, Head] = field(default_factory=dict)
    tools: Mapping[str, Head] = field(default_factory=dict)

    def get(self, name: str) -> Head | None:
        """The head of that name, of either kind."""
        return self.operations.get(name) or self.tools.get(name)

    def of_task(self, name: str) -> Head | None:
        """The operation that stands for a task."""
        found = (one for one in self.operations.values() if one.form is Form.TASK and one.place == name)
        return next(found, None)

    @property
    def names(self) -> list[str]:
        """All of them."""
        return [*self.operations, *self.tools]


NO_HEADS = Heads()


@dataclass(frozen=True, slots=True)
class SaidLink:
    """What somebody asked about one operation of one bundle, for another. The newest such word holds; all are kept.

    Attributes:
        src: bundle A, whose operation it is.
        dst: bundle B.
        out_head: the head of B that satisfies it; "" where it was unlinked.
        forward: name of the head that translates arguments, of B or of A; "" for none.
        backward: the same for what is returned.
        is_unlinked: nothing links it.
    """

    request_id: RequestId
    src: str
    dst: str
    operation: str
    out_head: str = ""
    mode: Mode = Mode.CONSTANT
    forward: str = ""
    backward: str = ""
    is_forced: bool = False
    is_unlinked: bool = False
    user: str = ""
    created_at: Instant = ZERO


def heads_of(bundle: str, package: Package) -> Heads:
    """The heads of a bundle: those it declares, and one for each task that no declared head speaks for."""
    tasks = {one.name for one in package.tasks}
    found = {name: _head(bundle, name, one, tasks) for name, one in package.heads.items()}
    spoken_for = {head.place for head in found.values() if head.form is Form.TASK}
    for name in tasks - spoken_for - found.keys():
        found[name] = Head(bundle, name, Form.TASK, name)
    tools = {side for one in package.links for side in (one.epsilon.forward, one.epsilon.backward)}
    return Heads(
        {name: head for name, head in sorted(found.items()) if name not in tools},
        {name: head for name, head in sorted(found.items()) if name in tools},
    )


_type = lru_cache(maxsize=4096)(types.parse)


def _head(bundle: str, name: str, declared: DeclaredHead, tasks: set[str]) -> Head:
    params: Params = tuple((key, _type(text)) for key, text in declared.params.items()) or None
    returns = _type(declared.returns)
    if declared.pipeline:
        return Head(bundle, name, Form.TASK, declared.pipeline, params, returns)
    if declared.function and name in tasks:  # the function behind a script: it says the types, the task is what runs
        return Head(bundle, name, Form.TASK, name, params, returns)
    if declared.function:
        return Head(bundle, name, Form.FUNCTION, declared.function, params, returns)
    return Head(bundle, name, Form.DATA, declared.file or declared.data, (), returns)


def of_declaration(one: LinkDeclaration, own: Heads, expected: Head, given: Head) -> Link:
    """The link that a bundle with these heads declares, between two heads that are there; it may not fit."""
    steps = [own.get(name) for name in (one.epsilon.forward, one.epsilon.backward)]
    forward, backward = (() if step is None else (step,) for step in steps)
    return Link(expected, given, one.mode, Epsilon(forward, backward), Origin.DECLARED)
