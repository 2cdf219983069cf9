"""Fan-out: a task asked of a bundle and of what lies below it, each by its own link (requirements 031, 050, 051).

Pure. Whoever has no link of its own is done by the asked bundle's own implementation, if it is a member at all. Nobody
is left out in silence: who is skipped comes with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from manager.catalog import Node
from manager.events import RunAsked
from manager.state import State
from plotter2.clock import Instant
from plotter2.errors import RefusedError
from plotter2.model.link import Form, Head, Link
from plotter2.model.membership import Links, Standing
from plotter2.model.names import listed
from plotter2.model.request import Over, Skip
from plotter2.model.task import Task

Target = tuple[Task, tuple[str, int]]
"""What runs, and on which version."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Who is asked, in the order of the tree, and who is not."""

    targets: list[Target]
    skipped: list[Skip]


def out(state: State, event: RunAsked, own: Target, now: Instant) -> Spread:
    """Where a task runs that is asked over more than one bundle.

    Args:
        state: the bundles and their links.
        event: what was asked.
        own: the task and the version of the asked bundle itself.
        now: when definitions are made.

    Raises:
        RefusedError: no bundle; a definition of its own where an operation is needed; all were asked, and not all
            link it: the message names them.
    """
    if not event.bundle:
        raise RefusedError(f"--over {event.over} needs a bundle: --on BUNDLE.")
    asked = _Asked(state, event, own, now)
    if event.over is Over.ALL:
        asked.check_all()
    spread = Spread([own], [])
    for node in asked.below():
        task, reason = asked.task_for(node)
        if task is None:
            spread.skipped.append(Skip(node.version.path, reason))
        else:
            spread.targets.append((task, (node.version.path, node.version.version)))
    return spread


class _Asked:
    """One task, asked of one bundle and of what lies below it."""

    def __init__(self, state: State, event: RunAsked, own: Target, now: Instant) -> None:
        self._state, self._event, self._now = state, event, now
        self._task = own[0]
        self._owner = self._task.bundle if not event.source else event.bundle
        self._operation = self._find()

    def _find(self) -> Head | None:
        if self._event.source and self._event.over is not Over.MEMBERS:
            raise RefusedError(
                f"A definition that travels with the ask is no operation of {self._event.bundle!r} that could be "
                "linked; `--over members` runs it on each member."
            )
        return None if self._event.source else self._state.bonds.heads(self._owner).of_task(self._event.task)

    def below(self) -> Iterator[Node]:
        catalog = self._state.catalog
        return (catalog.need(path) for path in catalog.below(self._event.bundle))

    def task_for(self, node: Node) -> tuple[Task | None, str]:
        """The definition that a bundle runs; none, and why not."""
        path = node.version.path
        if node.version.archived:
            return None, "it is archived"
        if self._state.bonds.is_container(path):
            return None, "it only holds other bundles"
        linked = self._linked(path)
        link = self._link(linked)
        if link is not None and link.given.form is not Form.TASK:
            return None, f"its link is forced to {link.given.name!r}, which is no task"
        if link is not None:
            return self._state.catalog.task(link.given.place, link.given.bundle, self._now), ""
        reason = self._why_not(path, linked)
        return (None, reason) if reason else (self._task, "")

    def _why_not(self, path: str, linked: Links) -> str:
        """Why the asked bundle's own means do not serve another one that does not link the task; "" if they do."""
        verdict = self._state.bonds.verdict(path, self._owner, linked)
        if verdict.standing is Standing.IMPOSTER:
            missing = listed(map(repr, verdict.missing))
            return f"it is an imposter (score {verdict.score:.2f}): it does not link {missing}"
        if self._operation is None:
            return ""
        name = self._operation.name
        word = self._state.bonds.said(self._owner, path).get(name)
        if word is not None and word.is_unlinked:
            return f"{name!r} was unlinked by request {word.request_id}"
        return "" if self._event.over is Over.MEMBERS else f"it does not link {name!r}"

    def _linked(self, path: str) -> Links:
        bonds = self._state.bonds
        return bonds.below(self._owner).get(path) or bonds.between(self._owner, path)

    def _link(self, linked: Links) -> Link | None:
        return linked.get(self._operation.name) if self._operation is not None else None

    def check_all(self) -> None:
        """Refuse what not everybody below can do: it is not in the intersection."""
        lacking = [
            node.version.path
            for node in self.below()
            if not node.version.archived and not self._state.bonds.is_container(node.version.path)
            for link in (self._link(self._linked(node.version.path)),)
            if link is None or (link.is_forced and not self._event.with_forced)
        ]
        if lacking:
            raise RefusedError(
                f"{self._event.task!r} cannot be asked of all below {self._event.bundle!r}: {len(lacking)} do not link "
                f"it (forced links count with --forced): {listed(map(repr, lacking))}. `--over any` asks those that "
                f"do, `plotter2 ops {self._event.bundle} --all` lists what all do."
            )
