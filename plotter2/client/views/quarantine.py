"""What is kept and not used, and what a walk over everything at rest found."""

from __future__ import annotations

from dataclasses import dataclass

from plotter2.client.views.page import when
from plotter2.model.quarantine import ItemKind, ItemState
from plotter2.model.quarantine import QuarantineItem as Model
from plotter2.model.verification import Counts, Fault, Finding


@dataclass(frozen=True, slots=True)
class QuarantineItem:
    """Something in quarantine: a stray, or a delivery whose conditions do not hold.

    Attributes:
        place: a stray: where it lay, below the home; a delivery: the bundle it is meant for.
        kept: a stray: the folder it lies in now, below the home.
        request: the push that waits.
        decision: the request that decided.
    """

    id: str
    kind: ItemKind
    state: ItemState
    place: str
    reason: str
    since: str
    kept: str = ""
    user: str = ""
    request: str = ""
    decided: str = ""
    decision: str = ""

    @classmethod
    def of(cls, item: Model) -> QuarantineItem:
        """The view of an item."""
        return cls(
            id=item.id,
            kind=item.kind,
            state=item.state,
            place=item.place,
            reason=item.reason,
            since=when(item.at),
            kept=item.kept,
            user=item.user,
            request=item.request_id,
            decided=when(item.decided_at),
            decision=item.decision,
        )


@dataclass(frozen=True, slots=True)
class Verification:
    """What a walk found, and how much it looked at."""

    counts: Counts
    findings: tuple[Finding, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether everything is in order now: what was found has been put right or moved away."""
        return all(one.remedy for one in self.findings if one.fault is not Fault.DAMAGED) and not self.counts.damaged
