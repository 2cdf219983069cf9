"""What a task can call by name where it runs, and by which link that is done (requirements 036 to 044, 048; pure).

Links are those that hold now; declarations and code are those of the versions that run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import msgspec

from manager.bonds import Bonds, ends
from plotter2.model import link as links
from plotter2.model import paths
from plotter2.model.inheritance import NOTHING, Snapshot
from plotter2.model.link import Form, Head, Heads, Link, Origin
from plotter2.model.package import Head as DeclaredHead
from plotter2.model.package import LinkDeclaration, Package

OTHERS_MAX = 100
"""Bundles that can be chosen for what is linked to them: those that the package names, then those asked for."""

Ways = dict[str, tuple[Link, ...]]
"""By name; of several the first is meant, the others can be chosen by their bundle."""


@dataclass(frozen=True, slots=True)
class Pinned:
    """A bundle at the version that a run stands on."""

    path: str
    version: int
    package: Package
    inherited: Snapshot = NOTHING


@dataclass(frozen=True, slots=True)
class Found:
    """All ways, and at which version each other bundle lends what they need; 0 is its newest.

    `is_settled` says that they are the same whatever anybody links: these versions leave no room for others.
    """

    ways: Ways
    lenders: Mapping[str, int]
    is_settled: bool = False

    def heads_of(self, lender: str) -> set[Head]:
        """What of a lender can be called or read."""
        steps = (head for some in self.ways.values() for link in some for head in link.steps)
        return {head for head in steps if head.bundle == lender}


def found(bonds: Bonds, target: Pinned, origin: Pinned) -> Found:
    """Everything that a task of one bundle can call when it runs on another, or on its own.

    Args:
        bonds: what is linked.
        target: the bundle it runs on.
        origin: the bundle that declares it.
    """
    if _is_bare(target) and (origin.path == target.path or not (origin.package.heads or origin.package.links)):
        return Found({}, {}, is_settled=True)
    return _Search(bonds, target, origin).found()


def _is_bare(one: Pinned) -> bool:
    """Whether a bundle does nothing by any name, so that nothing can be linked with it."""
    own, inherited = one.package, one.inherited
    return not (own.heads or own.tasks or own.links or inherited.of("heads") or inherited.of("links"))


class _Search:
    """Ways are offered one after the other, the weightiest first."""

    def __init__(self, bonds: Bonds, target: Pinned, origin: Pinned) -> None:
        self._bonds = bonds
        self._target, self._origin = target, origin
        self._heads = {one.path: links.heads_of(one.path, one.package) for one in (origin, target)}
        self._versions = {origin.path: origin.version}
        self._ways: Ways = {}

    def found(self) -> Found:
        for name, link in self._offers():
            if link.given.form is Form.TASK and link.expected.form is Form.TASK:
                continue  # runs by itself
            known = self._ways.get(name, ())
            if all(one.given.bundle != link.given.bundle for one in known):
                self._ways[name] = (*known, link)
        ways = dict(sorted(self._ways.items()))
        used = {head.bundle for some in ways.values() for link in some for head in link.steps}
        return Found(ways, {path: self._versions.get(path, 0) for path in sorted(used - {self._target.path})})

    def _offers(self) -> Iterator[tuple[str, Link]]:
        target, origin = self._target, self._origin
        yield from self._declared_out(target)
        own = self._done_by_target()
        yield from own.items()
        yield from self._declared_out(origin)
        for name, head in self._heads[origin.path].operations.items():
            yield name, self._step_in(head)
        yield from ((name, links.identity(head)) for name, head in self._heads[target.path].operations.items())
        yield from self._inherited()
        yield from self._others()

    def _step_in(self, head: Head) -> Link:
        """Where a bundle does not do it, the means of the one that declares the task step in."""
        link = links.identity(head)
        return link if self._target.path == self._origin.path else replace(link, origin=Origin.SHARED)

    def _done_by_target(self) -> Mapping[str, Link]:
        linked = self._bonds.between(self._origin.path, self._target.path)
        return {name: link for name, link in linked.items() if link.origin is not Origin.SHARED and self._holds(link)}

    def _holds(self, link: Link) -> bool:
        """Whether the versions that run declare the same heads as the newest ones, which the link was made from."""
        return all(
            self._heads[head.bundle].get(head.name) == head for head in _heads_of(link) if head.bundle in self._heads
        )

    def _declared_out(self, pinned: Pinned) -> Iterator[tuple[str, Link]]:
        """Links that lead away from a bundle, under their own names; those to its members are not what it does."""
        operations = self._heads[pinned.path].operations
        for one in pinned.package.links:
            src, dst = ends(one, pinned.path)
            is_member = paths.is_below(dst, pinned.path) and one.name in operations
            if src != pinned.path or dst == pinned.path or is_member:
                continue
            link = self._link(one, pinned.path, operations.get(one.in_head))
            if link is not None:
                yield one.name, link

    def _link(self, one: LinkDeclaration, path: str, expected: Head | None) -> Link | None:
        _, dst = ends(one, path)
        given = self._heads[dst].get(one.out_head) if dst in self._heads else self._bonds.heads(dst).get(one.out_head)
        if expected is None or given is None:
            return None
        own = self._heads.get(path) or self._bonds.heads(path)
        link = links.of_declaration(one, own, expected, given)
        return None if links.misfit(link) else link

    def _inherited(self) -> Iterator[tuple[str, Link]]:
        """What the bundle has from its parents: their heads, each at the version that was inherited, and links."""
        snapshot = self._target.inherited
        by_origin: dict[int, dict[str, DeclaredHead]] = {}
        for name, trait in snapshot.of("heads").items():
            by_origin.setdefault(trait.origin, {})[name] = msgspec.convert(trait.value, DeclaredHead)
        known: dict[str, Heads] = {}
        for number, declared in by_origin.items():
            ancestor = snapshot.line[number]
            self._versions.setdefault(ancestor.bundle, ancestor.version)
            known[ancestor.bundle] = links.heads_of(ancestor.bundle, Package(heads=declared))
            for name, head in known[ancestor.bundle].operations.items():
                yield name, replace(links.identity(head), origin=Origin.SHARED)
        for trait in snapshot.of("links").values():
            one, path = msgspec.convert(trait.value, LinkDeclaration), snapshot.line[trait.origin].bundle
            src, dst = ends(one, path)
            if src == path and dst not in {path, self._target.path} and path in known:
                link = self._link(one, path, known[path].get(one.in_head))
                if link is not None:
                    yield one.name, replace(link, origin=Origin.SHARED)

    def _others(self) -> Iterator[tuple[str, Link]]:
        """What can be chosen by its bundle: links from this bundle that somebody declares or asked for."""
        path = self._target.path
        declared = [ends(one, path)[1] for one in self._target.package.links if ends(one, path)[0] == path]
        for dst in list(dict.fromkeys([*declared, *self._bonds.said_of(path)]))[:OTHERS_MAX]:
            for name, link in self._bonds.between(path, dst).items():
                if dst != path and link.origin in {Origin.DECLARED, Origin.ASKED} and self._holds(link):
                    yield name, link


def _heads_of(link: Link) -> Iterator[Head]:
    """Everything of a link: what is expected too."""
    yield from (link.expected, *link.steps)
