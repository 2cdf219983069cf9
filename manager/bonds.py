"""Who is linked to whom: what bundles declare, what was asked, and what plotter2 finds by itself.

Requirements 040, 041, 048 to 055; pure. A link is not stored as it is: it is made anew from the newest declarations and
the newest words about it, and kept until one of these changes. So a link whose ends do not fit any more links nothing,
and nobody has to look for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from typing_extensions import override

from manager.catalog import Catalog, Node
from plotter2.model import link as links
from plotter2.model import membership, paths
from plotter2.model.link import Epsilon, Head, Heads, Link, Origin, SaidLink
from plotter2.model.membership import Links, Verdict
from plotter2.model.package import ABOVE, HERE, LinkDeclaration, Package
from plotter2.model.paths import BundlePath

NOTHING: Links = {}
TEXTS_MAX = 100_000
"""So many different declarations have their heads at hand."""
TREES_MAX = 64
"""So many bundles have what lies below them resolved at hand."""


class _Bound(Mapping[str, Head]):
    """The heads of one bundle out of those that many have in common: each is made when it is asked for."""

    __slots__ = ("_bundle", "_common")

    def __init__(self, common: Mapping[str, Head], bundle: str) -> None:
        self._common = common
        self._bundle = bundle

    @override
    def __getitem__(self, name: str) -> Head:
        return self._common[name].at(self._bundle)

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._common)

    @override
    def __len__(self) -> int:
        return len(self._common)

    @override
    def __contains__(self, name: object) -> bool:
        return name in self._common


class _Found(Mapping[str, Link]):
    """Links between heads of one name, as `_Bound`: of ten thousand bundles most are never asked for one."""

    __slots__ = ("_expected", "_given", "_names")

    def __init__(self, names: frozenset[str], expected: Mapping[str, Head], given: Mapping[str, Head]) -> None:
        self._names = names
        self._expected = expected
        self._given = given

    @override
    def __getitem__(self, name: str) -> Link:
        if name not in self._names:
            raise KeyError(name)
        return Link(self._expected[name], self._given[name])

    @override
    def __iter__(self) -> Iterator[str]:
        return (name for name in self._expected if name in self._names)

    @override
    def __len__(self) -> int:
        return len(self._names)

    @override
    def __contains__(self, name: object) -> bool:
        return name in self._names


class _Known(NamedTuple):
    """What a bundle declares of heads, as its newest version has it; `size` of them are operations."""

    package: Package
    text: str
    heads: Heads
    size: int


_UNKNOWN = _Known(Package(), "", links.NO_HEADS, 0)


@dataclass(slots=True)
class _Tree:
    """What lies below a bundle, resolved when the catalog had seen so many changes; `stale` is old since."""

    seen: int
    resolved: dict[str, Links]
    stale: set[str] = field(default_factory=set)


class Bonds:
    """Links between the bundles of a catalog."""

    def __init__(self, catalog: Catalog, threshold: float = membership.THRESHOLD) -> None:
        """`threshold` is the least score of a member, see `membership.judge`."""
        self._catalog = catalog
        self._threshold = threshold
        self._said: dict[tuple[str, str], dict[str, SaidLink]] = {}
        self._said_from: dict[str, dict[str, None]] = {}
        self._heads: dict[str, _Known] = {}
        self._common: dict[str, Heads] = {}
        self._fitting: dict[tuple[str, str], frozenset[str]] = {}
        self._means: dict[str, tuple[Package, Links]] = {}
        self._trees: dict[str, _Tree] = {}
        self.words = 0
        """Grows with every word about a link, as the catalog's `changes` with every version."""

    def say(self, word: SaidLink) -> None:
        """Take in what was asked; the newest word about an operation of one bundle and another bundle holds."""
        self.words += 1
        self._said.setdefault((word.src, word.dst), {})[word.operation] = word
        self._said_from.setdefault(word.src, {})[word.dst] = None
        for tree in self._trees.values():
            tree.stale.add(word.dst)

    def said(self, src: str, dst: str) -> Mapping[str, SaidLink]:
        """The newest words about two bundles, by operation."""
        return self._said.get((src, dst), {})

    def said_of(self, src: str) -> list[str]:
        """The bundles that somebody linked operations of this one to, in the order of the first word."""
        return list(self._said_from.get(src, ()))

    def heads(self, path: str) -> Heads:
        """What a bundle does; nothing where there is no such bundle."""
        return self._known(path).heads

    def _known(self, path: str) -> _Known:
        """The heads of a bundle and the text that they stand in; read once for all that share the text."""
        node = self._catalog.get(path)
        if node is None or not (node.package.heads or node.package.tasks):
            return _UNKNOWN if node is None or not node.package.links else _UNKNOWN._replace(package=node.package)
        known = self._heads.get(path)
        if known is None or known.package is not node.package:
            text = node.version.package_json
            if len(self._common) >= TEXTS_MAX:
                self._common.clear()
                self._fitting.clear()
            if text not in self._common:
                self._common[text] = links.heads_of(path, node.package)
            common = self._common[text]
            heads = Heads(_Bound(common.operations, path), _Bound(common.tools, path))
            known = self._heads[path] = _Known(node.package, text, heads, len(common.operations))
        return known

    # --- two bundles ------------------------------------------------------------------------------------------------

    def itself(self, path: str) -> Links:
        """The links of a bundle to itself: each operation to itself, unless the bundle declares otherwise."""
        own = {name: links.identity(head) for name, head in self.heads(path).operations.items()}
        return membership.gather({}, self._declared(path, path), own)

    def between(self, src: str, dst: str) -> Links:
        """What one bundle does of another's operations, by whatever way; one that lies below, or any other."""
        if src == dst:
            return self.itself(src)
        if not paths.is_below(dst, src):
            node = self._catalog.get(dst)
            is_kin = node is not None and src in node.package.parents and self.is_bare(dst)
            return self._direct(src, dst, self._shared(src) if is_kin else NOTHING)
        resolved: dict[str, Links] = {}
        holder = src
        for path in (*reversed(self._above(dst, src)), dst):
            resolved[path] = self._resolved(src, path, holder, resolved)
            holder = path
        return resolved[dst]

    def _direct(self, src: str, dst: str, otherwise: Links = NOTHING) -> Links:
        asked, declared, found = self._asked(src, dst), self._declared(src, dst), self._found(src, dst)
        if not (asked or declared):  # nearly all: nothing has to be put together
            if not otherwise or found.keys() >= otherwise.keys():
                return found
            if not found:
                return otherwise
        return membership.gather(asked, declared, found, otherwise)

    def _asked(self, src: str, dst: str) -> dict[str, Link | None]:
        found: dict[str, Link | None] = {}
        for name, word in self._said.get((src, dst), {}).items():
            if word.is_unlinked:
                found[name] = None
            elif (link := self.made(word)) is not None:
                found[name] = link
        return found

    def made(self, word: SaidLink) -> Link | None:
        """The link that somebody asked for, if there is one now: its heads are there, and fit unless it is forced."""
        expected, given = self.heads(word.src).operations.get(word.operation), self.heads(word.dst).get(word.out_head)
        sides = [self.translator(word, name) for name in (word.forward, word.backward)]
        if expected is None or given is None or None in sides:
            return None
        epsilon = Epsilon(*(side or () for side in sides))
        link = Link(expected, given, word.mode, epsilon, Origin.ASKED, word.is_forced)
        return link if word.is_forced or not links.misfit(link) else None

    def translator(self, word: SaidLink, name: str) -> tuple[Head, ...] | None:
        """The head that translates, of either bundle; none for no name, None where nobody has it."""
        if not name:
            return ()
        head = self.heads(word.dst).get(name) or self.heads(word.src).get(name)
        return None if head is None else (head,)

    def _declared(self, src: str, dst: str) -> dict[str, Link]:
        found: dict[str, Link] = {}
        for path in dict.fromkeys((src, dst)):
            node = self._catalog.get(path)
            for one in node.package.links if node is not None else ():
                if ends(one, path) == (src, dst):
                    link = self.declared(one, path)
                    if link is not None and not links.misfit(link):
                        found[link.operation] = link
        return found

    def declared(self, one: LinkDeclaration, path: str) -> Link | None:
        """The link that a bundle declares; None where one of its heads is not there (yet)."""
        src, dst = ends(one, path)
        expected, given = self.heads(src).operations.get(one.in_head), self.heads(dst).get(one.out_head)
        if expected is None or given is None:
            return None
        return links.of_declaration(one, self.heads(path), expected, given)

    def _found(self, src: str, dst: str) -> Links:
        """Where both have a head of one name and the shapes fit, that is a link: nobody has to write it down."""
        return self._same(self._known(src), self._known(dst))

    def _same(self, left: _Known, right: _Known) -> Links:
        names = self._fitting.get((left.text, right.text))
        expected, given = left.heads.operations, right.heads.operations
        if names is None:
            pairs = ((name, Link(head, given[name])) for name, head in expected.items() if name in given)
            names = frozenset(name for name, link in pairs if not links.misfit(link))
            self._fitting[left.text, right.text] = names
        return _Found(names, expected, given) if names else NOTHING

    # --- what lies below a bundle -------------------------------------------------------------------------------------

    def below(self, src: str) -> Mapping[str, Links]:
        """For each bundle below this one, archived ones too, in their order: what it does of this one's operations.

        A version, or a word about a link, makes old what is known of its own bundle and of what lies below that.
        """
        tree = self._trees.get(src)
        changed = None if tree is None else self._catalog.changed(tree.seen)
        if tree is None or changed is None or src in changed:
            if len(self._trees) >= TREES_MAX:
                self._trees.clear()
            self._trees[src] = tree = _Tree(self._catalog.changes, {})
            self._resolve(src, self._catalog.below(src), tree.resolved)
        elif changed or tree.stale:
            self._renew(src, tree, changed | tree.stale)
        return tree.resolved

    def _renew(self, src: str, tree: _Tree, old: set[str]) -> None:
        """Find out anew about these bundles and all below them."""
        tree.seen = self._catalog.changes
        tree.stale.clear()
        count, top = len(tree.resolved), ""
        for path in sorted(one for one in old if one != src and paths.is_below(one, src)):
            if not (top and paths.is_below(path, top)):  # else it was done with the one above
                self._resolve(src, (path, *self._catalog.below(path)), tree.resolved)
                top = path
        if len(tree.resolved) > count:
            tree.resolved = {path: tree.resolved[path] for path in self._catalog.below(src)}

    def _resolve(self, src: str, some: Iterable[str], resolved: dict[str, Links]) -> None:
        """Nearly all bundles declare no link, were never spoken of, and do all that `src` does under its names."""
        upper = self._known(src)
        for path in some:
            lower = self._known(path)
            if lower.size and not (upper.package.links or lower.package.links or (src, path) in self._said):
                found = self._same(upper, lower)
                if len(found) == upper.size:
                    resolved[path] = found
                    continue
            holder = next(iter(self._above(path, src)), src)
            resolved[path] = self._resolved(src, path, holder, resolved)

    def _resolved(self, src: str, path: str, holder: str, resolved: Mapping[str, Links]) -> Links:
        """`holder` is the nearest bundle above that does something; resolved already, unless it is `src` itself."""
        own = self._shared(holder) if self.is_bare(path) else NOTHING
        if holder == src:
            return self._direct(src, path, own)
        direct = self._direct(src, path)
        if len(direct) == len(self.heads(src).operations):
            return direct
        return self._direct(src, path, membership.through(resolved[holder], self._direct(holder, path, own)))

    def _shared(self, holder: str) -> Links:
        """What a bare bundle does of another one's operations: all, by that one's means."""
        package = self._known(holder).package
        known = self._means.get(holder)
        if known is None or known[0] is not package:
            links_ = {name: replace(link, origin=Origin.SHARED) for name, link in self.itself(holder).items()}
            known = self._means[holder] = package, links_
        return known[1]

    def _above(self, path: str, top: str) -> list[str]:
        """Bundles that do something, above one and below another, nearest first."""
        found: list[str] = []
        at = paths.parent(BundlePath(path))
        while at is not None and at != top and paths.is_below(at, top):
            if not self.is_bare(at):
                found.append(at)
            at = paths.parent(at)
        return found

    def is_bare(self, path: str) -> bool:
        """Whether a bundle declares neither task nor head: it does nothing of its own."""
        return not self._known(path).size

    def is_container(self, path: str) -> bool:
        """Whether it does nothing and only holds other bundles."""
        return self.is_bare(path) and self._catalog.has_below(path)

    # --- verdicts -----------------------------------------------------------------------------------------------------

    def parents(self, node: Node) -> list[str]:
        """Whom a bundle is measured by: those it names, then the nearest one above that does something."""
        path = node.version.path
        named = [one for one in node.package.parents if self._catalog.get(one) is not None]
        first = above = self._catalog.holder(path)
        while above is not None and self.is_bare(above.version.path):
            above = self._catalog.holder(above.version.path)
        holder = above or first
        return list(dict.fromkeys([*named, *([holder.version.path] if holder is not None else [])]))

    def verdicts(self, node: Node) -> list[Verdict]:
        """What a bundle is to each of its parents."""
        path = node.version.path
        return [self.verdict(path, parent, self.between(parent, path)) for parent in self.parents(node)]

    def verdict(self, path: str, parent: str, linked: Links) -> Verdict:
        """What a bundle with these links is to another one."""
        return membership.judge(path, parent, self.heads(parent).operations, linked, self._threshold)

    def siblings(self, src: str) -> dict[str, Links]:
        """What is below a bundle and counts: neither what is archived nor what only holds others."""
        found = {}
        for path, linked in self.below(src).items():
            node = self._catalog.get(path)
            if node is not None and not node.version.archived and not self.is_container(path):
                found[path] = linked
        return found


def ends(one: LinkDeclaration, path: str) -> tuple[str, str]:
    """The two bundles of a link that a bundle declares."""
    above = paths.parent(BundlePath(path)) or ""
    places = {HERE: path, ABOVE: above}
    return places.get(one.src, one.src), places.get(one.dst, one.dst)


def only_named(operations: Iterable[str], wanted: str) -> list[str]:
    """One of them, or all where none is named."""
    return [name for name in operations if wanted in ("", name)]
