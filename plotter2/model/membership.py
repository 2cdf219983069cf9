"""Who belongs: what the bundles below another one do of what it does (requirements 031, 032, 048 to 055; pure).

A bundle's operations are its tasks and heads. What a bundle below it links of them is a set of links by operation; from
these come the verdict on one bundle, and what all (intersection) or some (union) of several can do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from plotter2.model import link as links
from plotter2.model.link import Head, Link

THRESHOLD = 0.5
"""The least part of its parent's operations that a bundle links to be taken for one of its members."""
Links = Mapping[str, Link]
"""What one bundle does of another's operations, by operation."""


class Standing(StrEnum):
    """What plotter2 takes a bundle for. The user's own word, where it lies, is kept whatever the verdict is."""

    MEMBER = "member"
    PARTIAL = "partial"
    IMPOSTER = "imposter"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a bundle is to another one.

    Attributes:
        score: the part of the parent's operations that it links, 0 to 1; 1 for a blank parent. Forced links do not
            count.
        linked: operations that it links, forced ones too.
        forced: those of them that somebody forced.
        missing: operations that it does not link.
    """

    bundle: str
    parent: str
    standing: Standing
    score: float
    linked: tuple[str, ...] = ()
    forced: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def judge(
    bundle: str, parent: str, operations: Collection[str], linked: Links, threshold: float = THRESHOLD
) -> Verdict:
    """Say what a bundle is to its parent."""
    forced = tuple(sorted(name for name in operations if name in linked and linked[name].is_forced))
    real = sum(name in linked for name in operations) - len(forced)
    score = real / len(operations) if operations else 1.0
    standing = Standing.MEMBER if score == 1 else Standing.PARTIAL if score >= threshold else Standing.IMPOSTER
    return Verdict(
        bundle,
        parent,
        standing,
        score,
        tuple(sorted(name for name in operations if name in linked)),
        forced,
        tuple(sorted(name for name in operations if name not in linked)),
    )


def gather(said: Mapping[str, Link | None], *offered: Links) -> dict[str, Link]:
    """The links that hold, out of all that there are.

    Args:
        said: what was asked for; None stands for an operation that was unlinked: nothing links it then.
        offered: further links, what comes first holds.
    """
    found: dict[str, Link] = {}
    for links_ in reversed(offered):
        found.update(links_)
    for name, link in said.items():
        found.pop(name, None)
        if link is not None:
            found[name] = link
    return found


def through(upper: Links, lower: Links) -> dict[str, Link]:
    """What a grandchild does of its grandparent's operations, by way of the bundle between."""
    return {name: first.then(lower[first.given.name]) for name, first in upper.items() if first.given.name in lower}


def intersection(operations: Iterable[str], siblings: Collection[Links], *, with_forced: bool = False) -> list[str]:
    """What can be asked of all of them. Forced links do not count unless asked."""
    return [
        name for name in operations if all(name in one and (with_forced or not one[name].is_forced) for one in siblings)
    ]


def union(operations: Iterable[str], siblings: Collection[Links], *, with_forced: bool = False) -> list[str]:
    """What can be asked of some of them; of the bundle alone where there are none."""
    return [
        name
        for name in operations
        if not siblings or any(name in one and (with_forced or not one[name].is_forced) for one in siblings)
    ]


def resolve(operation: Head, linked: Links) -> Link:
    """How a bundle does an operation: by its own link, else its parent's own implementation steps in."""
    return linked.get(operation.name) or links.identity(operation)
