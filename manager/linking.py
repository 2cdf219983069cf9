"""Links that people ask for or packages declare, checked; what is asked becomes a word that holds.

Requirements 047, 052 to 054; pure. Nothing is removed: to unlink is a newer word about the same operation.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from manager import asks
from manager.bonds import Bonds, ends, only_named
from manager.commands import Answer, Command, SaveLink, SaveRequest
from manager.events import LinkAsked
from manager.journal import note
from manager.state import State
from plotter2.clock import Instant
from plotter2.errors import ConflictError, NotFoundError, PackageError, RefusedError
from plotter2.model import ask, document, package
from plotter2.model import link as links
from plotter2.model.ask import LinkAsk, UnlinkAsk
from plotter2.model.bundle import BundleVersion
from plotter2.model.link import Form, Head, Heads, Link, SaidLink
from plotter2.model.names import NOTHING_NEAR, did_you_mean, listed
from plotter2.model.package import LinkDeclaration, Package
from plotter2.model.package.linked import chain, circle
from plotter2.model.request import Request, RequestState


def asked(state: State, event: LinkAsked, now: Instant) -> list[Command]:
    """Link, or unlink: done at once, or refused with both types named."""
    request = Request(
        event.request_id, event.kind, RequestState.DONE, event.user, event.bundle, ask.encode(event.asked),
        event.client_key, created_at=now, finished_at=now,
    )  # fmt: skip
    try:
        for path in (event.asked.src, event.asked.dst):
            state.catalog.need(path)
        words = _words(state.bonds, event.asked)
    except RefusedError as wrong:
        return asks.refuse(state, event.token, replace(request, finished_at=Instant(0.0)), wrong, now)
    words = [replace(one, request_id=request.id, user=event.user, created_at=now) for one in words]
    for word in words:
        state.bonds.say(word)
    state.remember_key(request)
    return [
        SaveRequest(request),
        *(SaveLink(word) for word in words),
        *(_noted(word, now) for word in words),
        Answer(event.token, request.id),
    ]


def _noted(word: SaidLink, now: Instant) -> Command:
    kind = "link.undone" if word.is_unlinked else "link.forced" if word.is_forced else "link.made"
    return note(kind, word.src, now, to=word.dst, operation=word.operation, head=word.out_head, request=word.request_id)


def _words(bonds: Bonds, given: LinkAsk | UnlinkAsk) -> list[SaidLink]:
    return _unlinked(bonds, given) if isinstance(given, UnlinkAsk) else [_linked(bonds, given)]


def _linked(bonds: Bonds, given: LinkAsk) -> SaidLink:
    operations = bonds.heads(given.src).operations
    _need(given.operation, given.src, operations, "operation")
    out_head = given.out_head or given.operation
    _need(out_head, given.dst, bonds.heads(given.dst).names, "head")
    word = SaidLink(
        asks.PLAN_AGAIN, given.src, given.dst, given.operation, out_head, given.mode, given.forward, given.backward
    )
    for name in (given.forward, given.backward):
        if bonds.translator(word, name) is None:
            heads = [bonds.heads(given.dst), bonds.heads(given.src)]
            _need(name, f"{given.dst}' or '{given.src}", _functions(heads), "function head")
    if bonds.made(word) is not None:
        return word
    forced = replace(word, is_forced=True)
    link = bonds.made(forced)
    if given.force and link is not None:
        return forced
    raise RefusedError(_why_not(given.src, given.dst, link))


def _why_not(src: str, dst: str, link: Link | None) -> str:
    reason = links.misfit(link) if link is not None else "one of its heads is gone"
    return (
        f"{src!r} is not linked to {dst!r}: {reason}. A function that translates ('--forward', '--backward') may make "
        "it fit; '--force' links it all the same, and says so wherever it counts."
    )


def _need(name: str, bundle: str, known: Collection[str], what: str) -> None:
    if name not in known:
        near = did_you_mean(name, known)
        end = near if near != "." else f"; it has {listed(repr(one) for one in sorted(known))}."
        raise NotFoundError(f"Bundle '{bundle}' has no {what} {name!r}{end}")


def _functions(heads: Collection[Heads]) -> list[str]:
    found: list[Head | None] = [one.get(name) for one in heads for name in one.names]
    return [one.name for one in found if one is not None and one.form is Form.FUNCTION]


def _unlinked(bonds: Bonds, given: UnlinkAsk) -> list[SaidLink]:
    if given.src == given.dst:
        raise RefusedError(
            f"{given.src!r} is linked to itself fully, always: a bundle that does not do what it does is none."
        )
    if given.operation:
        _need(given.operation, given.src, bonds.heads(given.src).operations, "operation")
    linked = sorted(bonds.between(given.src, given.dst))
    names = only_named(linked, given.operation)
    if not names:
        what = f"{given.operation!r}" if given.operation else "anything"
        raise ConflictError(
            f"{given.dst!r} does not link {what} of {given.src!r}; it links {listed(map(repr, linked))}."
        )
    return [SaidLink(asks.PLAN_AGAIN, given.src, given.dst, name, is_unlinked=True) for name in names]


# --- at installation ----------------------------------------------------------------------------------------------


def check_declared(state: State, path: str, package_json: str) -> None:
    """Look at the links that a delivery declares, to itself and to bundles that are here already.

    A bundle must be linked to itself fully (requirement 054); a link to a bundle that is not here yet waits for it.

    Raises:
        PackageError: a link does not fit, or names what is not there; both types, line and key.
    """
    declared = package.read(package_json)
    own = links.heads_of(path, declared)
    for i, one in enumerate(declared.links):
        src, dst = ends(one, path)
        sides = [own if end == path else state.bonds.heads(end) for end in (src, dst)]
        absent = [end for end in (src, dst) if end != path and state.catalog.get(end) is None]
        reason = "" if absent else _fault(one, own, sides, (src, dst))
        if reason:
            at: document.Path = ("links", i)
            fully = "; a bundle is linked to itself fully" if src == dst else ""
            raise PackageError(
                f"package.json, line {document.line_of(package_json, at)}, {document.spell(at)!r} ({one.name!r}): "
                f"{reason}{fully}."
            )


def check_linked(state: State, version: BundleVersion) -> None:
    """Whether every task that a version's tasks are linked to is there: its own, an inherited one, or over a link.

    Raises:
        PackageError: one is not, or they are linked in a circle by way of what is inherited; with line and key.
    """
    text = version.package_json
    declared = package.read(text)
    if not any(task.linked_to for task in declared.tasks):
        return
    traits = state.catalog.know(version.inherited).of("tasks")
    tasks = {name: package.task_of(trait.value) for name, trait in traits.items()}
    tasks |= {task.name: task for task in declared.tasks}
    known = [*tasks, *_linked_tasks(version.path, declared)]
    for i, task in enumerate(declared.tasks):
        for name in task.linked_to:
            if name not in known:
                near = did_you_mean(name, known)
                end = near if near != NOTHING_NEAR else f"; there are {listed(map(repr, known))}."
                raise _wrong(text, i, f"names {name!r}, which is no task of {version.path!r}, own or inherited{end}")
    found = circle({name: task.linked_to for name, task in tasks.items()})
    if found:
        own = next((i for i, task in enumerate(declared.tasks) if task.name in found), 0)
        raise _wrong(text, own, f"goes round, by way of inherited tasks: {chain(found)}.")


def _linked_tasks(path: str, declared: Package) -> list[str]:
    """The names of links that lead from a bundle to a task of another one."""
    operations = links.heads_of(path, declared).operations
    out = [one for one in declared.links if ends(one, path)[0] == path != ends(one, path)[1]]
    return [one.name for one in out if one.in_head in operations and operations[one.in_head].form is Form.TASK]


def _wrong(text: str, task: int, reason: str) -> PackageError:
    at: document.Path = ("tasks", task, "linked")
    return PackageError(f"package.json, line {document.line_of(text, at)}, {document.spell(at)!r}: {reason}")


def _fault(one: LinkDeclaration, own: Heads, sides: list[Heads], places: tuple[str, str]) -> str:
    upper, lower = sides
    expected, given = upper.operations.get(one.in_head), lower.get(one.out_head)
    for head, key, name, known, place in (
        (expected, "in", one.in_head, upper.operations, places[0]),
        (given, "out", one.out_head, lower.names, places[1]),
    ):
        if head is None:
            near = did_you_mean(name, known).removesuffix(".")
            return f"its {key!r} names {name!r}, which {place!r} does not have{near}"
    if expected is None or given is None:
        return ""
    return links.misfit(links.of_declaration(one, own, expected, given))
