"""Operations, links and verdicts."""

from __future__ import annotations

from dataclasses import dataclass, field

from plotter2.model.link import Link as LinkModel
from plotter2.model.membership import Standing
from plotter2.model.membership import Verdict as VerdictModel


@dataclass(frozen=True, slots=True)
class Verdict:
    """What plotter2 takes a bundle for: a member of its parent, a partial one, or an imposter.

    Attributes:
        score: the part of the parent's operations that it links, 0 to 1; forced links do not count.
        linked: operations that it links, the `forced` ones too; `missing`: those that it does not.
    """

    bundle: str
    parent: str
    standing: Standing
    score: float
    linked: tuple[str, ...] = ()
    forced: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @classmethod
    def of(cls, verdict: VerdictModel) -> Verdict:
        """The view of a verdict."""
        return cls(
            verdict.bundle, verdict.parent, verdict.standing, verdict.score, verdict.linked, verdict.forced,
            verdict.missing,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Link:
    """How a bundle does an operation of one above it.

    Attributes:
        bundle: who does it.
        of: whose head it uses: its own, or that of the bundle whose means it shares.
        origin: shared, found, declared or asked.
        forward: heads that translate arguments, in order; `backward`: those that translate what comes back.
    """

    bundle: str
    of: str
    head: str
    origin: str
    mode: str
    forward: tuple[str, ...] = ()
    backward: tuple[str, ...] = ()
    is_forced: bool = False

    @classmethod
    def of_model(cls, link: LinkModel) -> Link:
        """The view of a link: who expects it, and whose head does it."""
        given, translated = link.given, link.epsilon
        return cls(
            link.expected.bundle, given.bundle, given.name, link.origin, link.mode,
            tuple(one.name for one in translated.forward), tuple(one.name for one in translated.backward),
            link.is_forced,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Operation:
    """Something that a bundle does or has. `form` is task, function or data; `shape` what it takes and gives."""

    name: str
    form: str
    shape: str
    links: tuple[Link, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Operations:
    """Operations of a bundle, and what each bundle below is to it."""

    bundle: str
    operations: tuple[Operation, ...] = ()
    members: tuple[Verdict, ...] = ()

    @property
    def names(self) -> list[str]:
        """The names of the operations."""
        return [one.name for one in self.operations]
