"""What a walk over everything at rest finds: faults, and what was done about each (requirement 003; pure)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """What is wrong with something at rest, and so what can be done."""

    DAMAGED = "damaged"
    """Content is lost or altered: only sending it again helps."""
    HIDDEN = "hidden"
    """A folder does not show what its version holds; the content is safe, and it is shown again."""
    STRAY = "stray"
    """Nobody of plotter2 put it there: it is moved into quarantine."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be.

    Attributes:
        path: where, below the home.
        problem: what is wrong, one sentence without its subject.
        remedy: what was done about it, "" for nothing.
        item: its id in quarantine, "" for what is not there.
    """

    path: str
    problem: str
    fault: Fault
    remedy: str = ""
    item: str = ""


@dataclass(slots=True)
class Counts:
    """How far a walk has come, and what it found so far. Sizes in bytes."""

    blobs: int = 0
    blob_bytes: int = 0
    bundles: int = 0
    files: int = 0
    damaged: int = 0
    hidden: int = 0
    strays: int = 0

    def add(self, finding: Finding) -> None:
        """One more finding."""
        match finding.fault:
            case Fault.DAMAGED:
                self.damaged += 1
            case Fault.HIDDEN:
                self.hidden += 1
            case Fault.STRAY:
                self.strays += 1
