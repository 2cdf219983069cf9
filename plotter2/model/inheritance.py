"""What a bundle has from its parents: a snapshot, taken when its version is made (requirements 033 to 035; pure).

Parents are the bundles that `package.json` names, in that order, and then the holder: the nearest bundle above.
Ancestors are put in line as Python does with classes (C3), so a bundle comes before its parents and each keeps its own
order. Of what several of them declare under one name, the first in line holds. Nothing is looked up later: a parent
that gets a new version, or is archived, changes no child.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from blake3 import blake3

from plotter2.clock import Instant
from plotter2.errors import PackageError
from plotter2.model import package
from plotter2.model.package import INHERITED, Package

ANCESTORS_MAX = 256
SNAPSHOT_BYTES_MAX = 4 << 20
"""What one bundle may inherit, as text: it is kept with the version and sent with it."""
SECTIONS = INHERITED
"""What is inherited. Not: data itself, parameters and service (how this one is run), orders, tags."""
WORDS = {"tasks": "task", "data": "data key", "config": "setting", "heads": "head", "links": "link"}


class Ancestor(msgspec.Struct, frozen=True):
    """A bundle that something is inherited from, as it was.

    Attributes:
        parents: whom it inherits from itself, in its own order.
    """

    bundle: str
    version: int
    created_at: float = 0.0
    parents: tuple[str, ...] = ()


class Trait(msgspec.Struct, frozen=True, omit_defaults=True):
    """One inherited declaration.

    Attributes:
        origin: who declares it: an index into the snapshot's line of ancestors.
        value: the declaration, as in package.json.
        source: of a task with a source file: its digest in hexadecimal.
    """

    origin: int
    value: Any
    source: str = ""


class Snapshot(msgspec.Struct, frozen=True):
    """Everything that a version inherits.

    Attributes:
        parents: its direct parents, in order, the holder last.
        line: all its ancestors, nearest first.
        traits: section, then name, to declaration.
    """

    parents: tuple[str, ...] = ()
    line: tuple[Ancestor, ...] = ()
    traits: dict[str, dict[str, Trait]] = {}

    def of(self, section: str) -> dict[str, Trait]:
        """The inherited declarations of one section, by name."""
        return self.traits.get(section, {})


NOTHING = Snapshot()


@dataclass(frozen=True, slots=True)
class Kin:
    """A parent as it is now.

    Attributes:
        sources: digests of its task sources, by path.
        inherited: what it has from its own parents.
    """

    path: str
    version: int
    created_at: Instant
    package: Package
    sources: dict[str, bytes] = field(default_factory=dict)
    inherited: Snapshot = NOTHING

    @property
    def itself(self) -> Ancestor:
        """The parent as an ancestor."""
        return Ancestor(self.path, self.version, self.created_at, self.inherited.parents)

    @property
    def line(self) -> list[str]:
        """The bundle and its ancestors, nearest first."""
        return [self.path, *(one.bundle for one in self.inherited.line)]


@dataclass(frozen=True, slots=True)
class _Offer:
    """A declaration that one parent has to give, its own or inherited."""

    via: str
    origin: Ancestor
    value: Any
    source: str

    def says_the_same(self, other: _Offer) -> bool:
        return self.source == other.source and _text(self.value) == _text(other.value)


def _text(value: Any) -> bytes:
    return msgspec.json.encode(value, order="deterministic")


def encode(snapshot: Snapshot) -> str:
    """The text of a snapshot; "" for one with nothing in it.

    Raises:
        PackageError: it is too long.
    """
    if not snapshot.line:
        return ""
    text = msgspec.json.encode(snapshot).decode()
    if len(text) > SNAPSHOT_BYTES_MAX:
        raise PackageError(
            f"package.json: what would be inherited takes {len(text):,} bytes; at most {SNAPSHOT_BYTES_MAX:,} can be."
        )
    return text


def decode(text: str) -> Snapshot:
    """A snapshot from its text."""
    return msgspec.json.decode(text, type=Snapshot) if text else NOTHING


def digest_of(text: str) -> bytes:
    """What a snapshot is called: BLAKE3 of its text, b"" for an empty one."""
    return blake3(text.encode()).digest() if text else b""


def effective(own: Package, snapshot: Snapshot) -> Package:
    """The declaration with inherited data keys and settings filled in: what a task on the bundle sees."""
    sections = {name: {key: one.value for key, one in snapshot.of(name).items()} for name in ("data", "config")}
    filled = msgspec.convert(sections, Package)
    return msgspec.structs.replace(own, data={**filled.data, **own.data}, config={**filled.config, **own.config})


def effective_json(package_json: str, snapshot: Snapshot) -> str:
    """`effective` on texts; the text itself where nothing is inherited."""
    if not (snapshot.of("data") or snapshot.of("config")):
        return package_json
    return msgspec.json.encode(effective(package.read(package_json), snapshot)).decode()


def inherit(name: str, own: Package, parents: Sequence[Kin], holder: Kin | None = None) -> Snapshot:
    """What a bundle inherits now.

    Args:
        name: its path.
        own: what it declares itself; that always holds, and settles conflicts.
        parents: those it names, in its order.
        holder: the bundle above, which it has not to name; left out where it inherits from this one.

    Raises:
        PackageError: it would inherit from itself; the orders of its parents cannot both be kept; or two unrelated
            ancestors declare different things under one name. Both sides are named.
    """
    for one in parents:
        _check_circle(name, one)
    kin = list(parents)
    if holder is not None and name not in holder.line and holder.path not in {one.path for one in parents}:
        kin.append(holder)
    order = merge([one.line for one in kin], [one.path for one in parents])
    if len(order) > ANCESTORS_MAX:
        raise PackageError(f"package.json: {name!r} has {len(order)} ancestors; at most {ANCESTORS_MAX} are allowed.")
    ancestors = _ancestors(kin)
    place = {path: number for number, path in enumerate(order)}
    traits: dict[str, dict[str, Trait]] = {}
    for section, key, offers in _offers(kin):
        chosen = _choose(offers, place, ancestors, preferred=own.prefer.get(f"{section}.{key}", ""))
        if chosen is not None:
            trait = Trait(place[chosen.origin.bundle], chosen.value, chosen.source)
            traits.setdefault(section, {})[key] = trait
        elif key not in dict(_declared(own, section)):
            raise PackageError(_conflict(section, key, offers, ancestors))
    _check_preferences(own, kin)
    return Snapshot(tuple(one.path for one in kin), tuple(ancestors[path] for path in order), traits)


def merge(lines: Iterable[Sequence[str]], declared: Sequence[str] = ()) -> list[str]:
    """The C3 merge: one line in which every given line keeps its order, and so does `declared`.

    Raises:
        PackageError: no such line exists.
    """
    left = [list(reversed(line)) for line in (*lines, declared) if line]
    tails: dict[str, int] = {}
    for line in left:
        for one in line[:-1]:
            tails[one] = tails.get(one, 0) + 1
    order: list[str] = []
    while left:
        first = next((line[-1] for line in left if not tails.get(line[-1])), None)
        if first is None:
            raise PackageError(_disorder(left))
        order.append(first)
        for line in left:
            if line[-1] == first:
                line.pop()
                if line:
                    tails[line[-1]] -= 1
        left = [line for line in left if line]
    return order


def _disorder(left: Sequence[Sequence[str]]) -> str:
    for line in left:
        for other in left:
            if other[-1] in line[:-1] and line[-1] in other[:-1]:
                a, b = line[-1], other[-1]
                return (
                    f"package.json: 'parents' cannot be put in line: one of them has {a!r} before {b!r}, another has "
                    f"{b!r} before {a!r}. Name fewer parents, or name them in another order."
                )
    heads = ", ".join(repr(line[-1]) for line in left)
    return f"package.json: 'parents' cannot be put in line: the orders of {heads} contradict one another."


def _check_circle(name: str, parent: Kin) -> None:
    if parent.path == name:
        raise PackageError(f"package.json: 'parents' names {name!r} itself; a bundle does not inherit from itself.")
    if name in parent.line:
        raise PackageError(
            f"package.json: {name!r} cannot inherit from {parent.path!r}, which inherits from {name!r}; "
            f"leave one of the two out."
        )


def _ancestors(kin: Sequence[Kin]) -> dict[str, Ancestor]:
    """Each ancestor once: where two parents know different versions of one, the newer."""
    found: dict[str, Ancestor] = {}
    for one in kin:
        for ancestor in (one.itself, *one.inherited.line):
            known = found.get(ancestor.bundle)
            if known is None or known.version < ancestor.version:
                found[ancestor.bundle] = ancestor
    return found


def _declared(package: Package, section: str) -> Iterator[tuple[str, Any]]:
    given = getattr(package, section)
    if isinstance(given, dict):
        yield from given.items()
    else:
        for one in given:
            yield one.name, one


def _offers(kin: Sequence[Kin]) -> Iterator[tuple[str, str, list[_Offer]]]:
    """For each section and name, what each parent has to give."""
    for section in SECTIONS:
        found: dict[str, list[_Offer]] = {}
        for one in kin:
            own = dict(_declared(one.package, section))
            for name, value in own.items():
                source = one.sources.get(getattr(value, "task_src", ""), b"") if section == "tasks" else b""
                plain = msgspec.to_builtins(value)
                found.setdefault(name, []).append(_Offer(one.path, one.itself, plain, source.hex()))
            for name, trait in one.inherited.of(section).items():
                if name not in own:
                    origin = one.inherited.line[trait.origin]
                    found.setdefault(name, []).append(_Offer(one.path, origin, trait.value, trait.source))
        for name, offers in found.items():
            yield section, name, offers


def _choose(
    offers: Sequence[_Offer], place: dict[str, int], ancestors: dict[str, Ancestor], preferred: str
) -> _Offer | None:
    """The one that holds; None if two that are not related differ."""
    if preferred:
        offers = [one for one in offers if preferred in {one.via, one.origin.bundle}] or offers
    first = min(offers, key=lambda one: (place[one.origin.bundle], -one.origin.version))
    above = _above(first.origin.bundle, ancestors)
    for one in offers:
        if one.origin.bundle not in above and not one.says_the_same(first):
            return None
    return first


def _above(bundle: str, ancestors: dict[str, Ancestor]) -> set[str]:
    """The bundle and everything that it inherits from."""
    found: set[str] = set()
    waiting = [bundle]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += ancestors[one].parents if one in ancestors else ()
    return found


def _conflict(section: str, name: str, offers: Sequence[_Offer], ancestors: dict[str, Ancestor]) -> str:
    one, other = next(
        (one, other)
        for one in offers
        for other in offers
        if not one.says_the_same(other)
        and other.origin.bundle not in _above(one.origin.bundle, ancestors)
        and one.origin.bundle not in _above(other.origin.bundle, ancestors)
    )
    word = WORDS[section]
    sides = " and ".join(f"'{side.origin.bundle}@{side.origin.version}'" for side in (one, other))
    return (
        f"package.json: the {word} {name!r} comes from {sides}, which differ and are not related. Declare the {word} "
        f'{name!r} here, or choose: "prefer": {{"{section}.{name}": "{one.via}"}}.'
    )


def _check_preferences(own: Package, kin: Sequence[Kin]) -> None:
    given = {f"{section}.{name}": offers for section, name, offers in _offers(kin)} if own.prefer else {}
    for key, bundle in own.prefer.items():
        sides = list(dict.fromkeys(side for one in given.get(key, ()) for side in (one.via, one.origin.bundle)))
        if bundle not in sides:
            offered = ", ".join(map(repr, sides)) or "no parent"
            raise PackageError(f"package.json: 'prefer.{key}' names {bundle!r}, but {offered} has it to give.")
